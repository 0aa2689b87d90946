"""The parties that a document names, and which of their details are missing."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import Client
from accounts.profile import countries, details

NEEDED: Final = ("company", "street", "city")
"""Contact details without which an agreement cannot name the client."""
WELCOME: Final = ("organisation_number", "postcode", "country", "person")


@dataclass(frozen=True, slots=True)
class Party:
    """A party to a document."""

    name: str
    number: str
    """The organisation number."""
    address: str
    """Of several lines."""
    person: str = ""


def client(of: Client) -> Party:
    """Return the client, from its contact details."""
    contact = details.contact(of)
    place = " ".join(filter(None, [contact.postcode, contact.city]))
    country = countries.name(contact.country) if contact.country else ""
    lines = filter(None, [contact.street, place, country])
    return Party(contact.company, contact.organisation_number, "\n".join(lines), contact.person)


def operator() -> Party:
    """Return the operator of the service, from the settings."""
    return Party(settings.OPERATOR_NAME, settings.OPERATOR_NUMBER, settings.OPERATOR_ADDRESS)


def missing(of: Client, fields: tuple[str, ...]) -> list[str]:
    """Return which of these contact details are not filled in."""
    contact = details.contact(of)
    return [field for field in fields if not getattr(contact, field)]


def operator_is_named() -> bool:
    """Return whether the settings name the operator and its subprocessors: without them, nothing can be signed."""
    return bool(settings.OPERATOR_NAME and settings.OPERATOR_ADDRESS and settings.SUBPROCESSORS is not None)


def facts(title: str, party: Party) -> tuple[str, str]:
    """Return the lines of a document that name a party."""
    number = [_("Organisation number: %(number)s") % {"number": party.number}] if party.number else []
    person = [_("Contact person: %(person)s") % {"person": party.person}] if party.person else []
    return title, "\n".join([party.name, *number, party.address, *person])
