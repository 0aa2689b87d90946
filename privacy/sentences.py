"""From codes of refusals and problems to sentences, in the active language."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.errors import Refusal

REFUSALS: Final[dict[str, Promise]] = {
    "export_damaged": gettext_lazy("The copy could not be read and was not sent."),
    "export_locked": gettext_lazy(
        "The copy could not be opened with your account's key, so nothing was sent. Tell the operator of this service."
    ),
    "export_over": gettext_lazy("This copy can no longer be downloaded. Ask for a new one."),
    "too_many_exports": gettext_lazy(
        "You have asked for %(limit)s copies within a day, which is the most. Try again tomorrow."
    ),
}

EXPORT_PROBLEMS: Final[dict[str, Promise]] = {
    "damaged": gettext_lazy(
        "The file was damaged or is gone: it is not as we had written it, so we did not send it. Ask for a new copy."
    ),
    "disk": gettext_lazy(
        "There was no room for it on our disk. Try again later, and tell the operator of this service if it goes on."
    ),
    "given_up": gettext_lazy(
        "It was interrupted too often. Try again later, and tell the operator of this service if it goes on."
    ),
    "internal": gettext_lazy(
        "Something in it could not be read. This is our mistake: tell the operator of this service, who finds it "
        "in the log."
    ),
    "locked": gettext_lazy(
        "What is sealed could not be opened with your account's key. Tell the operator of this service."
    ),
}
"""Why a copy could not be made or offered any longer, and what helps."""


def refusal(refusal: Refusal) -> str:
    """Return why a deed was refused. Raises KeyError for a code without a sentence."""
    return str(REFUSALS[refusal.code]) % refusal.values
