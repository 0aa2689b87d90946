"""Contact details, billing details and users' names: sealed and opened here, stored in clear nowhere."""

import json
from dataclasses import asdict, dataclass
from typing import Final

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.models import BillingDetails, Client, ContactDetails, User
from privacy import vault


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a client."""

    company: str = ""
    person: str = ""
    phone: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    """ISO 3166 code."""
    organisation_number: str = ""
    """As registered in the country: letters, digits and signs, not checked."""


@dataclass(frozen=True, slots=True)
class Billing:
    """Whom to invoice."""

    company: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    """ISO 3166 code."""
    vat_number: str = ""
    reference: str = ""
    invoice_email: str = ""


_NAME: Final = "user.name"


def contact(client: Client) -> Contact:
    """Return the contact details, empty when none are stored."""
    row = ContactDetails.objects.filter(client=client).first()
    return Contact(**_opened(client, "contact", row.sealed)) if row else Contact()


def billing(client: Client) -> Billing:
    """Return the billing details, empty when none are stored."""
    row = BillingDetails.objects.filter(client=client).first()
    return Billing(**_opened(client, "billing", row.sealed)) if row else Billing()


def save_contact(client: Client, new: Contact, *, by: Actor) -> None:
    """Store the contact details and record which fields changed; saving the same again does nothing."""
    with transaction.atomic():
        Client.objects.lock(client)
        changed = _changed(asdict(contact(client)), asdict(new))
        if changed:
            sealed = _sealed(client, "contact", asdict(new))
            ContactDetails.objects.update_or_create(client=client, defaults={"sealed": sealed})
            audit.record(AuditEvent.CONTACT_CHANGED, client=client, by=by, detail={"fields": changed})


def save_billing(client: Client, new: Billing, *, by: Actor) -> None:
    """Store the billing details and record which fields changed; saving the same again does nothing."""
    with transaction.atomic():
        Client.objects.lock(client)
        changed = _changed(asdict(billing(client)), asdict(new))
        if changed:
            sealed = _sealed(client, "billing", asdict(new))
            BillingDetails.objects.update_or_create(client=client, defaults={"sealed": sealed})
            audit.record(AuditEvent.BILLING_CHANGED, client=client, by=by, detail={"fields": changed})


def name(user: User) -> str:
    """Return the user's name, empty when none is stored."""
    if not user.sealed_name:
        return ""
    return vault.unseal_text(user.key_owner, user.sealed_name, purpose=_NAME, record=str(user.pk))


def save_name(user: User, text: str) -> None:
    """Store the user's name; the caller records the action in the audit log."""
    user.sealed_name = vault.seal(user.key_owner, text, purpose=_NAME, record=str(user.pk)) if text else b""
    user.save(update_fields=["sealed_name"])


def _sealed(client: Client, purpose: str, values: dict[str, str]) -> bytes:
    text = json.dumps(values, ensure_ascii=False)
    return vault.seal(client.pk, text, purpose=purpose, record=str(client.pk))


def _opened(client: Client, purpose: str, sealed: bytes | memoryview) -> dict[str, str]:
    text = vault.unseal_text(client.pk, sealed, purpose=purpose, record=str(client.pk))
    values: dict[str, str] = json.loads(text)
    return values


def _changed(old: dict[str, str], new: dict[str, str]) -> str:
    """Return the names of the fields that differ, without their values."""
    return ", ".join(field for field in new if new[field] != old[field])
