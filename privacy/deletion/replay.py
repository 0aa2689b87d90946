"""After a backup was restored: repeats the deletions in the ledger, keys first. Repeating it again is safe.

Run it before the site starts: `manage.py replay_erasures`.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.guard import revisions
from accounts.models import Client, User
from accounts.personal_data import source
from privacy import vault
from privacy.check_logging import cutoff
from privacy.deletion import erasing
from privacy.deletion.erasing import Scope
from privacy.deletion.ledger import RecordedEntry


class Replayed(NamedTuple):
    """What the backup had brought back of one deletion, and is deleted again."""

    scope: str
    rows: int
    keys: int


def replay(entries: Iterable[RecordedEntry]) -> Iterator[Replayed]:
    """Repeat the deletion of each entry; yield what there was. Raises vault.VaultError and OSError."""
    clients = list(Client.objects.values_list("pk", flat=True))
    owners = vault.owners()
    for entry in entries:
        keys = [owner for owner in owners if entry.scope == Scope.ACCOUNT and entry.is_of(owner)]
        for owner in keys:
            vault.destroy(owner)
        rows = sum(_repeat(entry, pk) for pk in clients if entry.is_of(pk))
        yield Replayed(entry.scope, rows, len(keys))
    # What workers hold in memory dates from before the restore.
    revisions.bump()


def _repeat(entry: RecordedEntry, pk: UUID) -> int:
    client = Client.objects.filter(pk=pk).first()
    if client is None:
        return 0
    erasure = erasing.ErasureRequest(
        client,
        entry.scope,
        entry.until,
        user=_user(entry, client),
        iban_index=entry.iban_index,
        selection=entry.selection,
    )
    if erasure.scope in (Scope.LOG, Scope.NUMBER):
        with transaction.atomic():
            cutoff.set_cutoff(Client.objects.lock(client), erasure.until, iban_index=erasure.iban_index)
    if erasure.scope == Scope.ACCOUNT:
        # Also when its key was not restored: nothing may be sealed for it again.
        vault.destroy(pk)
        client.state = Client.State.GONE
        client.save(update_fields=["state"])
    rows = sum(sum(gone.values()) for gone in _steps(erasure))
    if erasure.scope == Scope.ACCOUNT:
        rows += User.objects.filter(client=client).count() + 1
        source.delete_account(client)
    return rows


def _steps(erasure: erasing.ErasureRequest) -> Iterator[dict[str, int]]:
    """Run each step in a transaction of its own, as an execution does."""
    steps = erasing.erase(erasure)
    while True:
        with transaction.atomic():
            gone = next(steps, None)
        if gone is None:
            return
        yield gone


def _user(entry: RecordedEntry, client: Client) -> UUID | None:
    users = User.objects.filter(client=client).values_list("pk", flat=True)
    return next((pk for pk in users if entry.is_about(pk)), None)
