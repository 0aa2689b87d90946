"""The durable batch writer: what a call leaves behind is spooled before its answer, then written in batches.

A record goes into the spool (a file, see spool.py) and into memory; a thread writes what has gathered four times a
second, in one transaction with the position it has reached in the spool. So a record is in the database once: after a
crash whoever finds the spool writes what lies behind the position, and no more. In this way also the leases of a dead
process come back to the quota they were taken from.

Where no writer was started, as in a command or a test, a record is written at once.
"""

import logging
import threading
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import Error, IntegrityError, close_old_connections, transaction

from accounts import usage
from accounts.models import Client, UsageDay
from apikeys import key_usage, quota
from apikeys.models import ApiKey
from validation import spool
from validation.models import SpoolPosition

log = logging.getLogger(__name__)

WRITE_EVERY_SECONDS: Final = 0.25
MOST_WAITING: Final = 20_000
"""So many records may wait in memory; after that a call writes them itself before it is answered."""
_EMPTY_AFTER_BYTES: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 3
_RETRY_SECONDS: Final = 5.0


class Record(msgspec.Struct, array_like=True, frozen=True):
    """What one call leaves behind: whom it counts for, and counts. Never a number that was checked."""

    client: UUID
    key: UUID
    day: date
    """In UTC."""
    valid: int
    invalid: int
    units: int
    """What it cost of the month's quota, which was taken before; 0 for a test key."""
    is_test: bool


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Record).decode


class Writer:
    """The writer of one process. Threads share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spool = spool.create(folder)
        quota.hold_as(self._spool.id)
        self._adding = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[Record] = []
        self._is_misplaced = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to write in the background, first of all what dead processes have left behind."""
        self._thread.start()

    def put(self, record: Record) -> None:
        """Keep a record; when this returns, killing the process does not lose it.

        Raises SpoolFull when the disk is full, or a database error when too many records wait and cannot be written.
        """
        line = _encode(record) + b"\n"
        if len(self._waiting) >= MOST_WAITING:
            self.write()
        with self._adding:
            if self._is_misplaced:
                self._place_at_beginning()
            self._spool.append(line)
            self._waiting.append(record)

    def write(self) -> None:
        """Write what has gathered. Raises a database error, and keeps it then."""
        with self._writing:
            with self._adding:
                batch, self._waiting = self._waiting, []
                end = self._spool.end
            if not batch:
                return
            try:
                _count(batch, self._spool.id, end)
            except BaseException:
                with self._adding:
                    self._waiting = batch + self._waiting
                raise
            if end > _EMPTY_AFTER_BYTES:
                self._empty()

    def stop(self) -> None:
        """Write everything, give leases back and remove the spool. What fails is left for the next start."""
        self._stop.set()
        self._thread.join(timeout=10)
        try:
            self.write()
            _close(self._spool)
        except Error as error:
            log.warning("What is in the spool stays for the next start: %s", type(error).__name__)
            self._spool.close()

    def _empty(self) -> None:
        """Start the file from its beginning, if nothing has come since. Cut first: a cut file has nothing to replay."""
        with self._adding:
            if not self._waiting:
                self._spool.empty()
                self._is_misplaced = True
                self._place_at_beginning()

    def _place_at_beginning(self) -> None:
        # Until the database knows, nothing may go into the file: what lies before the position is not replayed.
        SpoolPosition.objects.filter(spool=self._spool.id).update(position=0)
        self._is_misplaced = False

    def _run(self) -> None:
        wait = 0.0
        caught_up = False
        while not self._stop.wait(wait):
            wait = WRITE_EVERY_SECONDS
            try:
                caught_up = caught_up or replay(self._folder)
                self.write()
                quota.leases.return_idle()
            except Error as error:
                # Not the exception itself: its text may hold values.
                log.warning("Records wait in the spool, the database refused them: %s", type(error).__name__)
                wait = _RETRY_SECONDS
            finally:
                close_old_connections()


def replay(folder: Path) -> bool:
    """Write what dead processes have left behind in their spools, remove them, and return True.

    Raises a database error and leaves the rest for another time.
    """
    for found in spool.left_behind(folder):
        try:
            _replay(found)
        except BaseException:
            found.close()
            raise
    return True


def _replay(found: spool.Spool) -> None:
    position = SpoolPosition.objects.filter(spool=found.id).values_list("position", flat=True).first() or 0
    records = [_decode(line) for line in found.lines(position)]
    if records:
        log.warning("Writing %s records of a process that did not end in order.", len(records))
    _count(records, found.id, found.end)
    _close(found)


def _close(found: spool.Spool) -> None:
    """Give back the leases of the spool's process and remove the spool; all of it is in the database."""
    quota.close(found.id)
    # The file first: a row without a file does no harm, a file without its row would be counted again.
    found.remove()
    SpoolPosition.objects.filter(spool=found.id).delete()


def _count(records: list[Record], holder: UUID, end: int | None) -> None:
    """Add the records to the counts and move the holder's position in its spool, if it has one, all or nothing.

    A client or key may vanish while its records wait: they are left out, since one of them would block all others.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                kept = _of_the_living(records)
                _add(kept, holder)
                if end is not None:
                    _move(holder, end)
        except IntegrityError:  # One of them vanished between the look and the end of the transaction.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _of_the_living(records: list[Record]) -> list[Record]:
    clients = set(Client.objects.filter(pk__in={record.client for record in records}).values_list("pk", flat=True))
    keys = set(ApiKey.objects.filter(pk__in={record.key for record in records}).values_list("pk", flat=True))
    kept = [record for record in records if record.client in clients and record.key in keys]
    if len(kept) < len(records):
        log.warning("Left out %s records of clients or keys that are gone.", len(records) - len(kept))
    return kept


def _add(records: list[Record], holder: UUID) -> None:
    of_clients: defaultdict[tuple[UUID, date, str], usage.Checks] = defaultdict(usage.Checks)
    of_keys: defaultdict[tuple[UUID, date], key_usage.Used] = defaultdict(key_usage.Used)
    of_quotas: Counter[quota.Account] = Counter()
    for record in records:
        client, key, day, valid, invalid, units, is_test = msgspec.structs.astuple(record)
        of_keys[key, day] = of_keys[key, day].plus(key_usage.Used(1, valid, invalid, units))
        if not is_test:
            place = (client, day, UsageDay.Source.API.value)
            of_clients[place] = of_clients[place].plus(usage.Checks(valid, invalid, units))
            of_quotas[quota.Account(client, day.replace(day=1))] += units
    usage.add(of_clients)
    key_usage.add(of_keys)
    quota.settle(of_quotas, holder=holder)


def _move(spool_id: UUID, end: int) -> None:
    if not SpoolPosition.objects.filter(spool=spool_id).update(position=end):
        SpoolPosition.objects.create(spool=spool_id, position=end)


_writer: Writer | None = None


def start() -> None:
    """Start this process's writer: in every worker, after it was forked."""
    global _writer  # noqa: PLW0603 - one writer per process
    _writer = Writer(settings.SPOOL_DIR)
    _writer.start()


def stop() -> None:
    """Write everything and end the writer; without one, do nothing."""
    global _writer  # noqa: PLW0603 - as above
    writer, _writer = _writer, None
    if writer is not None:
        writer.stop()


def put(record: Record) -> None:
    """Keep what a call leaves behind, durably. Raises SpoolFull or a database error; nothing is kept then."""
    if _writer is None:
        _count([record], quota.leases.holder, None)
    else:
        _writer.put(record)
