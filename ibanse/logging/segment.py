"""One segment of the encrypted log: how its lines are sealed, and how every change is found. Knows bytes, no process.

A segment is a text. Its first line, the head, is clear JSON: which *stream* it belongs to (what one process has
written), its number there, when it began, and a box (sealed_box.py) for each operator with the segment's key.
Every other line is a *piece*: base64 of nonce, ciphertext and tag, sealed under that key (AES-256-GCM) and bound to the
head and to its place. Piece 0 describes the process, then come the lines of the log, and at last the trailer.

So a piece that was changed, moved, omitted or copied from elsewhere does not open in its place, and without a trailer
something is missing: the process was killed, or the end was cut off.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

import msgspec

from privacy.crypto import cipher, sealed_box

MOST_LINES: Final = 1000
MOST_CHARACTERS: Final = 100_000
"""Of one line of the log, with its traceback; what is longer is cut in the middle."""

SUFFIX: Final = ".sealed"
_NAME: Final = re.compile(r"(?P<began>\d{8}T\d{6}Z)-(?P<stream>[0-9a-f]{16})-(?P<number>\d{6,12})\.sealed", re.ASCII)
MOST_HEAD_BYTES: Final = 64 * 1024
# JSON may write a character as twelve, base64 makes four of three.
_MOST_PIECE_BYTES: Final = MOST_CHARACTERS * 16 + 1024
# After so many pieces that do not open, their right places are not searched any more.
_MOST_SEARCHES: Final = 20


Microseconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999_999)]
"""Since 1970 in UTC, to the end of the year 9999."""


class Box(msgspec.Struct, frozen=True):
    """The segment's key, for one operator."""

    key: int
    fingerprint: str
    box: bytes


class Head(msgspec.Struct, frozen=True):
    """The readable part of a segment."""

    stream: str
    number: int
    began: Microseconds
    boxes: tuple[Box, ...]

    @property
    def name(self) -> str:
        """The name of its file."""
        return name(self.stream, self.number, self.began)


class Process(msgspec.Struct, frozen=True, tag="process"):
    """The writer. Only the process knows `proof`: a forger of a segment of its stream does not."""

    pid: int
    host: str
    proof: str


class LogLine(msgspec.Struct, frozen=True, tag="line"):
    """A line of the log: its time, its numeric level and its text."""

    at: Microseconds
    level: int
    text: str


class Trailer(msgspec.Struct, frozen=True, tag="trailer"):
    """The complete end; `is_last` when the process has ended its stream with it."""

    at: Microseconds
    is_last: bool


_Piece = Process | LogLine | Trailer
_decode_piece: Final[Callable[[bytes], _Piece]] = msgspec.json.Decoder(_Piece).decode
_decode_head: Final = msgspec.json.Decoder(Head).decode
_encode: Final = msgspec.json.Encoder().encode


class SegmentName(NamedTuple):
    """The parts of a file's name."""

    stream: str
    number: int
    began: datetime


def name(stream: str, number: int, began: int) -> str:
    """Return the name of a segment's file; names sort by time."""
    return f"{datetime.fromtimestamp(began // 1_000_000, UTC):%Y%m%dT%H%M%SZ}-{stream}-{number:06d}{SUFFIX}"


