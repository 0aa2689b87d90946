"""The verdict, as the manual of the API describes it."""

import pytest

from validation import engine
from validation.engine import registry
from validation.engine.reasons import Checks, Reason
from validation.engine.verdict import Verdict

GERMAN = "DE89370400440532013000"
SWEDISH = "SE4550000000058398257466"
CAP = 128
# What Python's upper() or a compatibility folding would turn into ASCII letters or into several characters.
FOLDING = {
    "dotless i": "\u0131",
    "i with dot": "\u0130",
    "long s": "\u017f",
    "two long s": "\u017f\u017f",
    "sharp s": "\u00df",
    "ligature fi": "\ufb01",
    "ligature st": "\ufb06",
    "ligature long s t": "\ufb05",
    "n after apostrophe": "\u0149",
    "j with caron": "\u01f0",
    "micro sign": "\u00b5",
    "kelvin sign": "\u212a",
    "angstrom sign": "\u212b",
}


def reasons(text: str) -> list[tuple[str, int | None, int | str | None]]:
    """Return the reasons of the verdict as plain tuples: code, position, expected."""
    return [(reason.code, reason.position, reason.expected) for reason in engine.check(text).reasons]


def warnings(text: str) -> list[str]:
    """Return the codes of the warnings."""
    return [warning.code for warning in engine.check(text).warnings]


class TestAValidIban:
    def test_it_is_shown_with_country_bank_and_account(self) -> None:
        verdict = engine.check("DE89 3704 0044 0532 0130 00")

        assert verdict.valid
        assert verdict.input == "DE89 3704 0044 0532 0130 00"
        assert verdict.iban == GERMAN
        assert verdict.formatted == "DE89 3704 0044 0532 0130 00"
        assert verdict.checks == Checks("passed", "passed", "passed", "passed", "passed", "passed", "known")
        assert verdict.bban == "370400440532013000"
        assert verdict.bank_code == "37040044"
        assert verdict.branch_code is None
        assert verdict.account_number == "0532013000"
        assert verdict.suggestions == ()
        assert verdict.country is not None
        assert verdict.country.name == "Germany"
        assert verdict.bank is not None
        assert verdict.bank.name == "Commerzbank"
        assert verdict.bank.bic == "COBADEFFXXX"
        assert verdict.bank.candidates == ("COBADEFFXXX",)

    def test_the_swedish_example_of_the_manual_reads_as_printed_there(self) -> None:
        verdict = engine.check("se45 5000 0000 0583 9825 7466")

        assert verdict.checks == Checks("passed", "passed", "passed", "passed", "passed", "not_checked", "known")
        assert verdict.formatted == "SE45 5000 0000 0583 9825 7466"
        assert verdict.country is not None
        assert (verdict.country.code, verdict.country.name) == ("SE", "Sweden")
        assert verdict.country.sepa
        assert verdict.country.status == "official"
        assert verdict.bank is not None
        assert verdict.bank.code == "500"
        assert verdict.bank.name == "SEB"
        assert verdict.bank.bic == "ESSESESS"
        assert verdict.bank_code == "500"

    def test_the_branch_is_reported_where_the_country_has_branches(self) -> None:
        verdict = engine.check("GB33BUKB20201555555555")

        assert (verdict.bank_code, verdict.branch_code) == ("BUKB", "202015")
        assert verdict.account_number == "55555555"

    def test_the_data_version_names_both_the_library_and_the_registry(self) -> None:
        assert engine.DATA_VERSION.startswith("schwifty-")
        assert engine.DATA_VERSION.endswith("+r102")


