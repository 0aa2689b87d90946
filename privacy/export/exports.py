"""A copy of everything that is stored about a client, for its owners to download (GDPR, Articles 15 and 20).

An owner requests it, a worker creates it in the background (ibanse/scheduler.py), and owners can download it for
OFFERED_FOR. On disk it is sealed under the client's data key (vault/sealed_file.py); it is decrypted only on its way to
the browser.

A killed worker leaves an export without a heartbeat; the next worker starts it again from the beginning. Each claims it
by one conditional UPDATE that increments `attempt`, writes files named after the attempt, and changes the row only
while the attempt is its own. So only a complete zip is ever offered, however many workers believe it is theirs.
"""

import dataclasses
import logging
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self
from uuid import UUID

from django.conf import settings
from django.db import Error, connections, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import audit, mail
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client
from accounts.personal_data.schema import ExportedTable, Value
from privacy import vault
from privacy.export import archive
from privacy.inventory import registry
from privacy.models import DataExport
from privacy.vault import sealed_file

log = logging.getLogger(__name__)

OFFERED_FOR: Final = timedelta(hours=24)
RETENTION: Final = timedelta(days=30)
"""How long owners see that there was one, after it was requested."""
MOST_PER_DAY: Final = 10
ABANDONED_AFTER: Final = timedelta(seconds=30)
BEAT_EVERY_SECONDS: Final = 2.0
MOST_ATTEMPTS: Final = 5
"""This often a worker may die of one export before it is given up."""

_State = DataExport.State
_IN_PROGRESS: Final = (_State.WAITING, _State.RUNNING)
_is_ours: Final = re.compile(r"([0-9a-f-]{36})\.([0-9]+)(\.[a-z_]+)?\.sealed").fullmatch


class _Stopped(Exception):
    """The export cannot continue; the message is a code of _AFTERWARDS."""


def request_export(client: Client, *, by: Actor) -> DataExport:
    """Request an export; one in progress is returned instead. An older one can no longer be downloaded.

    Recorded in the audit log. Raises Refusal `too_many_exports`.
    """
    with transaction.atomic():
        Client.objects.lock(client)  # Two clicks at once must not create two.
        exports = DataExport.objects.filter(client=client)
        if in_progress := exports.filter(state__in=_IN_PROGRESS).first():
            return in_progress
        if exports.filter(requested_at__gt=timezone.now() - timedelta(days=1)).count() >= MOST_PER_DAY:
            raise Refusal("too_many_exports", limit=MOST_PER_DAY)
        _expire(exports.filter(state=_State.READY))
        requested = DataExport.objects.create(client=client, requested_by=by.user)
        audit.record(AuditEvent.EXPORT_REQUESTED, client=client, by=by)
    return requested


def latest(client: Client) -> DataExport | None:
    """Return the client's newest export, while its row is retained."""
    return DataExport.objects.filter(client=client).order_by("-requested_at", "pk").first()


def is_offered(export: DataExport, now: datetime) -> bool:
    """Return whether it can be downloaded."""
    return export.state == _State.READY and export.expires_at is not None and export.expires_at > now


class Download(NamedTuple):
    """An export being downloaded: its decrypted bytes, piece by piece, and their total."""

    size: int
    pieces: Iterator[bytes]


def open_for_download(client: Client, pk: UUID, *, by: Actor) -> Download:
    """Return a complete export: it is read to its end first, since a damaged one cannot be reported in mid-download.

    Recorded in the audit log. Raises DoesNotExist for an export of another client, and Refusal `export_over`,
    `export_damaged` (it has failed then) or `export_locked`.
    """
    export = DataExport.objects.get(client=client, pk=pk)
    if not is_offered(export, timezone.now()):
        raise Refusal("export_over")
    files = _files(export)
    try:
        file = files.path().open("rb")
    except FileNotFoundError:
        raise _damaged(export) from None
    try:
        found = sum(map(len, sealed_file.read(file, files.name())))
    except sealed_file.Damaged:
        file.close()
        raise _damaged(export) from None
    except vault.VaultError:
        file.close()
        raise Refusal("export_locked") from None
    with transaction.atomic():
        DataExport.objects.filter(pk=pk).update(downloaded_at=timezone.now())
        audit.record(AuditEvent.EXPORT_DOWNLOADED, client=client, by=by)
    return Download(found, _pieces(file, files))


def _pieces(file: BinaryIO, files: archive.ArchiveFiles) -> Iterator[bytes]:
    with file:
        yield from sealed_file.read(file, files.name())


