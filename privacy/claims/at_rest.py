"""Claims about what lies on the disk: encryption at rest."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.claims.claim import Claim, Subject, within

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
            files=("privacy/cipher.py", "privacy/vault/__init__.py", "privacy/vault/keyring.py"),
            tests=(
                "tests/privacy/test_cipher.py",
                *within("tests/privacy/vault/test_vault.py", "NamedEnvelopeTests", "SealingTests"),
            ),
        ),
        Claim(
            "keys_apart",
            _("The keys lie in a database apart from the data, each wrapped by a master key that no database holds."),
            _("The numbered master keys come from the server's configuration. Neither database opens anything alone."),
            _("The key database is read for open keys; with a wrong or missing master key nothing may open."),
            files=("privacy/vault/keyring.py", "privacy/vault/master_keys.py", "privacy/vault/routing.py"),
            tests=(
                *within("tests/ibanse/test_settings.py", "TestProduction::test_data_keys_beside_the_data_are_refused"),
                *within(
                    "tests/privacy/vault/test_vault.py",
                    "MasterKeyTests",
                    "RoutingTests",
                    "SealingTests::test_only_the_wrapped_key_is_kept",
                ),
            ),
        ),
        Claim(
            "exchanged_keys",
            _("Master keys can be exchanged while the service runs."),
            _("Each customer's key is wrapped anew, one by one. Interrupted, it goes on where it was."),
            _(
                "It is killed in the middle, runs twice at once and beside deletions; every key must open, and "
                "destroyed ones stay destroyed."
            ),
            files=("privacy/vault/rotation.py",),
            tests=("tests/privacy/vault/test_rotation.py",),
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
            files=("privacy/kept.py", "privacy/kept_fields.py", "deploy/data.md"),
            tests=("tests/privacy/test_kept.py",),
        ),
        Claim(
            "factors_and_sessions",
            _("Secrets of authenticator apps, recovery codes and the contents of sessions are sealed as well."),
            _("They are sealed before the database sees them, each for its user or its session alone."),
            _("Rows of the database are read for the secrets, and exchanged between sessions."),
            files=("accounts/identity/adapters.py", "accounts/identity/sessions.py"),
            tests=(
                *within(
                    "tests/accounts/identity/test_second_factor.py",
                    "AppTests::test_secret_and_seed_lie_sealed_in_database_and_session",
                    "AppTests::test_the_factor_of_staff_is_sealed_under_their_own_key",
                ),
                *within(
                    "tests/accounts/identity/test_signin.py",
                    "SessionTests::test_a_session_is_unreadable_in_the_database_and_opens_under_its_own_key_only",
                ),
            ),
        ),
        Claim(
            "sealed_exports",
            _("A copy of your data that you ask for never lies on our disk unencrypted, and is deleted after a day."),
            _("It is sealed piece by piece while it is written, and can be fetched for 24 hours."),
            _("The files are searched for values they hold, cut, changed and exchanged; none of these may open."),
            files=("privacy/sealed_file.py", "privacy/export.py"),
            tests=(
                *within(
                    "tests/privacy/test_export.py",
                    "LifeTests::test_after_a_day_it_is_over_and_its_file_is_gone",
                    "SealedTests",
                ),
                "tests/privacy/test_sealed_file.py",
            ),
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
            files=("privacy/sealed_logging.py", "privacy/log_segment.py", "privacy/sealed_box.py"),
            tests=(
                "tests/faults/test_canary.py",
                "tests/privacy/test_log_segment.py",
                "tests/privacy/test_sealed_box.py",
                "tests/privacy/test_sealed_logging.py",
            ),
            only_with="sealed log",
        ),
        Claim(
            "sealed_backups",
            _(
                "The backups that the service makes are encrypted before they leave the server, the keys apart from "
                "the data."
            ),
            _("Two repositories with passwords of their own (restic). No backup holds a master key."),
            _("Backups are made, everything is destroyed and restored; counts, keys and histories must be as before."),
            files=("deploy/backup/make.py", "deploy/backup/restic.py", "deploy/backup/restore.py"),
            tests=(*within("tests/deploy/test_backups.py", "TestRestoring", "TestTheDrill", "TestWhatGoesWrong"),),
            only_with="production",
        ),
        Claim(
            "blind_index",
            _("A kept IBAN is found again by a keyed hash, which is a different one for every customer."),
            _("HMAC-SHA256 under a key derived from the customer's own. It exists only where you keep full records."),
            _("Two customers keep the same number; their hashes must differ, and neither finds the other's record."),
            files=("privacy/vault/__init__.py", "validation/log.py"),
            tests=(
                *within("tests/privacy/vault/test_vault.py", "BlindIndexTests"),
                *within(
                    "tests/validation/test_log.py",
                    "FindingTests::test_a_number_is_found_in_any_spelling_and_by_its_own_client_only",
                    "KeepingTests::test_verdict_keeps_exactly_these_fields",
                    "SealTests",
                ),
            ),
        ),
    ),
)