class TestWhatIsMadeWhenSomethingFailed:
    @pytest.mark.parametrize(
        ("text", "checks", "expected"),
        [
            pytest.param(
                "SE45500000000583982574?6",
                Checks(characters="failed"),
                [("characters", 23, None)],
                id="a strange character stops everything else",
            ),
            pytest.param(
                "US64SVBKUS6S3300958879",
                Checks("passed", "failed", checksum="passed"),
                [("country", 1, None)],
                id="an unknown country leaves the checksum",
            ),
            pytest.param(
                "US65SVBKUS6S3300958879",
                Checks("passed", "failed", checksum="failed"),
                [("country", 1, None), ("checksum", 3, "64")],
                id="an unknown country with a wrong checksum lists both",
            ),
            pytest.param(
                "USA4SVBKUS6S3300958879",
                Checks("passed", "failed"),
                [("country", 1, None)],
                id="an unknown country without check digits leaves nothing",
            ),
            pytest.param(
                "GB96BARC202015300934591",
                Checks("passed", "passed", "failed", checksum="passed"),
                [("length", None, 22)],
                id="a wrong length leaves the checksum",
            ),
            pytest.param(
                "DE8937040044053201300",
                Checks("passed", "passed", "failed", checksum="failed"),
                [("length", None, 22), ("checksum", 3, "51")],
                id="a wrong length with a wrong checksum lists both",
            ),
            pytest.param(
                "GB12BARC20201530093A59",
                Checks("passed", "passed", "passed", "failed", "passed"),
                [("structure", 20, "n")],
                id="a wrong structure leaves the checksum",
            ),
            pytest.param(
                "GB13BARC20201530093A59",
                Checks("passed", "passed", "passed", "failed", "failed"),
                [("structure", 20, "n"), ("checksum", 3, "12")],
                id="a wrong structure with a wrong checksum lists both",
            ),
            pytest.param(
                "GB2LABBY09012857201707",
                Checks("passed", "passed", "passed", "failed"),
                [("structure", 4, "n")],
                id="a letter among the check digits is a matter of structure",
            ),
            pytest.param(
                "DE88370400440532013000",
                Checks("passed", "passed", "passed", "passed", "failed", "passed", "known"),
                [("checksum", 3, "89")],
                id="a wrong checksum leaves the national digits and the bank",
            ),
            pytest.param(
                "DE08370400440532013100",
                Checks("passed", "passed", "passed", "passed", "passed", "failed", "known"),
                [("national_check_digits", 13, None)],
                id="wrong national digits with a right checksum",
            ),
            pytest.param(
                "ES9021000418450200051331",
                Checks("passed", "passed", "passed", "passed", "failed", "failed", "known"),
                [("checksum", 3, "21"), ("national_check_digits", 13, "40")],
                id="a wrong checksum and wrong national digits are both listed",
            ),
        ],
    )
    def test_every_check_that_can_still_be_made_is_made(
        self, text: str, checks: Checks, expected: list[tuple[str, int | None, int | str | None]]
    ) -> None:
        verdict = engine.check(text)

        assert verdict.checks == checks
        assert reasons(text) == expected
        assert not verdict.valid

    def test_the_place_of_a_letter_is_reported_by_its_class(self) -> None:
        assert reasons("GB13BA1C20201530093459")[0] == ("structure", 7, "a")

    def test_a_place_for_either_takes_letters_and_digits(self) -> None:
        assert registry.COUNTRIES["MT"].classes.endswith("c" * 18)
        assert engine.check("MT84MALT011000012345MTLCAST001S").valid

    @pytest.mark.parametrize("text", ["DE89", "DE8", "DE", "D", "7", "89", "1234567890"])
    def test_a_fragment_is_judged_as_far_as_it_goes(self, text: str) -> None:
        first = engine.check(text).reasons[0]

        assert first == (Reason("length", None, 22) if text.startswith("DE") else Reason("country", 1))

    def test_an_invalid_iban_has_no_parts_to_show_when_its_structure_is_wrong(self) -> None:
        verdict = engine.check("GB12BARC20201530093A59")

        assert (verdict.bban, verdict.bank_code, verdict.branch_code, verdict.account_number) == (None,) * 4
        assert verdict.bank is None
        assert verdict.country is not None


class TestTheChecksum:
    @pytest.mark.parametrize(
        ("text", "due"),
        [
            ("GB00HLFX11016111455365", "97"),
            ("GB01BARC20714583608387", "98"),
            ("AD9900012030200359100086", "02"),
        ],
    )
    def test_check_digits_outside_02_to_98_fail_though_mod_97_is_right(self, text: str, due: str) -> None:
        assert int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1
        assert reasons(text) == [("checksum", 3, due)]

    def test_the_digits_that_are_due_repair_the_number(self) -> None:
        assert engine.check("DE00370400440532013000").reasons == (Reason("checksum", 3, "89"),)
        assert engine.check(GERMAN).valid


