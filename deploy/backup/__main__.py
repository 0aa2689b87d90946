"""`ibanse-backup COMMAND`: the commands for operators and timers; exit status 0 only when all is well."""

import argparse
import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.backup import alarm, check, ledger, make, prepare, restore
from deploy.backup.programs import StepFailed, report
from deploy.backup.restic import Restic
from deploy.backup.settings import Settings, Source, load


def main(arguments: Sequence[str]) -> int:
    """Run one command; return 0 when it succeeded, or 1 after reporting (and mailing) what is wrong."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)
    source = Source()
    try:
        options.action(options, source)
    except StepFailed as failure:
        sys.stderr.write(f"FAILED. {failure}\n")
        if options.mails:
            alarm.raise_alarm(f"{options.command} failed: {failure.step}", str(failure), source)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(_options: argparse.Namespace, source: Source) -> None:
    with _exclusively(source) as settings:
        make.run(settings)


def _check(_options: argparse.Namespace, source: Source) -> None:
    with _exclusively(source) as settings:
        findings = check.findings(settings)
    if findings:
        text = "\n".join(f"- {finding}" for finding in findings)
        raise StepFailed("Check", f"{len(findings)} finding(s):\n{text}", "see each of them")
    report("All is well.")


def _ledger(_options: argparse.Namespace, source: Source) -> None:
    with _exclusively(source) as settings:
        if not ledger.ship(settings):
            report("The shipped copy of the erasure ledger is up to date.")


def _expire(options: argparse.Namespace, source: Source) -> None:
    with _exclusively(source) as settings:
        for repository, _ in settings.sources():
            restic = Restic(repository, settings.cache)
            make.expire(restic)
            if options.all:
                remaining = restic.snapshots(repository.name)
                restic.forget([each for each in remaining if each.age() > make.retention(repository)])


def _snapshots(_options: argparse.Namespace, source: Source) -> None:
    settings = load(source)
    for repository, tag in ((settings.main, "main"), (settings.keyring, "keyring"), (settings.main, ledger.TAG)):
        for snapshot in Restic(repository, settings.cache).snapshots(tag):
            report(f"{tag:8} {snapshot.id[:8]}  {snapshot.time:%Y-%m-%d %H:%M} UTC")


def _prepare(options: argparse.Namespace, source: Source) -> None:
    prepare.prepare(source, is_new_recovery=options.new_recovery)


def _restore(options: argparse.Namespace, source: Source) -> None:
    restore.restore(restore.RestoreRequest.of(options), source)


@contextmanager
def _exclusively(source: Source) -> Iterator[Settings]:
    """Read the settings, and hold the lock under which our commands run one after the other."""
    settings = load(source)
    try:
        settings.cache.mkdir(parents=True, exist_ok=True)
        lock = Path(settings.cache / "lock").open("w", encoding="ascii")  # noqa: SIM115 - closed below
    except OSError as error:
        raise StepFailed(
            "Starting", f"{settings.cache}: {error.strerror}", "run it by its unit: systemctl start ibanse-backup"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ibanse-backup", description="Backups of ibanse; see deploy/backup/README.md."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, action: Callable[[argparse.Namespace, Source], None], description: str, *, mails: bool = False
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=description, description=description)
        added.set_defaults(action=action, mails=mails)
        return added

    preparing = command("prepare", _prepare, "create passwords, SSH key and repositories, once")
    preparing.add_argument("--new-recovery", action="store_true", help="create another pair of recovery passwords")
    command("run", _run, "back up main, keyring and ledger, and remove what is too old", mails=True)
    command("check", _check, "check that backups exist, are recent and undamaged, and expire in time", mails=True)
    command("ledger", _ledger, "ship the erasure ledger", mails=True)
    command("snapshots", _snapshots, "list what can be restored")
    expiring = command("expire", _expire, "remove what is too old, without a new backup")
    expiring.add_argument("--all", action="store_true", help="also the last remaining one")
    restore.add_arguments(command("restore", _restore, "restore the site from its backups"))
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
