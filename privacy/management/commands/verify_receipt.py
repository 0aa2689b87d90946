"""manage.py verify_receipt FILE: verifies that a deletion receipt is ours and unaltered."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from privacy import messages
from privacy.deletion import receipts


class Command(BaseCommand):
    """Verify a receipt."""

    help = "Verify that FILE (- for standard input) is a receipt that this service has signed. Exits with 0 or 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the file."""
        parser.add_argument("file", metavar="FILE")

    def handle(self, *, file: str, **_options: object) -> None:
        """Print the verdict, and the contents of a genuine receipt."""
        verdict = receipts.verify(self._read(file))
        self.stdout.write(messages.receipt_verdict(verdict.code, issuer=verdict.issuer))
        if verdict.code != "genuine":
            sys.exit(1)
        for name in (
            "number",
            "scope",
            "confirmed_at",
            "completed_at",
            "unreadable_everywhere_from",
            "last_trace_gone_from",
        ):
            self.stdout.write(f"{name}: {verdict.content.get(name) or '-'}")
        for table, rows in verdict.content["erased"].items():
            self.stdout.write(f"{rows:9,} {table}")

    def _read(self, file: str) -> str:
        try:
            found = sys.stdin.buffer.read(receipts.MOST_BYTES + 1) if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from None
        if len(found) > receipts.MOST_BYTES:
            raise CommandError(f"{file} is larger than a receipt ever is ({receipts.MOST_BYTES:,} bytes).")
        return found.decode(errors="replace")
