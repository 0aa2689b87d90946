"""Claims about infrastructure, network and encrypted connections."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, ClaimSubject

INFRASTRUCTURE: Final = ClaimSubject(
    "infrastructure",
    _("Infrastructure and network"),
    (
        Claim(
            "complete_start",
            _("The service does not start in production if a secret, or part of one, is missing."),
            _(
                "Every secret and every database, cache and mail server must be set in the server's "
                "configuration; in production none has a default. The framework's own production checks "
                "report nothing."
            ),
            _("Each of these settings is removed in turn; the start must fail and name it."),
        ),
        Claim(
            "caller_address",
            _("A caller's IP address is read from one place only; anything else the caller sends about it is ignored."),
            _(
                "Behind the proxy only one header counts: the one set by the proxy. A missing or unusual "
                "value is refused, never guessed."
            ),
            _(
                "Forged, duplicate and malformed headers are sent to a running server; none of them changes "
                "the IP address."
            ),
        ),
        Claim(
            "own_name_only",
            _(
                "The server only answers to its own name, and disconnects callers that are too slow, too "
                "large or too many."
            ),
            _(
                "A proxy (nginx) sits in front of the service. Anyone asking for another name gets neither a "
                "response nor our certificate."
            ),
            _("Other names, slow and oversized requests, and floods of requests are sent to a real proxy."),
            requires="production",
        ),
        Claim(
            "nothing_hidden",
            _("Malformed requests are refused or harmless, and none can hide another request inside it."),
            _("Both the proxy and the service refuse requests with an ambiguous length, header or path."),
            _(
                "63 unusual requests are sent to the service directly and through a real proxy; no hidden "
                "call may be counted."
            ),
            requires="production",
        ),
        Claim(
            "shut_in",
            _("Each part of the service can only access what it needs on the machine."),
            _(
                "systemd restricts each of them: other files, users, devices and system calls are out of "
                "reach, and a memory dump is never written."
            ),
            _(
                "systemd itself rates each unit, which must score 2.0 of 10 or less (lower is better); a "
                "faulty unit must be detected."
            ),
            requires="production",
        ),
        Claim(
            "least_rights",
            _("The database lets each part of the service do only what that part needs."),
            _(
                "Five roles in PostgreSQL. The one that serves you can neither change nor delete an "
                "audit log entry, and a changed detail is detected."
            ),
            _(
                "On a real server, each role tries what it is not allowed to do, and a failed statement "
                "must not leave a value in the log."
            ),
            requires="production",
        ),
        Claim(
            "blocked_addresses",
            _("We can block an attacking IP address from the API; this takes effect everywhere within two seconds."),
            _(
                "Single IP addresses and whole networks, IPv4 and IPv6. A blocked caller is refused before "
                "anything else happens."
            ),
            _(
                "One process blocks an IP address; another must refuse it within two seconds, with or "
                "without a valid key."
            ),
        ),
    ),
)

TRANSPORT: Final = ClaimSubject(
    "tls",
    _("Encrypted connections (TLS)"),
    (
        Claim(
            "modern_tls",
            _("Connections are encrypted with TLS 1.2 or 1.3, with the settings that Mozilla calls intermediate."),
            _("The proxy offers nothing older or weaker."),
            _(
                "An independent scanner (sslyze) compares a real proxy with Mozilla's list, and must "
                "detect a weaker one."
            ),
            requires="production",
        ),
        Claim(
            "encrypted_calls",
            _("An API call that arrives unencrypted is refused without checking its key."),
            _(
                "The proxy reports how a call arrived. Pages are redirected to HTTPS; calls get an error "
                "that explains why."
            ),
            _("A valid key is sent over plain HTTP; the call must be refused before the key is compared."),
            requires="production",
        ),
        Claim(
            "https_only",
            _("Browsers are told to use HTTPS only, for two years, and the session cookie is never sent unencrypted."),
            _(
                "Strict-Transport-Security for this domain and all its subdomains; the cookie is Secure, "
                "HttpOnly and SameSite."
            ),
            _("The headers and the cookie are read with the production settings and compared."),
            requires="production",
        ),
    ),
)
