"""From domestic account numbers to IBANs: as people write them in each country, and what is refused."""

import string
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.engine import valid_iban, with_check_digits
from tests.validation.engine.test_public_vectors import LINES
from validation import engine
from validation.engine import british, national
from validation.engine.calculate import NOT_COMPUTED, CalculationRefused, calculate
from validation.engine.registry import COUNTRIES, BbanField, Country

IN_FRONT = {"ES", "IT", "SM"}
"""Where check digits are written together with what follows them."""
VERIFIED_ONLY = {"CZ", "DE", "IS", "SK", *national.BRITISH}
"""Where the account number as a whole is right or wrong, or the digit belongs to another number (the kennitala)."""


def iban(country: str, bank_code: str, account_number: str, branch_code: str = "") -> str:
    """Return the IBAN alone."""
    return calculate(country, bank_code, account_number, branch_code).iban


def refusal(country: str, bank_code: str, account_number: str, branch_code: str = "") -> tuple[object, ...]:
    """Return field, code and expectation of the refusal."""
    with pytest.raises(CalculationRefused) as refused:
        calculate(country, bank_code, account_number, branch_code)
    return refused.value.field, refused.value.code, refused.value.expected


# The domestic examples of the SWIFT IBAN registry r102, each with the IBAN that stands beside it there.
REGISTRY = [
    ("AT611904300234573201", "AT", "19043", "00234573201", ""),
    ("BE68539007547034", "BE", "539", "0075470-34", ""),
    ("BG80BNBG96611020345678", "BG", "BNBG", "1020345678", "9661"),
    ("CH9300762011623852957", "CH", "762", "1162-3852.957", ""),
    ("CY17002001280000001200527600", "CY", "002", "0000001200527600", "00128"),
    ("CZ6508000000192000145399", "CZ", "0800", "19-2000145399", ""),
    ("DE89370400440532013000", "DE", "37040044", "532013000", ""),
    ("DK5000400440116243", "DK", "0040", "0440116243", ""),
    ("EE382200221020145685", "EE", "22", "221020145685", ""),
    ("ES9121000418450200051332", "ES", "2100", "45 0200051332", "0418"),
    ("FI2112345600000785", "FI", "", "123456-785", ""),
    ("FR1420041010050500013M02606", "FR", "20041", "0500013M026 06", "01005"),
    ("GB29NWBK60161331926819", "GB", "NWBK", "31926819", "60-16-13"),
    ("GR1601101250000000012300695", "GR", "011", "0000000012300695", "0125"),
    ("HR1210010051863000160", "HR", "1001005", "1863000160", ""),
    ("HU42117730161111101800000000", "HU", "11773016", "11111018-00000000", ""),
    ("IE29AIBK93115212345678", "IE", "AIBK", "12345678", "93-11-52"),
    ("IL620108000000099999999", "IL", "10", "99999999", "800"),
    ("IS140159260076545510730339", "IS", "0159", "26-007654-551073-0339", ""),
    ("IT60X0542811101000000123456", "IT", "X 05428", "000000123456", "11101"),
    ("LI21088100002324013AA", "LI", "8810", "2324013AA", ""),
    ("LT121000011101001000", "LT", "10000", "11101001000", ""),
    ("LU280019400644750000", "LU", "001", "9400644750000", ""),
    ("LV80BANK0000435195001", "LV", "BANK", "0000435195001", ""),
    ("MC5811222000010123456789030", "MC", "11222", "0123456789030", "00001"),
    ("MT84MALT011000012345MTLCAST001S", "MT", "MALT", "12345MTLCAST001S", "01100"),
    ("NL91ABNA0417164300", "NL", "ABNA", "041 71 64 300", ""),
    ("NO9386011117947", "NO", "", "8601 11 17947", ""),
    ("PL61109010140000071219812874", "PL", "10901014", "0000071219812874", ""),
    ("PS92PALS000000000400123456702", "PS", "PALS", "400123456702", ""),
    ("PT50000201231234567890154", "PT", "0002", "12345678901.54", "0123"),
    ("RS35260005601001611379", "RS", "", "260-0056010016113-79", ""),
    ("SA0380000000608010167519", "SA", "80", "608010167519", ""),
    ("SE4550000000058398257466", "SE", "500", "00000058398257466", ""),
    ("SI56263300012039086", "SI", "26330", "0012039086", ""),
    ("SK3112000000198742637541", "SK", "1200", "19-8742637541", ""),
    ("SM86U0322509800000000270100", "SM", "U03225", "000000270100", "09800"),
    ("TN5910006035183598478831", "TN", "10", "0351835984788 31", "006"),
    ("TR330006100519786457841326", "TR", "61", "519786457841326", ""),
    ("UA213223130000026007233566001", "UA", "322313", "26007233566001", ""),
]