def _damaged(export: DataExport) -> Refusal:
    _fail(export, "damaged")
    return Refusal("export_damaged")


def work(now: datetime, *, is_ending: Callable[[], bool] = lambda: False) -> bool:
    """Create the export that has waited longest, or that another worker has abandoned; return whether there was one.

    `is_ending` is polled; once it is true, the export is returned to the queue.
    """
    export = _take(now)
    if export is None:
        return False
    _remove_files(export.pk, but_of=export.attempt)
    outcome = _create(export, is_ending)
    # Only now: until _create has returned, a cursor may be open, which on SQLite keeps its connection from writing.
    _AFTERWARDS.get(outcome, partial(_fail, problem=outcome))(export)
    return True


def prune(now: datetime) -> int:
    """Expire what was offered long enough, delete old rows, and remove unneeded files; return how many rows.

    Repeating it, or running it elsewhere at the same time, does no harm.
    """
    done = _expire(DataExport.objects.filter(state=_State.READY, expires_at__lte=now))
    past = DataExport.objects.filter(requested_at__lt=now - RETENTION).exclude(state__in=(*_IN_PROGRESS, _State.READY))
    done += past.delete()[0]
    # List the files first: one that is created meanwhile is not listed, and not removed for lack of a row.
    files = [(path, found) for path in _folder().iterdir() if (found := _is_ours(path.name))]
    needed = {
        (str(pk), str(attempt)): state
        for pk, attempt, state in DataExport.objects.filter(state__in=(_State.RUNNING, _State.READY)).values_list(
            "pk", "attempt", "state"
        )
    }
    for path, found in files:
        state = needed.get((found[1], found[2]))
        is_part = found[3] is not None
        if state is None or (is_part and state == _State.READY):
            path.unlink(missing_ok=True)
    return done


def remove_all(client: Client) -> None:
    """Remove the files of all of the client's exports and offer none of them any more; a worker on one loses it."""
    for pk in DataExport.objects.filter(client=client).values_list("pk", flat=True):
        DataExport.objects.filter(pk=pk).update(state=_State.OVER)
        _remove_files(pk)


def _take(now: datetime) -> DataExport | None:
    abandoned = Q(state=_State.RUNNING, heartbeat_at__lt=now - ABANDONED_AFTER)
    given_up = DataExport.objects.filter(abandoned, attempt__gte=MOST_ATTEMPTS)
    given_up.update(state=_State.FAILED, problem="given_up")
    free = DataExport.objects.filter(Q(state=_State.WAITING) | abandoned)
    for found in free.select_related("client", "requested_by").order_by("requested_at")[:5]:
        found.attempt += 1
        # One statement: of two workers that claim it, one gets it.
        taken = free.filter(pk=found.pk, attempt=found.attempt - 1).update(
            state=_State.RUNNING,
            attempt=found.attempt,
            heartbeat_at=timezone.now(),
            sources=len(registry.every()),
            sources_done=0,
            rows=0,
        )
        if taken:
            return found
    return None


def _create(export: DataExport, is_ending: Callable[[], bool]) -> str:
    """Create the zip and offer it; return the outcome: a code of _AFTERWARDS or of messages.EXPORT_PROBLEMS."""
    files = _files(export)
    try:
        with _Progress(export, is_ending) as at_work:
            expected = sum(registry.count(export.client).values())
            language = export.requested_by.language if export.requested_by else ""
            written = archive.write(
                files,
                at_work.tables(),
                begun=timezone.now(),
                language=language or settings.LANGUAGE_CODE,
                rows=expected,
            )
        return "offered" if _offer(at_work, written) else "lost"
    except _Stopped as stopped:
        return str(stopped)
    except vault.VaultError:
        return "locked"
    except Error as error:
        log.warning("An export stopped because of a database error: %s", type(error).__name__)
        return "abandoned"
    except OSError as error:
        log.error("An export could not be written into IBANSE_EXPORT_DIR: %s", error.strerror)
        return "disk"
    except Exception as error:  # noqa: BLE001 - a row that cannot be read must not stop the exports of others
        place_of_error = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "An export failed: %s in %s, line %s", type(error).__name__, place_of_error.name, place_of_error.lineno
        )
        return "internal"


