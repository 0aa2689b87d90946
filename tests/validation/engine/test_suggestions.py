"""Repairs: what a person may have meant, one edit away and right in every check."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation import engine
from validation.engine.registry import COUNTRIES

GERMAN = "DE89370400440532013000"
LOOK_ALIKE = {frozenset(pair) for pair in ("O0", "I1", "B8", "S5")}


def suggestions(text: str) -> tuple[str, ...]:
    """Return the repairs offered for one text."""
    return engine.with_suggestions(engine.check(text)).suggestions


def is_one_edit_away(repair: str, iban: str) -> bool:
    """Whether one look-alike, one other digit or one swap of neighbours lies between the two."""
    if len(repair) != len(iban):
        return False
    places = [place for place in range(len(iban)) if repair[place] != iban[place]]
    if len(places) == 1:
        pair = {repair[places[0]], iban[places[0]]}
        return pair in LOOK_ALIKE or all(character.isdigit() for character in pair)
    return (
        len(places) == 2
        and places[1] == places[0] + 1
        and repair[places[0]] == iban[places[1]]
        and repair[places[1]] == iban[places[0]]
    )


@st.composite
def mistyped(draw: st.DrawFn) -> str:
    """Draw a country's example with one to two slips of the hand."""
    text = draw(st.sampled_from([country.example for country in COUNTRIES.values()]))
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, len(text) - 2))
        character = draw(st.sampled_from("0123456789OIBSA"))
        text = draw(
            st.sampled_from(
                [
                    text[:place] + character + text[place + 1 :],
                    text[:place] + text[place + 1] + text[place] + text[place + 2 :],
                ]
            )
        )
    return text


class TestEverySuggestion:
    @settings(deadline=None, derandomize=True, database=None, max_examples=300)
    @given(mistyped())
    def test_it_passes_every_check_and_is_one_edit_away(self, text: str) -> None:
        verdict = engine.check(text)
        offered = suggestions(text)

        assert len(offered) <= 5
        assert len(set(offered)) == len(offered)
        assert not (verdict.valid and offered)
        for repair in offered:
            assert engine.check(repair).valid
            assert is_one_edit_away(repair, verdict.iban)


class TestWhatIsRepaired:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            pytest.param("DE8937O400440532013000", GERMAN, id="the letter O for a zero"),
            pytest.param("DEB9370400440532013000", GERMAN, id="the letter B for an eight"),
            pytest.param("DE8937040044053201300O", GERMAN, id="at the very end"),
            pytest.param("GB33BUKB2020I555555555", "GB33BUKB20201555555555", id="the letter I for a one"),
            pytest.param("GB33BUKB202015S5555555", "GB33BUKB20201555555555", id="the letter S for a five"),
            pytest.param("GB338UKB20201555555555", "GB33BUKB20201555555555", id="a digit for a letter"),
            pytest.param("DE89730400440532013000", GERMAN, id="two neighbours swapped"),
            pytest.param("ED89370400440532013000", GERMAN, id="the letters of the country swapped"),
            pytest.param("DE89370400440532013900", GERMAN, id="one wrong digit"),
            pytest.param("de89 3704 0044 0532 0139 00", GERMAN, id="grouped and small"),
        ],
    )
    def test_a_common_slip_finds_what_was_meant(self, typed: str, meant: str) -> None:
        assert not engine.check(typed).valid
        assert meant in suggestions(typed)

    def test_a_look_alike_comes_before_other_repairs(self) -> None:
        assert suggestions("DE8937O400440532013000")[0] == GERMAN

    def test_a_repair_with_a_known_bank_comes_before_one_without(self) -> None:
        assert suggestions("DE95100100105352122731") == ("DE95100100105352122737", "DE95100104105352122731")
        assert engine.check("DE95100100105352122737").checks.bank == "known"
        assert engine.check("DE95100104105352122731").checks.bank == "unknown"

    def test_of_eight_possible_repairs_the_five_likeliest_are_repaired(self) -> None:
        assert suggestions("RU2169180036493488BBSOOIOSOBIOIOI") == (
            "RU2169180036493488BBSOOIOSOB1OIOI",  # a look-alike
            "RU2169180036493488BBSOOISOOBIOIOI",  # two neighbours swapped
            "RU2169180036493488BBSOOIOSOBIOOII",
            "RU2369180036493488BBSOOIOSOBIOIOI",  # one wrong digit
            "RU2167180036493488BBSOOIOSOBIOIOI",
        )


class TestWhatIsLeftAlone:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(GERMAN, id="a valid number"),
            pytest.param("", id="nothing"),
            pytest.param("DE89", id="no number yet"),
            pytest.param("DE8937040044053201300?", id="a strange character"),
            pytest.param("DE893704004405320130", id="two digits missing"),
            pytest.param("9" * 35, id="longer than any IBAN"),
            pytest.param("DE89370400440532013900".ljust(128), id="an input that may have been cut"),
        ],
    )
    def test_it_is_not_guessed_at(self, text: str) -> None:
        assert suggestions(text) == ()

    def test_nothing_but_the_suggestions_changes(self) -> None:
        verdict = engine.check("DE89370400440532013900")
        repaired = engine.with_suggestions(verdict)

        assert repaired.suggestions
        assert repaired._replace(suggestions=()) == verdict
        assert verdict.suggestions == ()

    def test_a_check_alone_never_suggests(self) -> None:
        assert engine.check("DE89370400440532013900").suggestions == ()