class TestAnEmptyInput:
    @pytest.mark.parametrize("text", ["", " ", " \t\r\n", "\u00a0\u3000", "-./", "IBAN", "iban:", "I B A N :"])
    def test_nothing_but_separators_fails_by_length(self, text: str) -> None:
        verdict = engine.check(text)

        assert verdict.iban == ""
        assert verdict.formatted == ""
        assert verdict.reasons == (Reason("length"),)
        assert verdict.checks == Checks(length="failed")
        assert verdict.country is None
        assert verdict.bank is None


class TestTheCapOnInput:
    def test_an_iban_within_128_characters_of_blanks_is_accepted(self) -> None:
        padded = GERMAN.rjust(CAP)

        assert len(padded) == CAP
        assert engine.check(padded).valid
        assert engine.check(padded).input == padded

    @pytest.mark.parametrize("text", [GERMAN.ljust(CAP + 1), GERMAN.rjust(CAP + 1), "9" * 129, "?" * 5000])
    def test_more_than_128_characters_fail_by_length_whatever_they_hold(self, text: str) -> None:
        verdict = engine.check(text)

        assert verdict.reasons == (Reason("length", None, CAP),)
        assert verdict.checks == Checks(length="failed")
        assert verdict.input == text[:CAP]
        assert verdict.country is None

    def test_twenty_million_blanks_are_refused_without_being_read(self) -> None:
        assert reasons(" " * 20_000_000 + GERMAN) == [("length", None, None)]

    def test_128_digits_are_still_weighed(self) -> None:
        verdict = engine.check("9" * CAP)

        assert verdict.checks == Checks("passed", "failed", checksum="failed")


class TestCharacters:
    @pytest.mark.parametrize("letter", FOLDING.values(), ids=FOLDING)
    def test_letters_that_fold_into_ascii_are_never_folded(self, letter: str) -> None:
        assert reasons(f"DE89{letter}370400440532013000") == [("characters", 5, None)]

    @pytest.mark.parametrize(
        ("forged", "real"),
        [
            ("F\u0131FI", "FIFI"),
            ("\u017fE4550000000058398257466", SWEDISH),
            ("FI21\ufb01", "FI21FI"),
            ("\ufb012112345600000785", "FI2112345600000785"),
            ("\ufb0623000100010051845310146", "ST23000100010051845310146"),
            ("\ufb0523000100010051845310146", "ST23000100010051845310146"),
            ("MT84MALT011000012345MTLCA\u00dfT001S", "MT84MALT011000012345MTLCASST001S"),
        ],
    )
    def test_a_number_that_python_would_upper_case_into_another_is_refused(self, forged: str, real: str) -> None:
        assert forged.upper() == real
        assert engine.check(forged).checks == Checks(characters="failed")

    @pytest.mark.parametrize("nine", ["٩", "۹", "９", "𝟗", "⁹", "⑨", "९"])
    def test_digits_of_other_scripts_are_not_digits(self, nine: str) -> None:
        assert reasons(GERMAN.replace("9", nine)) == [("characters", 4, None)]

    @pytest.mark.parametrize(
        "hidden",
        ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u202e", "\u2066"],
    )
    def test_characters_nobody_sees_are_reported_with_their_place(self, hidden: str) -> None:
        assert reasons(hidden + GERMAN) == [("characters", 1, None)]
        assert reasons("DE89 3704" + hidden + " 0044 0532 0130 00") == [("characters", 9, None)]
        assert reasons(GERMAN + hidden) == [("characters", 23, None)]

    @pytest.mark.parametrize(
        "odd", ["\0", "\x1b", "\x7f", "\x0b", "\x0c", "\x85", "(", ")", "[", ",", ";", "_", "+", "*"]
    )
    def test_controls_brackets_and_commas_are_characters(self, odd: str) -> None:
        assert reasons("DE89" + odd + GERMAN[4:]) == [("characters", 5, None)]

    @pytest.mark.parametrize("lone", ["\ud800", "\U0010ffff", "\U0001f3e6"])
    def test_half_characters_and_pictures_are_characters_too(self, lone: str) -> None:
        assert reasons(lone) == [("characters", 1, None)]

    def test_the_first_of_several_is_reported_and_separators_do_not_count(self) -> None:
        assert reasons("D-E 8(9)") == [("characters", 4, None)]


