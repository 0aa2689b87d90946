"""IBANs in free text: what is one, what is none, where it stands, and how much work a hostile text makes."""

import sys
from collections.abc import Callable
from itertools import pairwise
from random import Random
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.engine import grouped, valid_iban
from validation import engine
from validation.engine.extract import extract
from validation.engine.normalise import SEPARATORS
from validation.engine.registry import COUNTRIES

GERMAN = "DE89370400440532013000"
WRONG_GERMAN = "DE88370400440532013000"
SWEDISH = "SE4550000000058398257466"
MALTESE = "MT84MALT011000012345MTLCAST001S"
NORWEGIAN = "NO9386011117947"
WRONG_ACCOUNT = "NO6686011117948"
"""Right check digits over a wrong national one."""


def found_ibans(text: str) -> list[tuple[str, bool]]:
    """Return what is found as it is written, and whether it is valid."""
    return [(found.text, found.verdict.valid) for found in extract(text)]


def repeatable(examples: int) -> settings:
    """Try the same texts in every run."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


class TestValidNumbers:
    @pytest.mark.parametrize(
        ("text", "written"),
        [
            pytest.param(GERMAN, GERMAN, id="alone"),
            pytest.param(f"Please pay to {GERMAN}, thank you.", GERMAN, id="in a sentence"),
            pytest.param(f"IBAN:{SWEDISH}", SWEDISH, id="behind the word IBAN and a colon"),
            pytest.param(f"IBAN{SWEDISH}", SWEDISH, id="glued to the word IBAN"),
            pytest.param(f"{SWEDISH}EUR", SWEDISH, id="glued to a currency"),
            pytest.param(f"konto{GERMAN}.", GERMAN, id="glued to a word, before a full stop"),
            pytest.param(f"({GERMAN})", GERMAN, id="in brackets"),
            pytest.param(f"<td>{GERMAN}</td>", GERMAN, id="in HTML"),
            pytest.param(f"name;{GERMAN};100,00", GERMAN, id="in a line of CSV"),
            pytest.param(f"/{GERMAN}/EUR100", GERMAN, id="between slashes"),
            pytest.param(GERMAN.lower(), GERMAN.lower(), id="in small letters"),
            pytest.param("an de89 3704 0044 0532 0130 00.", "de89 3704 0044 0532 0130 00", id="small and grouped"),
            pytest.param("SE45 5000 0000 0583 9825 7466", "SE45 5000 0000 0583 9825 7466", id="in groups of four"),
            pytest.param("DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", None, id="no-break blanks"),
            pytest.param("DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00", None, id="narrow ones"),
            pytest.param("DE89-3704-0044-0532-0130-00", None, id="hyphens"),
            pytest.param("DE89.3704.0044.0532.0130.00", None, id="dots"),
            pytest.param("DE89/3704/0044/0532/0130/00", None, id="slashes"),
            pytest.param("DE89  37040044  0532013000", None, id="two blanks"),
            pytest.param("DE 89 37040044 0532013000", None, id="the country's own groups"),
            pytest.param("FR14 20041 01005 0500013M026 06", None, id="the French groups"),
            pytest.param("D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0", None, id="one box per character"),
            pytest.param("SE45 5000 0000\n0583 9825 7466", None, id="broken over a line end"),
            pytest.param("SE45 5000 0000\r\n   0583 9825 7466", None, id="broken, and indented"),
            pytest.param("SE4550000000-\n058398257466", None, id="broken at a hyphen"),
            pytest.param("SE45\n50000000058398257466", None, id="broken behind the check digits"),
            pytest.param(MALTESE, MALTESE, id="more letters than usual"),
            pytest.param("MT84 MALT 0110 0001 2345 MTLC AST0 01S", None, id="grouped letters"),
            pytest.param("QA58 DOHB 0000 1234 5678 90AB CDEF G", None, id="letters to the end"),
        ],
    )
    def test_each_is_found_as_it_is_written(self, text: str, written: str | None) -> None:
        assert found_ibans(text) == [(text if written is None else written, True)]

    def test_several_are_found_in_their_order_glued_or_not(self) -> None:
        assert found_ibans(f"{GERMAN}{SWEDISH}") == [(GERMAN, True), (SWEDISH, True)]
        assert found_ibans(f"{SWEDISH}\n{GERMAN}\n{SWEDISH}") == [(SWEDISH, True), (GERMAN, True), (SWEDISH, True)]

    def test_the_places_are_code_points_of_the_text(self) -> None:
        text = f"\U0001f600 ß é {GERMAN} \U0001f600"
        (found,) = extract(text)

        assert (found.start, found.end) == (6, 28)
        assert text[found.start : found.end] == found.text == GERMAN

    def test_the_verdict_is_that_of_a_check(self) -> None:
        (found,) = extract("to SE45 5000 0000 0583 9825 7466 now")

        assert found.verdict == engine.check("SE45 5000 0000 0583 9825 7466")
        assert found.verdict.iban == SWEDISH

    @pytest.mark.parametrize("code", COUNTRIES)
    def test_the_numbers_of_every_country_are_found_in_one_piece_and_in_groups(self, code: str) -> None:
        @repeatable(10)
        @given(st.integers(0, 2**24 - 1).map(Random))
        def found(random: Random) -> None:
            iban = valid_iban(random, COUNTRIES[code])
            assert found_ibans(f"to {iban} now") == [(iban, True)]
            if sum(map(str.isdigit, iban)) * 2 >= len(iban):
                assert found_ibans(f"({grouped(iban)})") == [(grouped(iban), True)]

        found()

    @pytest.mark.parametrize("separator", sorted(SEPARATORS.replace("\r", "").replace("\n", "")))
    def test_every_separator_of_a_check_may_part_the_groups(self, separator: str) -> None:
        written = grouped(GERMAN).replace(" ", separator)

        assert found_ibans(f"x {written} y") == [(written, True)]


class TestWrongNumbers:
    @pytest.mark.parametrize(
        "written",
        [
            pytest.param(WRONG_GERMAN, id="wrong check digits"),
            pytest.param("DE88 3704 0044 0532 0130 00", id="in groups of four"),
            pytest.param("de88-3704-0044-0532-0130-00", id="small, with hyphens"),
            pytest.param("DE88 3704 0044\n0532 0130 00", id="broken over a line end"),
            pytest.param(WRONG_ACCOUNT, id="wrong national check digits"),
            pytest.param("DE00370400440532013000", id="check digits that are never issued"),
            pytest.param("MT83MALT011000012345MTLCAST001S", id="with letters"),
        ],
    )
    @pytest.mark.parametrize("around", ["{}", "to {}, please", "IBAN {}", "IBAN:{}", "IBAN{}", "x;iban{};", "({})."])
    def test_what_is_clearly_meant_as_an_iban_is_reported_with_what_is_wrong(self, written: str, around: str) -> None:
        (found,) = extract(around.format(written))

        assert found.text == written
        assert not found.verdict.valid
        assert {reason.code for reason in found.verdict.reasons} <= {"checksum", "national_check_digits"}

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(f"x{WRONG_GERMAN}", id="glued to a word"),
            pytest.param(f"{WRONG_GERMAN}EUR", id="glued to what follows"),
            pytest.param(f"xiban{WRONG_GERMAN}", id="glued to a word that ends in iban"),
            pytest.param(f"é{WRONG_GERMAN}", id="glued to a letter beyond ASCII"),
            pytest.param(f"{GERMAN}1", id="a digit too many"),
            pytest.param(f"{WRONG_GERMAN}1", id="the same of a wrong one"),
            pytest.param(WRONG_GERMAN[:-1], id="a digit missing"),
            pytest.param("DE8837040044O532013000", id="another structure"),
            pytest.param("US88370400440532013000", id="a country without IBANs"),
            pytest.param("DE88 370400440532013000", id="groups of another size"),
            pytest.param("VAT BE0123456789 9000 Gent", id="a tax number before a postal code"),
            pytest.param(
                "do 28 of them need a check before noon of today", id="prose that begins as the Dominican one"
            ),
            pytest.param("At 12 34 56 people of 78 went home", id="words and numbers"),
            pytest.param("DE89 - 370400440532013000", id="three separators in a row"),
            pytest.param("", id="nothing"),
            pytest.param("DE", id="a country's code"),
            pytest.param("DE89", id="the beginning of a number"),
        ],
    )
    def test_what_may_be_something_else_is_not_reported(self, text: str) -> None:
        assert found_ibans(text) == []

    def test_prose_of_the_right_length_is_no_iban_even_if_its_remainder_is_right(self) -> None:
        prose = "gt{} tell them that all of us agree"
        passing = [f"{digits:02d}" for digits in range(2, 99) if engine.check(prose.format(f"{digits:02d}")).valid]

        assert len(passing) == 1
        assert found_ibans(prose.format(passing[0])) == []


class TestOverlaps:
    def test_a_valid_number_goes_before_a_wrong_one_that_begins_earlier(self) -> None:
        """Taken alone, the first four characters begin a number of Guatemala with the whole Swedish one in it."""
        text = f"GT27 {grouped(SWEDISH)}"

        assert engine.check(text).reasons[0].code == "checksum"
        assert found_ibans(text) == [(grouped(SWEDISH), True)]

    def test_of_wrong_ones_that_overlap_the_first_is_reported(self) -> None:
        text = "GT27 GT27 GT27 GT27 GT27 GT27 GT27 GT27"

        assert found_ibans(text) == [(text[:34], False)]

    def test_nothing_is_reported_twice(self) -> None:
        text = f"{GERMAN} {WRONG_GERMAN} {grouped(SWEDISH)} {WRONG_ACCOUNT}"
        found = extract(text)

        assert [one.verdict.valid for one in found] == [True, False, True, False]
        assert all(before.end <= after.start for before, after in pairwise(found))


class TestStrangeCharacters:
    @pytest.mark.parametrize(
        "strange", ["\u0131", "\u017f", "\u00df", "\u212a", "\u0661", "\uff11", "\0", "\u200b", "\ufeff", ","]
    )
    def test_none_is_read_as_a_character_of_a_number_or_as_a_separator(self, strange: str) -> None:
        for place in range(1, len(GERMAN)):
            assert found_ibans(GERMAN[:place] + strange + GERMAN[place:]) == []
            assert found_ibans(GERMAN[:place] + strange + GERMAN[place + 1 :]) == []

    def test_a_number_over_two_line_ends_is_none(self) -> None:
        assert found_ibans("DE89 3704 0044\n0532 0130\n00") == []
        assert found_ibans("DE89 3704 0044\n\n0532 0130 00") == []

    @pytest.mark.parametrize("text", [None, 89, GERMAN.encode()])
    def test_anything_but_text_is_a_mistake_of_the_program(self, text: object) -> None:
        with pytest.raises(TypeError):
            extract(text)  # type: ignore[arg-type]  # what a caller may do by mistake

    @repeatable(500)
    @given(
        st.lists(
            st.sampled_from(
                [GERMAN, WRONG_GERMAN, SWEDISH, MALTESE, "GT27", "GT28", "DE89", " ", "-", "\n", "\r\n", "x", "1"]
            )
            | st.text(max_size=5)
        ).map("".join)
    )
    def test_whatever_the_text_the_places_fit_and_every_verdict_is_a_checks(self, text: str) -> None:
        end = 0
        for found in extract(text):
            assert end <= found.start < found.end
            assert found.text == text[found.start : found.end]
            assert found.verdict == engine.check(found.text)
            assert {reason.code for reason in found.verdict.reasons} <= {"checksum", "national_check_digits"}
            end = found.end


HOSTILE = {
    "beginnings, glued": "SE45",
    "beginnings that fit, glued": "GT27",
    "beginnings that fit, grouped": "GT27 ",
    "beginnings, grouped": "DE89 ",
    "beginnings over line ends": "GT\r\n        27",
    "digits": "7",
    "letters": "DE",
    "blanks": " ",
    "separators": "- ./",
    "line ends": "\r\n",
    "pairs": "a ",
    "valid numbers": SWEDISH,
    "valid numbers followed by a digit": SWEDISH + "1 ",
    "wrong numbers": WRONG_GERMAN + " ",
    "wrong accounts": WRONG_ACCOUNT + ",",
    "letters beyond ASCII": "é",
    "strange": "\0\u017f",
}


class TestExtractionTime:
    @staticmethod
    def calls(action: Callable[[], object]) -> int:
        """Count the calls of functions, those of the library among them."""
        count = 0

        def counted(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal count
            count += event in {"call", "c_call"}

        sys.setprofile(counted)
        try:
            action()
        finally:
            sys.setprofile(None)
        return count

    @pytest.mark.parametrize("unit", HOSTILE.values(), ids=list(HOSTILE))
    def test_twice_the_text_is_twice_the_work_and_no_more(self, unit: str) -> None:
        short = unit * (5_000 // len(unit))
        once = self.calls(lambda: extract(short))
        twice = self.calls(lambda: extract(short * 2))

        assert twice <= 2 * once + 100
        assert twice <= 10 * len(short * 2)

    @pytest.mark.parametrize("unit", HOSTILE.values(), ids=list(HOSTILE))
    def test_a_hundred_thousand_characters_are_read_to_the_end(self, unit: str) -> None:
        text = (unit * (100_000 // len(unit) + 1))[:100_000]

        found = extract(f"{text} , {GERMAN}")

        assert found[-1].text == GERMAN
