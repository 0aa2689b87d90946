"""Which check records to show, erase or export, as a form and as a URL.

The IBAN that somebody searches for is in no URL: its blind index is, sealed afresh each time.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.forms.base import BaseForm
from accounts.models import Client, UsageDay
from privacy import vault
from validation.engine.normalise import MAX_INPUT_CHARACTERS, normalise
from validation.records import presenter, store
from validation.records.search import Cursor, RecordFilter
from validation.site import countries

_PURPOSE: Final = "log.search"
NO_COUNTRY: Final = "none"
_FORMATS: Final = (
    ("%Y-%m-%d", timedelta(days=1)),
    ("%Y-%m-%dT%H:%M", timedelta(minutes=1)),
    ("%Y-%m-%d %H:%M", timedelta(minutes=1)),
    ("%Y-%m-%dT%H:%M:%S", timedelta(seconds=1)),
    ("%Y-%m-%d %H:%M:%S", timedelta(seconds=1)),
)
"""How a time may be written, as browsers do or by hand, and how long what is written lasts."""


class SpanField(forms.Field):
    """A day, a minute or a second in the reader's time zone; gives its beginning and its end, both in UTC."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})

    def to_python(self, value: Any) -> tuple[datetime, datetime] | None:
        """Return the span, or None for nothing; raises ValidationError `malformed`."""
        text = str(value or "").strip()
        if not text:
            return None
        for written_as, length in _FORMATS:
            try:
                begins = datetime.strptime(text, written_as)  # noqa: DTZ007 - the reader's zone is put in below
            except ValueError:
                continue
            if 2000 <= begins.year < 2100:
                return _in_utc(begins), _in_utc(begins + length)
        raise ValidationError(_("Enter a date and time: 2026-11-24 14:30."), code="malformed")


def _in_utc(local: datetime) -> datetime:
    # An hour that comes twice is taken for the first one; one that never comes, for the one beside it.
    return timezone.make_aware(local).astimezone(UTC)


class RecordFilterForm(BaseForm):
    """Which checks to show. What is not filled in does not matter."""

    marks_optional_fields = False

    since = SpanField(label=_("From"), required=False)
    until = SpanField(label=_("To"), required=False)
    verdict = forms.ChoiceField(
        label=_("Result"),
        required=False,
        choices=[
            ("", _("any")),
            ("valid", pgettext_lazy("IBAN", "valid")),
            ("invalid", pgettext_lazy("IBAN", "not valid")),
        ],
    )
    country = forms.ChoiceField(
        label=_("Country"),
        required=False,
        choices=lambda: [("", _("any")), (NO_COUNTRY, _("not known")), *countries.choices()],
    )
    source = forms.ChoiceField(
        label=_("Source"), required=False, choices=lambda: [("", _("any")), *UsageDay.Source.choices]
    )
    key = forms.ChoiceField(label=_("Key"), required=False)
    number = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, client: Client, **options: Any) -> None:
        super().__init__(*args, **options)
        self.client = client
        keys = [(str(key.id), f"{key.name} ({key.prefix}…)") for key in presenter.key_labels(client)]
        cast(forms.ChoiceField, self.fields["key"]).choices = [("", _("any")), *keys]

    def clean_number(self) -> bytes | None:
        """Open the index of an IBAN that was searched for."""
        token = self.cleaned_data["number"]
        if not token:
            return None
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            return vault.unseal(self.client.pk, sealed, purpose=_PURPOSE, record="number")
        except (vault.VaultError, binascii.Error, ValueError):
            problem = _("This search is invalid. Search for the number again.")
            raise ValidationError(problem, code="unreadable") from None

    def clean(self) -> dict[str, Any]:
        """Refuse a span that ends before it begins, and an index that is not the client's."""
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until[1] <= since[0]:
            self.add_error("until", _("The end is before the start."))
        if "number" in self.errors:
            # Its field is hidden.
            self.add_error(None, self.errors.pop("number"))
        return cleaned

    def record_filter(self) -> RecordFilter:
        """Return the filter of a valid form."""
        chosen = self.cleaned_data
        country = chosen["country"]
        return RecordFilter(
            since=chosen["since"][0] if chosen["since"] else None,
            until=chosen["until"][1] if chosen["until"] else None,
            source=chosen["source"],
            key=UUID(chosen["key"]) if chosen["key"] else None,
            is_valid=chosen["verdict"] == "valid" if chosen["verdict"] else None,
            country=("" if country == NO_COUNTRY else country) if country else None,
            iban_index=chosen["number"],
        )

    def chosen(self) -> list[tuple[str, str]]:
        """Return what is filled in, as people read it; the number is hidden."""
        labels = []
        for field in self.visible_fields():
            value = self.data.get(field.name, "")
            names = {str(code): str(name) for code, name in getattr(field.field, "choices", ())}
            if value:
                labels.append((str(field.label), names.get(value, value.replace("T", " "))))
        return labels

    def query(self) -> dict[str, str]:
        """Return what is filled in, for the query of a URL or the hidden fields of a form."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}


class IbanSearchForm(BaseForm):
    """The IBAN to search for."""

    iban = forms.CharField(
        label=_("IBAN"),
        max_length=MAX_INPUT_CHARACTERS,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "class": "figures"}
        ),
    )

    def clean_iban(self) -> str:
        """Refuse what has nothing in it but separators."""
        text: str = self.cleaned_data["iban"]
        if not normalise(text):
            raise ValidationError(_("Enter the number that you are looking for."), code="empty")
        return text


def search_token(client: Client, iban: str) -> str:
    """Return what stands for an IBAN in a URL, however it is written: its blind index, sealed for the client.

    Two tokens of one IBAN have nothing in common, so that a list of URLs does not reveal which are the same.
    """
    sealed = vault.seal(client.pk, store.blind_index(client.pk, iban), purpose=_PURPOSE, record="number")
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def format_cursor(cursor: Cursor) -> str:
    """Return a cursor as it stands in a URL."""
    return f"{int(cursor.at.timestamp())}-{cursor.id.hex}"


def parse_cursor(text: str | None) -> Cursor | None:
    """Return the cursor of a URL; None for anything else, which shows the first page."""
    second, _dash, number = (text or "").partition("-")
    try:
        return Cursor(datetime.fromtimestamp(int(second), UTC), UUID(hex=number))
    except (ValueError, OverflowError, OSError):
        return None