class TestWhatPeopleWrite:
    @pytest.mark.parametrize(("expected", "country", "bank", "account", "branch"), REGISTRY)
    def test_a_domestic_example_of_the_registry_becomes_its_iban(
        self, expected: str, country: str, bank: str, account: str, branch: str
    ) -> None:
        verdict = calculate(country, bank, account, branch)

        assert verdict.iban == expected
        assert verdict == engine.check(expected)

    @pytest.mark.parametrize(
        ("expected", "country", "bank", "account", "branch"),
        [
            pytest.param("BE68539007547034", "BE", "539", "75470-34", "", id="a hyphen tells the check digits"),
            pytest.param("BE68539007547034", "be", "539", "75470", "", id="short, and without them"),
            pytest.param("BE68539007547034", "BE", "", "539-0075470-34", "", id="the whole Belgian number"),
            pytest.param("BE68539007547034", "BE", "539", "539-0075470-34", "", id="its bank code entered twice"),
            pytest.param("BR1800360305000010009795493C1", "BR", "00360305", "0009795493-C-1", "00001", id="Brazil"),
            pytest.param("CZ6508000000192000145399", "CZ", "", "19-2000145399/0800", "", id="a whole Czech number"),
            pytest.param("CZ6508000000192000145399", "CZ", "0800", "0000192000145399", "", id="Czech, as banks send"),
            pytest.param("CZ6508000000192000145399", "CZ", "0800", "2000145399", "19", id="the prefix by itself"),
            pytest.param("DE89370400440532013000", "DE", "370 400 44", "0532 0130 00", "", id="blanks"),
            pytest.param("DE89370400440532013000", "DE", "", "37040044/0532013000", "", id="BLZ and account at once"),
            pytest.param("DK5000400440116243", "DK", "0040", "440116243", "", id="a short Danish number"),
            pytest.param("EE382200221020145685", "EE", "22", "0221020145685", "", id="Estonian, partly filled"),
            pytest.param("EE382200221020145685", "EE", "22", "22102014568", "00", id="Estonian, in the IBAN's parts"),
            pytest.param("ES9121000418450200051332", "ES", "", "2100-0418-45-0200051332", "", id="a Spanish CCC"),
            pytest.param("ES9121000418450200051332", "ES", "21000418", "200051332", "", id="without control digits"),
            pytest.param("ES9121000418450200051332", "ES", "2100", "2000513-32", "0418", id="no control digits here"),
            pytest.param("FI2112345600000785", "FI", "123456", "785", "", id="Finnish in two parts"),
            pytest.param("FI2112345600000785", "FI", "123", "45600000785", "", id="Finnish, as machines write"),
            pytest.param("FI2112345600000785", "FI", "123", "4560000078", "", id="the same without the last digit"),
            pytest.param("FI5542345670000081", "FI", "", "423456-781", "", id="a savings bank: zeros one further on"),
            pytest.param("FR1420041010050500013M02606", "FR", "2004101005", "0500013m026", "", id="RIB without key"),
            pytest.param("GB29NWBK60161331926819", "GB", "NWBK601613", "31926819", "", id="letters and sort code"),
            pytest.param("HR1210010051863000160", "HR", "100100", "186300016", "", id="both Croatian digits left out"),
            pytest.param("HU42117730161111101800000000", "HU", "11773016", "11111018", "", id="a short Hungarian one"),
            pytest.param("HU42117730161111101800000000", "HU", "", "11773016-11111018", "", id="the same as a whole"),
            pytest.param("HU42117730161111101800000000", "HU", "117", "111110180000000", "7301", id="no check digits"),
            pytest.param("IT60X0542811101000000123456", "IT", "05428", "123456", "11101", id="Italian without CIN"),
            pytest.param("IT60X0542811101000000123456", "IT", "", "X0542811101000000123456", "", id="Italian BBAN"),
            pytest.param("MU17BOMM0101101030300200000MUR", "MU", "BOMM01", "101030300200MUR", "01", id="reserved 0s"),
            pytest.param("MZ59000301080016367102371", "MZ", "", "0003 0108 0016367102371", "", id="undivided"),
            pytest.param("NO9386011117947", "NO", "8601", "111794", "", id="Norwegian without its last digit"),
            pytest.param("NO9386011117947", "NO", "8601", "8601.11.17947", "", id="Norwegian in the usual dots"),
            pytest.param("PL61109010140000071219812874", "PL", "1090101", "0000071219812874", "", id="seven digits"),
            pytest.param("RS35260005601001611379", "RS", "260", "56010016113-79", "", id="a Serbian short form"),
            pytest.param("SK3112000000198742637541", "SK", "1200", "19-8742637541/1200", "", id="Slovak, bank twice"),
        ],
    )
    def test_other_ways_to_write_the_same_numbers(
        self, expected: str, country: str, bank: str, account: str, branch: str
    ) -> None:
        assert iban(country, bank, account, branch) == expected

    @pytest.mark.parametrize("separator", [" ", "-", ".", "/", "\u00a0", "\u202f", "\u2013", "\t", "\r\n"])
    def test_every_part_may_hold_the_separators_that_a_check_accepts(self, separator: str) -> None:
        spread = [separator.join(part) for part in ("FR", "20041", "0500013M02606", "01005")]

        assert iban(*spread) == "FR1420041010050500013M02606"

    def test_small_letters_are_taken_but_those_beyond_ascii_are_not(self) -> None:
        assert iban("gb", "nwbk", "31926819", "601613") == "GB29NWBK60161331926819"
        assert refusal("\u017fe", "500", "00000058398257466") == ("country", "characters", "c")
        assert refusal("GB", "NWB\u212a", "31926819", "601613") == ("bank_code", "characters", "c")


