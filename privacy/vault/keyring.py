"""Finds, creates and destroys data keys in the keyring database. Knows nothing about owners but their IDs."""

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
    """Return the owner's data key. Raises NoKey, Destroyed or NoMasterKey; never creates one."""
    cached = _opened.get(owner)
    if cached is not None:
        return cached
    ticket = _opened.ticket()
    row = data_keys().filter(owner=owner).first()
    if row is None:
        raise NoKey
    opened = OpenedKey(row.number, unwrap(row))
    _opened.put(owner, opened, ticket)
    return opened


def open_or_create(owner: UUID) -> OpenedKey:
    """Return the owner's data key, creating it when there is none. Raises Destroyed or NoMasterKey.

    The new key is committed before it is used; raises RuntimeError inside a transaction on the keyring, whose rollback
    would lose the key and everything it had sealed.
    """
    try:
        return open_existing(owner)
    except NoKey:
        _create(owner)
        # If two workers create one at once, the first to commit wins, and both read it here.
        return open_existing(owner)


def destroy(owner: UUID) -> None:
    """Destroy the owner's data key for good: nothing it sealed can be opened from now on, in backups neither.

    Leaves a tombstone with time and fingerprint, also for an owner that never had a key, so that none is created later.
    A second call does no harm. Other workers may still use the unwrapped key for up to 60 seconds. On SQLite the bytes
    of the key are removed from every file of the keyring; raises Unfinished when other workers were using its log for
    too long: the table has no key by then, and another call truncates the log.
    """
    now = timezone.now()
    try:
        with transaction.atomic(using=KEYRING, durable=True):
            _insert_if_missing(owner, destroyed_at=now)
            data_keys().filter(owner=owner, destroyed_at=None).update(wrapped=None, master_key=None, destroyed_at=now)
            transaction.on_commit(truncate_log, using=KEYRING)
    finally:
        forget(owner)


class Tombstone(NamedTuple):
    """What remains of a destroyed key."""

    fingerprint: str
    """32 hexadecimal digits; empty when there never was a key."""
    destroyed_at: datetime


def tombstone(owner: UUID) -> Tombstone | None:
    """Return what remains of the owner's key, or None while it exists or when there never was one."""
    row = data_keys().filter(owner=owner).exclude(destroyed_at=None).first()
    return Tombstone(row.fingerprint, row.destroyed_at) if row and row.destroyed_at else None


def owners() -> list[UUID]:
    """Return the ID of every owner whose key exists."""
    return list(data_keys().filter(destroyed_at=None).values_list("owner", flat=True))


def fingerprint(owner: UUID) -> str:
    """Return 32 hexadecimal digits that name the owner's data key, existing or destroyed.

    Raises NoKey for an owner that never had one.
    """
    found = data_keys().filter(owner=owner).values_list("fingerprint", flat=True).first()
    if not found:
        raise NoKey
    return found


def forget(owner: UUID | None = None) -> None:
    """Drop the cached key of one owner, or of all, in this process; the next use reads the keyring again."""
    _opened.drop(owner)


def objections() -> list[str]:
    """Return a message for each master key that does not unwrap the data keys it wraps, tried on one of them.

    Empty before the first migration.
    """
    manager = data_keys()
    if manager.model._meta.db_table not in connections[KEYRING].introspection.table_names():
        return []
    numbers = manager.filter(destroyed_at=None).values_list("master_key", flat=True).distinct()
    return [objection for number in numbers if number is not None and (objection := _objection(number))]


class MasterKeyStatus(NamedTuple):
    """A master key that is configured, or wraps data keys, or both."""

    number: int
    is_configured: bool
    wraps_new_ones: bool
    data_keys: int
    """How many it wraps."""
    opens: bool | None
    """Whether it unwraps one of them; None when it wraps none."""
    oldest: datetime | None
    newest: datetime | None
    """When the first and the last of them were created."""


class Status(NamedTuple):
    """The contents of the keyring, and a message for each master key that does not unwrap what it should."""

    master_keys: list[MasterKeyStatus]
    alive: int
    destroyed: int
    last_destroyed: datetime | None
    objections: list[str]


def status() -> Status:
    """Return the contents of the keyring; unwraps one data key per master key and changes nothing."""
    alive = data_keys().filter(destroyed_at=None)
    destroyed = data_keys().exclude(destroyed_at=None).aggregate(number=Count("pk"), last=Max("destroyed_at"))
    by_number = alive.values("master_key").annotate(
        number=Count("pk"), oldest=Min("created_at"), newest=Max("created_at")
    )
    counts: dict[int, dict[str, Any]] = {row["master_key"] or 0: dict(row) for row in by_number}
    configured = set(settings.MASTER_KEYS)
    found = [_master_key_status(number, configured, counts.get(number)) for number in sorted(configured | set(counts))]
    return Status(found, alive.count(), destroyed["number"], destroyed["last"], objections())


def _master_key_status(number: int, configured: set[int], row: dict[str, Any] | None) -> MasterKeyStatus:
    return MasterKeyStatus(
        number=number,
        is_configured=number in configured,
        wraps_new_ones=number == max(configured, default=None),
        data_keys=row["number"] if row else 0,
        opens=_objection(number) is None if row else None,
        oldest=row["oldest"] if row else None,
        newest=row["newest"] if row else None,
    )


def _objection(number: int) -> str | None:
    """Return what is wrong with a master key, tried on one of the data keys that it wraps."""
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


def _create(owner: UUID) -> None:
    key = cipher.new_key()
    number = 1
    master_key, wrapped = master_keys.wrap(owner, number, key)
    with transaction.atomic(using=KEYRING, durable=True):
        _insert_if_missing(
            owner, number=number, master_key=master_key, wrapped=wrapped, fingerprint=cipher.fingerprint(key)
        )


def _insert_if_missing(owner: UUID, **fields: object) -> None:
    manager = data_keys()
    manager.bulk_create([manager.model(owner=owner, **fields)], ignore_conflicts=True)


def truncate_log() -> None:
    """On SQLite, write the overwritten pages to the file and truncate the log, which may still contain the old bytes.

    Raises Unfinished when other connections were using the log for ten seconds.
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
    # Imported here, since Django imports this package before models may be.
    from privacy.vault.models import DataKey  # noqa: PLC0415

    return DataKey.objects
