"""Claims about the HTTP API and its keys."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, Subject

API: Final = Subject(
    "api",
    _("API security"),
    (
        Claim(
            "valid_keys_only",
            _("Every call that checks anything needs a valid key of an active customer, with the right to make it."),
            _("Suspended, closing and deleted customers' keys are refused; so is a session of the browser."),
            _("Each call is made without a key, with keys of every other right, and for customers in each state."),
        ),
        Claim(
            "hashed_keys",
            _("API keys are kept as keyed hashes only and are shown once."),
            _(
                "256 random bits; HMAC-SHA256 under a secret that no database holds. A checksum and a fixed "
                "pattern help scanners find leaked keys."
            ),
            _("Rows, mails and logs are searched for the key; a changed, cut or foreign one must not fit."),
        ),
        Claim(
            "silent_refusals",
            _("Unknown, wrong, revoked and expired keys get the same answer, to the byte."),
            _("Only whoever holds the right secret learns that the address is the reason."),
            _("The answers, headers included, are compared."),
        ),
        Claim(
            "bound_addresses",
            _("A key can be bound to addresses and networks, IPv4 and IPv6. From anywhere else it is refused."),
            _("An empty list refuses everybody, and no entry can mean all addresses."),
            _("Calls come from inside and outside of the list, in every way to write an address."),
        ),
        Claim(
            "prompt_changes",
            _(
                "A revoked key, a changed list of addresses and a suspended customer hold everywhere within "
                "two seconds."
            ),
            _("A process that cannot ask the database for that long refuses all calls."),
            _("Several processes of a running service are called without a pause while another one makes the change."),
        ),
        Claim(
            "strict_bodies",
            _("An IBAN never stands in an address of the API, and a body that is not exactly as described is refused."),
            _(
                "Query strings are refused; so are unknown or doubled fields, wrong types, invalid text and "
                "too much of it, with the place named."
            ),
            _("Malformed bodies and paths of every kind we know are sent, some over a bare connection."),
        ),
        Claim(
            "exact_limits",
            _("Rates and the month's quota hold over all processes together, however many calls come at once."),
            _(
                "The quota admits exactly what it has; a minute at most a tenth more than the rate. While the "
                "shared counters (Redis) are away, each process counts a rate for itself; the quota stays exact."
            ),
            _("400 calls at once on a quota of 100 must pass exactly 100 times, with several processes."),
        ),
    ),
)
