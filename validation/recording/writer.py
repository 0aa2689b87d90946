"""The durable batch writer: what a call leaves behind is spooled before its response, then written in batches.

A record goes into the spool (a file, see spool.py) and into memory; once a second a thread writes what has gathered, in
one transaction with the position it has reached in the spool. So a record is in the database once: after a
crash whoever finds the spool writes what lies behind the position, and no more. In this way also the leases of a dead
process come back to the quota they were taken from.

Where no writer was started, as in a command or a test, a record is written at once.
"""

import logging
import threading
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import Error, IntegrityError, close_old_connections, transaction
from msgspec.structs import astuple

from accounts.models import Client
from accounts.reconnect import retry_with_new_connections
from accounts.usage import counts
from apikeys.limits import key_usage, quota
from apikeys.models import ApiKey
from privacy.check_logging import cutoff
from validation.models import SpoolPosition
from validation.recording import spool
from validation.recording.record import CallRecord, RecordRow
from validation.records import store

if TYPE_CHECKING:
    from datetime import date

logger = logging.getLogger(__name__)

WRITE_EVERY_SECONDS: Final = 1.0
MAX_WAITING: Final = 20_000
MAX_WAITING_BYTES: Final = 32 * 1024 * 1024
"""So many records, or so much of them, may wait in memory; after that a call writes them itself before its response.

A record of a batch whose checks are stored has a thousand times the size of another one.
"""
_EMPTY_AFTER_BYTES: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 3
_RETRY_SECONDS: Final = 5.0


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(CallRecord).decode


class _RecordBatch(NamedTuple):
    """Records to write together, and where the spool ended behind them."""

    records: list[CallRecord]
    end: int


class Writer:
    """The writer of one process. Threads share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spool = spool.create(folder)
        quota.hold_as(self._spool.id)
        self._adding = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[CallRecord] = []
        # Where in the spool those that wait begin.
        self._gathered = 0
        # Handed to the database and not yet confirmed. Nothing is added to it: see _is_new().
        self._batch: _RecordBatch | None = None
        self._is_misplaced = False
        self._stop = threading.Event()
        # Set to write at once, and to end.
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to write in the background, and to take care of what dead processes have left behind."""
        self._thread.start()

    def put(self, record: CallRecord) -> None:
        """Take a record; when this returns, killing the process does not lose it.

        Raises SpoolFull when the disk is full or the writer has ended, or a database error when too many records wait
        and cannot be written.
        """
        line = _encode(record) + b"\n"
        if len(self._waiting) >= MAX_WAITING or self._spool.end - self._gathered >= MAX_WAITING_BYTES:
            self.write()
        with self._adding:
            if self._is_misplaced:
                self._place_at_beginning()
            self._spool.append(line)
            self._waiting.append(record)

    def write_soon(self) -> None:
        """Let the thread write now: somebody may be waiting to see it."""
        self._wake.set()

    def write(self) -> None:
        """Write what has gathered. Raises a database error or SpoolFull, and holds it still then."""
        with self._writing:
            self._finish()
            with self._adding:
                self._gather()
            self._finish()
            if self._spool.end > _EMPTY_AFTER_BYTES:
                self._empty()

    def stop(self) -> None:
        """Write everything, give leases back and remove the spool. What fails is left for the next start.

        A connection that has died, as after a restart of PostgreSQL, is no failure: new ones are tried. A call that
        goes on nevertheless is refused with SpoolFull: nobody would write its record.
        """
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        try:
            retry_with_new_connections(self._write_all_and_close)
        except (Error, OSError, spool.SpoolFull) as error:
            logger.warning("What is in the spool stays for the next start: %s", type(error).__name__)
        finally:
            self._spool.close()

    def _write_all_and_close(self) -> None:
        """Bears being repeated, whichever step failed: a batch counts once, and what is removed is not missed."""
        self.write()
        with self._adding:
            self._gather()
            self._finish()
            _close(self._spool)

    def _gather(self) -> None:
        if self._waiting:
            self._batch, self._waiting = _RecordBatch(self._waiting, self._spool.end), []
            self._gathered = self._spool.end

    def _finish(self) -> None:
        if self._batch:
            _count(self._batch.records, self._spool.id, self._batch.end)
            self._batch = None

    def _empty(self) -> None:
        """Start the file from its beginning. Cut first: a cut file has nothing to replay.

        Calls wait meanwhile; under load there is no moment at which no record waits, and the file would grow for ever.
        """
        with self._adding:
            self._gather()
            self._finish()
            self._spool.empty()
            self._gathered = 0
            self._is_misplaced = True
            self._place_at_beginning()

    def _place_at_beginning(self) -> None:
        # Until the database knows, nothing may go into the file: what lies before the position is not replayed.
        SpoolPosition.objects.filter(spool=self._spool.id).update(position=0)
        self._is_misplaced = False

    def _run(self) -> None:
        wait = 0.0
        caught_up = False
        while not self._stop.is_set():
            self._wake.wait(wait)
            self._wake.clear()
            wait = WRITE_EVERY_SECONDS
            try:
                # What others have left comes last, so that trouble with it holds up nothing of ours.
                self.write()
                quota.leases.return_idle()
                caught_up = caught_up or replay(self._folder)
            except (Error, OSError, spool.SpoolFull) as error:
                # Not the exception itself: its text may hold values.
                logger.warning("Records wait in the spool, since they could not be written: %s", type(error).__name__)
                wait = _RETRY_SECONDS
            finally:
                close_old_connections()


