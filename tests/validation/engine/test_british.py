"""British modulus checks, held to the examples that the specification publishes for its readers.

Source: Vocalink, "Validating Account Numbers: UK Modulus Checking", version 6.40, chapter 3, and for Coutts section
2.2.2. The lines of the two tables are the few that those examples need.
"""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from validation import engine
from validation.engine import british, national
from validation.engine.reasons import Reason

WEIGHTS = """\
070116 070116 MOD11    0    0    7    6    5    8    9    4    5    6    7    8    9   -1  12
070116 070116 MOD10    0    3    2    4    5    8    9    4    5    6    7    8    9   -1  13
074456 074456 MOD11    0    0    7    6    5    8    9    4    5    6    7    8    9   -1  12
074456 074456 MOD10    0    3    2    4    5    8    9    4    5    6    7    8    9   -1  13
086090 086090 MOD10    0    0    3    7    1    3    7    1    3    7    1    3    7    1   8
089000 089999 MOD10    0    0    0    0    0    0    7    1    3    7    1    3    7    1
102400 107999 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1
110000 119280 DBLAL    0    0    2    1    2    1    2    1    2    1    2    1    2    1   1
134012 134020 MOD11    0    0    0    7    5    9    8    4    6    3    5    2    0    0   4
180002 180002 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1  14
200901 201159 MOD11    0    0    0    0    0    0    0    7    6    5    4    3    2    1   6
200901 201159 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1   6
202700 203239 MOD11    0    0    0    0    0    0    0    7    6    5    4    3    2    1   6
202700 203239 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1   6
309001 309633 MOD11    0    0    3    2    9    8    5    7    6    5    4    3    2    1   2
309001 309633 MOD11    0    0    3    2    9    8    1    7    6    5    4    3    2    1   9
771900 772799 MOD11    0    0    1    2    5    3    6    4    8    7   10    9    3    1   7
820000 826097 MOD11    0    0    0    0    0    0    0    0    7    3    4    9    2    1
820000 826097 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1   3
826919 827999 MOD11    0    0    0    0    0    0    0    0    7    3    4    9    2    1
826919 827999 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1   3
870000 872791 MOD11    0    0    1    2    5    3    6    4    8    7   10    9    3    1  10
870000 872791 MOD11    0    0    5   10    9    8    0    7    6    5    4    3    2    1  11
938000 938696 MOD11    7    6    5    4    3    2    7    6    5    4    3    2    0    0   5
938000 938696 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    0   5
"""
SUBSTITUTES = "938600 938611\n"
LINE = WEIGHTS.splitlines()[5]
"""The line of the first example, 089999."""
NO_RANGE = "the specification knows no range with these exceptions (0 is none)"


def written(folder: Path, weights: str = WEIGHTS, substitutes: str = SUBSTITUTES) -> Path:
    """Write both tables into `folder` and return it."""
    (folder / "valacdos.txt").write_text(weights, encoding="utf-8")
    (folder / "scsubtab.txt").write_text(substitutes, encoding="utf-8")
    return folder


def refusal(folder: Path) -> str:
    """Return the message with which the tables in `folder` are refused, without the folder's name."""
    with pytest.raises(british.TablesError) as refused:
        british.load(folder)
    return str(refused.value).removeprefix(f"{folder}/")


def iban(bban: str, country: str = "GB") -> str:
    """Return the IBAN of a British BBAN, with the check digits it should have."""
    return f"{country}{national.mod_97_10(bban + country + '00')}{bban}"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> british.Tables:
    return british.load(written(tmp_path_factory.mktemp("tables")))


@pytest.fixture
def tables_in_use(tables: british.Tables) -> Iterator[None]:
    before = british.in_use()
    british.use(tables)
    yield
    british.use(before)


@pytest.fixture
def no_tables_in_use() -> Iterator[None]:
    before = british.in_use()
    british.use(None)
    yield
    british.use(before)


