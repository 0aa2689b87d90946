"""manage.py make_log_key: creates the pair of keys of the encrypted log. Run it where the private key is to stay."""

import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from privacy.crypto import sealed_box

_TEXT = """\
# The private log key {number} ({fingerprint}) of ibanse, for: manage.py read_log --key THIS-FILE
# It decrypts the log. Keep it away from the servers, with a copy, and 30 days longer than its last use there.
{key}
"""


class Command(BaseCommand):
    """Write the private key to a file and print the public one."""

    help = "Make a log key: the private key goes to FILE, which only you can read; the public key is printed."
    # It runs before there is a site.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the number and the scheme."""
        parser.add_argument("file", type=Path, metavar="FILE", help="A new file for the private half.")
        parser.add_argument("--number", type=int, default=1, help="One more than the last key's. Default: 1.")
        parser.add_argument(
            "--scheme", choices=sorted(sealed_box.SCHEMES), default=sealed_box.DEFAULT_SCHEME,
            help=f"Default: {sealed_box.DEFAULT_SCHEME}, which a quantum computer does not open either.",
        )  # fmt: skip

    def handle(self, *, file: Path, number: int, scheme: str, **_options: object) -> None:
        """Create the file; refuse to overwrite one."""
        if not 0 < number < 2**31:
            raise CommandError("--number must be 1 or more.")
        key = sealed_box.PrivateKey.make(number, scheme)
        text = _TEXT.format(number=number, fingerprint=key.public.fingerprint, key=key.text)
        try:
            # The mode must hold from the first byte.
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as key_file:
                key_file.write(text)
        except OSError as error:
            raise CommandError(f"{file} cannot be made: {error.strerror}.") from None
        self.stdout.write(f"IBANSE_LOG_KEY={key.public}")
        self.stderr.write(
            f"The private half is in {file}. It must not be on a server: when this is one, move the file away now."
        )
