"""Rewraps every data key with the newest master key, while others seal, open and destroy.

Its progress is stored only in the rows: each names the master key that wraps it. So killing it loses one chunk at most,
and two at once, or one after the other, do no harm.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from privacy.crypto import cipher
from privacy.vault import keyring, master_keys
from privacy.vault.errors import NoMasterKey
from privacy.vault.routing import KEYRING

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from privacy.vault.models import DataKey

CHUNK_ROWS: Final = 100
"""Rows of one transaction. On SQLite nobody else can write to the keyring meanwhile: about a tenth of a second."""


class Chunk(NamedTuple):
    """The result for one chunk of data keys."""

    rows: int
    """How many were read."""
    rewrapped: int
    """How many of them were rewrapped; the others were destroyed or rewrapped by another process meanwhile."""
    objections: Counter[str]
    """Why some could not be unwrapped: message → how many."""


class _Rewrapped(NamedTuple):
    row: "DataKey"
    master_key: int
    wrapped: bytes


def to_rewrap() -> int:
    """Return how many data keys an older master key wraps. Raises NoMasterKey when there is none at all."""
    return _older().count()


def rewrap(*, dry_run: bool = False) -> Iterator[Chunk]:
    """Rewrap data keys in chunks; each is committed when it is yielded. A dry run unwraps them and writes nothing.

    Every worker must have the newest master key first: without it, they cannot unwrap what it wraps. On SQLite the old
    bytes are removed from every file of the keyring at the end; raises Unfinished when others were using its log, and
    another run truncates the log.
    """
    after = UUID(int=0)
    # By ID, not by what is left: a key that cannot be unwrapped must not be tried again and again.
    while rows := list(_older().filter(owner__gt=after).order_by("owner")[:CHUNK_ROWS]):
        after = rows[-1].owner
        opened, objections = _opened(rows)
        yield Chunk(len(rows), 0 if dry_run else _write(opened), objections)
    if not dry_run:
        # At once, unless the caller's own transaction is still open: a log in use cannot be truncated.
        transaction.on_commit(keyring.truncate_log, using=KEYRING)


def _older() -> "QuerySet[DataKey]":
    return keyring.data_keys().filter(destroyed_at=None, master_key__lt=master_keys.newest_number())


def _opened(rows: list["DataKey"]) -> tuple[list[_Rewrapped], Counter[str]]:
    """Rewrap each key in memory; count why some could not be unwrapped."""
    opened, objections = [], Counter[str]()
    for row in rows:
        try:
            opened.append(_Rewrapped(row, *_rewrap_row(row)))
        except NoMasterKey as objection:
            objections[str(objection)] += 1
    return opened, objections


def _rewrap_row(row: "DataKey") -> tuple[int, bytes]:
    master_key, wrapped = master_keys.wrap(row.owner, row.number, keyring.unwrap(row))
    # The new wrapping replaces the only copy: unwrap it once, and compare it with the fingerprint of the key.
    if cipher.fingerprint(master_keys.unwrap(row.owner, row.number, master_key, wrapped)) != row.fingerprint:
        raise NoMasterKey(f"Master key {row.master_key} unwraps a data key to other bytes than were created.")
    return master_key, wrapped


def _write(opened: list[_Rewrapped]) -> int:
    """Replace the wrappings that were read by the new ones; return how many."""
    with transaction.atomic(using=KEYRING, durable=True):
        return sum(_replace(rewrapped) for rewrapped in opened)


def _replace(rewrapped: _Rewrapped) -> int:
    row = rewrapped.row
    # Replace only what was read: a key that was destroyed meanwhile must stay destroyed.
    unchanged = keyring.data_keys().filter(
        owner=row.owner, destroyed_at=None, master_key=row.master_key, wrapped=row.wrapped
    )
    return unchanged.update(master_key=rewrapped.master_key, wrapped=rewrapped.wrapped)
