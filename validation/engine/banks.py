"""The bank directory: which bank a code belongs to, as tables. Knows nothing of accounts.

Built once, when this module is imported, from the records packaged in schwifty (which come from central banks and
payment associations; data/directories.toml names each source and its date).
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from schwifty.domain import Bank as Record
from schwifty.registry import Registry

from validation.engine.registry import DATA


class Directory(NamedTuple):
    """One country's part of the bank directory."""

    source: str
    as_of: str
    """The month in which the list last changed, as `2026-10`."""
    complete: bool
    """Whether a code that is missing here means something: the list is the official register or close to it."""
    size: int
    """How many bank codes it knows."""


class Bank(NamedTuple):
    """The bank that a bank code belongs to."""

    code: str
    name: str
    bic: str | None
    """The BIC to prefer among the candidates, or None when the directory has none."""
    candidates: tuple[str, ...]
    """Every BIC under which the directory lists this code."""
    check_method: str
    """The Bundesbank's name of the check digit method (Germany only; elsewhere `default`)."""
    directory: Directory


def preferred_bic(records: Sequence[Record]) -> str | None:
    """Return the BIC that schwifty prefers: the head office's, and the institution's own record before branches.

    BICs of 8 characters come before those that end in XXX, and both before a branch's; among equals a primary record
    wins, then the last in the alphabet. `records` are in the order of the directory, primary ones first.
    """
    candidates = [record.bic for record in records if record.bic]
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    primary = {record.bic for record in records if record.primary}
    for head_office in (
        [bic for bic in candidates if len(bic) == 8],
        [bic for bic in candidates if bic.endswith("XXX") and len(bic) == 11],
    ):
        if head_office:
            return max([bic for bic in head_office if bic in primary] or head_office)
    return candidates[0]


def _bank(code: str, records: Iterable[Record], directory: Directory) -> Bank:
    primary_first = sorted(records, key=lambda record: not record.primary)
    return Bank(
        code=code,
        name=" ".join(primary_first[0].name.split()),
        bic=preferred_bic(primary_first),
        candidates=tuple(dict.fromkeys(record.bic for record in primary_first if record.bic)),
        check_method=primary_first[0].checksum_algo,
        directory=directory,
    )


def _directories() -> tuple[dict[str, Directory], dict[str, Bank]]:
    directories: dict[str, Directory] = {}
    banks: dict[str, Bank] = {}
    # A registry of our own, gone when the tables are made: schwifty's holds every record it has read.
    registry = Registry()
    described = tomllib.loads((DATA / "directories.toml").read_text(encoding="utf-8"))
    for country, about in described.items():
        by_code: defaultdict[str, list[Record]] = defaultdict(list)
        for record in registry.get_banks_by_country(country):
            by_code[record.bank_code].append(record)
        by_code.pop("", None)
        if not by_code:
            continue  # Saudi Arabia's list has BICs only: every bank would be called unknown.
        directory = directories[country] = Directory(
            about["source"], about["as_of"], about.get("complete", False), len(by_code)
        )
        for code, records in by_code.items():
            banks[country + code] = _bank(code, records, directory)
    return directories, banks


_LOADED: Final = _directories()
DIRECTORIES: Final = _LOADED[0]
"""The directory of each country that has one, by country code."""
BANKS: Final = _LOADED[1]
"""Every bank, by country code and bank code together: `DE37040044`."""
