"""What the pages of privacy accept: the fields listed here, and nothing else that is posted."""

import unicodedata
from typing import Any, Final
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.forms.base import BaseForm
from accounts.forms.choices import Choice, Radios
from accounts.forms.lines import LineField
from accounts.models import User
from privacy.check_logging import mode as check_logging_mode
from privacy.contact import messages
from privacy.models import LEAST_DAYS, MOST_DAYS, ClientDocument, ContactMessage, Mode

MODES: Final = (
    (
        Mode.OFF.value,
        Choice(
            _("Off"),
            _("Nothing is stored: no IBAN, no result, no time, no IP address. Only what is listed below remains."),
        ),
    ),
    (
        Mode.VERDICT.value,
        Choice(
            _("Result only"),
            _(
                "Time in whole seconds, check page or API, API key, country, valid or not, and reason "
                "codes. No IBAN and no IP address, so it is not possible to search or delete by IBAN."
            ),
        ),
    ),
    (
        Mode.FULL.value,
        Choice(
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
    """What is kept of a check, and for how long."""

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
        """Return the form with what is chosen today."""
        return cls(initial={"mode": choice.mode.value, "days": choice.days})

    def choice(self) -> check_logging_mode.Choice:
        """Return what was chosen, once the form is valid."""
        return check_logging_mode.Choice(Mode(self.cleaned_data["mode"]), self.cleaned_data["days"])


class OlderForm(BaseForm):
    """What shall become of the records that are there already."""

    older = forms.ChoiceField(
        label=_("What should happen to them?"), widget=Radios, error_messages={"required": _("Choose an option.")}
    )

    def __init__(self, *args: Any, choice: check_logging_mode.Choice, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["older"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [(KEEP, _KEPT), (APPLY, _APPLIED[choice.mode])]


_KEPT: Final = Choice(
    _("Keep until they expire"),
    _(
        "Each record stays unchanged until its own last day. You can still delete records one by one, or "
        "change your mind later."
    ),
)
_APPLIED: Final = {
    Mode.OFF: Choice(_("Delete now"), _("All of them are deleted. This cannot be undone.")),
    Mode.VERDICT: Choice(
        _("Reduce now"),
        _(
            "IBAN, bank, IP address and the search hash are permanently removed from them, and anything "
            "older than the number of days you have chosen is deleted. This cannot be undone."
        ),
    ),
    Mode.FULL: Choice(
        _("Shorten now"),
        _(
            "Each record expires the chosen number of days after its check, and anything older is "
            "deleted. This cannot be undone."
        ),
    ),
}
"""What it means for older records to be as the mode would have it."""


class _TextField(forms.CharField):
    """A text of several lines, as a person types or pastes it: line breaks are one character, invisible ones go.

    It is never cut: who pastes too much is told how much it is.
    """

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        """Return the text, composed (NFC); raises ValidationError `encoding` for bytes that were not UTF-8."""
        text = unicodedata.normalize("NFC", super().to_python(value) or "")
        if "\ufffd" in text:
            raise ValidationError(_("Part of the text is not valid UTF-8. Enter it again."), code="encoding")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
        return "".join(filter(_is_text, lines)).strip()


def _is_text(character: str) -> bool:
    # Joiners shape letters and families of emoji; whatever steers a terminal or turns the writing around is left out.
    return character in "\n\t\u200c\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


class ContactMessageForm(BaseForm):
    """What somebody writes to the operator."""

    name = LineField(label=_("Your name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        help_text=_("We will reply to this address."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    subject = forms.ChoiceField(
        label=_("What is it about?"),
        choices=[("", _("Choose")), *ContactMessage.Subject.choices],
        error_messages={"required": _("Choose an option.")},
    )
    message = _TextField(
        label=_("Your message"),
        error_messages={"required": _("Describe what it is about.")},
        help_text=_("At most 4,000 characters. Please do not send passwords, API keys or the IBAN of a real person."),
        widget=forms.Textarea(attrs={"rows": 9, "autocomplete": "off"}),
    )

    @classmethod
    def for_visitor(cls, request: HttpRequest) -> "ContactMessageForm":
        """Return the form for a visitor; who is signed in need not type the address."""
        return cls(initial={"email": request.user.email if isinstance(request.user, User) else ""})

    @cached_property
    def number(self) -> UUID:
        """The number that the message will have, made with the form and sent along: a second click sends the same."""
        try:
            return UUID(self.data.get("number", ""))
        except ValueError:
            return uuid4()

    def clean_message(self) -> str:
        """Refuse what is too long, and say by how much."""
        text: str = self.cleaned_data["message"]
        if len(text) > messages.MOST_CHARACTERS:
            said = _("Your text has %(typed)s characters; the limit is %(most)s. Nothing was cut off.")
            numbers = {"typed": number_format(len(text)), "most": number_format(messages.MOST_CHARACTERS)}
            raise ValidationError(said, code="too_long", params=numbers)
        return text

    def clean(self) -> dict[str, Any]:
        """Refuse what a program filled in: it gives itself away by a field that people do not see."""
        if self.data.get("website"):
            self.add_error(
                None,
                _(
                    "A hidden field was filled in, perhaps by your password manager. It is empty now: "
                    "please send the message again."
                ),
            )
        return super().clean() or self.cleaned_data

    def was_sent(self) -> bool:
        """Return whether this very message is here already; the form is valid."""
        return messages.is_same(self.number, self.cleaned_data["subject"], self._words())

    def send(self) -> UUID:
        """Keep the message for the operator and return its number; the form is valid."""
        return messages.receive(self.number, self.cleaned_data["subject"], self._words())

    def _words(self) -> messages.Words:
        typed = self.cleaned_data
        return messages.Words(typed["name"], typed["email"], typed["message"])


class DocumentForm(BaseForm):
    """Which document, in which language."""

    marks_optional_fields = False

    kind = forms.ChoiceField(
        label=_("Which document?"),
        choices=(
            (
                ClientDocument.Kind.AGREEMENT.value,
                Choice(
                    _("Data-processing agreement"),
                    _(
                        "What we may do with personal data, and our obligations to you (GDPR, Article 28). "
                        "Both parties sign it."
                    ),
                ),
            ),
            (
                ClientDocument.Kind.MEASURES.value,
                Choice(
                    _("Technical and organisational measures"),
                    _("How the data are protected, and how this is verified (GDPR, Article 32)."),
                ),
            ),
        ),
        widget=Radios,
        error_messages={"required": _("Choose an option.")},
    )
    language = forms.ChoiceField(label=_("Language of the document"), choices=settings.LANGUAGES)
