"""Wraps every data key anew under the newest master key, while others go on sealing, opening and destroying.

Where it stands is written nowhere but in the rows themselves: each names the master key that wraps it. So whoever kills
it loses a chunk at most, and two at once, or one after the other, do no harm.
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
"""Rows of one transaction. While it runs nobody else writes to a keyring on SQLite: about a tenth of a second."""


class Chunk(NamedTuple):
    """What became of one chunk of data keys."""

    rows: int
    """How many were read."""
    rewrapped: int
    """How many of them were wrapped anew; the rest was destroyed or rewrapped by somebody else meanwhile."""
    objections: Counter[str]
    """Why some could not be opened: sentence → how many."""


class _Anew(NamedTuple):
    row: "DataKey"
    master_key: int
    wrapped: bytes


def to_rewrap() -> int:
    """Return how many data keys an older master key wraps. Raises NoMasterKey when there is none at all."""
    return _older().count()


def rewrap(*, dry_run: bool = False) -> Iterator[Chunk]:
    """Wrap data keys anew, in chunks; each is committed when it is yielded. A dry run opens them and writes nothing.

    Every worker must have the newest master key before: what is wrapped by it others cannot open. On SQLite the old
    bytes are gone from every file of the keyring at the end; raises Unfinished when others kept its log busy, and
    running it again then cuts the log.
    """
    after = UUID(int=0)
    # By the id, not by what is left: a key that does not open must not be met again and again.
    while rows := list(_older().filter(owner__gt=after).order_by("owner")[:CHUNK_ROWS]):
        after = rows[-1].owner
        opened, objections = _opened(rows)
        yield Chunk(len(rows), 0 if dry_run else _write(opened), objections)
    if not dry_run:
        # At once, unless the caller's own transaction is still open: a log in use cannot be cut.
        transaction.on_commit(keyring.cut_the_log, using=KEYRING)


def _older() -> "QuerySet[DataKey]":
    return keyring.data_keys().filter(destroyed_at=None, master_key__lt=master_keys.newest_number())


def _opened(rows: list["DataKey"]) -> tuple[list[_Anew], Counter[str]]:
    """Wrap each key anew, in memory; the other list says why some do not open."""
    opened, objections = [], Counter[str]()
    for row in rows:
        try:
            opened.append(_Anew(row, *_wrapped_anew(row)))
        except NoMasterKey as objection:
            objections[str(objection)] += 1
    return opened, objections


def _wrapped_anew(row: "DataKey") -> tuple[int, bytes]:
    master_key, wrapped = master_keys.wrap(row.owner, row.number, keyring.unwrap(row))
    # What is about to take the place of the only copy is opened once, and must be the key that was made then.
    if cipher.fingerprint(master_keys.unwrap(row.owner, row.number, master_key, wrapped)) != row.fingerprint:
        raise NoMasterKey(f"Master key {row.master_key} opens a data key to other bytes than those that were made.")
    return master_key, wrapped


def _write(opened: list[_Anew]) -> int:
    """Put the new wrappings in the place of the old ones that were read; return how many."""
    with transaction.atomic(using=KEYRING, durable=True):
        return sum(_replace(anew) for anew in opened)


def _replace(anew: _Anew) -> int:
    row = anew.row
    # Only in the place of what was read: a key that was destroyed meanwhile must stay destroyed.
    unchanged = keyring.data_keys().filter(
        owner=row.owner, destroyed_at=None, master_key=row.master_key, wrapped=row.wrapped
    )
    return unchanged.update(master_key=anew.master_key, wrapped=anew.wrapped)