class TestTheSpecificationsExamples:
    @pytest.mark.parametrize(
        ("sort_code", "account_number"),
        [
            pytest.param("089999", "66374958", id="1: modulus 10"),
            pytest.param("107999", "88837491", id="2: modulus 11"),
            pytest.param("202959", "63748472", id="3: modulus 11 and double alternate"),
            pytest.param("871427", "46238510", id="4: exceptions 10 and 11, only the first check passes"),
            pytest.param("872427", "46238510", id="5: exceptions 10 and 11, only the second check passes"),
            pytest.param("871427", "09123496", id="6: exception 10, ab = 09 and g = 9"),
            pytest.param("871427", "99123496", id="7: exception 10, ab = 99 and g = 9"),
            pytest.param("820000", "73688637", id="8: exception 3, start of a range, c = 6"),
            pytest.param("827999", "73988638", id="9: exception 3, end of a range, c = 9"),
            pytest.param("827101", "28748352", id="10: exception 3, both checks are made"),
            pytest.param("134020", "63849203", id="11: exception 4, the remainder is the check digits"),
            pytest.param("118765", "64371389", id="12: exception 1, 27 is added"),
            pytest.param("938611", "07806039", id="14: exception 5"),
            pytest.param("938600", "42368003", id="15: exception 5, with a substitute"),
            pytest.param("938063", "55065200", id="16: exception 5, both remainders are 0"),
            pytest.param("772798", "99345694", id="17: exception 7, would fail the plain check"),
            pytest.param("086090", "06774744", id="18: exception 8"),
            pytest.param("309070", "02355688", id="19: exceptions 2 and 9, the first check passes"),
            pytest.param("309070", "12345668", id="20: exceptions 2 and 9, only the second check passes"),
            pytest.param("309070", "12345677", id="21: exceptions 2 and 9, a is not 0 and g is not 9"),
            pytest.param("309070", "99345694", id="22: exceptions 2 and 9, a is not 0 and g = 9"),
            pytest.param("074456", "12345112", id="31: exceptions 12 and 13, only the first check passes"),
            pytest.param("070116", "34012583", id="32: exceptions 12 and 13, both checks pass"),
            pytest.param("074456", "11104102", id="33: exceptions 12 and 13, only the second check passes"),
            pytest.param("180002", "00000190", id="34: exception 14, passes without its last digit"),
            pytest.param("180002", "98093517", id="exception 14, passes at once"),
        ],
    )
    def test_a_possible_account_passes(self, tables: british.Tables, sort_code: str, account_number: str) -> None:
        assert british.passes(tables, sort_code, account_number) is True

    @pytest.mark.parametrize(
        ("sort_code", "account_number"),
        [
            pytest.param("938063", "15764273", id="23: exception 5, only the first check digit is right"),
            pytest.param("938063", "15764264", id="24: exception 5, only the second check digit is right"),
            pytest.param("938063", "15763217", id="25: exception 5, the first remainder is 1"),
            pytest.param("118765", "64371388", id="26: exception 1"),
            pytest.param("203099", "66831036", id="27: passes modulus 11, fails double alternate"),
            pytest.param("203099", "58716970", id="28: fails modulus 11, passes double alternate"),
            pytest.param("089999", "66374959", id="29: modulus 10"),
            pytest.param("107999", "88837493", id="30: modulus 11"),
        ],
    )
    def test_an_impossible_account_fails(self, tables: british.Tables, sort_code: str, account_number: str) -> None:
        assert british.passes(tables, sort_code, account_number) is False

    def test_a_foreign_currency_account_cannot_be_checked(self, tables: british.Tables) -> None:
        """Example 13, which the specification calls valid because its checks cannot be used."""
        assert british.passes(tables, "200915", "41011166") is None


class TestTheExceptions:
    """What the published examples leave open."""

    @pytest.mark.parametrize("account_number", ["31011166", "91011166", "41011165"])
    def test_exception_6_denies_the_checks_to_no_other_account(
        self, tables: british.Tables, account_number: str
    ) -> None:
        assert british.passes(tables, "200915", account_number) is False

    @pytest.mark.parametrize("last", "2345678")
    def test_exception_14_drops_only_a_last_digit_of_0_1_or_9(self, tables: british.Tables, last: str) -> None:
        assert british.passes(tables, "180002", f"0000019{last}") is False

    @pytest.mark.parametrize("last", "019")
    def test_exception_14_drops_a_last_digit_of_0_1_or_9(self, tables: british.Tables, last: str) -> None:
        assert british.passes(tables, "180002", f"0000019{last}") is True

    def test_exception_3_spares_no_account_the_first_check(self, tables: british.Tables) -> None:
        assert british.passes(tables, "820000", "73688638") is False


