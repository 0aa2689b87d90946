"""Forms for what is stored about checks, and for what happens to older records when less is to be stored."""

from typing import Any, Final

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts.forms.base import BaseForm
from accounts.forms.choices import Option, Radios
from privacy.check_logging import mode as check_logging_mode
from privacy.models import LEAST_DAYS, MOST_DAYS, Mode

MODES: Final = (
    (
        Mode.OFF.value,
        Option(
            _("Off"),
            _("Nothing is stored: no IBAN, no result, no time, no IP address. Only what is listed below remains."),
        ),
    ),
    (
        Mode.VERDICT.value,
        Option(
            _("Result only"),
            _(
                "Time in whole seconds, check page or API, API key, country, valid or not, and reason "
                "codes. No IBAN and no IP address, so it is not possible to search or delete by IBAN."
            ),
        ),
    ),
    (
        Mode.FULL.value,
        Option(
            _("Full"),
            _(
                "The same as “Result only”, plus the IBAN, its bank code and BIC, and the caller's IP "
                "address, encrypted with your company's own key. A keyed hash (HMAC) lets you search and "
                "delete by IBAN."
            ),
        ),
    ),
)
KEEP: Final = "keep"
APPLY: Final = "apply"


class LoggingForm(BaseForm):
    """What is stored about a check, and for how many days."""

    marks_optional_fields = False

    mode = forms.ChoiceField(
        label=_("What should we store about each check?"),
        choices=MODES,
        widget=Radios,
        error_messages={"required": _("Choose an option.")},
    )
    days = forms.IntegerField(
        label=_("For how many days?"),
        validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)],
        help_text=_("From 1 to 365. A record is deleted at the end of its last day (UTC)."),
        widget=forms.NumberInput(attrs={"min": LEAST_DAYS, "max": MOST_DAYS, "inputmode": "numeric"}),
    )

    @classmethod
    def showing(cls, choice: check_logging_mode.Choice) -> "LoggingForm":
        """Return the form with the current settings."""
        return cls(initial={"mode": choice.mode.value, "days": choice.days})

    def choice(self) -> check_logging_mode.Choice:
        """Return the submitted settings; the form is valid."""
        return check_logging_mode.Choice(Mode(self.cleaned_data["mode"]), self.cleaned_data["days"])


class OlderForm(BaseForm):
    """What happens to existing records that the new settings would not have stored."""

    older = forms.ChoiceField(
        label=_("What should happen to them?"), widget=Radios, error_messages={"required": _("Choose an option.")}
    )

    def __init__(self, *args: Any, choice: check_logging_mode.Choice, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["older"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [(KEEP, _UNCHANGED), (APPLY, _APPLIED[choice.mode])]


_UNCHANGED: Final = Option(
    _("Keep until they expire"),
    _(
        "Each record stays unchanged until its own last day. You can still delete records one by one, or "
        "change your mind later."
    ),
)
_APPLIED: Final = {
    Mode.OFF: Option(_("Delete now"), _("All of them are deleted. This cannot be undone.")),
    Mode.VERDICT: Option(
        _("Reduce now"),
        _(
            "IBAN, bank, IP address and the search hash are permanently removed from them, and anything "
            "older than the number of days you have chosen is deleted. This cannot be undone."
        ),
    ),
    Mode.FULL: Option(
        _("Shorten now"),
        _(
            "Each record expires the chosen number of days after its check, and anything older is "
            "deleted. This cannot be undone."
        ),
    ),
}
"""What applying each mode to older records means."""
