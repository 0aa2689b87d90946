"""Claims about encryption at rest."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, ClaimSubject

ENCRYPTION: Final = ClaimSubject(
    "encryption",
    _("Encryption at rest"),
    (
        Claim(
            "own_key",
            _("Every customer has its own encryption key. Nobody else can open what is encrypted with it."),
            _(
                "AES-256-GCM. An encrypted value is bound to its customer, its purpose and its record. "
                "If it is moved elsewhere, or a single bit is changed, it cannot be decrypted."
            ),
            _(
                "Values are moved between customers, purposes and records and changed bit by bit; every "
                "attempt must be refused."
            ),
        ),
        Claim(
            "keys_apart",
            _(
                "The keys are stored in a database separate from the data, each encrypted with a master key "
                "that is in no database."
            ),
            _(
                "The numbered master keys come from the server's configuration. Neither database can decrypt "
                "anything on its own."
            ),
            _(
                "The key database is searched for unencrypted keys; with a wrong or missing master key "
                "nothing may be decrypted."
            ),
        ),
        Claim(
            "exchanged_keys",
            _("Master keys can be replaced while the service is running."),
            _("Each customer's key is re-encrypted, one by one. If interrupted, the process resumes where it stopped."),
            _(
                "The process is killed half-way, run twice at the same time and alongside deletions; "
                "every key must still work, and destroyed keys must stay destroyed."
            ),
        ),
        Claim(
            "sealed_and_clear",
            _(
                "We encrypt names of users and keys, contact and billing details, notes, details of the "
                "audit log, and the IBANs that you choose to store. E-mail and IP addresses, times, "
                "countries, results and counts are not encrypted."
            ),
            _(
                "E-mail addresses are not encrypted because people sign in with them. A list states how each "
                "field is stored."
            ),
            _(
                "The list is compared with the database; a field that is missing, or listed as encrypted "
                "when it is not, is an error."
            ),
        ),
        Claim(
            "factors_and_sessions",
            _("Secrets of authenticator apps, recovery codes and session contents are encrypted as well."),
            _("They are encrypted before they reach the database, each for its own user or session only."),
            _("Database rows are searched for the secrets, and values are swapped between sessions."),
        ),
        Claim(
            "sealed_exports",
            _("A copy of your data that you request is never unencrypted on our disk, and is deleted after one day."),
            _("It is encrypted piece by piece as it is written, and can be downloaded for 24 hours."),
            _(
                "The files are searched for the values they contain, truncated, changed and swapped; none of "
                "the results may be decrypted."
            ),
        ),
        Claim(
            "sealed_log",
            _("The log that our processes write is encrypted so that the key to read it is not on the server."),
            _(
                "Each minute has its own key (AES-256-GCM), encrypted with HPKE to our key. When the log "
                "is read, anything truncated, changed or moved is reported."
            ),
            _(
                "A request fails with an IBAN in its traceback and its process is killed; no file may "
                "contain the IBAN in readable form. Segments are changed, truncated and swapped."
            ),
            requires="sealed log",
        ),
        Claim(
            "sealed_backups",
            _("Our backups are encrypted before they leave the server, and keys and data are backed up separately."),
            _("Two repositories with separate passwords (restic). No backup contains a master key."),
            _(
                "Backups are made, everything is destroyed and restored; counts, keys and audit logs must be "
                "the same as before."
            ),
            requires="production",
        ),
        Claim(
            "blind_index",
            _("A stored IBAN is found by a keyed hash, which is different for every customer."),
            _(
                "HMAC-SHA256 with a key derived from the customer's own key. The hash exists only if you "
                "store full records."
            ),
            _("Two customers store the same IBAN; their hashes must differ, and neither finds the other's record."),
        ),
    ),
)
