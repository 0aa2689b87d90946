"""Forms that take effect once: a second click, the back button or a replayed request changes nothing twice.

Each shown form carries a fresh token in a hidden field. An action that creates a row derives the row's key from the
token (`row_key`), so that the database refuses the second of two simultaneous requests. Other actions look their form
up in the session (`issue`, `redeem`). Where a form must work for one subject only, its token is signed (`sign`,
`verify`).
"""

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID, uuid4, uuid5

from django import forms
from django.core import signing
from django.http import HttpRequest

FormState = Literal["open", "sent", "unknown"]
_FORMS: Final = "forms"
"""In the session: the token of each form that was shown, and whether it was sent."""
_MOST_FORMS: Final = 50


class TokenField(forms.UUIDField):
    """The hidden field of a form's token, which begins with a fresh one."""

    widget = forms.HiddenInput(attrs={"autocomplete": "off"})

    def __init__(self) -> None:
        super().__init__(initial=uuid4)


def row_key(owner: UUID, token: UUID) -> UUID:
    """Return the key of the row that a form creates.

    It depends on the owner too: a token seen elsewhere must not reveal whether another owner's row exists.
    """
    return uuid5(owner, token.hex)


def issue(request: HttpRequest) -> UUID:
    """Return the token of a form that is shown now, and remember it; of many forms the oldest is forgotten."""
    token = uuid4()
    shown = {**request.session.get(_FORMS, {}), token.hex: "open"}
    request.session[_FORMS] = dict(list(shown.items())[-_MOST_FORMS:])
    return token


def redeem(request: HttpRequest, text: str) -> FormState:
    """Return the state of the form with this token, and mark it as sent."""
    shown = request.session.get(_FORMS, {})
    try:
        token = UUID(text).hex
    except ValueError:
        return "unknown"
    state: FormState = shown.get(token, "unknown")
    if state == "open":
        request.session[_FORMS] = {**shown, token: "sent"}
    return state


def sign(*subjects: UUID, salt: str) -> str:
    """Return a signed token that works for these subjects only."""
    return signing.dumps([uuid4().hex, *(subject.hex for subject in subjects)], salt=salt)


def verify(text: str, *subjects: UUID, salt: str, max_age: timedelta) -> UUID:
    """Return the token that was signed for these subjects.

    Raises signing.SignatureExpired, or signing.BadSignature for a token that is forged or was made for others.
    """
    token, *signed_for = signing.loads(text, salt=salt, max_age=max_age)
    if signed_for != [subject.hex for subject in subjects]:
        raise signing.BadSignature("The token was made for another subject.")
    return UUID(token)
