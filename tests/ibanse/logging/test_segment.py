"""A segment of the encrypted log: it opens unchanged, and every change of it is reported with its place."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ibanse.logging import segment
from ibanse.logging.segment import LogLine, Process, SegmentOpener, SegmentSealer, Trailer
from privacy.crypto.sealed_box import PrivateKey

pytestmark = pytest.mark.claim("sealed_log")

KEY: Final = PrivateKey.make(1, "x25519")
BEGAN: Final = 1_795_000_000_000_000
Pieces = list[bytes]


def sealed(*texts: str, number: int = 0, ends: bool = True) -> Pieces:
    """Return the head, the first piece, a piece for each text, and the trailer."""
    sealer = SegmentSealer("0123456789abcdef", number, BEGAN, [KEY.public])
    pieces: list[Process | LogLine | Trailer] = [Process(7, "host", "proof")]
    pieces += [segment.line(BEGAN + place, 30, text) for place, text in enumerate(texts)]
    written = [sealer.head]
    for piece in [*pieces, *([Trailer(BEGAN, is_last=False)] if ends else [])]:
        written.append(sealer.seal(piece))
        sealer.next_place += 1
    return written


def opened(data: bytes, key: PrivateKey = KEY) -> tuple[SegmentOpener, list[str]]:
    """Return what opens it, and the texts of its lines."""
    opener = SegmentOpener([key])
    return opener, [line.text for line in opener.feed(data)]


SEGMENT: Final = sealed("one", "two", "three", "four")
BYTES: Final = b"".join(SEGMENT)


class TestWhole:
    @settings(max_examples=50)
    @given(
        texts=st.lists(st.text(st.characters(exclude_categories=[])), max_size=8), cuts=st.lists(st.integers(0, 5000))
    )
    @example(texts=["\ud800 half a character", "", "\0\n\x1b[2J"], cuts=[])
    def test_what_was_said_comes_out_however_it_is_read(self, texts: list[str], cuts: list[int]) -> None:
        data = b"".join(sealed(*texts))
        opener = SegmentOpener([KEY])
        places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        parts = [data[start:end] for start, end in pairwise(places)]
        lines = [line.text for part in parts for line in opener.feed(part)]

        assert lines == [text.encode("utf-8", "backslashreplace").decode() for text in texts]
        assert opener.problems == []
        assert opener.trailer == Trailer(BEGAN, is_last=False)
        assert opener.process == Process(7, "host", "proof")

    def test_nothing_of_it_can_be_read_without_the_key(self) -> None:
        data = b"".join(sealed("Internal Server Error", "Traceback"))

        assert not re.search(rb"(?i)error|traceback|host|proof|trailer|level", data)

    def test_another_key_opens_nothing_and_is_reported_which_one_would(self) -> None:
        opener, lines = opened(BYTES, PrivateKey.make(1))

        assert lines == []
        assert opener.problems == [
            f"it does not open with the keys given; it was sealed to key 1 ({KEY.public.fingerprint})"
        ]

    def test_each_of_several_operators_opens_it_alone(self) -> None:
        other = PrivateKey.make(2)
        sealer = SegmentSealer("0123456789abcdef", 0, BEGAN, [KEY.public, other.public])

        for key in (KEY, other):
            opener, _ = opened(sealer.head, key)
            assert opener.is_open

    def test_a_line_too_long_is_cut_in_its_middle(self) -> None:
        line = segment.line(0, 30, "a" * 90_000 + "b" * 90_000)

        assert re.fullmatch(r"a{50000}\n\[80,000 characters are left out\]\nb{50000}", line.text)

    def test_the_longest_line_of_the_longest_characters_can_be_read(self) -> None:
        for character in ("\0", "\ud800", "\U0010ffff", '"'):
            data = b"".join(sealed(character * segment.MOST_CHARACTERS, "next"))
            opener, lines = opened(data)

            assert (len(lines), opener.problems) == (2, [])

    def test_names_say_what_they_stand_for(self) -> None:
        name = segment.name("0123456789abcdef", 12, BEGAN)
        place = segment.parse_name(name)

        assert place is not None
        assert (place.stream, place.number, int(place.began.timestamp()) * 1_000_000) == ("0123456789abcdef", 12, BEGAN)
        assert segment.parse_name("20261326T110000Z-0123456789abcdef-000000.sealed") is None
        assert segment.parse_name(f"{name}.gz") is None


class TestTamperedPieces:
    def test_a_flipped_bit_in_any_byte_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Where a piece that does not open might belong is looked for no further than that.
        monkeypatch.setattr(segment, "MOST_LINES", 5)
        for place in range(len(BYTES)):
            changed = bytearray(BYTES)
            changed[place] ^= 1 << (place % 8)
            opener, lines = opened(bytes(changed))

            assert opener.problems or opener.trailer is None, place
            # What still opens is in order, and none of it was made up.
            assert lines == [text for text in ("one", "two", "three", "four") if text in lines]

    def test_every_cut_leaves_it_without_a_trailer_and_with_the_lines_before(self) -> None:
        for length in range(len(BYTES)):
            opener, lines = opened(BYTES[:length])

            assert opener.trailer is None
            assert lines == ["one", "two", "three", "four"][: len(lines)]
            assert opener.problems == []

    def at(self, piece: int) -> int:
        """Return at which byte a piece begins; the head is piece 0."""
        return sum(map(len, SEGMENT[:piece]))

    @pytest.mark.parametrize(
        ("change", "problems", "lines"),
        [
            pytest.param(
                lambda pieces: pieces[:3] + pieces[4:],
                ["line 2 is missing before byte {3}"],
                ["one", "three", "four"],
                id="a line left out",
            ),
            pytest.param(
                lambda pieces: pieces[:2] + pieces[6:],
                ["lines 1 to 4 are missing before byte {2}"],
                [],
                id="all lines left out",
            ),
            pytest.param(
                lambda pieces: [pieces[0], *pieces[2:]],
                ["its first piece is missing before byte {1}"],
                ["one", "two", "three", "four"],
                id="the first piece left out",
            ),
            pytest.param(
                lambda pieces: [*pieces[:4], pieces[3], *pieces[4:]],
                ["line 2, at byte {4}, stands in the wrong place or twice"],
                ["one", "two", "two", "three", "four"],
                id="a line twice",
            ),
            pytest.param(
                lambda pieces: [*pieces[:3], pieces[4], pieces[3], *pieces[5:]],
                ["line 2 is missing before byte {3}", "line 2, at byte {3+4-3}, stands in the wrong place or twice"],
                ["one", "three", "two", "four"],
                id="two lines exchanged",
            ),
            pytest.param(
                lambda pieces: [*pieces[:3], sealed("x", "forged")[3], *pieces[4:]],
                ["line 2, at byte {3}, was changed or does not belong here"],
                ["one", "three", "four"],
                id="a line of another segment",
            ),
            pytest.param(
                lambda pieces: [*pieces[:3], b"no base64\n", *pieces[4:]],
                ["line 2, at byte {3}, was changed or does not belong here"],
                ["one", "three", "four"],
                id="a line of nonsense",
            ),
            pytest.param(
                lambda pieces: [*pieces, pieces[3]],
                ["something follows its trailer, at byte {7}"],
                ["one", "two", "three", "four"],
                id="a line after the trailer",
            ),
            pytest.param(
                lambda pieces: [pieces[0].replace(b'"number":0', b'"number":1'), *pieces[1:]],
                ["its head was changed"],
                [],
                id="another number",
            ),
            pytest.param(
                lambda pieces: [pieces[0].replace(b'"number":0', b'"number": 0'), *pieces[1:]],
                [f"{line}, at byte {{{place}}}, was changed or does not belong here"
                 for place, line in enumerate(["its first piece", *(f"line {each}" for each in range(1, 6))], 1)],
                [],
                id="the head written otherwise",
            ),
        ],
    )  # fmt: skip
    def test_what_was_done_is_reported_with_its_place(
        self, change: Callable[[Pieces], Pieces], problems: list[str], lines: list[str]
    ) -> None:
        pieces = change(SEGMENT)
        opener, seen = opened(b"".join(pieces))
        shift = len(pieces[0]) - len(SEGMENT[0])

        def placed(match: re.Match[str]) -> str:
            if match[1] == "3+4-3":
                return str(self.at(3) + len(SEGMENT[4]))
            return str(self.at(int(match[1])) + shift)

        assert opener.problems == [re.sub(r"\{([^}]+)\}", placed, problem) for problem in problems]
        assert seen == lines

    @settings(max_examples=50)
    @given(data=st.binary(max_size=300), at=st.integers(0, len(BYTES)))
    def test_rubbish_anywhere_is_never_an_error_of_ours(self, data: bytes, at: int) -> None:
        opener, lines = opened(BYTES[:at] + data + BYTES[at:])

        assert opener.problems or not data or opener.trailer is None
        assert lines == [text for text in ("one", "two", "three", "four") if text in lines]

    def test_a_file_of_rubbish_takes_no_time_and_no_memory(self) -> None:
        opener = SegmentOpener([KEY])
        opener.feed(SEGMENT[0])
        for _ in range(100):
            opener.feed(b"A" * 100_000)

        assert opener.problems == [f"nothing can be read from byte {len(SEGMENT[0])} on"]

    def test_many_changes_are_summed_up(self) -> None:
        opener, _ = opened(SEGMENT[0] + b"AAAA\n" * 1000)

        assert len(opener.problems) == 21
        assert opener.problems[-1].startswith("more was changed from byte ")
