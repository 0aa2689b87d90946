"""schwifty gave us its data; here it is the second opinion on everything we compute from it ourselves."""

import string
import warnings
from itertools import product
from random import Random
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schwifty import BBAN, BIC, IBAN
from schwifty import registry as schwifty_registry
from schwifty.checksum import algorithms
from schwifty.exceptions import NationalChecksumNotVerified, SchwiftyException

from validation import engine
from validation.engine import german, national
from validation.engine.banks import BANKS, DIRECTORIES
from validation.engine.registry import COUNTRIES, BbanField, Country

LETTERS = string.ascii_uppercase
ALPHABETS = {"n": string.digits, "a": LETTERS, "c": string.digits + LETTERS}
GERMAN_METHODS = {key.removeprefix("DE:"): method for key, method in algorithms.items() if key.startswith("DE:")}
NATIONAL = sorted({key.split(":")[0] for key in algorithms} - {"DE"})


def repeatable(examples: int) -> settings:
    """Try the same numbers in every run: a failure on one machine is a failure on all."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


def checksum(code: str, bban: str) -> str:
    """Return the check digits of ISO 13616, written out a second time on purpose."""
    number = int("".join(str(int(character, 36)) for character in bban + code + "00"))
    return f"{98 - number % 97:02d}"


# One draw per number, not one per character: that is what lets every country have its turn within a minute.
SEEDS = st.integers(0, 2**24 - 1).map(Random)


def bbans(country: Country) -> st.SearchStrategy[str]:
    """Draw BBANs of the country's structure."""
    alphabet = [ALPHABETS[kind] for kind in country.classes[4:]]
    return SEEDS.map(lambda random: "".join(map(random.choice, alphabet)))


def valid_ibans(country: Country) -> st.SearchStrategy[str]:
    """Draw IBANs of right structure with right check digits."""
    return bbans(country).map(lambda bban: country.code + checksum(country.code, bban) + bban)


@st.composite
def slips(draw: st.DrawFn, iban: str) -> str:
    """Draw `iban` with one slip of the hand: a character replaced, swapped, left out or added."""
    place = draw(st.integers(0, len(iban) - 2))
    character = draw(st.sampled_from(ALPHABETS["c"] + "az? "))
    return draw(
        st.sampled_from(
            [
                iban[:place] + character + iban[place + 1 :],
                iban[:place] + iban[place + 1] + iban[place] + iban[place + 2 :],
                iban[:place] + iban[place + 1 :],
                iban[:place] + character + iban[place:],
            ]
        )
    )


def basic_verdict(text: str) -> bool:
    """Return our verdict without the national check digits, which schwifty leaves out by default."""
    return {reason.code for reason in engine.check(text).reasons} <= {"national_check_digits"}


def second_opinion(text: str) -> bool:
    """Return schwifty's verdict."""
    return IBAN(text, allow_invalid=True).is_valid


def national_opinion(code: str, bban: str) -> Literal["passed", "failed"]:
    """Return what schwifty says of the national check digits."""
    try:
        BBAN(code, bban).validate_national_checksum()
    except SchwiftyException:
        return "failed"
    return "passed"


class TestTheBasicVerdict:
    @pytest.mark.parametrize("code", COUNTRIES)
    def test_every_country_judges_as_schwifty_does(self, code: str) -> None:
        @repeatable(40)
        @given(st.data())
        def judge(data: st.DataObject) -> None:
            valid = data.draw(valid_ibans(COUNTRIES[code]))
            assert basic_verdict(valid)
            assert second_opinion(valid)

            slipped = data.draw(slips(valid))
            assert basic_verdict(slipped) == second_opinion(slipped)

            twice = data.draw(slips(slipped))
            assert basic_verdict(twice) == second_opinion(twice)

        judge()

    @pytest.mark.parametrize("code", COUNTRIES)
    def test_of_all_check_digits_exactly_one_pair_passes(self, code: str) -> None:
        bban = COUNTRIES[code].example[4:]

        passing = [digits for digits in range(100) if basic_verdict(f"{code}{digits:02d}{bban}")]

        assert passing == [int(checksum(code, bban))]

    @repeatable(1000)
    @given(
        st.text(max_size=140)
        | st.text(alphabet="DESE89 \0\u017f\ud800\u0661IBAN:-")
        | st.binary().map(lambda raw: raw.decode("latin-1"))
    )
    def test_no_string_whatever_makes_it_raise(self, text: str) -> None:
        verdict = engine.with_suggestions(engine.check(text))

        assert verdict.valid == (verdict.reasons == ())
        assert all(result != "failed" for result in verdict.checks) == verdict.valid


