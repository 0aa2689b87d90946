"""The form of the contact page. Only the fields listed here are read from what is posted."""

import unicodedata
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.forms.base import BaseForm
from accounts.forms.lines import LineField
from accounts.models import User
from privacy.contact import messages
from privacy.models import ContactMessage


class _TextField(forms.CharField):
    """A text of several lines: line breaks become one character, and control characters are removed.

    It is never truncated: a text that is too long is refused with its length.
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
    # Joiners shape letters and emoji; characters that control a terminal or the writing direction are removed.
    return character in "\n\t\u200c\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


class ContactMessageForm(BaseForm):
    """A message to the operator."""

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
        """Return the form for a visitor, with the e-mail address of a signed-in user filled in."""
        return cls(initial={"email": request.user.email if isinstance(request.user, User) else ""})

    @cached_property
    def message_id(self) -> UUID:
        """The ID of the message, generated with the form and posted with it: a second click sends the same message."""
        try:
            return UUID(self.data.get("number", ""))
        except ValueError:
            return uuid4()

    def clean_message(self) -> str:
        """Refuse a text that is too long, with its length."""
        text: str = self.cleaned_data["message"]
        if len(text) > messages.MOST_CHARACTERS:
            problem = _("Your text has %(typed)s characters; the limit is %(most)s. Nothing was cut off.")
            lengths = {"typed": number_format(len(text)), "most": number_format(messages.MOST_CHARACTERS)}
            raise ValidationError(problem, code="too_long", params=lengths)
        return text

    def clean(self) -> dict[str, Any]:
        """Refuse a form whose hidden field was filled in, which only programs do."""
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
        """Return whether the same message has been received already; the form is valid."""
        return messages.is_same(self.message_id, self.cleaned_data["subject"], self._words())

    def send(self) -> UUID:
        """Store the message for the operator and return its ID; the form is valid."""
        return messages.receive(self.message_id, self.cleaned_data["subject"], self._words())

    def _words(self) -> messages.Words:
        data = self.cleaned_data
        return messages.Words(data["name"], data["email"], data["message"])
