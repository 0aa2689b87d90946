"""What the page of privacy accepts: the fields listed here, and nothing else that is posted."""

from typing import Any, Final

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts.choices import Choice, Radios
from accounts.forms import HouseForm
from privacy import logging_mode
from privacy.models import LEAST_DAYS, MOST_DAYS, Mode

MODES: Final = (
    (
        Mode.OFF.value,
        Choice(
            _("Off"),
            _("Nothing is written: no IBAN, no result, no time, no address. Only what is listed below remains."),
        ),
    ),
    (
        Mode.VERDICT.value,
        Choice(
            _("Verdict only"),
            _(
                "Time in whole seconds, check page or API, API key, country, valid or not, and codes of the reasons. "
                "No IBAN and no address: so nothing can be searched or erased by IBAN."
            ),
        ),
    ),
    (
        Mode.FULL.value,
        Choice(
            _("Full"),
            _(
                "As verdict only, and the IBAN, its bank code and BIC, and the caller's address, sealed with a key of "
                "your account alone. A keyed hash (HMAC) lets you search and erase by IBAN."
            ),
        ),
    ),
)
KEEP: Final = "keep"
APPLY: Final = "apply"


class LoggingForm(HouseForm):
    """What is kept of a check, and for how long."""

    marks_optional_fields = False

    mode = forms.ChoiceField(
        label=_("What shall we keep of each check?"),
        choices=MODES,
        widget=Radios,
        error_messages={"required": _("Choose one.")},
    )
    days = forms.IntegerField(
        label=_("For how many days?"),
        validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)],
        help_text=_("From 1 to 365. A record is deleted when its last day (UTC) is over."),
        widget=forms.NumberInput(attrs={"min": LEAST_DAYS, "max": MOST_DAYS, "inputmode": "numeric"}),
    )

    @classmethod
    def showing(cls, choice: logging_mode.Choice) -> "LoggingForm":
        """Return the form with what is chosen today."""
        return cls(initial={"mode": choice.mode.value, "days": choice.days})

    def choice(self) -> logging_mode.Choice:
        """Return what was chosen, once the form is valid."""
        return logging_mode.Choice(Mode(self.cleaned_data["mode"]), self.cleaned_data["days"])


class OlderForm(HouseForm):
    """What shall become of the records that are there already."""

    older = forms.ChoiceField(
        label=_("What shall become of them?"), widget=Radios, error_messages={"required": _("Choose one.")}
    )

    def __init__(self, *args: Any, choice: logging_mode.Choice, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["older"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [(KEEP, _KEPT), (APPLY, _APPLIED[choice.mode])]


_KEPT: Final = Choice(
    _("Keep them until they expire"),
    _("Each stays as it is until its own last day. You can still delete them one by one, or ask for this again."),
)
_APPLIED: Final = {
    Mode.OFF: Choice(_("Erase them now"), _("All of them are deleted. This cannot be undone.")),
    Mode.VERDICT: Choice(
        _("Reduce them now"),
        _(
            "IBAN, bank, address and the hash for searching are removed from them for ever, and whatever is older than "
            "the days that you have chosen is deleted. This cannot be undone."
        ),
    ),
    Mode.FULL: Choice(
        _("Shorten them now"),
        _(
            "Each ends as many days after its check as you have chosen, and whatever is older than that is deleted. "
            "This cannot be undone."
        ),
    ),
}
"""What it means for older records to be as the mode would have it."""
