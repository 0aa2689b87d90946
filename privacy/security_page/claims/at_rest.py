"""Claims about what lies on the disk: encryption at rest."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, Subject

ENCRYPTION: Final = Subject(
    "encryption",
    _("Encryption at rest"),
    (
        Claim(
            "own_key",
            _("Every customer has an encryption key of its own. What that key seals opens for nobody else."),
            _(
                "AES-256-GCM. A sealed value is bound to its customer, its purpose and its record; moved "
                "elsewhere, or with one bit changed, it does not open."
            ),
            _("Values are moved between customers, purposes and records and changed bit by bit; all must be refused."),
        ),
        Claim(
            "keys_apart",
            _("The keys lie in a database apart from the data, each wrapped by a master key that no database holds."),
            _("The numbered master keys come from the server's configuration. Neither database opens anything alone."),
            _("The key database is read for open keys; with a wrong or missing master key nothing may open."),
        ),
        Claim(
            "exchanged_keys",
            _("Master keys can be exchanged while the service runs."),
            _("Each customer's key is wrapped anew, one by one. Interrupted, it goes on where it was."),
            _(
                "It is killed in the middle, runs twice at once and beside deletions; every key must open, and "
                "destroyed ones stay destroyed."
            ),
        ),
        Claim(
            "sealed_and_clear",
            _(
                "Sealed are names of users and keys, contact and billing details, notes, details of the "
                "history, and the IBANs that you choose to keep. Readable are e-mail and network addresses, "
                "times, countries, results and counts."
            ),
            _("E-mail addresses stay readable since people sign in with them. Each field has its line in a list."),
            _("The list is compared with the database; a field that is missing, or sealed in name only, is an error."),
        ),
        Claim(
            "factors_and_sessions",
            _("Secrets of authenticator apps, recovery codes and the contents of sessions are sealed as well."),
            _("They are sealed before the database sees them, each for its user or its session alone."),
            _("Rows of the database are read for the secrets, and exchanged between sessions."),
        ),
        Claim(
            "sealed_exports",
            _("A copy of your data that you ask for never lies on our disk unencrypted, and is deleted after a day."),
            _("It is sealed piece by piece while it is written, and can be fetched for 24 hours."),
            _("The files are searched for values they hold, cut, changed and exchanged; none of these may open."),
        ),
        Claim(
            "sealed_log",
            _("The log that our processes write is sealed to a key that is not on the server."),
            _(
                "Each minute has a key of its own (AES-256-GCM), sealed by HPKE to the operator's key. On reading, "
                "what was cut, changed or moved is named."
            ),
            _(
                "A request fails with a number in its traceback and its process is killed; no file may hold it "
                "readably. Segments are changed, cut and exchanged."
            ),
            requires="sealed log",
        ),
        Claim(
            "sealed_backups",
            _(
                "The backups that the service makes are encrypted before they leave the server, the keys apart from "
                "the data."
            ),
            _("Two repositories with passwords of their own (restic). No backup holds a master key."),
            _("Backups are made, everything is destroyed and restored; counts, keys and histories must be as before."),
            requires="production",
        ),
        Claim(
            "blind_index",
            _("A kept IBAN is found again by a keyed hash, which is a different one for every customer."),
            _("HMAC-SHA256 under a key derived from the customer's own. It exists only where you keep full records."),
            _("Two customers keep the same number; their hashes must differ, and neither finds the other's record."),
        ),
    ),
)