class TestASortCode:
    @pytest.mark.parametrize("sort_code", ["000000", "070115", "070117", "088999", "090000", "999999"])
    def test_without_a_line_it_cannot_be_checked(self, tables: british.Tables, sort_code: str) -> None:
        assert british.passes(tables, sort_code, "66374958") is None

    @pytest.mark.parametrize("sort_code", ["089000", "089500", "089999"])
    def test_a_range_includes_both_its_ends(self, tables: british.Tables, sort_code: str) -> None:
        assert british.passes(tables, sort_code, "66374958") is True

    def test_its_two_checks_are_made_in_the_order_of_the_file(self, tables: british.Tables) -> None:
        assert [line.exception for line in tables.find("074456")] == [12, 13]


class TestTheTables:
    def test_they_cannot_be_changed_after_loading(self, tables: british.Tables) -> None:
        assert isinstance(tables.substitutes, MappingProxyType)
        assert all(type(part) is tuple for part in (tables.starts, tables.ends, tables.lines, *tables.lines))

    def test_ranges_in_any_order_line_ends_of_windows_and_blank_lines_are_accepted(self, tmp_path: Path) -> None:
        lines = [*WEIGHTS.splitlines()[4:6][::-1], "", "  "]
        tables = british.load(written(tmp_path, "\r\n".join(lines), "938600 938611"))

        assert tables.starts == ("086090", "089000")
        assert british.passes(tables, "089999", "66374958") is True

    @pytest.mark.parametrize("name", ["valacdos.txt", "scsubtab.txt"])
    def test_a_missing_file_is_named(self, tmp_path: Path, name: str) -> None:
        (written(tmp_path) / name).unlink()

        assert refusal(tmp_path) == f"{name} cannot be read: No such file or directory."

    @pytest.mark.parametrize("name", ["valacdos.txt", "scsubtab.txt"])
    def test_an_empty_file_is_refused(self, tmp_path: Path, name: str) -> None:
        (written(tmp_path) / name).write_text("\n", encoding="ascii")

        assert refusal(tmp_path) == f"{name} is empty."

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ("<html>", "'<html>' is not a sort code of six digits"),
            ("089000", "a second sort code is missing"),
            (LINE.replace("089999", "08999"), "'08999' is not a sort code of six digits"),
            (LINE.replace("089999", "08999²"), "'08999��' is not a sort code of six digits"),
            (LINE.replace("089999", "088999"), "the range ends (088999) before it starts (089000)"),
            ("089000 089999", "'' is none of the methods MOD10, MOD11, DBLAL"),
            (LINE.replace("MOD10", "MOD97"), "'MOD97' is none of the methods MOD10, MOD11, DBLAL"),
            (LINE[:-5], "13 numbers stand where 14 weights and an optional exception should"),
            (LINE + " 1 1", "16 numbers stand where 14 weights and an optional exception should"),
            (LINE.replace("  3 ", "  x "), "'x' is not a weight for MOD10"),
            (LINE.replace("   3 ", " 1024"), "'1024' is not a weight for MOD10"),
            (LINE.replace("MOD10", "DBLAL").replace("  3 ", " -3 "), "'-3' is not a weight for DBLAL"),
            (LINE + "  15", "the exception '15' is unknown to this version"),
            (LINE + "  -1", "the exception '-1' is unknown to this version"),
        ],
    )
    def test_a_bad_line_of_weights_is_named_with_what_is_wrong(self, tmp_path: Path, line: str, problem: str) -> None:
        written(tmp_path, "\n".join([*WEIGHTS.splitlines()[:5], line, *WEIGHTS.splitlines()[6:]]))

        assert refusal(tmp_path) == f"valacdos.txt, line 6: {problem}."

    @pytest.mark.parametrize(
        ("lines", "problem"),
        [
            ([LINE + " 2"], f"{NO_RANGE}: 2"),
            ([LINE + " 9"], f"{NO_RANGE}: 9"),
            ([LINE + " 2", LINE + " 11"], f"{NO_RANGE}: 2, 11"),
            ([LINE, LINE + " 6"], f"{NO_RANGE}: 0, 6"),
            ([LINE, LINE, LINE], f"{NO_RANGE}: 0, 0, 0"),
            ([LINE, LINE.replace("089000", "089999")], "the range overlaps that of line 1"),
        ],
    )
    def test_lines_that_cannot_stand_together_are_refused(self, tmp_path: Path, lines: list[str], problem: str) -> None:
        written(tmp_path, "\n".join(lines))

        assert refusal(tmp_path) == f"valacdos.txt, line {len(lines)}: {problem}."

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ("938602", "a second sort code is missing"),
            ("938602 93834", "'93834' is not a sort code of six digits"),
            ("938602 938343 1", "3 fields stand where two sort codes should"),
            ("938600 938343", "938600 has a substitute already"),
        ],
    )
    def test_a_bad_line_of_substitutes_is_named_with_what_is_wrong(
        self, tmp_path: Path, line: str, problem: str
    ) -> None:
        written(tmp_path, substitutes=SUBSTITUTES + line)

        assert refusal(tmp_path) == f"scsubtab.txt, line 2: {problem}."


