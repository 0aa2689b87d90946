"""`ibanse-backup COMMAND`: what a person or a timer asks of backups; exit status 0 only when all is well."""

import argparse
import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.backup import alarm, check, ledger, make, prepare, restore
from deploy.backup.programs import Failed, say
from deploy.backup.restic import Restic
from deploy.backup.settings import Settings, Source, load


def main(arguments: Sequence[str]) -> int:
    """Carry out one command; return 0 when it succeeded, 1 when something is wrong, which is said (and mailed)."""
    told = _parser().parse_args(arguments)
    os.umask(0o077)
    source = Source()
    try:
        told.action(told, source)
    except Failed as failure:
        sys.stderr.write(f"FAILED. {failure}\n")
        if told.mails:
            alarm.raise_alarm(f"{told.command} failed: {failure.step}", str(failure), source)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(_told: argparse.Namespace, source: Source) -> None:
    with _alone(source) as settings:
        make.run(settings)


def _check(_told: argparse.Namespace, source: Source) -> None:
    with _alone(source) as settings:
        findings = check.findings(settings)
    if findings:
        text = "\n".join(f"- {finding}" for finding in findings)
        raise Failed("Check", f"{len(findings)} finding(s):\n{text}", "see each of them")
    say("All is well.")


def _ledger(_told: argparse.Namespace, source: Source) -> None:
    with _alone(source) as settings:
        if not ledger.ship(settings):
            say("The shipped copy of the erasure ledger is up to date.")


def _expire(told: argparse.Namespace, source: Source) -> None:
    with _alone(source) as settings:
        for repository, _ in settings.sources():
            restic = Restic(repository, settings.cache)
            make.expire(restic)
            if told.all:
                late = [each for each in restic.snapshots(repository.name) if each.age() > make.keep_for(repository)]
                restic.drop(late)


def _snapshots(_told: argparse.Namespace, source: Source) -> None:
    settings = load(source)
    for repository, tag in ((settings.main, "main"), (settings.keyring, "keyring"), (settings.main, ledger.TAG)):
        for snapshot in Restic(repository, settings.cache).snapshots(tag):
            say(f"{tag:8} {snapshot.id[:8]}  {snapshot.time:%Y-%m-%d %H:%M} UTC")


def _prepare(told: argparse.Namespace, source: Source) -> None:
    prepare.prepare(source, is_new_recovery=told.new_recovery)


def _restore(told: argparse.Namespace, source: Source) -> None:
    restore.restore(restore.RestoreRequest.of(told), source)


@contextmanager
def _alone(source: Source) -> Iterator[Settings]:
    """Read the settings, and let no other of our own commands write meanwhile: each waits for its turn."""
    settings = load(source)
    try:
        settings.cache.mkdir(parents=True, exist_ok=True)
        lock = Path(settings.cache / "lock").open("w", encoding="ascii")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Failed(
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
        name: str, action: Callable[[argparse.Namespace, Source], None], what: str, *, mails: bool = False
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what, description=what)
        added.set_defaults(action=action, mails=mails)
        return added

    again = command("prepare", _prepare, "make passwords, SSH key and repositories, once")
    again.add_argument("--new-recovery", action="store_true", help="make another pair of passwords for the safe")
    command("run", _run, "back up main, keyring and ledger, and remove what is too old", mails=True)
    command("check", _check, "look whether backups are there, young, whole, and gone in time", mails=True)
    command("ledger", _ledger, "ship the erasure ledger", mails=True)
    command("snapshots", _snapshots, "list what can be restored")
    old = command("expire", _expire, "remove what is too old, without a new backup")
    old.add_argument("--all", action="store_true", help="also the last one that is left")
    restore.add_arguments(command("restore", _restore, "bring the site back from its backups"))
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
