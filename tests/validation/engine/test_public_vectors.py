"""The IBANs that other libraries, registries and banks publish, with what they say of each."""

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from validation import engine
from validation.engine.verdict import Verdict

DATA = Path(__file__).parents[2] / "data"


class PublishedIban(NamedTuple):
    """One published IBAN; `scope` says what `expected` is a claim about."""

    iban: str
    scope: str
    expected: str


def published() -> list[PublishedIban]:
    """Return every line of the collection."""
    lines = (DATA / "public-ibans.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [PublishedIban(row["iban"], row["scope"], row["expected"]) for row in rows]


LINES = published()
DISAGREEMENTS = tomllib.loads((DATA / "disagreements.toml").read_text(encoding="utf-8"))


def reads_as_valid(verdict: Verdict, scope: str) -> bool:
    """Return what we say about the part of the IBAN that a claim of this scope is about."""
    codes = {reason.code for reason in verdict.reasons}
    if scope == "national":
        return verdict.valid
    if scope == "checkdigit_only":
        return verdict.checks.checksum == "passed"
    return codes <= {"national_check_digits"}


class TestPublishedIbans:
    def test_the_engine_says_what_the_source_says_except_where_we_disagree_by_name(self) -> None:
        differing = {
            (line.iban, line.scope)
            for line in LINES
            if reads_as_valid(engine.check(line.iban), line.scope) != (line.expected == "valid")
        }

        listed = {(entry["iban"], entry["scope"]) for entry in DISAGREEMENTS["disagreement"]}
        assert sorted(differing - listed) == [], "we differ from these lines without a reason"
        assert sorted(listed - differing) == [], "we agree with these lines, yet they are listed"

    def test_the_collection_is_complete(self) -> None:
        assert len(LINES) == 2519
        assert len({(line.iban, line.scope) for line in LINES}) == 2519
        assert Counter(line.scope for line in LINES) == {
            "real_world": 1158,
            "basic": 726,
            "national": 535,
            "checkdigit_only": 82,
            "format_policy": 18,
        }

    def test_each_disagreement_has_one_of_the_reasons_we_accept(self) -> None:
        reasons = Counter(entry["reason"] for entry in DISAGREEMENTS["disagreement"])

        assert set(reasons) == set(DISAGREEMENTS["reasons"])
        assert sum(reasons.values()) == 41

    def test_no_published_account_number_fails_our_national_check_digits(self) -> None:
        failing = [
            line.iban
            for line in LINES
            if line.scope == "real_world" and engine.check(line.iban).checks.national_check_digits == "failed"
        ]

        assert failing == []