@pytest.mark.usefixtures("tables_in_use")
class TestAnIbanWithTheTablesInUse:
    @pytest.mark.parametrize("country", ["GB", "GG", "IM", "JE"])
    def test_a_possible_account_passes(self, country: str) -> None:
        verdict = engine.check(iban("NWBK10799988837491", country))

        assert verdict.valid
        assert verdict.checks.national_check_digits == "passed"

    @pytest.mark.parametrize("country", ["GB", "GG", "IM", "JE"])
    def test_an_impossible_account_is_shown_where_it_starts(self, country: str) -> None:
        verdict = engine.check(iban("NWBK10799988837493", country))

        assert not verdict.valid
        assert verdict.reasons == (Reason("national_check_digits", 15, None),)
        assert verdict.iban[14:] == "88837493"

    def test_a_sort_code_without_a_line_is_not_checked(self) -> None:
        verdict = engine.check(iban("NWBK00000088837493"))

        assert verdict.valid
        assert verdict.checks.national_check_digits == "not_checked"

    def test_a_foreign_currency_account_is_not_checked(self) -> None:
        verdict = engine.check(iban("BARC20091541011166"))

        assert verdict.valid
        assert verdict.checks.national_check_digits == "not_checked"


@pytest.mark.usefixtures("no_tables_in_use")
class TestAnIbanWithoutTables:
    @pytest.mark.parametrize("account_number", ["88837491", "88837493"])
    def test_no_account_is_checked(self, account_number: str) -> None:
        verdict = engine.check(iban(f"NWBK107999{account_number}"))

        assert verdict.valid
        assert verdict.checks.national_check_digits == "not_checked"


@pytest.mark.usefixtures("no_tables_in_use")
class TestTheStart:
    def test_without_the_setting_no_tables_are_in_use(self) -> None:
        with override_settings(BRITISH_TABLES=""):
            apps.get_app_config("validation").ready()

        assert british.in_use() is None

    def test_the_tables_of_the_folder_in_the_setting_come_into_use(self, tmp_path: Path) -> None:
        with override_settings(BRITISH_TABLES=str(written(tmp_path))):
            apps.get_app_config("validation").ready()

        assert engine.check(iban("NWBK10799988837491")).checks.national_check_digits == "passed"

    def test_a_bad_line_stops_it_with_the_message_that_names_the_line(self, tmp_path: Path) -> None:
        written(tmp_path, substitutes="938600 ?")

        with (
            override_settings(BRITISH_TABLES=str(tmp_path)),
            pytest.raises(ImproperlyConfigured, match=r"scsubtab\.txt, line 1: '\?' is not a sort code"),
        ):
            apps.get_app_config("validation").ready()

        assert british.in_use() is None
