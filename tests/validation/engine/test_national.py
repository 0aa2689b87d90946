"""National check digits: the rules we added to schwifty's, and the cases where we do not judge."""

import string
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validation.engine.test_public_vectors import LINES
from validation import engine
from validation.engine import german, national
from validation.engine.banks import BANKS
from validation.engine.reasons import Reason
from validation.engine.registry import COUNTRIES


class Digits(NamedTuple):
    """Check digits in a BBAN, and the part of it that they guard."""

    start: int
    end: int
    guards: range


def at_end(code: str) -> tuple[Digits, ...]:
    """Return two check digits at the end of the BBAN, which guard all that stands before them."""
    length = COUNTRIES[code].length - 4
    return (Digits(length - 2, length, range(length - 2)),)


MOD_97 = "AO CV XK"
FRENCH_TERRITORIES = "BL GF GP MF MQ NC PF PM RE TF WF YT"
FRANCOPHONE = "BF BI BJ CF CG CI CM DJ GA GQ KM MA MG ML NE SN TD TG"
ADDED = {
    "AL": (Digits(7, 8, range(7)),),
    "AX": (Digits(13, 14, range(13)),),
    "HR": (Digits(6, 7, range(6)), Digits(16, 17, range(7, 16))),
    "HU": (Digits(7, 8, range(7)), Digits(23, 24, range(8, 23))),
    **{code: at_end(code) for code in f"{MOD_97} {FRENCH_TERRITORIES} {FRANCOPHONE}".split()},
}


def published(code: str) -> list[str]:
    """Return the valid published IBANs of a country whose national check digits were checked."""
    verdicts = [engine.check(line.iban) for line in LINES if line.expected == "valid" and code in line.iban]
    return sorted(
        {
            verdict.iban
            for verdict in verdicts
            if verdict.iban[:2] == code and verdict.valid and verdict.checks.national_check_digits == "passed"
        }
    )


def other(digit: str) -> str:
    """Return the next digit: a slip that leaves the structure right."""
    return str((int(digit) + 1) % 10)


def iban(code: str, bban: str) -> str:
    """Return the IBAN of a BBAN with right check digits, so that only the national ones can be wrong."""
    return code + national.mod_97_10(bban + code + "00") + bban


class TestTheRulesWeAdded:
    @pytest.mark.parametrize("code", sorted(ADDED))
    def test_published_numbers_pass_and_a_wrong_check_digit_is_reported_with_the_right_one(self, code: str) -> None:
        numbers = published(code)
        assert numbers

        for bban in (number[4:] for number in numbers):
            for digits in ADDED[code]:
                wrong = bban[: digits.start] + other(bban[digits.start]) + bban[digits.start + 1 :]
                verdict = engine.check(iban(code, wrong))
                assert verdict.checks.national_check_digits == "failed"
                assert verdict.reasons == (
                    Reason("national_check_digits", digits.start + 5, bban[digits.start : digits.end]),
                )

    @pytest.mark.parametrize("code", sorted(ADDED))
    def test_one_wrong_digit_anywhere_is_noticed(self, code: str) -> None:
        for bban in (number[4:] for number in published(code)):
            for digits in ADDED[code]:
                for place in (place for place in digits.guards if bban[place].isdigit()):
                    wrong = bban[:place] + other(bban[place]) + bban[place + 1 :]
                    reason = engine.check(iban(code, wrong)).reasons[0]
                    assert (reason.code, reason.position) == ("national_check_digits", digits.start + 5)
                    assert reason.expected != bban[digits.start : digits.end]

    def test_both_pairs_of_digits_wrong_are_reported_as_the_first(self) -> None:
        right, both_wrong = "10010051863000160", "10010061863000161"

        assert engine.check(iban("HR", right)).valid
        assert engine.check(iban("HR", both_wrong)).reasons == (Reason("national_check_digits", 11, "5"),)

    def test_letters_of_an_african_account_count_as_in_france(self) -> None:
        assert engine.check("BJ66BJ0610100100144390000769").checks.national_check_digits == "passed"
        assert engine.check("FR1420041010050500013M02606").checks.national_check_digits == "passed"

    def test_a_territory_is_judged_as_its_parent_is(self) -> None:
        for code in FRENCH_TERRITORIES.split():
            assert national.RULES[code] is national.RULES["FR"]
        assert engine.check("AX2112345600000785").checks == engine.check("FI2112345600000785").checks._replace(
            bank="not_checked"
        )