class TestVerdictWarnings:
    def test_a_canonical_official_number_has_none(self) -> None:
        assert warnings(GERMAN) == []

    @pytest.mark.parametrize("text", ["DE89 370400440532013000", GERMAN.lower(), "IBAN" + GERMAN, GERMAN + "\n"])
    def test_what_was_normalised_is_warned_of_and_valid(self, text: str) -> None:
        assert warnings(text) == ["normalised"]
        assert engine.check(text).valid

    def test_normalising_is_reported_of_invalid_numbers_as_well(self) -> None:
        assert warnings("DE 88") == ["normalised"]
        assert warnings("de89?") == ["normalised"]
        assert warnings("DE89?") == []
        assert warnings(" ") == ["normalised"]
        assert warnings("") == []
        assert warnings("9" * (CAP + 1)) == []

    def test_a_bank_in_no_register_is_warned_of_and_valid(self) -> None:
        verdict = engine.check("DE44999999990532013000")

        assert verdict.checks == Checks("passed", "passed", "passed", "passed", "passed", "not_checked", "unknown")
        assert verdict.valid
        assert verdict.bank is None
        assert verdict.bank_code == "99999999"
        assert warnings("DE44999999990532013000") == ["bank_unknown"]

    def test_a_country_without_a_directory_leaves_the_bank_unchecked(self) -> None:
        verdict = engine.check("JO94CBJO0010000000000131000302")

        assert verdict.checks.bank == "not_checked"
        assert verdict.warnings == ()

    def test_a_territory_and_an_aspirational_country_are_valid_with_a_warning(self) -> None:
        assert engine.check("JE51DEUT40508112345678").valid
        assert warnings("JE51DEUT40508112345678") == ["territory_prefix"]
        assert engine.check("MG4600005030071289421016045").valid
        assert warnings("MG4600005030071289421016045") == ["aspirational_country"]

    def test_the_country_is_warned_of_though_the_number_is_wrong(self) -> None:
        assert warnings("JE51") == ["territory_prefix"]
        assert warnings("je51") == ["territory_prefix", "normalised"]

    def test_several_come_in_one_order(self) -> None:
        assert warnings("DE44 9999 9999 0532 0130 00") == ["bank_unknown", "normalised"]


class TestWhatIsNotText:
    @pytest.mark.parametrize("value", [None, 89, 89.0, b"DE89370400440532013000", ["DE"], object()])
    def test_anything_but_text_is_a_type_error_that_does_not_repeat_it(self, value: object) -> None:
        with pytest.raises(TypeError) as refusal:
            engine.check(value)  # type: ignore[arg-type]  # the refusal is the point

        assert "DE" not in str(refusal.value)


class TestThePublicTestIbans:
    """The ones iban.com publishes; ten of the eleven bad ones pass a plain mod 97."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("GB33BUKB20201555555555", []),
            ("GB94BARC10201530093459", []),
            ("GB94BARC20201530093459", ["checksum"]),
            ("GB96BARC202015300934591", ["length"]),
            ("GB12BARC20201530093A59", ["structure"]),
            ("GB78BARCO0201530093459", ["structure"]),
            ("GB2LABBY09012857201707", ["structure"]),
            ("GB01BARC20714583608387", ["checksum"]),
            ("GB00HLFX11016111455365", ["checksum"]),
            ("US64SVBKUS6S3300958879", ["country"]),
        ],
    )
    def test_the_verdict_is_the_published_one(self, text: str, expected: list[str]) -> None:
        assert [reason.code for reason in engine.check(text).reasons] == expected

    @pytest.mark.parametrize("text", ["GB02BARC20201530093451", "GB68CITI18500483515538", "GB24BARC20201630093459"])
    def test_what_only_the_british_modulus_tables_could_refuse_is_reported_as_not_checked(self, text: str) -> None:
        verdict = engine.check(text)

        assert verdict.valid
        assert verdict.checks.national_check_digits == "not_checked"


class TestAVerdict:
    def test_it_cannot_be_changed_and_equals_one_of_the_same_text(self) -> None:
        verdict = engine.check(GERMAN)

        with pytest.raises(AttributeError):
            verdict.iban = SWEDISH  # type: ignore[misc]  # the refusal is the point
        assert verdict == engine.check(GERMAN)
        assert isinstance(verdict, Verdict)
