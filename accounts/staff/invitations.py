"""Resending and withdrawing invitations for owners who ask for it: recorded as the operator's action."""

from django.db import transaction

from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client, Invitation
from accounts.staff.justification import Justification, lock_client, record_action
from accounts.team import invitations


def resend(invitation: Invitation, justification: Justification) -> bool:
    """Mail an invitation again in its owner's name, valid for seven days from now; the older link ends.

    Returns False when it was mailed within the last minute. Raises Refusal `invitation_over` when it was used or
    withdrawn meanwhile, `client_suspended`, `client_closing`, `client_gone`, `no_seat_left`, `too_many_invitations`.
    """
    with transaction.atomic():
        client, found = _lock(invitation)
        if client.state == Client.State.SUSPENDED:
            raise Refusal("client_suspended")
        if found is None:
            raise Refusal("invitation_over")
        if not invitations.renew(client, found):
            return False
        record_action(AuditEvent.INVITATION_RESENT_BY_OPERATOR, client, justification, email=found.email)
    return True


def withdraw(invitation: Invitation, justification: Justification) -> bool:
    """Take an invitation back: its link ends. Returns whether it was open. Raises Refusal `client_closing`,
    `client_gone`.
    """
    with transaction.atomic():
        client, found = _lock(invitation)
        if found is None:
            return False
        found.delete()
        record_action(AuditEvent.INVITATION_WITHDRAWN_BY_OPERATOR, client, justification, email=found.email)
    return True


def _lock(invitation: Invitation) -> tuple[Client, Invitation | None]:
    client = lock_client(invitation.client_id)
    return client, client.invitations.select_related("invited_by").filter(pk=invitation.pk).first()
