"""Looks whether the backups are there, young, whole, and gone in time; every finding is a sentence with its remedy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.backup import ledger
from deploy.backup.owner import read_as_owner
from deploy.backup.programs import Failed, say, timed
from deploy.backup.restic import Restic, Snapshot
from deploy.backup.settings import LATE_HOURS, Repository, Settings

AHEAD = timedelta(minutes=10)


def findings(settings: Settings) -> list[str]:
    """Return a sentence for everything that is not as promised; none means that all is well."""
    found = [finding for repository, _ in settings.sources() for finding in _of_repository(repository, settings)]
    if settings.recovery_file.exists():
        found.append(
            f"{settings.recovery_file} is still on this machine: bring it to your safe and remove it "
            f"(shred -u {settings.recovery_file})."
        )
    return [*found, *_of_ledger(settings), *_put_aside(settings)]


def _of_repository(repository: Repository, settings: Settings) -> Iterator[str]:
    restic = Restic(repository, settings.cache)
    try:
        snapshots = restic.snapshots(repository.name)
        yield from _ages(repository, snapshots)
        yield from _shrinking(restic, snapshots)
        # The keyring is small: all of it, each time. Of main a seventh, by the day of the week.
        part = "1/1" if repository.name == "keyring" else f"{datetime.now(UTC).isoweekday()}/7"
        with timed(f"Checked {repository.name}, {len(snapshots)} snapshots, part {part} of the data read"):
            restic.check(part=part)
        if restic.has_leftovers():
            yield (
                f"The {repository.name} repository holds data that no snapshot needs, which may be of deleted ones: "
                "run the backup again, which removes them."
            )
    except Failed as failure:
        yield str(failure)


def _ages(repository: Repository, snapshots: list[Snapshot]) -> Iterator[str]:
    again = "look at `journalctl -u ibanse-backup`, mend it, and run `systemctl start ibanse-backup`."
    if not snapshots:
        yield f"There is no backup of {repository.name}: {again}"
        return
    newest = snapshots[-1]
    hours = newest.age() / timedelta(hours=1)
    say(f"{repository.name}: newest {newest}, {hours:.1f} hours old")
    if hours > LATE_HOURS:
        yield f"The newest backup of {repository.name} is {hours:.0f} hours old, more than {LATE_HOURS}: {again}"
    if -newest.age() > AHEAD:
        yield (
            f"The {repository.name} snapshot {newest} is from the future: a clock is wrong, or somebody wants good "
            "snapshots to look old. Look who made it, then remove it with `restic forget`."
        )
    for old in snapshots:
        if old.age() > timedelta(days=repository.days):
            yield (
                f"The {repository.name} snapshot {old} is older than the promised {repository.days} days: make a new "
                "backup, which removes it, or if there is nothing left to back up, run `ibanse-backup expire --all`."
            )


def _shrinking(restic: Restic, snapshots: list[Snapshot]) -> Iterator[str]:
    """An emptied database would push out the good backups night by night, without anything failing."""
    if len(snapshots) < 2:
        return
    before, now = (restic.size(snapshot) for snapshot in snapshots[-2:])
    if now * 2 < before:
        yield (
            f"The newest backup of {restic.repository.name} has {now:,} bytes, the one before {before:,}: look whether "
            "the database has lost its content, before the good backups are removed for their age."
        )


def _put_aside(settings: Settings) -> Iterator[str]:
    """What a restore has put aside beside a database of SQLite is a copy as well, and no timer removes it."""
    for repository, database in settings.sources():
        beside = Path(database.name)
        for path in beside.parent.glob(f"{beside.name}.before-*") if database.is_sqlite else ():
            if datetime.now(UTC).timestamp() - path.lstat().st_mtime > repository.days * 24 * 3600:
                yield f"{path}, put aside by a restore, is older than {repository.days} days: remove it."


def _of_ledger(settings: Settings) -> Iterator[str]:
    try:
        there = ledger.shipped(Restic(settings.main, settings.cache))
    except Failed as failure:
        yield str(failure)
        return
    here = read_as_owner(settings.ledger)
    if here != there:
        yield (
            f"The erasure ledger here has {len(here):,} bytes, its shipped copy {len(there):,}: run "
            "`systemctl start ibanse-backup-ledger`, which ships it or says why not."
        )