def parse_name(file_name: str) -> SegmentName | None:
    """Return the parts of a name, or None when it is not that of a segment."""
    found = _NAME.fullmatch(file_name)
    if not found:
        return None
    try:
        began = datetime.strptime(found["began"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return SegmentName(found["stream"], int(found["number"]), began)


def line(at: int, level: int, text: str) -> LogLine:
    """Return a line that can be sealed, of any text."""
    if len(text) > MOST_CHARACTERS:
        half = MOST_CHARACTERS // 2
        text = f"{text[:half]}\n[{len(text) - 2 * half:,} characters are left out]\n{text[-half:]}"
    # A text may contain lone surrogates, which UTF-8 cannot encode.
    return LogLine(at, level, text.encode("utf-8", "backslashreplace").decode())


class SegmentSealer:
    """Seals the pieces of one segment, in their order, under a key of its own."""

    def __init__(self, stream: str, number: int, began: int, keys: Sequence[sealed_box.PublicKey]) -> None:
        self._key = cipher.new_key()
        label = _label(stream, number, began)
        boxes = tuple(Box(key.number, key.fingerprint, key.seal(self._key, label=label)) for key in keys)
        head = Head(stream, number, began, boxes)
        self.name = head.name
        self.head = _encode(head) + b"\n"
        self.next_place = 0
        """The place of the next piece. The caller increments it after writing one."""
        self._bound_to = _digest(self.head)

    def seal(self, piece: _Piece) -> bytes:
        """Return the piece for the next place, with its line end."""
        sealed = cipher.seal(self._key, _encode(piece), label=_piece_label(self._bound_to, self.next_place))
        return base64.b64encode(sealed) + b"\n"


class SegmentOpener:
    """Opens a segment from its beginning, as far as possible, and lists what is wrong with it.

    Feed it the content of the file, in parts of any size; `feed` returns the lines that have become readable.
    """

    def __init__(self, keys: Sequence[sealed_box.PrivateKey]) -> None:
        self.head: Head | None = None
        self.process: Process | None = None
        self.trailer: Trailer | None = None
        self.problems: list[str] = []
        """What is wrong, each with its place: "line 3, at byte 1234, was changed"."""
        self.lines = 0
        """How many lines have opened."""
        self.is_dead = False
        """Whether nothing more can be read in it."""
        self._keys = {key.public.fingerprint: key for key in keys}
        self._key = b""
        self._bound_to = ""
        self._next_place = 0
        self._offset = 0
        self._rest = b""
        self._unopened = 0

    @property
    def is_open(self) -> bool:
        """Whether one of the keys has opened it."""
        return bool(self._key)

    def feed(self, data: bytes) -> list[LogLine]:
        """Take what follows in the file, and return its lines."""
        if self.is_dead:
            return []
        *whole, self._rest = (self._rest + data).split(b"\n")
        lines = [line for text in whole for line in self._take(text)]
        if self._rest and self.trailer is not None and not self.is_dead:
            self._give_up(f"something follows its trailer, at byte {self._offset}")
        elif len(self._rest) > (_MOST_PIECE_BYTES if self.head else MOST_HEAD_BYTES):
            self._give_up(f"nothing can be read from byte {self._offset} on")
        return lines

    def _take(self, text: bytes) -> Iterator[LogLine]:
        at = self._offset
        self._offset += len(text) + 1
        if self.is_dead:
            return
        if self.head is None:
            self._take_head(text)
        elif self.trailer is not None:
            self._give_up(f"something follows its trailer, at byte {at}")
        else:
            yield from self._take_piece(text, at)

    def _take_head(self, text: bytes) -> None:
        try:
            head = _decode_head(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._give_up("its head was changed")
            return
        self.head = head
        matching = [(self._keys[box.fingerprint], box.box) for box in head.boxes if box.fingerprint in self._keys]
        if not matching:
            required = " or ".join(f"{box.key} ({box.fingerprint})" for box in head.boxes) or "unknown"
            self._give_up(f"it does not open with the keys given; it was sealed to key {required}")
            return
        for key, box in matching:
            try:
                self._key = key.unseal(box, label=_label(head.stream, head.number, head.began))
            except sealed_box.UnopenedBox:
                continue
            # The exact bytes: JSON has several ways to write the same.
            self._bound_to = _digest(text + b"\n")
            return
        self._give_up("its head was changed")

    def _take_piece(self, text: bytes, at: int) -> Iterator[LogLine]:
        place, piece = self._found(text)
        if piece is None:
            self._unopened += 1
            self._report_change(at)
            self._next_place += 1
            return
        if place < self._next_place:
            self.problems.append(f"{_named(place)}, at byte {at}, stands in the wrong place or twice")
        else:
            if place > self._next_place:
                self.problems.append(f"{_named(self._next_place, place - 1)} missing before byte {at}")
            self._next_place = place + 1
        match piece:
            case Process():
                self.process = piece
            case Trailer():
                self.trailer = piece
            case LogLine():
                self.lines += 1
                yield piece

    def _report_change(self, at: int) -> None:
        if self._unopened <= _MOST_SEARCHES:
            self.problems.append(f"{_named(self._next_place)}, at byte {at}, was changed or does not belong here")
        elif self._unopened == _MOST_SEARCHES + 1:
            self.problems.append(f"more was changed from byte {at} on")

    def _found(self, text: bytes) -> tuple[int, _Piece | None]:
        """Return the place that a piece was sealed for, and the piece; None when there is no such place."""
        try:
            sealed = base64.b64decode(text, validate=True)
        except ValueError:
            return 0, None
        # The last character has unused bits: only one encoding is accepted.
        if base64.b64encode(sealed) != text:
            return 0, None
        if (piece := self._opened(sealed, self._next_place)) is not None:
            return self._next_place, piece
        if self._unopened < _MOST_SEARCHES:
            for elsewhere in (*range(self._next_place + 1, MOST_LINES + 2), *range(self._next_place)):
                if (piece := self._opened(sealed, elsewhere)) is not None:
                    return elsewhere, piece
        return 0, None

    def _opened(self, sealed: bytes, place: int) -> _Piece | None:
        try:
            return _decode_piece(cipher.unseal(self._key, sealed, label=_piece_label(self._bound_to, place)))
        except (cipher.Unopened, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _give_up(self, problem: str) -> None:
        self.problems.append(problem)
        self.is_dead = True
        self._rest = b""


def _named(first: int, last: int | None = None) -> str:
    """Return the name of a place; with `last` the beginning of a statement about all places up to it."""
    if last is None:
        return f"line {first}" if first else "its first piece"
    if first == 0:
        return "its first piece is" if last == 0 else f"its first piece and all up to line {last} are"
    return f"line {first} is" if first == last else f"lines {first} to {last} are"


def _label(stream: str, number: int, began: int) -> bytes:
    return cipher.label("sealed log", stream, str(number), str(began))


def _piece_label(bound_to: str, place: int) -> bytes:
    return cipher.label("sealed log", bound_to, str(place))


def _digest(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()
