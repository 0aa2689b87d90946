"""A client with a row in every table, and a search for what is left of a deleted one."""

from datetime import timedelta
from typing import Final
from uuid import uuid4

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.auth.models import Group
from django.core import mail
from django.test import override_settings
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Client, StaffEntry, User
from accounts.personal_data.schema import Value
from accounts.profile import details
from accounts.staff import notes, support_access, unmasking
from accounts.staff.groups import SUPPORT, sync
from accounts.staff.justification import Justification
from accounts.team import invitations, owner_recovery
from apikeys.models import QuotaLease, QuotaMonth
from privacy import legal
from privacy.check_logging import cutoff, mode
from privacy.check_logging.mode import Choice
from privacy.export import exports
from privacy.inventory import registry
from privacy.models import Mode
from tests.base import Person

IBAN: Final = "SE4550000000058398257466"
NAMES: Final = ("Grown Company", "Grown Billing", "Grown Name", "Grown Key", "Grown Note")


def grow(owner: Person, sub_user: Person) -> str:
    """Give the owner's client a row in every table that a client can have rows in; return an API key of it."""
    client, by = owner.client, owner.user
    details.save_contact(client, details.Contact(company=NAMES[0], street="Grown Street", city="Grown"), by=Actor(by))
    details.save_billing(client, details.Billing(company=NAMES[1]), by=Actor(by))
    details.save_name(by, NAMES[2])
    invitations.invite(client, f"invited-{by.email}", by=Actor(by))
    owner_recovery.request(sub_user.user, reason="lost")
    staff, _is_new = User.objects.get_or_create(email="staff@operator.example", is_staff=True)
    sync()
    staff.groups.set(Group.objects.filter(name=SUPPORT))
    justification = Justification(Actor(staff), "T-7", "Grown Operator Note")
    notes.add(client, justification, attempt=uuid4())
    unmasking.open(client, justification, form=unmasking.form_token(client, staff))
    support_access.grant(client, "day", by=Actor(by))
    for person in (owner, sub_user):
        email = EmailAddress.objects.create(user=person.user, email=person.user.email, verified=True, primary=True)
        Authenticator.objects.create(user=person.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        session = person.browser.session.session_key or ""
        UserSession.objects.create(user=person.user, ip="192.0.2.7", session_key=session, user_agent="Grown Browser")
    EmailConfirmation.objects.create(email_address=email, key=f"confirm-{by.pk}", sent=timezone.now())
    token = owner.key(name=NAMES[3], networks=["192.0.2.7"])
    key = client.keys.get()
    owner.posts(f"/keys/{key.pk}/networks/add/", {"network": "192.0.2.8", "note": NAMES[4]})
    mode.choose(client, Choice(Mode.FULL, 90), by=Actor(by))
    owner.checks(IBAN)
    QuotaMonth.objects.get_or_create(client=client, month=timezone.now().date().replace(day=1))
    QuotaLease.objects.create(holder=client.pk, client=client, month=timezone.now().date().replace(day=1), units=1)
    key.usage.get_or_create(day=timezone.now().date())
    cutoff.set_cutoff(client, timezone.now() - timedelta(days=1))
    exports.request_export(client, by=Actor(by))
    with override_settings(OPERATOR_NAME="Operator", OPERATOR_ADDRESS="Operator", SUBPROCESSORS=()):
        legal.request_document(client, "agreement", "en", by=Actor(by))
    mail.outbox.clear()
    empty = {name for name, rows in registry.count(client).items() if not rows}
    assert empty == {"deletions"}, empty
    return token


def traces(client: Client, users: list[User]) -> list[str]:
    """Return each table of the main database with a row that names the client or one of these users in any field."""
    wanted = [str(client.pk), client.pk.hex]
    wanted += [text for user in users for text in (str(user.pk), user.pk.hex, user.email)]
    found = []
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label == "vault":
            continue
        if model is StaffEntry:  # It has the random id of a deleted account, and nothing else of it.
            continue
        names = [field.attname for field in model._meta.concrete_fields]
        rows = [repr(row) for row in model._default_manager.values_list(*names)]
        found += [model._meta.label for row in rows if any(text in row for text in wanted)]
    return found


def everything_of(client: Client) -> dict[str, list[dict[str, Value]]]:
    """Return all that is stored about a client, as its owner would get it."""
    return {table.name: list(table.rows) for table in registry.export(client)}
