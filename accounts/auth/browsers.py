"""A browser's name in words people know, from what it says of itself. Believes nothing and only names."""

from typing import Final

# The first that fits: every browser also claims to be those that came before it.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def name(user_agent: str) -> str:
    """Return such as `Firefox · Windows`; of a program that names neither, the first word it says, or nothing."""
    found = [_first(table, user_agent) for table in (_BROWSERS, _SYSTEMS)]
    return " · ".join(filter(None, found)) or user_agent.partition(" ")[0][:40]


def _first(table: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((called for mark, called in table if mark in user_agent), "")
