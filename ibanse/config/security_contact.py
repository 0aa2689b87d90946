"""IBANSE_SECURITY_CONTACT: who receives reports of weaknesses, as URIs of RFC 9116."""

import re
from typing import Final
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_SCHEMES: Final = ("https", "mailto", "tel")


def parse(text: str, *, instead: str) -> list[str]:
    """Return the URIs for `text`: e-mail addresses, `https:`, `mailto:` or `tel:`, separated by commas.

    For an empty `text` it is the first e-mail address in `instead` (the operator's address), if there is one. Raises
    ImproperlyConfigured with the part that is none of these.
    """
    if not text.strip():
        found = _EMAIL.search(instead)
        return [_mail_to(found.group())] if found else []
    return [_uri(part.strip()) for part in text.split(",") if part.strip()]


def _uri(part: str) -> str:
    if _EMAIL.fullmatch(part):
        return _mail_to(part)
    if part.isprintable() and " " not in part and urlsplit(part).scheme in _SCHEMES:
        return part
    raise ImproperlyConfigured(
        f"IBANSE_SECURITY_CONTACT: {part!r} is neither an e-mail address nor begins with https:, mailto: or tel:. "
        "See deploy/settings.md."
    )


def _mail_to(email: str) -> str:
    return "mailto:" + quote(email, safe="@!$'*+-._~")
