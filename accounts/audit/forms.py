"""Forms of the audit log: filters, and the earlier checkpoint to verify it against."""

from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit.events import CLIENT_EVENTS
from accounts.forms.base import BaseForm


def _day_field(label: Any) -> forms.DateField:
    # A browser's date field uses ISO dates, whatever the language of the page.
    return forms.DateField(
        label=label,
        required=False,
        validators=[MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


class AuditLogFilter(BaseForm):
    """Which entries of the audit log to show."""

    marks_optional_fields = False

    kind = forms.ChoiceField(
        label=_("What"),
        required=False,
        choices=lambda: [
            ("", _("everything")),
            *((event.value, description.text) for event, description in CLIENT_EVENTS.items()),
        ],
    )
    person = forms.ChoiceField(label=_("Who"), required=False)
    since = _day_field(_("From"))
    until = _day_field(_("To"))

    def __init__(self, *args: Any, people: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        cast(forms.ChoiceField, self.fields["person"]).choices = [("", _("everyone")), *people]

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it starts."""
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day is before the first day."))
        return cleaned

    def filters(self) -> dict[str, Any]:
        """Return the arguments of client_log.entries(); days are those of the reader's time zone."""
        chosen = self.cleaned_data
        return {
            "tag": chosen.get("kind", ""),
            "actor": UUID(chosen["person"]) if chosen.get("person") else None,
            "since": _midnight(chosen["since"]) if chosen.get("since") else None,
            "until": _midnight(chosen["until"] + timedelta(days=1)) if chosen.get("until") else None,
        }


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class StaffCheckpointForm(BaseForm):
    """An earlier checkpoint of the staff audit log to compare it with."""

    checkpoint = forms.CharField(
        label=_("An earlier statement"),
        required=False,
        max_length=2000,
        help_text=_("It also lets us check whether the newest entries have been removed."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )


class CheckpointForm(BaseForm):
    """The last line of an earlier export to compare the audit log with."""

    checkpoint = forms.CharField(
        label=_("Last line of an earlier export"),
        required=False,
        max_length=2000,
        help_text=_("Optional. It also lets us check whether the newest entries have been removed."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