class TestTheCountries:
    def test_they_are_exactly_those_of_schwifty(self) -> None:
        known = set()
        for code in map("".join, product(LETTERS, repeat=2)):
            try:
                schwifty_registry.get_iban_spec(code)
            except SchwiftyException:
                continue
            known.add(code)

        assert set(COUNTRIES) == known

    def test_they_are_89_official_22_aspirational_and_16_territories(self) -> None:
        by_status = {
            status: sorted(code for code, country in COUNTRIES.items() if country.status == status)
            for status in ("official", "aspirational", "territory")
        }

        assert len(by_status["official"]) == 89
        assert " ".join(by_status["aspirational"]) == (
            "AO BF BJ CF CG CI CM CV DZ GA GQ GW IR KM MA MG ML MZ NE SN TD TG"
        )
        assert " ".join(by_status["territory"]) == "AX BL GF GG GP IM JE MF MQ NC PF PM RE TF WF YT"

    def test_only_territories_have_a_parent_and_it_is_official(self) -> None:
        for country in COUNTRIES.values():
            assert (country.parent is not None) == (country.status == "territory")
            if country.parent is not None:
                assert COUNTRIES[country.parent].status == "official"

    def test_sepa_is_schwiftys_but_for_the_countries_that_joined_or_never_belonged(self) -> None:
        ours = {code for code, country in COUNTRIES.items() if country.sepa}
        theirs = {code for code in COUNTRIES if schwifty_registry.get_iban_spec(code).in_sepa_zone}

        assert ours - theirs <= {"AL", "ME", "MD", "MK", "RS"} <= ours
        assert theirs - ours <= {"NC", "PF", "TF", "WF"}
        assert ours.isdisjoint({"NC", "PF", "TF", "WF"})

    @pytest.mark.parametrize("code", COUNTRIES)
    def test_the_structure_is_schwiftys(self, code: str) -> None:
        country, spec = COUNTRIES[code], schwifty_registry.get_iban_spec(code)

        assert country.code == code
        assert country.length == spec.iban_length == len(country.classes)
        assert country.bban_format == spec.bban_spec
        assert country.name

    @pytest.mark.parametrize("code", COUNTRIES)
    def test_the_example_is_valid(self, code: str) -> None:
        verdict = engine.check(COUNTRIES[code].example)

        assert verdict.valid
        assert verdict.iban == COUNTRIES[code].example
        assert verdict.checks.national_check_digits != "failed"

    @pytest.mark.parametrize("code", COUNTRIES)
    def test_every_field_lies_inside_the_bban_and_the_parts_cover_it(self, code: str) -> None:
        country = COUNTRIES[code]
        length = country.length - 4

        for field in (value for value in country if isinstance(value, BbanField)):
            assert 0 <= field.start <= field.end <= length
            assert field == (0, 0) or field.start < field.end
        assert country.bank_key.end > 0 or code not in DIRECTORIES
        assert [part.start for part in country.parts] == [0, *(part.end for part in country.parts[:-1])]
        assert country.parts[-1].end == length


class TestNationalCheckDigits:
    @pytest.mark.parametrize("code", NATIONAL)
    def test_each_country_judges_as_schwifty_does(self, code: str) -> None:
        right = SEEDS.map(lambda random: str(BBAN.random(code, random=random, use_registry=False)))

        @repeatable(50)
        @given(st.data())
        def judge(data: st.DataObject) -> None:
            bban = data.draw(right)
            place = data.draw(st.integers(0, len(bban) - 1))
            character = data.draw(st.sampled_from(ALPHABETS[COUNTRIES[code].classes[4 + place]]))
            slipped = bban[:place] + character + bban[place + 1 :]

            for number in (bban, slipped, data.draw(bbans(COUNTRIES[code]))):
                outcome = national.outcome(code, number, None)
                if code == "NO" and number[4:6] == "00" and outcome.result == "not_checked":
                    continue  # Sources differ here; test_national.py has the rule.
                assert outcome.result == national_opinion(code, number)

        judge()

    @pytest.mark.parametrize("code", sorted(national.RULES))
    def test_the_digits_said_to_be_right_are(self, code: str) -> None:
        random = Random(code)
        alphabet = [ALPHABETS[kind] for kind in COUNTRIES[code].classes[4:]]

        for _ in range(100):
            bban = "".join(map(random.choice, alphabet))
            for _ in range(2):  # A country may have two check digits, reported one after the other.
                outcome = national.outcome(code, bban, None)
                if outcome.expected is not None:
                    end = outcome.start + len(outcome.expected)
                    bban = bban[: outcome.start] + outcome.expected + bban[end:]
            assert national.outcome(code, bban, None).expected is None


