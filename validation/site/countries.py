"""What we know of each country's IBAN, as the pages about countries show it, in the active language."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache

from django.utils.translation import get_language

from validation import messages
from validation.engine import national
from validation.engine.banks import DIRECTORIES, Directory
from validation.engine.normalise import grouped
from validation.engine.registry import COUNTRIES, Country


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """One part of the IBAN with its place, counted from 1, and its characters in the example."""

    kind: str
    name: str
    first: int
    last: int
    format: str
    characters: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class CountryPage:
    """One country as its page and the list show it."""

    code: str
    name: str
    length: int
    bban_format: str
    example: str
    sepa: bool
    status: str
    status_name: str
    status_tag: str
    parent: "CountryPage | None"
    directory: Directory | None
    national: bool
    national_note: str
    structure: Country

    @property
    def parts(self) -> list[DrawnPart]:
        """The parts of the IBAN in order, for the page that draws them; a list of countries needs none."""
        parts = [("country", 0, 2), ("checksum", 2, 4)]
        parts += [(part.kind, part.start + 4, part.end + 4) for part in self.structure.parts]
        return [
            DrawnPart(
                kind,
                str(messages.PART_NAMES[kind]),
                start + 1,
                end,
                messages.kinds(self.structure.classes[start:end]),
                list(enumerate(self.structure.example[start:end], start + 1)),
            )
            for kind, start, end in parts
        ]

    @property
    def directory_date(self) -> date | None:
        """The month in which the bank directory last changed, as its first day."""
        return messages.month(self.directory.as_of) if self.directory else None


def by_code(code: str) -> CountryPage | None:
    """Return the page of the country with this code in capitals, or None."""
    country = COUNTRIES.get(code)
    return _page(country) if country else None


def choices() -> list[tuple[str, str]]:
    """Return code and name of every country with IBANs in the active language, sorted by name."""
    return list(_choices(get_language() or "en"))


@cache
def _choices(_language: str) -> tuple[tuple[str, str], ...]:
    names = {country.code: messages.country_name(country) for country in COUNTRIES.values()}
    return tuple(sorted(names.items(), key=lambda pair: _sort_key(pair[1])))


def matching(question: str) -> list[CountryPage]:
    """Return the countries whose code or name holds `question`, whatever the case and accents, sorted by name."""
    wanted = _plain(question)
    pages = [_page(country) for country in COUNTRIES.values()]
    found = [page for page in pages if wanted in _plain(page.name) or wanted == page.code.lower()]
    return sorted(found, key=lambda page: _sort_key(page.name))


# In Swedish å, ä and ö are letters of their own, after z; everywhere else they sort as their base letters.
_AFTER_Z = str.maketrans("åäö", "{|}")


def _sort_key(name: str) -> str:
    return _plain(name.lower().translate(_AFTER_Z) if get_language() == "sv" else name)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _page(country: Country) -> CountryPage:
    return CountryPage(
        code=country.code,
        name=messages.country_name(country),
        length=country.length,
        bban_format=country.bban_format,
        example=grouped(country.example),
        sepa=country.sepa,
        status=country.status,
        status_name=str(messages.STATUS_NAMES[country.status]),
        status_tag=str(messages.STATUS_TAGS[country.status]),
        parent=_page(COUNTRIES[country.parent]) if country.parent else None,
        directory=DIRECTORIES.get(country.code),
        national=national.can_check(country.code),
        national_note=messages.national_rule(country.code),
        structure=country,
    )
