"""Forms of contact details, billing details and a user's own profile."""

import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms.base import BaseForm
from accounts.forms.lines import LineField
from accounts.profile import countries, vat
from accounts.profile.details import Billing, Contact


class PostalAddressForm(BaseForm):
    """The fields of a postal address."""

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
    country = forms.ChoiceField(
        label=_("Country"),
        required=False,
        choices=lambda: [("", "–"), *countries.choices()],
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )


class ContactForm(PostalAddressForm):
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
    field_order = ("company", "organisation_number", "person", "phone")

    def details(self) -> Contact:
        """Return what was typed, once the form is valid."""
        return Contact(**self.cleaned_data)


class BillingForm(PostalAddressForm):
    """Whom to invoice."""

    company = LineField(
        label=_("Company on the invoice"), widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
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
    field_order = ("company",)

    def clean(self) -> dict[str, Any]:
        """Bring the VAT number into its canonical form, using the country field."""
        cleaned = super().clean() or self.cleaned_data
        vat_number, country = cleaned.get("vat_number"), cleaned.get("country", "")
        if vat_number:
            try:
                cleaned["vat_number"] = vat.parse(vat_number, country)
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
    """Return UTC and the named time zones, grouped by continent."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        continent, slash, place = name.partition("/")
        if slash and continent in _CONTINENTS:
            groups.setdefault(continent, []).append((name, place.replace("_", " ")))
    return [("UTC", [("UTC", "UTC")]), *groups.items()]


class ProfileForm(BaseForm):
    """A user's own name, language and time zone."""

    name = LineField(label=_("Name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("For these pages and for the e-mails we send you."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, help_text=_("Times in your account are shown in this time zone.")
    )
