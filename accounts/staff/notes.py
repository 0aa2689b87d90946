"""Notes of staff on a client: sealed under its key, so they end with it; written once, and the client gets a copy.

Nothing changes a note. It goes after two years, with the account, or when a user is erased whom it names.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts import batch
from accounts.audit.events import AuditEvent
from accounts.forms import idempotency
from accounts.models import Client, ClientNote, User
from accounts.staff.justification import Justification, lock_client, record_action
from privacy import vault

RETENTION: Final = timedelta(days=2 * 365)
_PURPOSE: Final = "client.note"


@dataclass(frozen=True, slots=True)
class Note:
    """A note, opened. `by` is the author's address, empty when they no longer work here."""

    pk: UUID
    by: str
    written_at: datetime
    ticket: str
    text: str


def add(client: Client, justification: Justification, *, attempt: UUID) -> bool:
    """Store the justification as a note; `attempt` is the token of the form, which adds nothing when sent again.

    The client's history says that there is one, and the client's copy of its data what is in it; nobody is mailed.
    Returns whether it was stored now. Raises Refusal `client_gone`.
    """
    pk = idempotency.row_key(client.pk, attempt)
    with transaction.atomic():
        client = lock_client(client.pk, may_be_closing=True)
        if ClientNote.objects.filter(pk=pk).exists():
            return False
        text = json.dumps({"ticket": justification.ticket.strip(), "text": justification.text}, ensure_ascii=False)
        envelope = vault.seal(client.pk, text, purpose=_PURPOSE, record=str(pk))
        ClientNote.objects.create(pk=pk, client=client, author=justification.by.signed_in.pk, sealed=envelope)
        record_action(AuditEvent.CLIENT_NOTED, client, justification, says_why=False)
    return True


def of(client: Client) -> list[Note]:
    """Return the client's notes, newest first. Raises vault.VaultError when they do not open."""
    return list(opened(client, ClientNote.objects.filter(client=client)))


def opened(_client: Client, rows: Iterable[ClientNote]) -> Iterator[Note]:
    """Open notes in their order. Raises vault.VaultError for one that does not open."""
    rows = list(rows)
    authors = dict(User.objects.filter(pk__in={row.author for row in rows}).values_list("pk", "email"))
    for row in rows:
        content = _content(row)
        yield Note(row.pk, authors.get(row.author, ""), row.written_at, content["ticket"], content["text"])


def forget_user(user: User) -> Iterator[int]:
    """Delete the notes on the user's client that hold the user's address; yield how many, 1,000 at a time."""
    rows = ClientNote.objects.filter(client=user.client)
    theirs = [row.pk for row in rows if user.email in _content(row)["text"].lower()]
    for start in range(0, len(theirs), batch.ROWS):
        yield ClientNote.objects.filter(pk__in=theirs[start : start + batch.ROWS]).delete()[0]


def forget_old(now: datetime) -> int:
    """Delete what is older than two years; return how many."""
    return batch.delete(ClientNote.objects.filter(written_at__lt=now - RETENTION))


def _content(row: ClientNote) -> dict[str, str]:
    content: dict[str, str] = json.loads(
        vault.unseal_text(row.client_id, row.sealed, purpose=_PURPOSE, record=str(row.pk))
    )
    return content
