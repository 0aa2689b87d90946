"""Checks that the backups exist, are recent and undamaged, and expire in time; each finding names its remedy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.backup import ledger
from deploy.backup.owner import read_as_owner
from deploy.backup.programs import StepFailed, report, timed
from deploy.backup.restic import Restic, Snapshot
from deploy.backup.settings import LATE_HOURS, Repository, Settings

CLOCK_TOLERANCE = timedelta(minutes=10)


def findings(settings: Settings) -> list[str]:
    """Return a message for everything that is not as promised; empty means that all is well."""
    messages = [finding for repository, _ in settings.sources() for finding in _of_repository(repository, settings)]
    if settings.recovery_file.exists():
        messages.append(
            f"{settings.recovery_file} is still on this machine: move it to your password safe and remove it "
            f"(shred -u {settings.recovery_file})."
        )
    return [*messages, *_of_ledger(settings), *_replaced_files(settings)]


def _of_repository(repository: Repository, settings: Settings) -> Iterator[str]:
    restic = Restic(repository, settings.cache)
    try:
        snapshots = restic.snapshots(repository.name)
        yield from _ages(repository, snapshots)
        yield from _shrinking(restic, snapshots)
        # The keyring is small and read completely each time; of main a seventh, by the day of the week.
        part = "1/1" if repository.name == "keyring" else f"{datetime.now(UTC).isoweekday()}/7"
        with timed(f"Checked {repository.name}, {len(snapshots)} snapshots, part {part} of the data read"):
            restic.check(part=part)
        if restic.has_leftovers():
            yield (
                f"The {repository.name} repository holds data that no snapshot needs, possibly of deleted clients: "
                "run the backup again, which removes it."
            )
    except StepFailed as failure:
        yield str(failure)


def _ages(repository: Repository, snapshots: list[Snapshot]) -> Iterator[str]:
    remedy = "read `journalctl -u ibanse-backup`, repair it, and run `systemctl start ibanse-backup`."
    if not snapshots:
        yield f"There is no backup of {repository.name}: {remedy}"
        return
    newest = snapshots[-1]
    hours = newest.age() / timedelta(hours=1)
    report(f"{repository.name}: newest {newest}, {hours:.1f} hours old")
    if hours > LATE_HOURS:
        yield f"The newest backup of {repository.name} is {hours:.0f} hours old, more than {LATE_HOURS}: {remedy}"
    if -newest.age() > CLOCK_TOLERANCE:
        yield (
            f"The {repository.name} snapshot {newest} is from the future: a clock is wrong, or somebody wants good "
            "snapshots to look old. Find out who made it, then remove it with `restic forget`."
        )
    for old in snapshots:
        if old.age() > timedelta(days=repository.days):
            yield (
                f"The {repository.name} snapshot {old} is older than the promised {repository.days} days: make a new "
                "backup, which removes it, or if there is nothing left to back up, run `ibanse-backup expire --all`."
            )


def _shrinking(restic: Restic, snapshots: list[Snapshot]) -> Iterator[str]:
    """Yield a finding when the newest backup is much smaller: an emptied database would displace the good ones."""
    if len(snapshots) < 2:
        return
    before, now = (restic.size(snapshot) for snapshot in snapshots[-2:])
    if now * 2 < before:
        yield (
            f"The newest backup of {restic.repository.name} has {now:,} bytes, the one before {before:,}: check "
            "whether the database has lost its content, before the good backups expire."
        )


def _replaced_files(settings: Settings) -> Iterator[str]:
    """Yield the SQLite files that a restore replaced and retained for too long: they are copies too."""
    for repository, database in settings.sources():
        live = Path(database.name)
        for path in live.parent.glob(f"{live.name}.before-*") if database.is_sqlite else ():
            if datetime.now(UTC).timestamp() - path.lstat().st_mtime > repository.days * 24 * 3600:
                yield f"{path}, replaced by a restore, is older than {repository.days} days: remove it."


def _of_ledger(settings: Settings) -> Iterator[str]:
    try:
        remote = ledger.shipped(Restic(settings.main, settings.cache))
    except StepFailed as failure:
        yield str(failure)
        return
    local = read_as_owner(settings.ledger)
    if local != remote:
        yield (
            f"The local erasure ledger has {len(local):,} bytes, its shipped copy {len(remote):,}: run "
            "`systemctl start ibanse-backup-ledger`, which ships it or reports why it cannot."
        )
