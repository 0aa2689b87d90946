"""Claims about how the service is run: infrastructure and network, and encrypted connections."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, Subject

INFRASTRUCTURE: Final = Subject(
    "infrastructure",
    _("Infrastructure and network"),
    (
        Claim(
            "complete_start",
            _("The service does not start in production while a secret or a part of it is missing."),
            _(
                "Each secret and each database, cache and mail server must be named in the server's "
                "configuration; in production none has a default. The framework's own checks for production "
                "report nothing."
            ),
            _("Each of these settings is taken away in turn; the start must fail and name it."),
        ),
        Claim(
            "caller_address",
            _("The network address of a caller is read from one place only, and what else a caller sends is ignored."),
            _(
                "Behind the proxy one single header counts: the one that the proxy sets. A missing or odd "
                "value is refused, never guessed."
            ),
            _("Forged, doubled and malformed headers are sent to a running server; none of them changes the address."),
        ),
        Claim(
            "own_name_only",
            _(
                "The server answers to its own name only, and cuts off callers that are too slow, too large or too "
                "many."
            ),
            _("A proxy (nginx) stands in front. Who asks for another name gets neither an answer nor our certificate."),
            _("Other names, slow and oversized requests and floods are sent to a real proxy."),
            requires="production",
        ),
        Claim(
            "nothing_hidden",
            _("Malformed requests are refused or do no harm, and none can hide another one in it."),
            _("Proxy and service both refuse what is ambiguous in its length, its headers or its path."),
            _("63 odd requests go to the service directly and through a real proxy; no hidden call may be counted."),
            requires="production",
        ),
        Claim(
            "shut_in",
            _("Each part of the service reaches only what it needs of the machine."),
            _(
                "Limits of systemd for each of them: other files, users, devices and calls of the system are out of "
                "reach, and no image of the memory is ever written."
            ),
            _(
                "systemd itself rates each unit, which must get 2.0 of 10 or less (less is better); a unit with a "
                "mistake must be noticed."
            ),
            requires="production",
        ),
        Claim(
            "least_rights",
            _("The database lets each part of the service do only what that part is for."),
            _(
                "Five roles in PostgreSQL. The one that serves you can neither change nor delete an entry of the "
                "history, and a changed detail shows."
            ),
            _(
                "Each role tries what is not its own on a real server, and a failing statement must leave no value in "
                "its log."
            ),
            requires="production",
        ),
        Claim(
            "blocked_addresses",
            _("The operator can shut an attacking address out of the API; that holds everywhere within two seconds."),
            _("Single addresses and whole networks, IPv4 and IPv6. A blocked caller is refused before anything else."),
            _("One process blocks an address; another must refuse it within two seconds, valid key or not."),
        ),
    ),
)

TRANSPORT: Final = Subject(
    "tls",
    _("Encrypted connections (TLS)"),
    (
        Claim(
            "modern_tls",
            _("Connections are encrypted by TLS 1.2 or 1.3, with the settings that Mozilla calls intermediate."),
            _("The proxy offers nothing older and nothing weaker."),
            _(
                "A scanner that is not ours (sslyze) compares a real proxy with Mozilla's list, and must find a "
                "weaker one."
            ),
            requires="production",
        ),
        Claim(
            "encrypted_calls",
            _("An API call that arrives unencrypted is refused, and its key is not even looked at."),
            _("The proxy says how a call came. Pages are redirected to HTTPS; calls get an error that says why."),
            _("A valid key is sent over plain HTTP; the call must be refused before the key is compared."),
            requires="production",
        ),
        Claim(
            "https_only",
            _(
                "Browsers are told to come by HTTPS only, for two years, and the session's cookie never "
                "travels in clear."
            ),
            _("Strict-Transport-Security for this name and all below it; the cookie is Secure, HttpOnly and SameSite."),
            _("The headers and the cookie of the production settings are read and compared."),
            requires="production",
        ),
    ),
)
