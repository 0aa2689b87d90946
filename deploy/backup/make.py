"""Backs up everything, then removes what is too old. The order matters; see Settings.sources."""

from datetime import datetime, timedelta
from typing import Final

from deploy.backup import databases, ledger, stamp
from deploy.backup.programs import StepFailed, report, timed
from deploy.backup.restic import Restic, Snapshot
from deploy.backup.settings import LATE_HOURS, Database, Repository, Settings

NAMES: Final = {True: "copy.sqlite3", False: "copy.dump"}


def run(settings: Settings) -> None:
    """Back up main and keyring, remove what is too old, ship the ledger, and record the times.

    A failing step does not prevent the others; the first StepFailed is raised at the end.
    """
    failures: list[StepFailed] = []
    times: dict[str, datetime] = {}
    for repository, database in settings.sources():
        restic = Restic(repository, settings.cache)
        try:
            restic.unlock()
            with timed(f"Backed up {repository.name}"):
                snapshot = back_up(restic, database)
            report(f"  {database.name} → snapshot {snapshot}")
            times[repository.name] = snapshot.time
        except StepFailed as failure:
            failures.append(failure)
        try:
            with timed(f"Removed old backups of {repository.name}"):
                expire(restic)
        except StepFailed as failure:
            failures.append(failure)
    for step in (lambda: ledger.ship(settings), lambda: stamp.write(settings.stamp, times)):
        try:
            step()
        except StepFailed as failure:
            failures.append(failure)
    for further in failures[1:]:
        report(f"Failed as well: {further}")
    if failures:
        raise failures[0]


def back_up(restic: Restic, database: Database) -> Snapshot:
    """Store a copy of the database as it is now. Raises StepFailed; then there is no incomplete snapshot."""
    name = restic.repository.name
    chunks = databases.dump(database, is_keyring=name == "keyring")
    return restic.store(chunks, name=NAMES[database.is_sqlite], tag=name)


def expire(restic: Restic) -> list[Snapshot]:
    """Remove what would be too old before the next backup; return it.

    Never the last remaining one: a machine whose backups fail must not lose it by its age. `check` then raises the
    alarm, and a person decides.
    """
    name = restic.repository.name
    snapshots = restic.snapshots(name)
    too_old = [snapshot for snapshot in snapshots[:-1] if snapshot.age() > retention(restic.repository)]
    superfluous = restic.snapshots(ledger.TAG)[: -ledger.COPIES] if name == "main" else []
    restic.forget([*too_old, *superfluous])
    for snapshot in too_old:
        report(f"  removed {name} {snapshot}")
    return too_old


def retention(repository: Repository) -> timedelta:
    """Return how old a snapshot may be after a run, so that none exceeds the promise before the next run."""
    return timedelta(days=repository.days) - timedelta(hours=LATE_HOURS)
