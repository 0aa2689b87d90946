"""Makes a backup of everything, then lets go of what is too old. The order matters; see settings.Settings.sources."""

from datetime import datetime, timedelta
from typing import Final

from deploy.backup import databases, ledger, stamp
from deploy.backup.programs import Failed, say, timed
from deploy.backup.restic import Restic, Snapshot
from deploy.backup.settings import LATE_HOURS, Database, Repository, Settings

NAMES: Final = {True: "copy.sqlite3", False: "copy.dump"}


def run(settings: Settings) -> None:
    """Back up main and keyring, remove what is too old, ship the ledger, and write down what was made when.

    One that fails does not keep the others back; raises the first Failed at the end.
    """
    failures: list[Failed] = []
    made: dict[str, datetime] = {}
    for repository, database in settings.sources():
        restic = Restic(repository, settings.cache)
        try:
            restic.unlock()
            with timed(f"Backed up {repository.name}"):
                snapshot = back_up(restic, database)
            say(f"  {database.name} → snapshot {snapshot}")
            made[repository.name] = snapshot.time
        except Failed as failure:
            failures.append(failure)
        try:
            with timed(f"Removed old backups of {repository.name}"):
                expire(restic)
        except Failed as failure:
            failures.append(failure)
    for rest in (lambda: ledger.ship(settings), lambda: stamp.write(settings.stamp, made)):
        try:
            rest()
        except Failed as failure:
            failures.append(failure)
    for further in failures[1:]:
        say(f"Failed as well: {further}")
    if failures:
        raise failures[0]


def back_up(restic: Restic, database: Database) -> Snapshot:
    """Keep a copy of the database as it is now. Raises Failed; then there is no snapshot of a half."""
    name = restic.repository.name
    chunks = databases.dump(database, is_keyring=name == "keyring")
    return restic.keep(chunks, name=NAMES[database.is_sqlite], tag=name)


def expire(restic: Restic) -> list[Snapshot]:
    """Remove what would be too old before the next backup has come; return it.

    Never the last one that is left: a machine whose backups fail must not lose its last one to the clock. `check`
    then raises the alarm, and a person decides.
    """
    name = restic.repository.name
    found = restic.snapshots(name)
    too_old = [snapshot for snapshot in found[:-1] if snapshot.age() > keep_for(restic.repository)]
    superfluous = restic.snapshots(ledger.TAG)[: -ledger.COPIES] if name == "main" else []
    restic.drop([*too_old, *superfluous])
    for snapshot in too_old:
        say(f"  removed {name} {snapshot}")
    return too_old


def keep_for(repository: Repository) -> timedelta:
    """Return how old a snapshot may be after a run: so much less than promised that the next run comes in time."""
    return timedelta(days=repository.days) - timedelta(hours=LATE_HOURS)
