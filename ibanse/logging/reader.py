"""Reads an encrypted log: the segments of all processes in order of time, and what is missing, changed or forged.

Runs where the private key is, on a copy of the folder. ibanse/logging/handler.py describes a complete stream.
"""

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from ibanse.logging import segment
from ibanse.logging.handler import RETENTION, SEGMENT_SECONDS, SILENT_SECONDS
from ibanse.logging.segment import LogLine, SegmentOpener
from privacy.crypto import sealed_box

_SLACK: Final = timedelta(minutes=2)
"""For clocks that differ, and a thread that checks its clock every 15 seconds."""
_OPEN_FOR: Final = timedelta(seconds=SEGMENT_SECONDS) + _SLACK
_SILENT_FOR: Final = timedelta(seconds=SILENT_SECONDS) + _OPEN_FOR
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class LogEntry(NamedTuple):
    """A line of the log, and the process that wrote it."""

    at: datetime
    level: int
    text: str
    host: str
    pid: int


class LogProblem(NamedTuple):
    """What is wrong, and the file that it is in or next to."""

    file: str
    what: str

    def __str__(self) -> str:
        """Name the file first."""
        return f"{self.file}: {self.what}"


class _File:
    """A file of the folder, as far as it was read."""

    def __init__(self, path: Path, keys: Sequence[sealed_box.PrivateKey]) -> None:
        self.path = path
        self.opener = SegmentOpener(keys)
        self.latest = _LONG_AGO
        """The time of the newest line that was opened."""
        self._read_bytes = 0
        with path.open("rb") as file:
            self._feed(file.readline(segment.MOST_HEAD_BYTES + 1))
        head, place = self.opener.head, segment.parse_name(path.name)
        if head is not None:
            self.stream, self.number, self.began = head.stream, head.number, _time(head.began)
        elif place is not None:
            self.stream, self.number, self.began = place
        else:
            self.stream, self.number, self.began = path.name, 0, _LONG_AGO
        self.latest = self.began

    @property
    def is_misnamed(self) -> bool:
        """Whether its head has another name than its file; a head that does not open does not count."""
        head = self.opener.head
        return head is not None and self.opener.is_open and head.name != self.path.name

    @property
    def ended(self) -> datetime:
        """When the last event in it happened."""
        trailer = self.opener.trailer
        return _time(trailer.at) if trailer else self.latest

    def lines(self) -> list[LogLine]:
        """Return what was written since the last time; nothing when it was deleted meanwhile, after thirty days."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read_bytes)
                lines = self._feed(file.read())
        except FileNotFoundError:
            return []
        if lines:
            self.latest = max(self.latest, *(_time(line.at) for line in lines))
        return lines

    def _feed(self, data: bytes) -> list[LogLine]:
        self._read_bytes += len(data)
        return self.opener.feed(data)

    def problems(self, *, follows: bool, as_of: datetime) -> Iterator[str]:
        """Yield what is wrong with it; `follows`: whether a later segment of its process is there."""
        head, opener = self.opener.head, self.opener
        if head is not None and self.is_misnamed:
            yield f"was renamed; it is {head.name}"
        yield from opener.problems
        if opener.is_dead or opener.trailer is not None:
            return
        if head is None:
            yield "has no whole head: its process was killed, or it was cut off"
        elif follows:
            yield f"has no trailer, though its process went on: it was cut off after {_count_of_lines(opener)}"
        elif self.began + _OPEN_FOR < as_of:
            yield f"has no trailer: its process was killed, or it was cut off, after {_count_of_lines(opener)}"


class SealedLogFolder:
    """A folder of segments."""

    def __init__(self, folder: Path, keys: Sequence[sealed_box.PrivateKey]) -> None:
        self._folder = folder
        self._keys = keys
        self._files: dict[Path, _File] = {}
        self._streams: dict[str, dict[int, _File]] = {}
        self._copies: list[tuple[_File, _File]] = []

    def __len__(self) -> int:
        """Return how many segments there are."""
        return len(self._files)

    @property
    def processes(self) -> int:
        """How many processes have written them."""
        return len(self._streams)

    def entries(self) -> Iterator[LogEntry]:
        """Yield all lines in order of time; called again, those that were written since."""
        self._find_files()
        ordered = (self._entries_of(stream) for stream in self._streams.values())
        return (entry for _, entry in heapq.merge(*ordered, key=lambda pair: pair[0]))

    def _find_files(self) -> None:
        found = [path for path in sorted(self._folder.glob(f"*{segment.SUFFIX}")) if path not in self._files]
        new = []
        for path in found:
            try:
                self._files[path] = file = _File(path, self._keys)
            except FileNotFoundError:
                # It has just been deleted, after thirty days.
                continue
            new.append(file)
        # Those with the right name first: of two with the same content, the other one is the copy.
        for file in sorted(new, key=lambda file: (file.is_misnamed, not file.opener.is_open)):
            original = self._streams.setdefault(file.stream, {}).setdefault(file.number, file)
            if original is not file:
                self._copies.append((file, original))

    def _entries_of(self, stream: dict[int, _File]) -> Iterator[tuple[datetime, LogEntry]]:
        latest = _LONG_AGO
        for _, file in sorted(stream.items()):
            for line in file.lines():
                process = file.opener.process
                host, pid = (process.host, process.pid) if process else ("?", 0)
                at = _time(line.at)
                # The clock may have been set back: the order is that of the segment.
                latest = max(latest, at)
                yield latest, LogEntry(at, line.level, line.text, host, pid)

    def problems(self, *, as_of: datetime, since: datetime = _LONG_AGO) -> list[LogProblem]:
        """Return what is wrong with all that was read, as it must have been at `as_of`.

        Problems of segments that ended before `since` are left out.
        """
        found = [
            LogProblem(copy.path.name, f"is there twice; it is a copy of {original.path.name}")
            for copy, original in self._copies
            if original.ended >= since
        ]
        for stream in self._streams.values():
            files = [file for _, file in sorted(stream.items())]
            found += _problems_of(files, as_of=as_of, since=since)
        return sorted(found)


def _problems_of(files: list[_File], *, as_of: datetime, since: datetime) -> Iterator[LogProblem]:
    """Yield what is wrong with a stream: with its files, and with their sequence."""
    expected, before = 0, None
    proofs = [file.opener.process.proof for file in files if file.opener.process]
    for file, follows in zip(files, [True] * (len(files) - 1) + [False], strict=True):
        if file.ended >= since:
            for what in file.problems(follows=follows, as_of=as_of):
                yield LogProblem(file.path.name, what)
            for what in _problems_of_place(file, expected, before, as_of):
                yield LogProblem(file.path.name, what)
            if file.opener.process and file.opener.process.proof != proofs[0]:
                yield LogProblem(file.path.name, "is forged: it is not by the process that began its stream")
        expected, before = file.number + 1, file
    if before and before.opener.trailer and not before.opener.trailer.is_last:
        silent_until = before.ended + _SILENT_FOR
        if since <= silent_until < as_of:
            what = "is the last of its process, which has not ended: it was killed, or more is missing"
            yield LogProblem(before.path.name, what)


def _problems_of_place(file: _File, expected: int, before: _File | None, as_of: datetime) -> Iterator[str]:
    # The first ones of a process that runs for long have been deleted after thirty days.
    is_expired = before is None and file.began <= as_of - RETENTION + _SILENT_FOR
    if file.number > expected and not is_expired:
        missing = f"segment {expected} is" if file.number == expected + 1 else (
            f"segments {expected} to {file.number - 1} are"
        )  # fmt: skip
        yield f"{missing} missing before it" + (f", after {before.path.name}" if before else "")
    if before and before.opener.trailer and before.opener.trailer.is_last:
        yield f"follows {before.path.name}, with which its process has ended"


def _count_of_lines(opener: SegmentOpener) -> str:
    return "1 line" if opener.lines == 1 else f"{opener.lines:,} lines"


def _time(microseconds: int) -> datetime:
    return _LONG_AGO + timedelta(microseconds=microseconds)
