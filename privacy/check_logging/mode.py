"""What is kept of a check: nothing, the verdict, or all of it. The client decides, a single call may ask for less.

- *off*: nothing. Only the counts of usage remain.
- *verdict*: time, source, key, country, result and the codes of its reasons. No IBAN and nothing to find one by, no
  address, no bank; so nothing can be searched or erased by IBAN.
- *full*: the IBAN, the bank and the caller's address as well, sealed, with a blind index by which the client's own
  owners can find one number.

What is kept bears the day on which it goes, from 1 to 365 days later.
"""

from typing import Final, NamedTuple

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.guard import revisions
from accounts.models import Client
from privacy.models import DEFAULT_DAYS, Mode, PrivacySettings

_RANK: Final = {Mode.OFF: 0, Mode.VERDICT: 1, Mode.FULL: 2}


class Choice(NamedTuple):
    """What a client has decided."""

    mode: Mode = Mode.VERDICT
    days: int = DEFAULT_DAYS


def of(client: Client) -> Choice:
    """Return what the client has decided, or the default of a new one."""
    row = PrivacySettings.objects.filter(client=client).first()
    return Choice(Mode(row.mode), row.retention_days) if row else Choice()


def is_less(new: Mode, old: Mode) -> bool:
    """Return whether `new` keeps less than `old`."""
    return _RANK[new] < _RANK[old]


def choose(
    client: Client,
    choice: Choice,
    *,
    by: Actor,
    covers_older: bool | None = None,
) -> bool:
    """Keep from now on what the client wants, on every worker within two seconds; return whether that is a change.

    What is there already stays as it is, unless the choice `covers_older`: then it is made less by reduction.go_on().
    None leaves what was decided about that before. Recorded in the history and mailed to all owners.
    """
    with transaction.atomic():
        Client.objects.lock(client)
        old = of(client)
        if covers_older is not None:
            PrivacySettings.objects.update_or_create(
                client=client,
                defaults={"covers_older": covers_older},
                create_defaults={"mode": old.mode, "retention_days": old.days, "covers_older": covers_older},
            )
        if choice == old:
            return False
        PrivacySettings.objects.update_or_create(
            client=client, defaults={"mode": choice.mode, "retention_days": choice.days}
        )
        revisions.bump()
        detail = {"from": told(old), "to": told(choice)}
        audit.record(AuditEvent.LOGGING_CHANGED, client=client, by=by, detail=detail)
    return True


def told(choice: Choice) -> str:
    """Return the choice as the history says it."""
    return f"{choice.mode}, {choice.days} days"
