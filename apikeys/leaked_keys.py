"""Revoking a leaked key: found by its prefix, since the rest is stored nowhere.

A report may contain the whole key. Only the prefix is taken from the pasted text; the rest is neither stored nor shown
nor logged.
"""

import re
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.guard import revisions
from accounts.staff.justification import Justification, lock_client, record_action
from apikeys import keys, tokens
from apikeys.models import ApiKey

_PREFIX: Final = re.compile(
    rf"(?<![0-9A-Za-z_])ibanse_(live|test)_([0-9A-Za-z]{{{tokens.IDENTIFIER_CHARACTERS}}})(?![0-9A-Za-z])", re.ASCII
)


def find(text: str) -> ApiKey | None:
    """Return the key whose prefix, or whole text, is in a pasted text; None when there is no such key.

    Raises Refusal `no_prefix` when nothing in it looks like the beginning of a key, `several_prefixes`.
    """
    found = set(_PREFIX.findall(text))
    if not found:
        raise Refusal("no_prefix")
    if len(found) > 1:
        raise Refusal("several_prefixes")
    [(kind, identifier)] = found
    return ApiKey.objects.select_related("client").filter(identifier=identifier, is_test=kind == "test").first()


def revoke(key: ApiKey, justification: Justification) -> bool:
    """End a key for ever, on every worker within two seconds, and mail the client's owners what to do.

    Returns whether it was not revoked before. Raises Refusal `client_gone`.
    """
    with transaction.atomic():
        client = lock_client(key.client_id, may_be_closing=True)
        key = ApiKey.objects.get(pk=key.pk)
        if key.revoked_at is not None:
            return False
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        revisions.bump()
        record_action(AuditEvent.KEY_REVOKED_BY_OPERATOR, client, justification, key=key.prefix, name=keys.name(key))
    return True
