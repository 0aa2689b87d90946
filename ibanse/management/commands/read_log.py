"""manage.py read_log: decrypts a log, where the private key is, and says whether it is complete."""

import logging
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ibanse.logging import reader
from ibanse.logging.reader import LogProblem
from privacy.crypto import sealed_box

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_MOST_PROBLEMS = 100
_FOLLOW_EVERY_SECONDS = 1.0
# A line may contain what an attacker sent: it must not control the terminal, or look like another line.
_SHOWN = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"} | {10: "\n    "}


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class Command(BaseCommand):
    """Print the lines of all processes in the order of time; fail when something is missing or was changed."""

    help = (
        "Read an encrypted log (or a copy of its folder) and fail when a line or a segment is missing or was changed."
    )
    # It runs elsewhere, without a site.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take keys, folder and what to show."""
        parser.add_argument("folder", type=Path, nargs="?", default=settings.LOG_DIR, help="Default: IBANSE_LOG_DIR.")
        parser.add_argument(
            "--key", type=Path, action="append", required=True, metavar="FILE",
            help="The private key, from make_log_key; repeat it for segments under older keys.",
        )  # fmt: skip
        parser.add_argument("--since", type=_time, metavar="TIME", help="From then on, such as 2026-11-26T08:00 (UTC).")
        parser.add_argument(
            "--until", type=_time, metavar="TIME",
            help="Up to then; give the time of the copy when it is not fresh, or what was written since is missed.",
        )  # fmt: skip
        parser.add_argument("--level", choices=_LEVELS, default="DEBUG", help="Only lines as bad as this, or worse.")
        parser.add_argument("--follow", action="store_true", help="Go on, with what is being written, until Ctrl-C.")

    def handle(self, *, folder: Path, key: list[Path], follow: bool, **options: Any) -> None:
        """Print lines to standard output, problems to standard error."""
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        log = reader.SealedLogFolder(folder, [private for path in key for private in _private_keys(path)])
        try:
            self._print(log, **options)
            if follow:
                self._follow(log, **options)
        except BrokenPipeError:
            # Such as `| head`. What is left in the buffer would break again at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise CommandError("Not all was read, so nothing is verified.") from None
        now = datetime.now(UTC)
        as_of = min(options["until"] or now, now)
        problems = log.problems(as_of=as_of, since=options["since"] or datetime.min.replace(tzinfo=UTC))
        summary = f"{_counted(len(log), 'segment')} of {_counted(log.processes, 'process')}"
        if problems:
            self._complain(problems)
            raise CommandError(f"{summary}: {_counted(len(problems), 'problem')}.")
        self.stderr.write(f"{summary}: all there, in order, unchanged.")

    def _follow(self, log: reader.SealedLogFolder, **options: Any) -> None:
        try:
            while True:
                time.sleep(_FOLLOW_EVERY_SECONDS)
                self._print(log, **options)
        except KeyboardInterrupt:
            self.stderr.write("")

    def _print(
        self, log: reader.SealedLogFolder, *, since: datetime | None, until: datetime | None, level: str, **_: object
    ) -> None:
        least = getattr(logging, level)
        for entry in log.entries():
            if entry.level >= least and (since is None or entry.at >= since) and (until is None or entry.at <= until):
                text = entry.text.translate(_SHOWN)
                self.stdout.write(f"{entry.at:%Y-%m-%d %H:%M:%S.%f}Z {entry.host}[{entry.pid}] {text}")
        sys.stdout.flush()

    def _complain(self, problems: list[LogProblem]) -> None:
        for problem in problems[:_MOST_PROBLEMS]:
            self.stderr.write(str(problem))
        if len(problems) > _MOST_PROBLEMS:
            self.stderr.write(f"… and {len(problems) - _MOST_PROBLEMS:,} more.")


def _counted(count: int, thing: str) -> str:
    plural = f"{thing}es" if thing.endswith("s") else f"{thing}s"
    return f"{count:,} {thing if count == 1 else plural}"


def _private_keys(path: Path) -> list[sealed_box.PrivateKey]:
    """Return the keys of a file, in which lines with # are comments."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
        keys = [sealed_box.PrivateKey.parse(line) for line in lines]
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, sealed_box.KeyTextError) as error:
        what = error if isinstance(error, sealed_box.KeyTextError) else "It is no text."
        raise CommandError(f"{path}: {what}") from None
    if not keys:
        raise CommandError(f"{path}: There is no key in it.")
    return keys
