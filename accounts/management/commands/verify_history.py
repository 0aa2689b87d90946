"""manage.py verify_history: verifies the audit logs of clients and staff and prints the first wrong entry of each."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit import client_log, staff_log
from accounts.models import Client


class Command(BaseCommand):
    """Verify the hash chains of the audit logs."""

    help = "Verify the audit logs of every client and of staff, and fail when a hash chain is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add a client's id, or an option for checkpoints of the staff audit log."""
        parser.add_argument("client", nargs="?", help="the id of one client")
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--checkpoint", action="store_true", help="print a signed checkpoint of the staff audit log")
        only.add_argument("--against", metavar="FILE", help="verify the staff audit log against the checkpoint in FILE")

    def handle(self, *, client: str | None, checkpoint: bool, against: str | None, **_options: Any) -> None:
        """Print a line per broken chain; fail when there is one."""
        if checkpoint:
            self.stdout.write(json.dumps(staff_log.checkpoint()))
        elif against:
            self._compare(Path(against))
        else:
            self._verify(client)

    def _verify(self, client: str | None) -> None:
        clients = Client.objects.filter(pk=client) if client else Client.objects.all()
        results = [(str(found.pk), client_log.verify(found)) for found in clients.order_by("created_at").iterator()]
        if not client:
            results.append(("staff", staff_log.verify()))
        broken = [(key, result) for key, result in results if not result.ok]
        for key, result in broken:
            self.stderr.write(f"{key}: entry {result.first_bad} is {result.problem}")
        if broken:
            raise CommandError(f"{len(broken)} of {len(results)} audit logs are broken.")
        self.stdout.write(f"{len(results)} audit logs are intact.")

    def _compare(self, file: Path) -> None:
        try:
            stated = {name: str(value) for name, value in json.loads(file.read_text(encoding="utf-8")).items()}
            sequence = int(stated["number"])
        except (OSError, ValueError, KeyError, AttributeError):
            raise CommandError(f"{file} cannot be read as a checkpoint of verify_history --checkpoint.") from None
        result = staff_log.verify_checkpoint(stated)
        if result.problem == "signature":
            raise CommandError(f"{file} is not a checkpoint with a valid signature.")
        if not result.ok:
            raise CommandError(f"The staff audit log is {result.problem} from entry {result.first_bad} on.")
        self.stdout.write(f"The staff audit log is intact and reaches at least to entry {sequence}, as stated.")