def _offer(at_work: "_Progress", written: int) -> bool:
    """Offer it to the owners and mail them; return False when it is no longer ours."""
    export, until = at_work.export, timezone.now() + OFFERED_FOR
    with transaction.atomic():
        is_ours = _mine(export).update(
            state=_State.READY,
            sources_done=at_work.sources,
            rows=at_work.rows,
            bytes=written,
            expires_at=until,
        )
        if is_ours and not export.client.is_demo:  # Nobody lives at the demo's addresses.
            context = {"until": until, "link": settings.SITE_URL + reverse("privacy:export")}
            mail.send_to_owners_on_commit(export.client, "export_ready", context=context)
    return bool(is_ours)


class _Progress:
    """An export in progress in this thread, while a second thread writes its heartbeat and progress every few seconds.

    That thread has a connection of its own: on SQLite, one that is reading a table cannot write after others have.
    """

    def __init__(self, export: DataExport, is_ending: Callable[[], bool]) -> None:
        self.export = export
        self.sources = 0
        self.rows = 0
        self._is_ending = is_ending
        self._is_lost = False
        self._is_over = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="export", daemon=True)

    def __enter__(self) -> Self:
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._heart.join()

    def tables(self) -> Iterator[ExportedTable]:
        """Yield everything that is stored about the client, and count it; raises _Stopped between rows."""
        for source in registry.every():
            for table in source.export(self.export.client):
                yield dataclasses.replace(table, rows=self._counted(table.rows))
            self.sources += 1

    def _counted(self, rows: Iterator[dict[str, Value]]) -> Iterator[dict[str, Value]]:
        self._check_continues()
        for row in rows:
            self.rows += 1
            self._check_continues()
            yield row

    def _check_continues(self) -> None:
        if self._is_lost:
            raise _Stopped("lost")
        if self._is_ending():
            raise _Stopped("interrupted")

    def _beat(self) -> None:
        while not self._is_over.wait(BEAT_EVERY_SECONDS):
            now = timezone.now()
            try:
                alive = _mine(self.export).update(heartbeat_at=now, sources_done=self.sources, rows=self.rows)
                self._is_lost = not alive
            except Error as error:
                log.warning("The heartbeat of an export could not be written: %s", type(error).__name__)
            finally:
                connections.close_all()


def _mine(export: DataExport) -> QuerySet[DataExport]:
    return DataExport.objects.filter(pk=export.pk, attempt=export.attempt, state=_State.RUNNING)


def _fail(export: DataExport, problem: str) -> None:
    ours = DataExport.objects.filter(pk=export.pk, attempt=export.attempt).exclude(state=_State.OVER)
    ours.update(state=_State.FAILED, problem=problem)
    _remove_own_files(export)


def _give_back(export: DataExport) -> None:
    _remove_own_files(export)
    _mine(export).update(state=_State.WAITING)


def _remove_own_files(export: DataExport) -> None:
    _remove_files(export.pk, only_of=export.attempt)


def _leave_unchanged(_export: DataExport) -> None:
    """Leave the row and the files as they are."""


_AFTERWARDS: Final[dict[str, Callable[[DataExport], None]]] = {
    "offered": _leave_unchanged,
    # Another worker has taken it over, or it was deleted with its client.
    "lost": _remove_own_files,
    # This process is ending.
    "interrupted": _give_back,
    # After a database error: another worker, or a later round, takes it over.
    "abandoned": _leave_unchanged,
}
"""Outcome of an attempt → what is left to do; any other outcome is the reason why it failed."""


def _expire(exports: QuerySet[DataExport]) -> int:
    """Expire ready exports and remove their files; return how many."""
    found = list(exports.values_list("pk", flat=True))
    ended = DataExport.objects.filter(pk__in=found, state=_State.READY).update(state=_State.OVER)
    for pk in found:
        # Files that a crash leaves here are removed by prune().
        transaction.on_commit(partial(_remove_files, pk))
    return ended


def _files(export: DataExport) -> archive.ArchiveFiles:
    return archive.ArchiveFiles(_folder(), export.client_id, export.pk, export.attempt)


def _folder() -> Path:
    folder: Path = settings.EXPORT_DIR
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _remove_files(export: UUID, *, but_of: int | None = None, only_of: int | None = None) -> None:
    """Remove the files of an export: all, those of one attempt, or those of all other attempts."""
    for path in _folder().glob(f"{export}.*"):
        attempt = int(found[2]) if (found := _is_ours(path.name)) else None
        if attempt is not None and attempt != but_of and only_of in (None, attempt):
            path.unlink(missing_ok=True)
