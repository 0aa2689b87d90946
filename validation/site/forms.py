"""What the check page accepts: one text in one field, and nothing it does not know."""

from django.http import HttpRequest

# The language switcher posts the IBAN along, so that the verdict stays on the page in a new language.
_KNOWN_FIELDS = frozenset({"iban", "csrfmiddlewaretoken", "language", "next"})
_REPLACEMENT_CHARACTER = "\ufffd"


class FormProblem(Exception):
    """The form holds no text to check; `code` is a key of messages.FORM_PROBLEMS."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


def iban_text(request: HttpRequest) -> str:
    """Return the text in the field `iban`, as it was pasted.

    Raises FormProblem: `empty` (422), or 400 for `missing`, `several`, `unknown_field`, `file` and `encoding`. Bytes
    that are not UTF-8 reach us as replacement characters; they are refused, since the customer never sent those.
    """
    if request.FILES:
        raise FormProblem("file")
    if not set(request.POST) <= _KNOWN_FIELDS:
        raise FormProblem("unknown_field")
    texts = request.POST.getlist("iban")
    if len(texts) != 1:
        raise FormProblem("several" if texts else "missing")
    [text] = texts
    if _REPLACEMENT_CHARACTER in text:
        raise FormProblem("encoding")
    if not text.strip():
        raise FormProblem("empty", status=422)
    return text
