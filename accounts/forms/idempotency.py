"""Forms that can be sent once: a second click, a way back in the browser or a replayed request does nothing twice."""

from typing import Final, Literal
from uuid import UUID, uuid4

from django.http import HttpRequest

Standing = Literal["open", "sent", "unknown"]
_FORMS: Final = "deed_forms"
"""In the session, which is sealed: the number of each form that was shown, and whether it was sent."""
_MOST: Final = 50


def give_out(request: HttpRequest) -> UUID:
    """Return the number of a form that is shown now; of many the oldest is forgotten."""
    number = uuid4()
    shown = {**request.session.get(_FORMS, {}), number.hex: "open"}
    request.session[_FORMS] = dict(list(shown.items())[-_MOST:])
    return number


def take(request: HttpRequest, text: str) -> Standing:
    """Return how a form stands that was sent with this number, and note that it was."""
    shown = request.session.get(_FORMS, {})
    try:
        number = UUID(text).hex
    except ValueError:
        return "unknown"
    standing: Standing = shown.get(number, "unknown")
    if standing == "open":
        request.session[_FORMS] = {**shown, number: "sent"}
    return standing
