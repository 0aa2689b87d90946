"""Unreadable places: every number that fits is found, none that does not, and the work stays small."""

from collections.abc import Callable
from itertools import product
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.engine import valid_iban
from validation import engine
from validation.engine import recover as module
from validation.engine.recover import MOST_CANDIDATES, MOST_PLACEHOLDERS, RecoveryRefused, recover
from validation.engine.registry import COUNTRIES

GERMAN = "DE89370400440532013000"
SWEDISH = "SE4550000000058398257466"
EVERY = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def without(iban: str, *places: int) -> str:
    """Return the number with these places unreadable."""
    return "".join("?" if place in places else character for place, character in enumerate(iban))


def tried_one_by_one(text: str) -> list[str]:
    """Return what recovery should find, in the plainest way: every character at every place."""
    template = text.replace("?", "{}")
    numbers = (template.format(*chosen) for chosen in product(EVERY, repeat=text.count("?")))
    return [number for number in numbers if engine.check(number).valid]


def repeatable(examples: int) -> settings:
    """Try the same numbers in every run."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


class TestCandidates:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(without(GERMAN, 21), id="a last digit"),
            pytest.param(without(GERMAN, 8, 15), id="two digits"),
            pytest.param(without(SWEDISH, 2, 3), id="both check digits"),
            pytest.param(without(SWEDISH, 0, 1), id="the country"),
            pytest.param(without(SWEDISH, 0, 23), id="half of the country and a digit"),
            pytest.param(without("GB29NWBK60161331926819", 4, 12), id="a letter and a digit"),
            pytest.param(without("FR1420041010050500013M02606", 20, 26), id="a letter before the key, and the key"),
            pytest.param(without("MT84MALT011000012345MTLCAST001S", 15, 30), id="letters and digits alike"),
            pytest.param(without("IT60X0542811101000000123456", 4), id="the Italian CIN"),
        ],
    )
    def test_it_is_all_that_trying_one_by_one_finds(self, text: str) -> None:
        recovery = recover(text)

        expected = tried_one_by_one(text)
        assert recovery.total == len(expected)
        assert list(recovery.candidates) == expected[:MOST_CANDIDATES]
        assert recovery.iban == text

    @pytest.mark.parametrize("code", COUNTRIES)
    def test_in_every_country_the_number_itself_is_among_the_candidates(self, code: str) -> None:
        @repeatable(10)
        @given(st.integers(0, 2**24 - 1).map(Random))
        def found(random: Random) -> None:
            iban = valid_iban(random, COUNTRIES[code])
            places = random.sample(range(len(iban)), random.randint(1, MOST_PLACEHOLDERS))
            recovery = recover(without(iban, *places))

            assert recovery.truncated or iban in recovery.candidates
            assert list(recovery.candidates) == sorted(set(recovery.candidates))
            assert recovery.total >= len(recovery.candidates) > 0
            for candidate in recovery.candidates:
                assert engine.check(candidate).valid
                assert all(candidate[place] == iban[place] for place in range(len(iban)) if place not in places)

        found()

    def test_one_unreadable_digit_of_a_numeric_iban_leaves_one_candidate(self) -> None:
        for place in range(2, len(GERMAN)):
            assert recover(without(GERMAN, place)).candidates == (GERMAN,)

    def test_the_candidates_are_in_alphabetical_order_digits_before_letters(self) -> None:
        candidates = recover(without("LC55HEMM000100010012001200023015", 29, 30, 31)).candidates

        assert candidates == tuple(sorted(candidates))
        assert candidates[0] == "LC55HEMM000100010012001200023015"
        assert candidates[1][-1].isalpha()

    def test_of_many_the_first_hundred_are_reported_and_all_are_counted(self) -> None:
        recovery = recover(without("LC55HEMM000100010012001200023015", 29, 30, 31))

        assert len(recovery.candidates) == 100
        assert recovery.total == 485
        assert recovery.truncated

    def test_separators_and_small_letters_are_accepted_as_in_a_check(self) -> None:
        recovery = recover("iban: de89 3704-0044 0532 0130 0?")

        assert recovery == recover("DE8937040044053201300?")
        assert recovery.iban == "DE8937040044053201300?"

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("?", id="a placeholder alone"),
            pytest.param("???", id="three of them"),
            pytest.param("DE8937040044053201300?0", id="no German length"),
            pytest.param("US8937040044053201300?", id="a country without IBANs"),
            pytest.param("DE8937040044O53201300?", id="a letter where digits stand"),
            pytest.param("DEA?370400440532013000", id="a letter in the check digits"),
            pytest.param("Q?89370400440532013000", id="no country begins so at this length"),
            pytest.param("?" + "0" * 33, id="as long as an IBAN may be"),
        ],
    )
    def test_where_nothing_fits_no_candidate_is_the_response(self, text: str) -> None:
        assert recover(text) == (text, (), 0, False)

    def test_what_a_bank_refuses_is_no_candidate(self) -> None:
        """Under the plain rules both would do; the check digits of the bank's method leave one."""
        text = without(GERMAN, 12, 13, 14)
        by_checksum = [number for number in self.by_checksum(text) if number != GERMAN]

        assert any(engine.check(number).checks.national_check_digits == "failed" for number in by_checksum)
        assert all(engine.check(number).valid for number in recover(text).candidates)

    @staticmethod
    def by_checksum(text: str) -> list[str]:
        numbers = (text.replace("???", f"{chosen:03d}") for chosen in range(1000))
        return [number for number in numbers if engine.check(number).checks.checksum == "passed"]


