"""After a backup was restored: deletes again whatever the ledger says was deleted, keys first. Doing it twice is safe.

To be run before the site opens: `manage.py replay_erasures`.
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
from privacy.deletion.ledger import Entry


class Replayed(NamedTuple):
    """What of one entry had come back and is gone again."""

    scope: str
    rows: int
    keys: int


def replay(entries: Iterable[Entry]) -> Iterator[Replayed]:
    """Delete again what each entry tells of, and yield what there was of it. Raises vault.VaultError and OSError."""
    clients = list(Client.objects.values_list("pk", flat=True))
    owners = vault.owners()
    for entry in entries:
        keys = [owner for owner in owners if entry.scope == Scope.ACCOUNT and entry.is_of(owner)]
        for owner in keys:
            vault.destroy(owner)
        rows = sum(_again(entry, pk) for pk in clients if entry.is_of(pk))
        yield Replayed(entry.scope, rows, len(keys))
    # Whatever a worker holds in memory is of the time before the restore.
    revisions.bump()


def _again(entry: Entry, pk: UUID) -> int:
    client = Client.objects.filter(pk=pk).first()
    if client is None:
        return 0
    wish = erasing.ErasureRequest(
        client, entry.scope, entry.until, user=_user(entry, client), number=entry.number, chosen=entry.chosen
    )
    if wish.scope in (Scope.LOG, Scope.NUMBER):
        with transaction.atomic():
            cutoff.draw(Client.objects.lock(client), wish.until, number=wish.number)
    if wish.scope == Scope.ACCOUNT:
        # Also where its key was never restored: nothing may be sealed for it again.
        vault.destroy(pk)
        client.state = Client.State.GONE
        client.save(update_fields=["state"])
    rows = sum(sum(gone.values()) for gone in _steps(wish))
    if wish.scope == Scope.ACCOUNT:
        rows += User.objects.filter(client=client).count() + 1
        source.delete_account(client)
    return rows


def _steps(wish: erasing.ErasureRequest) -> Iterator[dict[str, int]]:
    """Take each step in a transaction of its own, as an execution does."""
    steps = erasing.erase(wish)
    while True:
        with transaction.atomic():
            gone = next(steps, None)
        if gone is None:
            return
        yield gone


def _user(entry: Entry, client: Client) -> UUID | None:
    users = User.objects.filter(client=client).values_list("pk", flat=True)
    return next((pk for pk in users if entry.is_about(pk)), None)
