"""How much a client may use and how many users it may have, as staff set it.

Both take the value that was shown: one that a colleague has set meanwhile is not overwritten.
"""

from typing import Final

from django.db import transaction

from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client
from accounts.staff.justification import Justification, lock_client, record_action
from accounts.usage import quota

MOST_USERS: Final = 1_000


def set_quota(client: Client, units: int, justification: Justification, *, before: int) -> bool:
    """Set the client's units per calendar month, on every worker within two seconds; return whether that changed it.

    Raises Refusal `changed_meanwhile`, `client_closing`, `client_gone`; ValueError for what no quota can be.
    """
    quota.refuse_impossible(units)
    with transaction.atomic():
        client = lock_client(client.pk)
        if client.monthly_quota == units:
            return False
        _refuse_other(client.monthly_quota, before)
        client.monthly_quota = units
        client.save(update_fields=["monthly_quota"])
        record_action(AuditEvent.QUOTA_CHANGED, client, justification, old=str(before), new=str(units))
    return True


def set_user_limit(client: Client, most: int, justification: Justification, *, before: int) -> bool:
    """Set how many users the client may have, open invitations included; return whether that changed it.

    Nobody is removed by it. Raises what `set_quota` raises.
    """
    if not 1 <= most <= MOST_USERS:
        raise ValueError(f"A client has 1 to {MOST_USERS} users.")
    with transaction.atomic():
        client = lock_client(client.pk)
        if client.user_limit == most:
            return False
        _refuse_other(client.user_limit, before)
        client.user_limit = most
        client.save(update_fields=["user_limit"])
        record_action(AuditEvent.USER_LIMIT_CHANGED, client, justification, old=str(before), new=str(most))
    return True


def _refuse_other(now: int, before: int) -> None:
    if now != before:
        raise Refusal("changed_meanwhile", now=now)
