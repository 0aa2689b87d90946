"""BICs: their structure, and the banks behind them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schwifty import BIC

from validation.engine import bics
from validation.engine.banks import BANKS
from validation.engine.bics import MOST, look_up

CANDIDATES = sorted({bic for bank in BANKS.values() for bic in bank.candidates})
UNKNOWN_BRANCH = "COBADEFF9ZZ"


class TestTheStructure:
    def test_a_head_office_has_eight_characters(self) -> None:
        found = look_up("DEUTDEFF")

        assert (found.bic, found.valid) == ("DEUTDEFF", True)
        assert (found.party_prefix, found.country, found.party_suffix, found.branch) == ("DEUT", "DE", "FF", None)

    def test_a_branch_has_three_more(self) -> None:
        found = look_up("DEUTDEFF500")

        assert (found.valid, found.branch) == (True, "500")

    @pytest.mark.parametrize("text", ["deutdeff", " DEUT DE FF ", "DEUT-DE-FF", "deut.deff", "DEUT\u00a0DEFF\r\n"])
    def test_separators_and_small_letters_are_accepted(self, text: str) -> None:
        assert look_up(text) == look_up("DEUTDEFF")

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("DEUTXKPR", id="Kosovo, which schwifty refuses"),
            pytest.param("3EUTDEFF", id="a digit in the prefix, allowed since 2022"),
            pytest.param("IBANGB2L", id="one that begins with IBAN"),
            pytest.param("A1B2SE3C4D5", id="letters and digits all over"),
        ],
    )
    def test_unusual_ones_are_valid(self, text: str) -> None:
        assert look_up(text).valid
        assert look_up(text).bic == text

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "DEUT",
            "DEUTDEF",
            "DEUTDEFFX",
            "DEUTDEFFXX",
            "DEUTDEFFXXXX",
            "DEUTD1FF",
            "DEUTZZFF",
            "DEUTEUFF",
            "DEUTUKFF",
            "DEUTDEF_",
            "DEUTDEF\u017f",
            "DEUTDEF\u00df",
            "DEUTDE\uff11\uff12",
            "DEUTDEF\u0661",
            "DEUTDEF\0",
            "DEUTDEFF" + " " * 121,
            "D" * 100_000,
        ],
    )
    def test_what_has_not_the_structure_is_not_looked_up(self, text: str) -> None:
        found = look_up(text)

        assert not found.valid
        assert found[2:] == (None, None, None, None, False, False, None, (), (), 0)
        assert len(found.bic) <= 128

    def test_one_for_tests_is_reported_by_its_eighth_character(self) -> None:
        assert look_up("DEUTDEF0").test
        assert look_up("DEUTDEF0XXX").test
        assert not look_up("DEUTDEFF").test
        assert not look_up("DEUT0000").test

    @pytest.mark.parametrize("text", [None, 8, b"DEUTDEFF"])
    def test_anything_but_text_is_a_mistake_of_the_program(self, text: object) -> None:
        with pytest.raises(TypeError):
            look_up(text)  # type: ignore[arg-type]  # what a caller may do by mistake

    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(
        st.text(max_size=140) | st.from_regex("[A-Za-z0-9]{4}(DE|SE|UK|ZZ)[A-Z0-9]{2}([A-Z0-9]{3})?", fullmatch=True)
    )
    def test_no_string_whatever_makes_it_raise_and_schwifty_says_the_same(self, text: str) -> None:
        found = look_up(text)

        assert found.known <= found.valid
        if len(text) in {8, 11} and text.isascii() and text.isalnum() and found.country != "XK":
            assert found.valid == BIC(text, allow_invalid=True).is_valid


class TestTheBanks:
    def test_all_that_the_directory_lists_is_known(self) -> None:
        for bic in CANDIDATES:
            found = look_up(bic)
            assert found.valid
            assert found.known
            assert found.known_as == bic.removesuffix("XXX") if len(bic) == 11 else found.known_as == bic
            assert 0 < len(found.names) <= MOST
            assert 0 < len(found.bank_codes) == min(MOST, found.total_bank_codes)

    def test_every_bank_code_is_found_under_each_of_its_bics(self) -> None:
        listed = {(code, bics.head_office(bic)) for code, bank in BANKS.items() for bic in bank.candidates}

        assert sum(look_up(bic).total_bank_codes for bic in {bic for _, bic in listed}) == len(listed)

    def test_the_names_and_bank_codes_are_reported(self) -> None:
        found = look_up("ESSESESS")

        assert "SE500" in found.bank_codes
        assert BANKS["SE500"].name in found.names
        assert found.total_bank_codes == len(found.bank_codes)

    def test_the_name_of_the_most_bank_codes_comes_first_and_none_twice(self) -> None:
        found = look_up("COBADEFF")

        assert found.names[0] == "Commerzbank"
        assert len(set(found.names)) == len(found.names) == MOST
        assert len(found.bank_codes) == MOST < found.total_bank_codes

    def test_eight_characters_and_xxx_behind_them_are_the_same_institution(self) -> None:
        for bic in ("COBADEFF", "ESSESESS", "NOSUSE22"):
            assert look_up(bic + "XXX") == look_up(bic)._replace(bic=bic + "XXX")
            assert look_up(bic + "XXX").branch is None

    def test_a_branch_that_is_not_listed_is_known_as_its_head_office(self) -> None:
        assert UNKNOWN_BRANCH not in CANDIDATES

        found = look_up(UNKNOWN_BRANCH)

        assert (found.known, found.known_as, found.branch) == (True, "COBADEFF", "9ZZ")
        assert found.names == look_up("COBADEFF").names

    def test_a_listed_branch_is_known_as_itself(self) -> None:
        branch = next(bic for bic in CANDIDATES if len(bic) == 11 and bic[8:] != "XXX")

        assert look_up(branch).known_as == branch

    def test_a_valid_one_that_nobody_lists_is_unknown(self) -> None:
        found = look_up("ZZZZDEZZ")

        assert found.valid
        assert (found.known, found.known_as, found.names, found.total_bank_codes) == (False, None, (), 0)
