"""Finds, makes and destroys data keys in the keyring database. Knows owners by their ids and nothing else of them."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.db.models import Count, Max, Min
from django.utils import timezone

from privacy.crypto import cipher
from privacy.vault import master_keys
from privacy.vault.errors import Destroyed, NoKey, NoMasterKey, Unfinished
from privacy.vault.opened import OpenedKey, OpenedKeys
from privacy.vault.routing import KEYRING

if TYPE_CHECKING:
    from django.db.models import Manager

    from privacy.vault.models import DataKey

_opened = OpenedKeys()


def open_existing(owner: UUID) -> OpenedKey:
    """Return the owner's data key. Raises NoKey, Destroyed or NoMasterKey; never makes one."""
    held = _opened.get(owner)
    if held is not None:
        return held
    ticket = _opened.ticket()
    row = data_keys().filter(owner=owner).first()
    if row is None:
        raise NoKey
    opened = OpenedKey(row.number, unwrap(row))
    _opened.put(owner, opened, ticket)
    return opened


def open_or_make(owner: UUID) -> OpenedKey:
    """Return the owner's data key, and make it first when there is none. Raises Destroyed or NoMasterKey.

    The new key is committed before it is used; raises RuntimeError inside a transaction on the keyring, whose rollback
    would lose the key and all that it had sealed.
    """
    try:
        return open_existing(owner)
    except NoKey:
        _make(owner)
        # Of two who make one at once, the first to commit is kept, and both read it here.
        return open_existing(owner)


def destroy(owner: UUID) -> None:
    """Destroy the owner's data key for good: everything it sealed stays closed from here on, in backups of it too.

    Leaves a tombstone with time and fingerprint, also for an owner that never had a key, so that none is made later.
    Doing it again does no harm. Other workers may hold the opened key for up to 60 seconds more. On SQLite the key's
    bytes leave every file of the keyring; raises Unfinished when other workers kept its log busy for too long: the key
    is gone from the table by then, and destroying it again cuts the log.
    """
    now = timezone.now()
    try:
        with transaction.atomic(using=KEYRING, durable=True):
            _insert_or_leave(owner, destroyed_at=now)
            data_keys().filter(owner=owner, destroyed_at=None).update(wrapped=None, master_key=None, destroyed_at=now)
            transaction.on_commit(cut_the_log, using=KEYRING)
    finally:
        forget(owner)


class Tombstone(NamedTuple):
    """What is left of a destroyed key."""

    fingerprint: str
    """32 hexadecimal digits; empty when there never was a key."""
    destroyed_at: datetime


def tombstone(owner: UUID) -> Tombstone | None:
    """Return what is left of the owner's key, or None while it lives or when there never was one."""
    row = data_keys().filter(owner=owner).exclude(destroyed_at=None).first()
    return Tombstone(row.fingerprint, row.destroyed_at) if row and row.destroyed_at else None


def owners() -> list[UUID]:
    """Return the id of every owner whose key lives."""
    return list(data_keys().filter(destroyed_at=None).values_list("owner", flat=True))


def fingerprint(owner: UUID) -> str:
    """Return 32 hexadecimal digits that name the owner's data key, alive or destroyed.

    Raises NoKey for an owner that never had one.
    """
    found = data_keys().filter(owner=owner).values_list("fingerprint", flat=True).first()
    if not found:
        raise NoKey
    return found


def forget(owner: UUID | None = None) -> None:
    """Let go of the opened key of one owner, or of all, in this process; the next use reads the keyring again."""
    _opened.drop(owner)


def objections() -> list[str]:
    """Return a sentence for each master key that wraps data keys and does not open them, tried on one of them.

    Before the first migration there is nothing to object to.
    """
    manager = data_keys()
    if manager.model._meta.db_table not in connections[KEYRING].introspection.table_names():
        return []
    numbers = manager.filter(destroyed_at=None).values_list("master_key", flat=True).distinct()
    return [objection for number in numbers if number is not None and (objection := _objection(number))]


class MasterKeyStatus(NamedTuple):
    """A master key that is given, or that wraps data keys, or both."""

    number: int
    is_given: bool
    wraps_new_ones: bool
    data_keys: int
    """How many it wraps."""
    opens: bool | None
    """Whether it opens one of them; None when it wraps none."""
    oldest: datetime | None
    newest: datetime | None
    """When the first and the last of them were made."""


class Status(NamedTuple):
    """What the keyring holds, and a sentence for each master key that does not open what it should."""

    master_keys: list[MasterKeyStatus]
    alive: int
    destroyed: int
    last_destroyed: datetime | None
    objections: list[str]


def status() -> Status:
    """Return what the keyring holds; opens one data key per master key and changes nothing."""
    alive = data_keys().filter(destroyed_at=None)
    destroyed = data_keys().exclude(destroyed_at=None).aggregate(number=Count("pk"), last=Max("destroyed_at"))
    by_number = alive.values("master_key").annotate(
        number=Count("pk"), oldest=Min("created_at"), newest=Max("created_at")
    )
    counts: dict[int, dict[str, Any]] = {row["master_key"] or 0: dict(row) for row in by_number}
    given = set(settings.MASTER_KEYS)
    found = [_master_key_status(number, given, counts.get(number)) for number in sorted(given | set(counts))]
    return Status(found, alive.count(), destroyed["number"], destroyed["last"], objections())


def _master_key_status(number: int, given: set[int], row: dict[str, Any] | None) -> MasterKeyStatus:
    return MasterKeyStatus(
        number=number,
        is_given=number in given,
        wraps_new_ones=number == max(given, default=None),
        data_keys=row["number"] if row else 0,
        opens=_objection(number) is None if row else None,
        oldest=row["oldest"] if row else None,
        newest=row["newest"] if row else None,
    )


def _objection(number: int) -> str | None:
    """Return what speaks against the master key of this number, tried on one of the data keys that it wraps."""
    sample = data_keys().filter(master_key=number).first()
    try:
        if sample:
            unwrap(sample)
    except NoMasterKey as objection:
        return str(objection)
    return None


def unwrap(row: "DataKey") -> bytes:
    """Return the data key of a row. Raises Destroyed or NoMasterKey."""
    if row.wrapped is None or row.master_key is None:
        raise Destroyed
    return master_keys.unwrap(row.owner, row.number, row.master_key, bytes(row.wrapped))


def _make(owner: UUID) -> None:
    key = cipher.new_key()
    number = 1
    master_key, wrapped = master_keys.wrap(owner, number, key)
    with transaction.atomic(using=KEYRING, durable=True):
        _insert_or_leave(
            owner, number=number, master_key=master_key, wrapped=wrapped, fingerprint=cipher.fingerprint(key)
        )


def _insert_or_leave(owner: UUID, **fields: object) -> None:
    manager = data_keys()
    manager.bulk_create([manager.model(owner=owner, **fields)], ignore_conflicts=True)


def cut_the_log() -> None:
    """On SQLite, move the zeros over what was overwritten into the file and empty the log, where it may still stand.

    Raises Unfinished when others kept the log busy for ten seconds.
    """
    connection = connections[KEYRING]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, *_ = cursor.fetchone()
    if busy:
        raise Unfinished


def data_keys() -> "Manager[DataKey]":
    """Return the table's manager."""
    # Only here, since Django imports this package before models may be.
    from privacy.vault.models import DataKey  # noqa: PLC0415

    return DataKey.objects
