"""The content of a site that is backed up, and what is found of it after a restore."""

from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import audit
from accounts.actor import SYSTEM, Actor
from accounts.audit import AuditEvent, client_log
from accounts.models import Client, User
from privacy.check_logging import mode
from privacy.deletion import execution, requesting
from privacy.models import Mode
from privacy.vault.models import DataKey
from tests.support.programs.site import create_data_key
from validation.models import ValidationRecord
from validation.records import store


def create_owner(client_id: str, email: str) -> None:
    """Let a client have an owner who stores all checks, an audit log and a session."""
    client = Client.objects.get(pk=client_id)
    owner = User.objects.create_user(email, None, client=client, role=User.Role.OWNER)
    mode.choose(client, mode.Choice(Mode.FULL, 30), by=Actor(owner))
    for index in range(20):
        detail = {"note": f"secret {index}"}
        audit.record(AuditEvent.CONTACT_CHANGED, client=client, by=Actor(owner, ip_address="192.0.2.7"), detail=detail)
    Session.objects.create(session_key=str(client.pk), session_data="", expire_date=timezone.now())


def create_user_and_data_key() -> None:
    """Let both databases have one row."""
    User.objects.create_user("owner@example.com")
    create_data_key()


def create_audit_log() -> None:
    """Make a client with three entries in its audit log."""
    client = Client.objects.create()
    for _ in range(3):
        audit.record(AuditEvent.CONTACT_CHANGED, client=client, by=SYSTEM)


def delete_account(email: str) -> int:
    """Delete an owner's whole account at once; return how many deletions were finished."""
    owner = User.objects.get(email=email)
    assert owner.client is not None
    requesting.confirm(requesting.request_deletion(owner.client, grace_days=0, by=Actor(owner)))
    return sum(isinstance(done, execution.Done) for done in execution.every_due(timezone.now()))


def count_data_keys() -> int:
    """Return how many data keys have not been destroyed."""
    return DataKey.objects.exclude(wrapped=None).count()


def read_everything() -> dict[str, Any]:
    """Return what the site has, with everything sealed opened and every hash chain verified."""
    clients = list(Client.objects.all())
    records = ValidationRecord.objects.order_by("pk")
    opened = [store.open_sealed(record.client_id, record.pk, record.sealed) for record in records]
    chains = {str(client.pk): client_log.verify(client) for client in clients}
    rows = [row for client in clients for row in client_log.open_entries(client, client_log.entries(client))]
    # A restore ends all sessions.
    counts = {model._meta.db_table: model._default_manager.count() for model in apps.get_models() if model != Session}
    return {
        "counts": counts,
        "ibans": sorted(fields.iban for fields in opened if fields),
        "chains": {client: [chain.ok, chain.entries] for client, chain in chains.items()},
        "notes": sorted(row.details.get("note", "") for row in rows),
        "keys": sorted(DataKey.objects.values_list("fingerprint", flat=True)),
    }
