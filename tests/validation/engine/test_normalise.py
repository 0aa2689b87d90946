"""What is taken out of a pasted text, and what stays in it to be reported."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation.engine.normalise import MAX_INPUT_CHARACTERS, grouped, normalise

GERMAN = "DE89370400440532013000"
# The list of the manual, written out a second time on purpose.
SEPARATORS = {
    *" \t\r\n-./",
    *map(chr, (0x00A0, 0x2007, 0x2009, 0x202F, 0x3000)),
    *map(chr, range(0x2010, 0x2016)),
}


class TestSeparators:
    def test_of_all_of_unicode_exactly_the_listed_characters_are_dropped(self) -> None:
        dropped = {
            character for character in map(chr, range(sys.maxunicode + 1)) if normalise(f"DE{character}89") == "DE89"
        }

        assert dropped == SEPARATORS

    def test_no_character_turns_into_another_but_the_small_letters_of_ascii(self) -> None:
        changed = {
            character
            for character in map(chr, range(sys.maxunicode + 1))
            if character not in SEPARATORS and normalise(character) != character
        }

        assert changed == set("abcdefghijklmnopqrstuvwxyz")

    @pytest.mark.parametrize("separator", sorted(SEPARATORS))
    def test_each_may_stand_before_within_and_after(self, separator: str) -> None:
        assert normalise(separator * 3 + "DE89" + separator + GERMAN[4:] + separator) == GERMAN


class TestTheWordIban:
    @pytest.mark.parametrize(
        "text",
        [
            "IBAN " + GERMAN,
            "IBAN: " + GERMAN,
            "iban:" + GERMAN,
            " I-B-A-N : " + GERMAN,
            "IBAN IBAN: " + GERMAN,
        ],
    )
    def test_it_may_lead_with_or_without_a_colon(self, text: str) -> None:
        assert normalise(text) == GERMAN

    @pytest.mark.parametrize("text", ["IBAN::DE", ":DE", "IBAN;DE", "IBANDE:"])
    def test_any_other_colon_stays_to_be_reported(self, text: str) -> None:
        assert not normalise(text).isalnum()

    def test_it_is_left_where_it_does_not_lead(self) -> None:
        assert normalise("DE89 IBAN") == "DE89IBAN"


class TestNormalising:
    @settings(deadline=None, derandomize=True, database=None, max_examples=500)
    @given(st.text() | st.text(alphabet="IBANiban: -\u00a0DE89?"))
    def test_twice_is_the_same_as_once(self, text: str) -> None:
        once = normalise(text)

        assert normalise(once) == once

    def test_it_reads_no_more_than_the_cap(self) -> None:
        assert normalise("9" * 1000) == "9" * MAX_INPUT_CHARACTERS
        assert normalise(" " * MAX_INPUT_CHARACTERS + "9") == ""


class TestGrouping:
    @pytest.mark.parametrize(("iban", "shown"), [("", ""), ("SE45", "SE45"), ("NO9386011117947", "NO93 8601 1117 947")])
    def test_people_read_groups_of_four(self, iban: str, shown: str) -> None:
        assert grouped(iban) == shown