def replay(folder: Path) -> bool:
    """Write what dead processes have left behind in their spools, remove them, and return True.

    Raises a database error or OSError and leaves the rest for another time.
    """
    for found in spool.left_behind(folder):
        try:
            _replay(found)
        finally:
            found.close()
    return True


def _replay(found: spool.Spool) -> None:
    position = SpoolPosition.objects.filter(spool=found.id).values_list("position", flat=True).first() or 0
    records = _read(found.lines(position))
    if records:
        logger.warning("Writing %s records of a process that did not end in order.", len(records))
    _count(records, found.id, found.end)
    _close(found)


def _read(lines: list[bytes]) -> list[CallRecord]:
    """Return the records; a line that is none is left out, since it would block all others for ever.

    After a power cut a file may hold anything, and before an update it was written by another version.
    """
    records = []
    for line in lines:
        with suppress(msgspec.DecodeError):
            records.append(_decode(line))
    if len(records) < len(lines):
        logger.warning("Left out %s lines of a spool that are no records.", len(lines) - len(records))
    return records


def _close(found: spool.Spool) -> None:
    """Give back the leases of the spool's process and remove the spool; all of it is in the database."""
    quota.close(found.id)
    # The file first: a row without a file does no harm, a file without its row would be counted again.
    found.remove()
    SpoolPosition.objects.filter(spool=found.id).delete()


def _count(records: list[CallRecord], holder: UUID, end: int | None) -> None:
    """Add the records to the counts and move the holder's position in its spool, if it has one, all or nothing.

    A client or key may vanish while its records wait: they are left out, since one of them would block all others.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                if end is None or _is_new(holder, end):
                    _add(_drop_orphans(records), holder)
        except IntegrityError:  # One of them vanished between the look and the end of the transaction.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _drop_orphans(records: list[CallRecord]) -> list[CallRecord]:
    # Held until the batch is written: who deletes a client, or a part of its log, waits for us and deletes after us.
    clients = Client.objects.lock_shared(record.client for record in records)
    keys = {None, *ApiKey.objects.filter(pk__in={record.key for record in records}).values_list("pk", flat=True)}
    known = [record for record in records if record.client in clients and record.key in keys]
    if len(known) < len(records):
        logger.warning("Left out %s records of clients or keys that are gone.", len(records) - len(known))
    return known


def _add(records: list[CallRecord], holder: UUID) -> None:
    # Many records are alike, so they are counted before they are added up.
    of_clients: defaultdict[tuple[UUID, date, str], counts.CheckCounts] = defaultdict(counts.CheckCounts)
    of_keys: defaultdict[tuple[UUID, date], key_usage.KeyUsage] = defaultdict(key_usage.KeyUsage)
    of_quotas: Counter[quota.QuotaAccount] = Counter()
    alike = Counter([astuple(record)[:-1] for record in records])
    for (client, key, day, valid, invalid, units, is_test, source), times in alike.items():
        used = key_usage.KeyUsage(times, times * valid, times * invalid, times * units)
        if key is not None:
            of_keys[key, day] = of_keys[key, day].plus(used)
        if not is_test:
            place = (client, day, source)
            of_clients[place] = of_clients[place].plus(counts.CheckCounts(*used[1:]))
            of_quotas[quota.QuotaAccount(client, day.replace(day=1))] += used.units
    counts.add(of_clients)
    store.insert_rows(_drop_deleted([(record.client, row) for record in records for row in record.rows]))
    # After everything that refers to clients: an owner's action locks the client's row first and its keys' rows next.
    key_usage.add(of_keys)
    quota.settle(of_quotas, holder=holder)


def _drop_deleted(rows: list[tuple[UUID, RecordRow]]) -> list[tuple[UUID, RecordRow]]:
    if not rows:
        return rows
    cutoffs = cutoff.cutoffs_of(client for client, _row in rows)
    return [(client, row) for client, row in rows if not cutoffs.cover(client, row.at, row.blind_index)]


def _is_new(spool_id: UUID, end: int) -> bool:
    """Move the position behind a batch; return whether it was not there already.

    When a connection breaks at the very end of a transaction, nobody hears that it was done. So a batch is tried again
    as it was, and this decides whether it counts.
    """
    if SpoolPosition.objects.filter(spool=spool_id).exclude(position=end).update(position=end):
        return True
    return SpoolPosition.objects.get_or_create(spool=spool_id, defaults={"position": end})[1]


_writer: Writer | None = None


def start() -> None:
    """Start this process's writer: in every worker, after it was forked."""
    global _writer
    _writer = Writer(settings.SPOOL_DIR)
    _writer.start()


def stop() -> None:
    """Write everything and end the writer; without one, do nothing. The process takes no further record."""
    if _writer is not None:
        _writer.stop()


def put(record: CallRecord, *, soon: bool = False) -> None:
    """Record a call durably. Raises SpoolFull or a database error; nothing is recorded then.

    The database has it within a second, or with `soon` at once: a person at a page looks at what follows from it.
    """
    if _writer is None:
        _count([record], quota.leases.holder, None)
        return
    _writer.put(record)
    if soon:
        _writer.write_soon()
