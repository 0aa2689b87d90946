"""Verifies restored databases before they are live: migrations, erasures, sessions, keys, audit logs.

`python -m deploy.backup.verification` with DATABASE_URL and KEYRING_DATABASE_URL of the restored ones. Each step is
timed, and the first failure ends it with status 1. One process, since starting Django takes longer than most steps.
"""

import io
import os
import sys
from collections.abc import Callable
from typing import Final

import django
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from deploy.backup.programs import report, timed


def migrate() -> None:
    """Migrate older tables to this release; nothing to do for a backup of the same release."""
    for database in ("default", "keyring"):
        call_command("migrate", database=database, interactive=False, verbosity=0)


def replay_erasures() -> None:
    """Erase again what was erased since the backup; before that the site must not start."""
    stderr = io.StringIO()
    try:
        call_command("replay_erasures", stderr=stderr)
    except SystemExit:
        raise CommandError(stderr.getvalue().strip()) from None


def end_sessions() -> None:
    """Delete all sessions: a user who was signed out since the backup must not be signed in again."""
    ended, _ = apps.get_model("sessions", "Session").objects.all().delete()
    report(f"{ended:,} sessions were ended.")


def keyring_status() -> None:
    """Open a data key of each master key, and count the clients without a data key."""
    call_command("keyring_status")
    clients = set(apps.get_model("accounts", "Client").objects.values_list("pk", flat=True))
    without = clients - set(apps.get_model("vault", "DataKey").objects.values_list("owner", flat=True))
    if without:
        # A client whose key is younger than the keyring's backup looks the same and cannot be distinguished.
        report(
            f"{len(without):,} of {len(clients):,} clients have no data key: it is lost, or nothing was encrypted yet"
        )


def verify_history() -> None:
    """Verify the audit logs of all clients and of staff."""
    call_command("verify_history")


STEPS: Final[tuple[Callable[[], None], ...]] = (migrate, replay_erasures, end_sessions, keyring_status, verify_history)


def main() -> int:
    """Run all steps; return the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
    name = "settings"
    try:
        django.setup()
        for step in STEPS:
            name = step.__name__
            with timed(name):
                step()
    except (CommandError, ImproperlyConfigured, DatabaseError) as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
