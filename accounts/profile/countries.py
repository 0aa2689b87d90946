"""Names of the countries of the world in the active language, for addresses. Knows nothing of IBANs."""

import gettext
import unicodedata
from functools import cache
from typing import Final

import pycountry
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

# Where ISO 3166 has no name, or an inverted one ("Palestine, State of").
_OWN_NAMES: Final[dict[str, Promise]] = {
    "BY": gettext_lazy("Belarus"),
    "CD": gettext_lazy("Congo (Kinshasa)"),
    "FK": gettext_lazy("Falkland Islands"),
    "FM": gettext_lazy("Micronesia"),
    "GB": gettext_lazy("United Kingdom"),
    "MF": gettext_lazy("Saint Martin"),
    "PS": gettext_lazy("Palestine"),
    "RU": gettext_lazy("Russia"),
    "SX": gettext_lazy("Sint Maarten"),
    "VA": gettext_lazy("Vatican City"),
    "VG": gettext_lazy("British Virgin Islands"),
    "VI": gettext_lazy("US Virgin Islands"),
    "XK": gettext_lazy("Kosovo"),
}
# In Swedish å, ä and ö are letters of their own, after z; everywhere else they sort as their base letters.
_AFTER_Z: Final = str.maketrans("åäö", "{|}")


def choices() -> list[tuple[str, str]]:
    """Return (ISO code, name) of every country in the active language, sorted by name."""
    return list(_choices(get_language() or "en"))


def name(code: str) -> str:
    """Return the country's name in the active language, or the code itself when there is none."""
    return dict(_choices(get_language() or "en")).get(code, code)


@cache
def _choices(language: str) -> tuple[tuple[str, str], ...]:
    translations = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language], fallback=True)
    names = {
        country.alpha_2: translations.gettext(getattr(country, "common_name", country.name))
        for country in pycountry.countries
    }
    names |= {code: str(own) for code, own in _OWN_NAMES.items()}
    return tuple(sorted(names.items(), key=lambda pair: _sort_key(pair[1], language)))


def _sort_key(text: str, language: str) -> str:
    folded = text.casefold()
    if language == "sv":
        folded = folded.translate(_AFTER_Z)
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
