"""Claims about the HTTP API and its keys."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, ClaimSubject

API: Final = ClaimSubject(
    "api",
    _("API security"),
    (
        Claim(
            "valid_keys_only",
            _(
                "Every call that checks anything requires a valid key of an active customer, with permission "
                "for that call."
            ),
            _("Keys of suspended, closing and deleted customers are refused, and so is a browser session."),
            _(
                "Each call is made without a key, with keys that have every permission but the required one, "
                "and for customers in each state."
            ),
        ),
        Claim(
            "hashed_keys",
            _("API keys are stored only as keyed hashes and are shown once."),
            _(
                "256 random bits; HMAC-SHA256 with a secret that is in no database. A checksum and a "
                "fixed pattern help scanners find leaked keys."
            ),
            _(
                "Rows, e-mails and logs are searched for the key; a changed, truncated or foreign key must "
                "not be accepted."
            ),
        ),
        Claim(
            "silent_refusals",
            _("Unknown, wrong, revoked and expired keys get exactly the same response, byte for byte."),
            _("Only someone with the right secret learns that the IP address is the reason."),
            _("The responses are compared, including their headers."),
        ),
        Claim(
            "bound_addresses",
            _(
                "A key can be restricted to IP addresses and networks, IPv4 and IPv6. Calls from anywhere "
                "else are refused."
            ),
            _("An empty list refuses everyone, and no entry can mean all IP addresses."),
            _("Calls come from inside and outside the list, with IP addresses written in every possible way."),
        ),
        Claim(
            "prompt_changes",
            _(
                "Revoking a key, changing its list of IP addresses or suspending a customer takes effect "
                "everywhere within two seconds."
            ),
            _("A process that cannot reach the database for that long refuses all calls."),
            _("Several processes of a running service are called continuously while another one makes the change."),
        ),
        Claim(
            "strict_bodies",
            _(
                "An IBAN is never part of a web address of the API, and a body that is not exactly as "
                "documented is refused."
            ),
            _(
                "Query strings are refused; so are unknown or duplicate fields, wrong types, invalid "
                "text and text that is too long. The error says where."
            ),
            _("Malformed bodies and paths of every kind we know are sent, some over a raw connection."),
        ),
        Claim(
            "exact_limits",
            _("Rate limits and the monthly quota apply to all processes together, however many calls arrive at once."),
            _(
                "The quota allows exactly what is left; the calls in a minute exceed the rate limit by a "
                "tenth at most. If the shared counters (Redis) are unavailable, each process applies the "
                "rate limit on its own; the quota stays exact."
            ),
            _("Of 400 simultaneous calls on a quota of 100, exactly 100 must succeed, with several processes."),
        ),
    ),
)
