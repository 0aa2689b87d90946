"""What each page of the client area accepts: the fields listed here, and nothing else that is posted."""

import zoneinfo
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import messages
from accounts.audit import client_log
from accounts.errors import Refusal
from accounts.forms.choices import Choice, Radios
from accounts.forms.lines import LineField
from accounts.models import User
from accounts.profile import countries, vat
from accounts.profile.details import Billing, Contact


class BaseForm(forms.Form):
    """A form of this house: says which fields may stay empty, and tells a refused deed like a wrong field."""

    marks_optional_fields = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            if self.marks_optional_fields and not field.required:
                field.label = _("%(label)s (optional)") % {"label": field.label}

    def add_error(self, field: str | None, error: Any) -> None:
        """Tell what is wrong and let the page begin at the first field that is, so that it is seen and read out."""
        super().add_error(field, error)
        wrong = [self.fields[name].widget for name in self.fields if name in self.errors]
        for widget in wrong[1:]:
            widget.attrs.pop("autofocus", None)
        if wrong:
            wrong[0].attrs["autofocus"] = True

    def refuse(self, refusal: Refusal, field: str | None = None) -> None:
        """Tell why the deed was refused, at the field or above the form."""
        self.add_error(field, messages.refusal(refusal))


class SupportAccessForm(BaseForm):
    """For how long support has access."""

    length = forms.ChoiceField(
        label=_("How long?"),
        choices=[
            ("hour", Choice(_("One hour"), _("Enough while you are on the phone to us."))),
            ("day", Choice(_("One day"), _("Enough for a question by e-mail."))),
            ("week", Choice(_("Seven days"), _("When something needs to be investigated."))),
        ],
        widget=Radios,
        error_messages={"required": _("Choose an option.")},
    )


class InvitationForm(BaseForm):
    """Whom to invite."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("We e-mail a link that can be used once and is valid for seven days."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class JoinForm(BaseForm):
    """What an invited colleague tells of themselves."""

    name = LineField(label=_("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Choose a password"),
        max_length=1000,
        strip=False,
        help_text=_("At least 12 characters. A sentence of your own is easy to remember and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.email = email

    def clean_password(self) -> str:
        """Refuse what the password rules refuse."""
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email))
        return password


def _country_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Country"),
        required=False,
        choices=lambda: [("", "–"), *countries.choices()],
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )


class ContactForm(BaseForm):
    """How to reach a client."""

    company = LineField(label=_("Company"), widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    organisation_number = LineField(
        label=_("Organisation number"),
        required=False,
        max_length=40,
        help_text=_(
            "The number under which your organisation is registered in your country. It appears in the "
            "agreements we issue to you."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    person = LineField(label=_("Contact person"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    phone = LineField(
        label=_("Phone"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    street = LineField(
        label=_("Street and number"), required=False, widget=forms.TextInput(attrs={"autocomplete": "street-address"})
    )
    postcode = LineField(
        label=_("Postcode"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    city = LineField(label=_("City"), required=False, widget=forms.TextInput(attrs={"autocomplete": "address-level2"}))
    country = _country_field()

    def details(self) -> Contact:
        """Return what was typed, once the form is valid."""
        return Contact(**self.cleaned_data)


class BillingForm(BaseForm):
    """Whom to invoice."""

    company = LineField(
        label=_("Company on the invoice"), widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    street = LineField(
        label=_("Street and number"), required=False, widget=forms.TextInput(attrs={"autocomplete": "street-address"})
    )
    postcode = LineField(
        label=_("Postcode"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    city = LineField(label=_("City"), required=False, widget=forms.TextInput(attrs={"autocomplete": "address-level2"}))
    country = _country_field()
    vat_number = LineField(
        label=_("VAT number"),
        required=False,
        max_length=40,
        help_text=_("We only check the format, not whether it is registered or to whom."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reference = LineField(
        label=_("Your reference"),
        required=False,
        help_text=_("Printed on each invoice, such as a cost centre or an order number."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    invoice_email = forms.EmailField(
        label=_("E-mail address for invoices"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """Bring the VAT number into its one form, by the country beside it."""
        cleaned = super().clean() or self.cleaned_data
        number, country = cleaned.get("vat_number"), cleaned.get("country", "")
        if number:
            try:
                cleaned["vat_number"] = vat.parse(number, country)
            except vat.MalformedVat:
                self.add_error("vat_number", _malformed_vat(country))
        return cleaned

    def details(self) -> Billing:
        """Return what was typed, once the form is valid."""
        return Billing(**self.cleaned_data)


def _malformed_vat(country: str) -> ValidationError:
    if not country:
        return ValidationError(
            _("This is not a valid VAT number. Start with the country letters or choose the country."),
            code="vat",
        )
    return ValidationError(
        _("This is not a valid VAT number for this country: %(country)s. Check for a wrong or missing digit."),
        code="vat",
        params={"country": countries.name(country)},
    )


_CONTINENTS = frozenset(
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"]
)


@cache
def time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the time zones of places, grouped by continent, and UTC."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        continent, slash, place = name.partition("/")
        if slash and continent in _CONTINENTS:
            groups.setdefault(continent, []).append((name, place.replace("_", " ")))
    return [("UTC", [("UTC", "UTC")]), *groups.items()]


class ProfileForm(BaseForm):
    """What users decide of themselves."""

    name = LineField(label=_("Name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("For these pages and for the e-mails we send you."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, help_text=_("Times in your account are shown in this time zone.")
    )


def language_of(user: User) -> str:
    """Return the language a form of this user begins with."""
    return user.language or get_language() or settings.LANGUAGE_CODE


def _day_field(label: Any) -> forms.DateField:
    # A date field of a browser speaks ISO, whatever the language of the page.
    return forms.DateField(
        label=label,
        required=False,
        validators=[MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


class HistoryFilter(BaseForm):
    """Which entries of the history to show."""

    marks_optional_fields = False

    kind = forms.ChoiceField(
        label=_("What"),
        required=False,
        choices=lambda: [
            ("", _("everything")),
            *((tag, action.sentence) for tag, action in client_log.ACTIONS.items()),
        ],
    )
    person = forms.ChoiceField(label=_("Who"), required=False)
    since = _day_field(_("From"))
    until = _day_field(_("To"))

    def __init__(self, *args: Any, people: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        cast(forms.ChoiceField, self.fields["person"]).choices = [("", _("everyone")), *people]

    def clean(self) -> dict[str, Any]:
        """Refuse a span that ends before it begins."""
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day is before the first day."))
        return cleaned

    def narrows(self) -> dict[str, Any]:
        """Return the filters as history.entries() takes them; days are those of the reader's time zone."""
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
    """Where the staff's history ended once, to compare it with."""

    checkpoint = forms.CharField(
        label=_("An earlier statement"),
        required=False,
        max_length=2000,
        help_text=_("It also lets us check whether the newest entries have been removed."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )


class CheckpointForm(BaseForm):
    """The last line of an earlier export, to compare the history with."""

    checkpoint = forms.CharField(
        label=_("Last line of an earlier export"),
        required=False,
        max_length=2000,
        help_text=_("Optional. It also lets us check whether the newest entries have been removed."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