def pieces(country: Country) -> dict[str, list[tuple[str, BbanField]]]:
    """Return what is typed under each name as runs of the BBAN, check digits distinguished by the kind."""
    parts = list(country.parts)
    if country.code in IN_FRONT:
        parts.reverse()
    typed: dict[str, list[tuple[str, BbanField]]] = {"bank_code": [], "branch_code": [], "account_number": []}
    name = "account_number"
    for part in parts:
        if part.kind != "national_check_digits":
            name = part.kind if part.kind in typed else "account_number"
        typed[name].append((part.kind, BbanField(part.start, part.end)))
    return {name: sorted(runs, key=lambda run: run[1]) for name, runs in typed.items()}


def cut(country: Country, bban: str, *, check_digits: bool) -> dict[str, str]:
    """Cut a BBAN into what a person would type."""
    return {
        name: "".join(bban[start:end] for kind, (start, end) in runs if check_digits or kind != "national_check_digits")
        for name, runs in pieces(country).items()
    }


def numbers(code: str) -> st.SearchStrategy[str]:
    """Draw valid IBANs of a country."""
    return st.integers(0, 2**24 - 1).map(Random).map(lambda random: valid_iban(random, COUNTRIES[code]))


def repeatable(examples: int) -> settings:
    """Try the same numbers in every run."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


class TestEveryCountry:
    @pytest.mark.parametrize("code", COUNTRIES)
    def test_a_valid_iban_cut_into_its_parts_is_calculated_again(self, code: str) -> None:
        @repeatable(15)
        @given(numbers(code))
        def calculated(expected: str) -> None:
            assert iban(code, **cut(COUNTRIES[code], expected[4:], check_digits=True)) == expected

        calculated()

    @pytest.mark.parametrize("code", sorted(set(COUNTRIES) - set(NOT_COMPUTED)))
    def test_national_check_digits_that_are_left_out_are_computed(self, code: str) -> None:
        @repeatable(15)
        @given(numbers(code))
        def calculated(expected: str) -> None:
            if code == "NO" and expected[8:10] == "00":
                return  # More than one digit may stand there; see below.
            assert iban(code, **cut(COUNTRIES[code], expected[4:], check_digits=False)) == expected

        calculated()

    @pytest.mark.parametrize("code", sorted(national.WITH_RULE))
    def test_damaged_check_digits_are_refused_and_the_part_is_named(self, code: str) -> None:
        country = COUNTRIES[code]

        @repeatable(15)
        @given(numbers(code))
        def refused(expected: str) -> None:
            bban = expected[4:]
            for name, runs in pieces(country).items():
                for start, end in (field for kind, field in runs if kind == "national_check_digits"):
                    wrong = (
                        str((int(bban[start]) + 1) % 10)
                        if bban[start].isdigit()
                        else "A"
                        if bban[start] != "A"
                        else "B"
                    )
                    typed = cut(country, bban[:start] + wrong + bban[start + 1 :], check_digits=True)
                    if code == "NO" and bban[4:6] == "00":
                        continue
                    assert refusal(code, **typed) == (name, "national_check_digits", bban[start:end])

        refused()

    @pytest.mark.parametrize("code", COUNTRIES)
    def test_the_parts_of_a_verdict_make_the_iban_again_or_are_refused(self, code: str) -> None:
        """Who takes bank, branch and account from one answer and asks for the IBAN must never get another one."""

        @repeatable(15)
        @given(numbers(code))
        def calculated(expected: str) -> None:
            verdict = engine.check(expected)
            if code == "NO" and expected[8:10] == "00":
                return
            try:
                found = calculate(
                    code, verdict.bank_code or "", verdict.account_number or "", verdict.branch_code or ""
                )
            except CalculationRefused:
                return
            reserved = [part for part in COUNTRIES[code].parts if part.kind == "reserved"]
            if all(set(expected[4 + part.start : 4 + part.end]) == {"0"} for part in reserved):
                assert found.iban == expected

        calculated()

    @pytest.mark.parametrize("code", COUNTRIES)
    def test_no_text_whatever_makes_anything_but_a_valid_iban_or_a_refusal(self, code: str) -> None:
        part = st.text(max_size=40) | st.text(alphabet=string.digits + "AZ-/ ", max_size=30) | st.just("")

        @repeatable(25)
        @given(part, part, part)
        def answered(bank: str, account: str, branch: str) -> None:
            with suppress(CalculationRefused):
                verdict = calculate(code, bank, account, branch)
                assert verdict.valid
                assert verdict.iban[:2] == code

        answered()

    def test_every_public_vector_is_calculated_again_from_its_parts(self) -> None:
        published = {engine.check(line.iban).iban for line in LINES if line.expected == "valid"}
        valid = sorted(number for number in published if engine.check(number).valid)
        assert len(valid) > 500

        for number in valid:
            code = number[:2]
            assert iban(code, **cut(COUNTRIES[code], number[4:], check_digits=True)) == number


class TestThePartsOfABban:
    def test_check_digits_that_a_rule_computes_are_parts_of_their_own(self) -> None:
        with_parts = {
            code
            for code, country in COUNTRIES.items()
            if code in national.WITH_RULE and any(part.kind == "national_check_digits" for part in country.parts)
        }

        assert with_parts == national.WITH_RULE - VERIFIED_ONLY

    @pytest.mark.parametrize(("code", "starts"), [("HR", [6, 16]), ("HU", [7, 23])])
    def test_two_countries_have_them_twice(self, code: str, starts: list[int]) -> None:
        parts = COUNTRIES[code].parts

        assert [part.start for part in parts if part.kind == "national_check_digits"] == starts

    def test_the_hungarian_account_number_begins_behind_the_check_digit_of_the_bank(self) -> None:
        verdict = engine.check("HU42117730161111101800000000")

        assert (verdict.bank_code, verdict.branch_code, verdict.account_number) == ("117", "7301", "111110180000000")


class TestCheckDigitsThatCannotBeComputed:
    def test_these_are_the_countries_with_a_field_for_them_and_no_rule(self) -> None:
        without_rule = {
            code
            for code, country in COUNTRIES.items()
            if country.national_check_digits.end and code not in national.WITH_RULE
        }

        assert set(NOT_COMPUTED) == without_rule
        assert all(NOT_COMPUTED.values())

    @pytest.mark.parametrize("code", sorted(NOT_COMPUTED))
    def test_a_number_without_them_is_too_short_and_no_zero_hides_it(self, code: str) -> None:
        typed = cut(COUNTRIES[code], COUNTRIES[code].example[4:], check_digits=False)
        length = len(cut(COUNTRIES[code], COUNTRIES[code].example[4:], check_digits=True)["account_number"])

        assert refusal(code, **typed) == ("account_number", "too_short", length)

    def test_a_norwegian_number_cut_off_gets_no_zeros(self) -> None:
        assert refusal("NO", "8601", "11179") == ("account_number", "too_short", 6)

    def test_where_norwegian_sources_differ_the_plain_rule_is_followed(self) -> None:
        stem = "8601001794"
        plain = "0-987654321"[sum(int(d) * w for d, w in zip(stem, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11]

        assert iban("NO", "8601", stem[4:]) == with_check_digits("NO", stem + plain)

    def test_a_norwegian_number_for_which_no_digit_is_right_is_refused(self) -> None:
        stems = [f"8601{number:06d}" for number in range(110000, 110100)]
        refused = [stem for stem in stems if self.refused(stem)]

        assert 0 < len(refused) < 30
        assert refusal("NO", refused[0][:4], refused[0][4:]) == ("account_number", "national_check_digits", None)

    @staticmethod
    def refused(stem: str) -> bool:
        try:
            calculate("NO", stem[:4], stem[4:])
        except CalculationRefused:
            return True
        return False


class TestCalculationRefusals:
    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            pytest.param(("", "1", "1"), ("country", "missing", None), id="no country"),
            pytest.param(("US", "1", "1"), ("country", "unknown_country", None), id="a country without IBANs"),
            pytest.param(("D3", "1", "1"), ("country", "unknown_country", None), id="no country's code"),
            pytest.param(("DE", "", "532013000"), ("bank_code", "missing", 8), id="no bank code"),
            pytest.param(("DE", "37040044", ""), ("account_number", "missing", 10), id="no account number"),
            pytest.param(("DE", "37040044", " - "), ("account_number", "missing", 10), id="separators only"),
            pytest.param(("FR", "20041", "0500013M026"), ("branch_code", "missing", 5), id="no branch"),
            pytest.param(("DE", "37040044", "1", "9"), ("branch_code", "not_used", None), id="a branch too many"),
            pytest.param(("MZ", "0003", "0"), ("bank_code", "not_used", None), id="no bank code in an undivided BBAN"),
            pytest.param(("DE", "3704004", "1"), ("bank_code", "too_short", 8), id="a bank code cut off"),
            pytest.param(("DE", "370400441", "1"), ("bank_code", "too_long", 8), id="a bank code too long"),
            pytest.param(
                ("DE", "37040044", "12345678901"), ("account_number", "too_long", 10), id="an account too long"
            ),
            pytest.param(("BE", "539", "00754703"), ("account_number", "too_long", 7), id="half of the check digits"),
            pytest.param(("SE", "500", "58398257466"), ("account_number", "too_short", 17), id="Sweden wants all 17"),
            pytest.param(("SE", "5839", "8257466"), ("bank_code", "too_long", 3), id="a Swedish clearing number"),
            pytest.param(("GB", "601613", "31926819"), ("bank_code", "missing", 4), id="a sort code without letters"),
            pytest.param(("GB", "NWBK", "31926819"), ("branch_code", "missing", 6), id="letters without a sort code"),
            pytest.param(("NL", "1234", "1"), ("bank_code", "characters", "a"), id="digits for letters"),
            pytest.param(("DE", "3704004A", "1"), ("bank_code", "characters", "n"), id="a letter for a digit"),
            pytest.param(("DE", "37040044", "12_3"), ("account_number", "characters", "c"), id="a strange character"),
            pytest.param(("DE", "37040044", "\u0661\u0662"), ("account_number", "characters", "c"), id="Arabic digits"),
            pytest.param(("DE", "37040044", "\u00df"), ("account_number", "characters", "c"), id="a sharp s"),
            pytest.param(("DE", "\0", "1"), ("bank_code", "characters", "c"), id="NUL"),
            pytest.param(("DE", "1" * 100_000, "1"), ("bank_code", "too_long", None), id="a hundred thousand digits"),
            pytest.param(("DE", " " * 129, "1"), ("bank_code", "too_long", None), id="more than is read"),
            pytest.param(
                ("ES", "2100", "460200051332", "0418"), ("account_number", "national_check_digits", "45"), id="ES"
            ),
            pytest.param(("IT", "Y05428", "123456", "11101"), ("bank_code", "national_check_digits", "X"), id="CIN"),
            pytest.param(
                ("PL", "10901015", "0000071219812874"), ("bank_code", "national_check_digits", "4"), id="sort code"
            ),
            pytest.param(
                ("HU", "11773017", "11111018"), ("bank_code", "national_check_digits", "6"), id="a Hungarian bank"
            ),
            pytest.param(
                ("CZ", "0800", "18-2000145399"), ("account_number", "national_check_digits", None), id="prefix"
            ),
            pytest.param(
                ("CZ", "0800", "19-2000145398"), ("account_number", "national_check_digits", None), id="Czech"
            ),
            pytest.param(
                ("CZ", "0800", "2000145399", "18"), ("branch_code", "national_check_digits", None), id="alone"
            ),
            pytest.param(("CZ", "0100", "19-2000145399/0800"), ("bank_code", "contradiction", None), id="two banks"),
            pytest.param(
                ("CZ", "0800", "19-2000145399", "27"), ("branch_code", "contradiction", None), id="two prefixes"
            ),
            pytest.param(
                ("BE", "540", "539-0075470-34"), ("bank_code", "contradiction", None), id="Belgian, two banks"
            ),
            pytest.param(("FI", "124", "123456-785"), ("bank_code", "contradiction", None), id="Finnish, two banks"),
            pytest.param(("FI", "", "123456-786"), ("account_number", "national_check_digits", "5"), id="Finnish"),
        ],
    )
    def test_the_part_at_fault_is_named_and_what_was_expected(
        self, typed: tuple[str, ...], expected: tuple[object, ...]
    ) -> None:
        assert refusal(*typed) == expected

    def test_a_german_number_that_its_banks_method_refuses(self) -> None:
        assert iban("DE", "37040044", "0532013000") == "DE89370400440532013000"
        assert refusal("DE", "37040044", "0532014000") == ("account_number", "national_check_digits", None)

    def test_a_german_number_of_an_unknown_bank_is_calculated_unchecked(self) -> None:
        verdict = calculate("DE", "99999999", "532013001")

        assert verdict.valid
        assert verdict.checks.national_check_digits == "not_checked"

    def test_the_number_stands_in_no_text_of_the_exception(self) -> None:
        with pytest.raises(CalculationRefused) as refused:
            calculate("DE", "37040044", "12345678901")

        assert str(refused.value) == "account_number: too_long"

    @pytest.mark.parametrize("part", [None, 37040044, b"37040044"])
    def test_anything_but_text_is_a_mistake_of_the_program(self, part: object) -> None:
        with pytest.raises(TypeError):
            calculate("DE", part, "532013000")  # type: ignore[arg-type]  # what a caller may do by mistake


class TestBritain:
    @pytest.fixture
    def tables(self) -> Iterator[None]:
        """Put a table in use under which only numbers that end in 0 pass."""
        line = british._line("MOD11", (0,) * 13 + (1,), 0)
        british.use(british.Tables(("601613",), ("601613",), ((line,),), {}))
        yield
        british.use(None)

    def test_without_the_tables_a_number_is_calculated_unchecked(self) -> None:
        assert calculate("GB", "NWBK", "31926819", "601613").checks.national_check_digits == "not_checked"

    def test_a_short_account_number_gets_zeros(self) -> None:
        assert iban("GB", "NWBK", "926819", "601613")[-8:] == "00926819"

    def test_with_the_tables_a_wrong_number_is_refused(self, tables: None) -> None:
        assert refusal("GB", "NWBK", "31926819", "601613") == ("account_number", "national_check_digits", None)
        assert calculate("GB", "NWBK", "31926810", "601613").checks.national_check_digits == "passed"
