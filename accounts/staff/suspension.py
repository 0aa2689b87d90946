"""Shutting a client out and letting it in again. Nothing is deleted by it, and no deletion is held up by it."""

from django.db import transaction
from django.utils import timezone

from accounts.audit.events import AuditEvent
from accounts.models import Client
from accounts.staff.justification import Justification, lock_client, record_action


def suspend(client: Client, justification: Justification) -> bool:
    """Refuse the client's keys on every worker within two seconds, and shut its pages but for what the law grants.

    Returns whether it was active before. Raises Refusal `client_closing`, `client_gone`.
    """
    with transaction.atomic():
        client = lock_client(client.pk)
        if client.state == Client.State.SUSPENDED:
            return False
        client.state, client.suspended_at = Client.State.SUSPENDED, timezone.now()
        client.save(update_fields=["state", "suspended_at"])
        record_action(AuditEvent.CLIENT_SUSPENDED, client, justification)
    return True


def reopen(client: Client, justification: Justification) -> bool:
    """Let a suspended client in again; its keys work within two seconds.

    Returns whether it was suspended before. Raises Refusal `client_closing`, `client_gone`: such a client is not
    brought back to life by this.
    """
    with transaction.atomic():
        client = lock_client(client.pk)
        if client.state == Client.State.ACTIVE:
            return False
        client.state, client.suspended_at = Client.State.ACTIVE, None
        client.save(update_fields=["state", "suspended_at"])
        record_action(AuditEvent.CLIENT_REOPENED, client, justification)
    return True