class TestGermanMethods:
    def test_they_are_schwiftys_44(self) -> None:
        assert set(german.METHODS) == set(GERMAN_METHODS)
        assert len(german.METHODS) == 44

    @pytest.mark.parametrize("name", sorted(german.METHODS))
    def test_each_judges_as_schwifty_does(self, name: str) -> None:
        random = Random(name)
        theirs, ours = GERMAN_METHODS[name], german.METHODS[name]

        def opinion(bank_code: str, account: str) -> bool:
            components = [bank_code, account] if len(theirs.accepts) == 2 else [account]
            try:
                return theirs.validate(components, "")
            except SchwiftyException:
                return False

        def numbers() -> list[str]:
            account = f"{random.randrange(10 ** random.randint(1, 10)):010d}"
            components = [bank_code, account] if len(theirs.accepts) == 2 else [account]
            solved = theirs.solve(components)
            return [account, solved[-1]] if solved else [account]

        passed = 0
        for _ in range(600):
            bank_code = f"{random.randrange(10**8):08d}"
            for account in numbers():
                assert ours(bank_code, account) == opinion(bank_code, account), (bank_code, account)
                passed += ours(bank_code, account)
        assert passed >= 300

    @pytest.mark.parametrize("name", sorted(german.METHODS))
    def test_each_has_the_same_exempt_numbers(self, name: str) -> None:
        theirs = GERMAN_METHODS[name]
        edges = (
            0,
            1,
            59_999,
            60_000,
            1_999_999,
            9_000_000,
            25_999_999,
            396_000_000,
            400_000_000,
            499_999_999,
            700_000_000,
            799_999_999,
            910_000_000,
            989_999_999,
        )

        for number in sorted({abs(edge + step) for edge in edges for step in range(-12, 13)}):
            account = f"{number:010d}"
            components = ["37040044", account] if len(theirs.accepts) == 2 else [account]
            try:
                opinion = theirs.validate(components, "")
            except SchwiftyException:
                opinion = False
            assert german.METHODS[name]("37040044", account) == opinion, account

    def test_a_german_iban_is_judged_by_the_method_of_its_bank(self) -> None:
        random = Random("DE")
        german_banks = [bank for key, bank in BANKS.items() if key.startswith("DE")]

        for bank in german_banks:
            bban = f"{bank.code}{random.randrange(10**10):010d}"
            result = national.outcome("DE", bban, bank).result
            if bank.check_method in german.METHODS:
                assert result == national_opinion("DE", bban), bban
            else:
                assert result == "not_checked"


class TestTheBankDirectory:
    def test_every_bank_code_has_schwiftys_name_bic_and_candidates(self) -> None:
        records = 0
        seen = set()
        for country in schwifty_registry.get_countries():
            banks = schwifty_registry.get_banks_by_country(country)
            records += len(banks)
            for code in {bank.bank_code for bank in banks} - {""}:
                ours = BANKS[country + code]
                entries = schwifty_registry.get_banks_by_code(country, code)
                chosen = max(entries, key=lambda entry: entry.primary)
                candidates = [str(bic) for bic in BIC.candidates_from_bank_code(country, code)]
                assert ours.code == code
                assert ours.name == " ".join(chosen.name.split())
                assert ours.check_method == chosen.checksum_algo
                assert ours.candidates == tuple(dict.fromkeys(candidates))
                assert ours.bic == (str(BIC.from_bank_code(country, code)) if candidates else None)
                assert ours.directory is DIRECTORIES[country]
                seen.add(country + code)

        assert records == 32_414
        assert set(BANKS) == seen

    @pytest.mark.parametrize("country", DIRECTORIES)
    def test_the_bank_is_found_at_the_place_where_schwifty_looks(self, country: str) -> None:
        example, key = COUNTRIES[country].example[4:], COUNTRIES[country].bank_key
        codes = [place.removeprefix(country) for place in BANKS if place.startswith(country)]

        for code in codes[:: max(1, len(codes) // 100)]:
            bban = example[: key.start] + code + example[key.end :]
            text = country + checksum(country, bban) + bban
            verdict, theirs = engine.check(text), IBAN(text)
            assert verdict.bank is not None
            assert verdict.bank.name == " ".join((theirs.bank_name or "").split())
            assert verdict.bank.bic == (str(theirs.bic) if theirs.bic else None)
            assert verdict.checks.bank == "known"

    def test_a_list_without_a_single_bank_code_is_no_directory(self) -> None:
        """Saudi Arabia's has BICs only: to say `unknown` by it would call every bank unknown."""
        assert {bank.bank_code for bank in schwifty_registry.get_banks_by_country("SA")} == {""}

        verdict = engine.check("SA0380000000608010167519")

        assert verdict.checks.bank == "not_checked"
        assert verdict.warnings == ()

    def test_each_directory_names_its_source_its_date_and_its_size(self) -> None:
        for country, directory in DIRECTORIES.items():
            assert directory.source
            assert directory.as_of[:3] == "202"
            assert directory.size == sum(key.startswith(country) for key in BANKS) > 0


class TestTheSecondOpinionItself:
    def test_it_knows_no_country_where_we_have_no_rule(self) -> None:
        assert set(NATIONAL) <= set(national.RULES)

    def test_it_warns_only_of_countries_where_it_checks_nothing(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", NationalChecksumNotVerified)
            for code in NATIONAL:
                national_opinion(code, COUNTRIES[code].example[4:])
