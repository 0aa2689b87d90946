"""The forms of API keys."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refusal
from accounts.forms import idempotency
from accounts.forms.base import BaseForm
from accounts.forms.choices import Checkboxes, Option, Radios
from accounts.forms.lines import LineField
from apikeys import keys, messages, scopes
from apikeys.models import DEFAULT_RATE, ApiKey

_MOST_NETWORK_CHARACTERS: Final = 64
_NETWORK_HINTS: Final = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


KINDS: Final = (
    ("live", Option(_("Live"), _("For your programs. Its checks count against the monthly quota."))),
    ("test", Option(_("Test"), _("For testing. It checks like a live key, costs nothing and is never logged."))),
)
ADDRESSES: Final = (
    (
        "any",
        Option(
            _("Any IP address"),
            _("Anyone who has the key can use it from anywhere. Choose this only if your IP addresses change."),
        ),
    ),
    ("only", Option(_("Only these IP addresses"), _("Recommended: a stolen key is useless elsewhere."))),
)
OVERLAPS: Final = (
    ("0", Option(_("Immediately"), _("The old key is revoked now. Choose this if others may have seen it."))),
    ("24", Option(_("After 24 hours"), _("Both work for a day."))),
    ("168", Option(_("After 7 days"), _("Both work for a week, so you can update your programs one at a time."))),
)
"""The hours of keys.OVERLAPS and their texts."""


class KeyForm(BaseForm):
    """What can be changed of a key."""

    name = LineField(
        label=_("Name"),
        help_text=_("What it is used for, for example “Accounting system”. Only owners of your account see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=list(scopes.SCOPES.items()),
        widget=Checkboxes,
        error_messages={"required": _("Choose at least one.")},
    )
    expires_on = forms.DateField(
        label=_("Last day"),
        help_text=_("The key works until the end of this day, at most three years from now. We remind you by e-mail."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    rate_per_minute = forms.IntegerField(label=_("Calls per minute"))

    def __init__(self, *args: Any, key: ApiKey | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.key = key
        most = settings.MOST_CALLS_PER_MINUTE
        rate = self.fields["rate_per_minute"]
        rate.validators += [MinValueValidator(1), MaxValueValidator(most)]
        rate.widget.attrs |= {"min": 1, "max": most}
        rate.help_text = _("From 1 to %(most)s. Further calls are refused until the rate drops again.") % {
            "most": number_format(most)
        }
        today = timezone.localdate()
        self.fields["expires_on"].widget.attrs |= {
            "min": _first_day(today).isoformat(),
            "max": _last_day(today).isoformat(),
        }

    def clean_expires_on(self) -> date:
        """Refuse a day in the past or too far away; the present one of the key may stay."""
        day: date = self.cleaned_data["expires_on"]
        today = timezone.localdate()
        if self.key and day == timezone.localdate(self.key.expires_at):
            return day
        if day < _first_day(today):
            raise ValidationError(_("Choose tomorrow or a later date."), code="too_early")
        if day > _last_day(today):
            raise ValidationError(_("Choose a date within the next three years."), code="too_late")
        return day

    def draft(self) -> keys.Draft:
        """Return the content of the valid form."""
        cleaned = self.cleaned_data
        return keys.Draft(
            name=cleaned["name"],
            scopes=tuple(cleaned["scopes"]),
            rate_per_minute=cleaned["rate_per_minute"],
            expires_at=self._expires_at(cleaned["expires_on"]),
            is_test=self.key.is_test if self.key else cleaned["kind"] == "test",
            any_address=self.key.any_address if self.key else cleaned["addresses"] == "any",
            networks=() if self.key else cleaned["networks"],
        )

    def _expires_at(self, day: date) -> datetime:
        # A colleague in another time zone who leaves the day unchanged must not move the expiry by hours.
        if self.key and day == timezone.localdate(self.key.expires_at):
            return self.key.expires_at
        return timezone.make_aware(datetime.combine(day, time(23, 59, 59)))

    def refuse(self, refusal: Refusal, field: str | None = None) -> None:
        """Show why the action was refused, at the field or above the form."""
        self.add_error(field, messages.refusal(refusal))


class NewKeyForm(KeyForm):
    """What is decided about a new key."""

    attempt = idempotency.TokenField()
    kind = forms.ChoiceField(label=_("Type"), choices=KINDS, widget=Radios)
    addresses = forms.ChoiceField(label=_("Allowed IP addresses"), choices=ADDRESSES, widget=Radios)
    networks = forms.CharField(
        label=_("IP addresses"),
        required=False,
        max_length=keys.MOST_NETWORKS * _MOST_NETWORK_CHARACTERS,
        help_text=_(
            "One per line, for example 192.0.2.7 or 2001:db8::/48. You can add notes and change the list later."
        ),
        widget=forms.Textarea(attrs={"rows": 3, **_NETWORK_HINTS}),
    )
    field_order = ("name", "kind", "scopes", "addresses", "networks", "expires_on", "rate_per_minute", "attempt")

    @classmethod
    def fresh(cls) -> "NewKeyForm":
        """Return the form with its first values."""
        today = timezone.localdate()
        initial = {
            "kind": "live",
            "scopes": ["validate"],
            "addresses": "any",
            "expires_on": today + keys.DEFAULT_LIFE,
            "rate_per_minute": min(DEFAULT_RATE, settings.MOST_CALLS_PER_MINUTE),
        }
        return cls(initial=initial)

    def clean(self) -> dict[str, Any]:
        """Parse the IP addresses line by line; they are ignored when any address may call."""
        cleaned = super().clean() or self.cleaned_data
        lines = cleaned.get("networks", "").splitlines() if cleaned.get("addresses") == "only" else []
        found: list[str] = []
        for line in filter(None, map(str.strip, lines)):
            try:
                found.append(keys.canonical(line))
            except Refusal as refusal:
                problem = _("“%(line)s”: %(problem)s") % {"line": line[:50], "problem": messages.refusal(refusal)}
                self.add_error("networks", problem)
        cleaned["networks"] = tuple(found)
        return cleaned


class NetworkForm(BaseForm):
    """An IP address or network to add to the list of a key."""

    network = forms.CharField(
        label=_("IP address or network"),
        max_length=_MOST_NETWORK_CHARACTERS,
        help_text=_("For example 192.0.2.7, 192.0.2.0/24, 2001:db8::7 or 2001:db8::/48."),
        widget=forms.TextInput(attrs=_NETWORK_HINTS),
    )
    note = LineField(
        label=_("Note"),
        required=False,
        max_length=keys.MOST_NOTE_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def refuse(self, refusal: Refusal, field: str | None = None) -> None:
        """Show why the action was refused, at the field or above the form."""
        self.add_error(field, messages.refusal(refusal))


class RotationForm(BaseForm):
    """How long the old key continues to work."""

    overlap = forms.ChoiceField(label=_("When should the old key stop working?"), choices=OVERLAPS, widget=Radios)

    def duration(self) -> timedelta:
        """Return the choice of the valid form, one of keys.OVERLAPS."""
        return timedelta(hours=int(self.cleaned_data["overlap"]))


def _first_day(today: date) -> date:
    return today + timedelta(days=1)


def _last_day(today: date) -> date:
    return today + keys.LONGEST_LIFE