def norwegian_digit(digits: str, weights: tuple[int, ...]) -> str:
    """Return the check digit of modulus 11, `-` where none is right."""
    return "0-987654321"[sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11]


class TestNorway:
    ALL_TEN = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)

    @pytest.mark.parametrize("stem", ["8601111794", "1234567890", "9999999999", "0539100000"])
    def test_all_ten_digits_are_weighed(self, stem: str) -> None:
        due = norwegian_digit(stem, self.ALL_TEN)

        for digit in string.digits:
            outcome = national.outcome("NO", stem + digit, None)
            assert outcome.result == ("passed" if digit == due else "failed")

    @pytest.mark.parametrize("stem", ["8601001794", "1234005678", "6042003333", "9999009999", "0000001234"])
    def test_with_00_at_places_5_and_6_only_what_every_source_agrees_on_is_reported(self, stem: str) -> None:
        plain = norwegian_digit(stem, self.ALL_TEN)
        short = norwegian_digit(stem[6:], (5, 4, 3, 2))

        for digit in string.digits:
            result = national.outcome("NO", stem + digit, None).result
            if digit == plain == short:
                assert result == "passed"
            elif digit in {plain, short}:
                assert result == "not_checked"
            else:
                assert result == "failed"

    def test_a_number_for_which_no_digit_is_right_fails_without_one(self) -> None:
        stem = next(
            f"{start}111111111" for start in range(10) if norwegian_digit(f"{start}111111111", self.ALL_TEN) == "-"
        )

        verdict = engine.check(iban("NO", stem + "0"))

        assert verdict.reasons == (Reason("national_check_digits", 15, None),)


class TestWhereWeDoNotJudge:
    @pytest.mark.parametrize("text", ["NL91ABNA0417164300", "NL26ABNA0417164500"])
    def test_the_dutch_11_test_is_never_made(self, text: str) -> None:
        verdict = engine.check(text)

        assert verdict.valid
        assert verdict.checks.national_check_digits == "not_checked"

    def test_a_german_bank_that_nobody_knows_has_no_method(self) -> None:
        assert "DE99999999" not in BANKS

        verdict = engine.check(iban("DE", "999999990532013001"))

        assert verdict.valid
        assert verdict.checks.national_check_digits == "not_checked"
        assert verdict.checks.bank == "unknown"

    def test_a_german_method_that_we_lack_is_reported_as_not_checked(self) -> None:
        lacking = [bank for key, bank in BANKS.items() if key[:2] == "DE" and bank.check_method not in german.METHODS]

        assert lacking
        for bank in lacking:
            verdict = engine.check(iban("DE", bank.code + "1234567890"))
            assert verdict.valid
            assert verdict.checks.national_check_digits == "not_checked"
            assert verdict.checks.bank == "known"

    def test_few_german_banks_use_a_method_that_we_lack(self) -> None:
        methods = [bank.check_method for key, bank in BANKS.items() if key[:2] == "DE"]

        assert sum(method in german.METHODS for method in methods) / len(methods) > 0.97

    def test_a_country_without_a_rule_is_reported_as_not_checked(self) -> None:
        for code, country in COUNTRIES.items():
            result = engine.check(country.example).checks.national_check_digits
            assert code in national.WITH_RULE or result == "not_checked"

    @pytest.mark.parametrize("code", ["MZ", "ST", "SE", "CH", "NL"])
    def test_rules_that_published_numbers_break_are_not_enforced(self, code: str) -> None:
        assert code not in national.WITH_RULE


class TestModulus97:
    @settings(deadline=None, derandomize=True, database=None)
    @given(st.text(alphabet=string.ascii_uppercase + string.digits, min_size=1, max_size=128))
    def test_letters_count_as_ten_to_thirty_five_wherever_they_stand(self, text: str) -> None:
        assert national.numeric(text) == "".join(str(int(character, 36)) for character in text)

    @settings(deadline=None, derandomize=True, database=None)
    @given(st.text(alphabet=string.ascii_uppercase + string.digits, min_size=1, max_size=40))
    def test_the_check_digits_leave_the_remainder_one(self, text: str) -> None:
        digits = national.mod_97_10(text + "00")

        assert int(national.numeric(text + digits)) % 97 == 1
        assert 2 <= int(digits) <= 98
