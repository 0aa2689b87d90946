"""A field for one line of text, such as a name or a street."""

import unicodedata
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MAX_CHARACTERS: Final = 100
# Joiners shape letters in Persian and in the scripts of India, so names need them.
_JOINERS: Final = "\u200c\u200d"
_REPLACEMENT_CHARACTER: Final = "\ufffd"


class LineField(forms.CharField):
    """One line of text, normalised to NFC, with single spaces.

    Refuses line breaks and control characters, and invisible characters that change the writing direction, since they
    make one name look like another. Letters of every script are accepted.
    """

    default_error_messages = {
        "invisible": _("Remove line breaks and invisible characters (%(code)s)."),
        "encoding": _("Part of the text is not valid UTF-8. Enter it again."),
    }

    def __init__(self, *, max_length: int = MAX_CHARACTERS, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)

    def to_python(self, value: Any) -> str:
        """Return the line; raises ValidationError `invisible` or `encoding`."""
        text = unicodedata.normalize("NFC", str(super().to_python(value)))
        if _REPLACEMENT_CHARACTER in text:
            raise ValidationError(self.error_messages["encoding"], code="encoding")
        for character in text:
            if _is_invisible(character):
                code = {"code": f"U+{ord(character):04X}"}
                raise ValidationError(self.error_messages["invisible"], code="invisible", params=code)
        return " ".join(text.split())


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return (category[0] == "C" and character not in _JOINERS) or category in ("Zl", "Zp")