class TestRecoveryTime:
    @pytest.mark.parametrize("code", ["LC", "KW", "RU", "FR", "AZ"])
    def test_few_of_the_possible_numbers_are_checked(self, code: str) -> None:
        """36 × 36 × 36 numbers are possible; one in 97 has the right remainder."""
        letters = [place for place, kind in enumerate(COUNTRIES[code].classes) if kind == "c"]

        assert 0 < self.checks(without(COUNTRIES[code].example, *letters[:3])) <= 36**3 / 97 + 36

    def test_an_unreadable_country_adds_little(self) -> None:
        for example in (country.example for country in COUNTRIES.values()):
            assert self.checks(without(example, 0, 1, len(example) - 1)) <= 100
            assert self.checks(without(example, 0, len(example) - 2, len(example) - 1)) <= 36 * 36

    @staticmethod
    def checks(text: str) -> int:
        with patch.object(module, "check", wraps=engine.check) as check:
            recover(text)
        return check.call_count


def code_of(refused: Callable[[], object]) -> str:
    """Return the code of the refusal."""
    with pytest.raises(RecoveryRefused) as refusal:
        refused()
    return refusal.value.code


class TestRecoveryRefusals:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "empty"),
            (" - ", "empty"),
            ("IBAN:", "empty"),
            (GERMAN, "no_placeholder"),
            ("????", "too_many_placeholders"),
            ("DE89????0044053201300", "too_many_placeholders"),
            ("?" * 34, "too_many_placeholders"),
            ("?" * 35, "too_long"),
            ("?" * 100_000, "too_long"),
            ("?" + " " * 128, "too_long"),
            ("DE8937040044053201300*", "characters"),
            ("DE8937040044053201300?\0", "characters"),
            ("DE8937040044053201300\uff1f", "characters"),
            ("DE893704004405320130?\u0661", "characters"),
            ("\u017fE45500000000583982574?6", "characters"),
            ("DE89370400440532013\u00df?", "characters"),
        ],
    )
    def test_the_reason_is_reported(self, text: str, code: str) -> None:
        assert code_of(lambda: recover(text)) == code

    def test_the_input_stands_in_no_text_of_the_exception(self) -> None:
        with pytest.raises(RecoveryRefused) as refused:
            recover(GERMAN)

        assert str(refused.value) == "no_placeholder"

    @pytest.mark.parametrize("text", [None, 89, b"DE8?"])
    def test_anything_but_text_is_a_mistake_of_the_program(self, text: object) -> None:
        with pytest.raises(TypeError):
            recover(text)  # type: ignore[arg-type]  # what a caller may do by mistake

    @repeatable(500)
    @given(st.text(alphabet=EVERY + "?? -se\u017f\0", max_size=40) | st.text(max_size=140))
    def test_no_string_whatever_makes_anything_but_an_response_or_a_refusal(self, text: str) -> None:
        try:
            recovery = recover(text)
        except RecoveryRefused:
            return
        assert 1 <= recovery.iban.count("?") <= MOST_PLACEHOLDERS
        assert recovery.total >= len(recovery.candidates)
