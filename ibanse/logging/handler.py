"""The encrypted log: lines of this process go to files that only an operator's private key, stored elsewhere, opens.

Each process writes a *stream*, one file after the other (segment.py): a file is finished after 1,000 lines or a minute,
and once an hour one is written even without lines, so that a stream that just stops is noticed. A line is in the file,
in the hands of the kernel, before the call that logs it returns: a killed process loses none.

Nothing readable is written. The journal (standard error) gets a notice of each error, which says where the line is and
nothing of its text; see `Journal`.
"""

import atexit
import functools
import io
import logging
import os
import secrets
import socket
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from ibanse.logging import segment as logging_segment
from ibanse.logging.masking import MaskingFormatter
from ibanse.logging.segment import LogLine, Process, SegmentSealer, Trailer
from privacy.crypto import sealed_box

RETENTION: Final = timedelta(days=30)
SEGMENT_SECONDS: Final = 60
SILENT_SECONDS: Final = 3600
"""The longest pause between two segments, as long as the process lives."""
_CHECK_EVERY_SECONDS: Final = 15
# The owner writes; the group may copy the files, which it cannot decrypt.
_FILE_MODE: Final = 0o640
_FOLDER_MODE: Final = 0o750


class _Stream:
    """What one process writes: an id, a count of segments, and a proof that all are by the same process."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.process = Process(os.getpid(), socket.gethostname(), secrets.token_hex(16))
        self.segments = 0
        self.finished_at = 0.0
        """When the last segment was finished, on the monotonic clock."""


class _Segment(NamedTuple):
    """The file that is being written."""

    file: int
    sealer: SegmentSealer
    began: float
    """On the monotonic clock."""


class SealedLog(logging.Handler):
    """Writes records to encrypted segments in a folder.

    Every thread may use it. A forked process begins a stream of its own, with keys of its own. It never raises: lines
    that cannot be written, as on a full disk, are counted, and the count is written later.
    """

    def __init__(self, folder: Path, keys: Sequence[sealed_box.PublicKey], clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self._folder = folder
        self._keys = tuple(keys)
        self._clock = clock
        self._stream: _Stream | None = None
        self._segment: _Segment | None = None
        self._waiting: deque[logging.LogRecord] = deque()
        self._is_busy = False
        self._lost = 0
        self._stop = threading.Event()
        _ALL.add(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, in the lock that `handle` holds; set `sealed_in` of the record to its place."""
        self._waiting.append(record)
        self._work()

    def close(self) -> None:
        """End the stream. What is logged later begins another one."""
        self._exclusively(self._end)
        super().close()

    def check_clock(self) -> None:
        """Finish a segment that is a minute old; begin one when there was none for an hour."""
        self._exclusively(self._check_clock)

    def _exclusively(self, action: Callable[[], None]) -> None:
        self.acquire()
        try:
            self._work(action)
        finally:
            self.release()

    def _work(self, action: Callable[[], None] | None = None) -> None:
        """Do the action and write the waiting records.

        The lock is reentrant: a signal handler, or a finaliser, may log in the middle of a piece. Its record waits, and
        the call that is at work writes it.
        """
        if self._is_busy:
            return
        self._is_busy = True
        try:
            if action:
                self._try(action, lines=0)
            while self._waiting:
                self._try(functools.partial(self._write, self._waiting.popleft()), lines=1)
        finally:
            self._is_busy = False

    def _try(self, action: Callable[[], None], *, lines: int) -> None:
        try:
            action()
        except OSError as error:
            if lines and not self._lost:
                _write_to_journal(f"The log cannot be written to {self._folder}: {error.strerror}. Lines are lost.")
            self._lost += lines

    def _write(self, record: logging.LogRecord) -> None:
        if self._segment:
            # Two may follow: a line, and the one that counts lost lines.
            is_full = self._segment.sealer.next_place >= logging_segment.MOST_LINES
            if is_full or self._is_old(self._segment):
                self._finish(is_last=False)
        segment = self._segment or self._begin()
        if self._lost:
            count = f"{self._lost:,} lines before this one could not be written."
            _put(segment, logging_segment.line(_now(), logging.ERROR, f"ERROR {__name__} {count}"))
            self._lost = 0
        record.sealed_in = f"{segment.sealer.name}, line {segment.sealer.next_place}"
        _put(
            segment, logging_segment.line(int(record.created * 1_000_000), record.levelno, self.format(record).rstrip())
        )

    def _is_old(self, segment: _Segment) -> bool:
        return self._clock() - segment.began >= SEGMENT_SECONDS

    def _begin(self) -> _Segment:
        if self._stream is None:
            self._stream = _Stream()
            self._start_timer()
        stream = self._stream
        sealer = SegmentSealer(stream.id, stream.segments, _now(), self._keys)
        self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        path = self._folder / sealer.name
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, _FILE_MODE)
        try:
            _write_all(file, sealer.head + sealer.seal(stream.process))
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        sealer.next_place += 1
        stream.segments += 1
        self._segment = _Segment(file, sealer, self._clock())
        return self._segment

    def _finish(self, *, is_last: bool) -> None:
        """Write the trailer. Raises OSError when the disk is full; then it is tried again the next time."""
        if self._segment is None or self._stream is None:
            return
        _put(self._segment, Trailer(_now(), is_last))
        os.close(self._segment.file)
        self._segment = None
        self._stream.finished_at = self._clock()

    def _end(self) -> None:
        self._stop.set()
        if self._stream is None:
            return
        try:
            if self._segment is None:
                self._begin()
            self._finish(is_last=True)
        finally:
            self.forget()

    def _check_clock(self) -> None:
        if self._stream is None:
            return
        if self._segment is None and self._clock() - self._stream.finished_at >= SILENT_SECONDS:
            self._begin()
            self._finish(is_last=False)
        elif self._segment and self._is_old(self._segment):
            self._finish(is_last=False)

    def _start_timer(self) -> None:
        """Start the thread that checks the clock; after a fork again, since threads are not forked."""
        self._stop = threading.Event()
        thread = threading.Thread(target=_check_clock_regularly, args=(weakref.ref(self), self._stop), daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is ending, and will end the stream as well.
            return

    def forget(self) -> None:
        """Drop the stream as it is; in a forked child it is the parent's."""
        if self._segment is not None:
            os.close(self._segment.file)
        self._stream = self._segment = None

    def reset_after_fork(self) -> None:
        """Drop what the parent was doing when it forked."""
        self.forget()
        self._waiting.clear()
        self._is_busy = False
        self._lost = 0


_ALL: Final[weakref.WeakSet[SealedLog]] = weakref.WeakSet()


_locked: Final[list[SealedLog]] = []


def _lock_all() -> None:
    for log in list(_ALL):
        log.acquire()
        _locked.append(log)


def _release_all() -> None:
    while _locked:
        _locked.pop().release()


def _reset_all() -> None:
    # logging has replaced the locks already.
    while _locked:
        _locked.pop().reset_after_fork()


# Locked during a fork: otherwise a child could be forked while another thread is between two files.
os.register_at_fork(before=_lock_all, after_in_parent=_release_all, after_in_child=_reset_all)


def _check_clock_regularly(log: "weakref.ref[SealedLog]", stop: threading.Event) -> None:
    while not stop.wait(_CHECK_EVERY_SECONDS):
        if (alive := log()) is None:
            return
        alive.check_clock()
        del alive


def _now() -> int:
    return time.time_ns() // 1000


def _put(segment: _Segment, piece: LogLine | Trailer) -> None:
    """Write a piece whole or not at all. Raises OSError when the disk is full."""
    length = os.fstat(segment.file).st_size
    try:
        _write_all(segment.file, segment.sealer.seal(piece))
    except OSError:
        os.ftruncate(segment.file, length)
        raise
    segment.sealer.next_place += 1


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


# --- The handlers of this process -------------------------------------------------------------------------------------
_of_this_process: dict[tuple[Path, tuple[sealed_box.PublicKey, ...]], SealedLog] = {}
_openly_in: int | None = None


def of_this_process(folder: Path, keys: Sequence[sealed_box.PublicKey]) -> SealedLog:
    """Return the one handler of this process for a folder, as Django's LOGGING and gunicorn's logger need it."""
    target = (folder, tuple(keys))
    if target not in _of_this_process:
        _of_this_process[target] = SealedLog(folder, keys)
        # The interpreter's own end of all handlers knows only those of the newest configuration.
        atexit.register(_of_this_process[target].close)
        _of_this_process[target].setFormatter(MaskingFormatter("{levelname} {name} {message}", style="{"))
    return _of_this_process[target]


def log_openly() -> None:
    """Write every line, masked, to the journal in this very process and not in its forks: it serves no requests."""
    global _openly_in
    _openly_in = os.getpid()


class Journal(logging.StreamHandler[TextIO]):
    """Standard error, while the log is encrypted: it goes to the machine's journal, which others may read.

    It gets every line, masked, at a terminal, where nothing is stored, and in a process that serves no requests
    (`log_openly`: gunicorn's first one), so that the journal says why a site does not start. Otherwise it gets a notice
    of each error: time, level, logger, the type of the error and its place in the code, and where the line is. It has
    no text, no argument and no path of a request.
    """

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        line = MaskingFormatter("{asctime} [{process}] {levelname} {name} {message}", "%Y-%m-%d %H:%M:%SZ", "{")
        line.converter = time.gmtime
        self.setFormatter(line)
        self.addFilter(lambda record: self._is_open or record.levelno >= logging.ERROR)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or the notice."""
        return super().format(record) if self._is_open else notice(record)

    @property
    def _is_open(self) -> bool:
        return _openly_in == os.getpid() or self.stream.isatty()


def notice(record: logging.LogRecord) -> str:
    """Return a line about a record, without anything of its text."""
    place = f"{_short(record.pathname)}:{record.lineno}"
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        trace = error.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        where = f"{_short(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else place
        place = f"{type(error).__name__} in {where}"
    sealed_in = getattr(record, "sealed_in", "nowhere: it is lost")
    at = datetime.fromtimestamp(record.created, UTC)
    return (
        f"{at:%Y-%m-%d %H:%M:%SZ} [{record.process}] {record.levelname} {record.name}: {place}; sealed in {sealed_in}"
    )


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-2:])


class _PrintedLines(io.TextIOBase):
    """Standard output or error of a background process: what is printed becomes lines of the log."""

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)
        self._part = threading.local()

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        *lines, self._part.text = (getattr(self._part, "text", "") + text).split("\n")
        for line in filter(None, lines):
            self._log.warning("%s", line)
        return len(text)


def take_over_streams() -> None:
    """Log what this process prints from now on; for workers, which have no terminal."""
    sys.stdout, sys.stderr = _PrintedLines("stdout"), _PrintedLines("stderr")


def _write_to_journal(text: str) -> None:
    os.write(2, f"{text}\n".encode(errors="replace"))


# --- The files --------------------------------------------------------------------------------------------------------
def try_out(folder: Path) -> None:
    """Create the folder, if there is none, and a file in it. Raises OSError when that is impossible."""
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    path = folder / f".{secrets.token_hex(8)}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE))
    path.unlink()


def prune(folder: Path, now: datetime) -> int:
    """Delete segments that began more than 30 days ago, and return how many."""
    deleted = 0
    for path in folder.glob(f"*{logging_segment.SUFFIX}"):
        place = logging_segment.parse_name(path.name)
        if place and place.began < now - RETENTION:
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted
