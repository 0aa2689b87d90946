"""What is stored about a check: nothing, the verdict, or everything. The client decides; a call may request less.

- *off*: nothing. Only the usage counts remain.
- *verdict*: time, source, key, country, result and reason codes. No IBAN and nothing to find one by, no IP address, no
  bank; so nothing can be searched or erased by IBAN.
- *full*: also the IBAN, the bank and the caller's IP address, sealed, with a blind index by which the client's owners
  can find one IBAN.

A record has the day on which it is deleted, from 1 to 365 days later.
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
    """The logging settings of a client."""

    mode: Mode = Mode.VERDICT
    days: int = DEFAULT_DAYS


def choice_of(client: Client) -> Choice:
    """Return the client's settings, or the defaults of a new client."""
    row = PrivacySettings.objects.filter(client=client).first()
    return Choice(Mode(row.mode), row.retention_days) if row else Choice()


def is_less(new: Mode, old: Mode) -> bool:
    """Return whether `new` stores less than `old`."""
    return _RANK[new] < _RANK[old]


def choose(
    client: Client,
    choice: Choice,
    *,
    by: Actor,
    covers_older: bool | None = None,
) -> bool:
    """Store what the client chooses from now on, on every worker within two seconds; return whether that is a change.

    Existing records stay as they are unless the choice `covers_older`: then reduction.resume() reduces them. None
    leaves that decision unchanged. Recorded in the audit log and mailed to all owners.
    """
    with transaction.atomic():
        Client.objects.lock(client)
        old = choice_of(client)
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
        detail = {"from": describe(old), "to": describe(choice)}
        audit.record(AuditEvent.LOGGING_CHANGED, client=client, by=by, detail=detail)
    return True


def describe(choice: Choice) -> str:
    """Return the settings as the audit log states them."""
    return f"{choice.mode}, {choice.days} days"
