"""Brings the site back: newest or named snapshots, proven beside what lives, and only then put into its place.

The site stays closed until the erasures since the snapshot are replayed: a client that had been deleted, and came back
with the snapshot, must not be seen by anybody. Stopped or failed at any step, it is run again and begins anew.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from deploy.backup import ledger, make, programs
from deploy.backup.owner import as_owner, read_as_owner, write_as_owner
from deploy.backup.programs import Failed, say, timed
from deploy.backup.restic import Restic, Snapshot
from deploy.backup.settings import Database, Settings, Source, assignments, database, load
from deploy.backup.targets import (
    PostgresqlRole,
    PostgresqlTarget,
    SqliteTarget,
    Target,
    as_user,
)

ROOT: Final = Path(__file__).resolve().parents[2]
PARTS: Final = ("main", "keyring")
URLS: Final = {"main": "DATABASE_URL", "keyring": "KEYRING_DATABASE_URL"}
"""What the site calls them."""


@dataclass(frozen=True)
class RestoreRequest:
    """What a person wants restored."""

    snapshots: dict[str, str]
    """main or keyring → the beginning of a snapshot's id, or `latest`."""
    replace: frozenset[str] = frozenset()
    """What may be replaced although it is alive."""
    is_dry_run: bool = False
    is_drill: bool = False
    is_only_ledger: bool = False

    @classmethod
    def of(cls, told: argparse.Namespace) -> "RestoreRequest":
        """Return what the command line says."""
        chosen = {"main": told.main, "keyring": told.keyring}
        return cls(chosen, frozenset(told.replace), told.dry_run, told.drill, told.only == "ledger")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--main", default="latest", metavar="SNAPSHOT", help="a snapshot of the main database")
    parser.add_argument("--keyring", default="latest", metavar="SNAPSHOT", help="a snapshot of the keyring")
    parser.add_argument(
        "--replace",
        action="append",
        default=[],
        choices=PARTS,
        help="replace it although it is alive (say it for each)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    how.add_argument("--drill", action="store_true", help="restore beside the living site, prove it, and throw it away")
    how.add_argument("--only", choices=["ledger"], help="put the shipped erasure ledger in the place of the one here")


@dataclass(frozen=True)
class Plan:
    """What will be done."""

    targets: list[Target]
    chosen: dict[str, Snapshot]
    """Which snapshot replaces what; a target that is not in it stays."""
    erasures: bytes
    """The whole erasure ledger."""

    @property
    def restored(self) -> list[Target]:
        """Return the targets that are restored."""
        return [target for target in self.targets if target.name in self.chosen]


def restore(wish: RestoreRequest, source: Source) -> None:
    """Carry out the wish. Raises Failed; what was alive before is untouched then."""
    settings = load(source)
    if wish.is_only_ledger:
        _put_ledger_back(settings)
        return
    begun = time.monotonic()
    plan = _plan(wish, settings, source)
    if wish.is_dry_run:
        say("Nothing was changed (--dry-run).")
        return
    if not wish.is_drill:
        _write_ledger(settings, plan.erasures)
    try:
        for target in plan.restored:
            _fill(target, plan.chosen[target.name], settings)
        _prove(plan, settings, source, in_drill=wish.is_drill)
        for target in plan.restored:
            _tell_counts(target)
    except BaseException:
        _clear(plan)
        raise
    if wish.is_drill:
        _clear(plan)
        say(f"The drill succeeded and left nothing behind: {time.monotonic() - begun:.1f} s in all.")
        return
    for target in plan.restored:
        if old := target.take_place():
            say(f"What {target.name} was before is kept as {old}: remove it within days, since no timer does.")
    say(f"Restored in {time.monotonic() - begun:.1f} s.")
    say("What happened after the snapshots is lost: API keys revoked since then work again, users removed are")
    say(
        "back, and everybody signs in anew. Now run deploy/install: it gives the roles their rights and opens the site."
    )


def _prove(plan: Plan, settings: Settings, source: Source, *, in_drill: bool) -> None:
    if not in_drill:
        Site(source, plan, settings.ledger).prove()
        return
    # A drill writes nowhere: it replays from a copy.
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "ledger"
        if plan.erasures:
            copy.write_bytes(plan.erasures)
            copy.chmod(0o644)
        Path(name).chmod(0o755)
        Site(source, plan, copy).prove()


def _clear(plan: Plan) -> None:
    for target in plan.restored:
        target.clear()


def _plan(wish: RestoreRequest, settings: Settings, source: Source) -> Plan:
    """Look at everything, change nothing, and say what will be done. Raises Failed when it may not or cannot be."""
    targets = _targets(settings, source)
    rows = {target.name: target.rows() for target in targets}
    wanted = _wanted(wish, rows)
    _refuse_a_running_site(wish)
    restics = {repository.name: Restic(repository, settings.cache) for repository, _ in settings.sources()}
    chosen = {name: _chosen(wish, restic) for name, restic in restics.items() if name in wanted}
    for target in targets:
        _tell(target, rows[target.name], chosen.get(target.name))
    return Plan(targets, chosen, _newer_ledger(settings, ledger.shipped(restics["main"])))


def _wanted(wish: RestoreRequest, rows: dict[str, int | None]) -> set[str]:
    """Return what to restore: what is not alive, and what may be replaced all the same; in a drill both."""
    if wish.is_drill:
        return set(PARTS)
    alive = {name for name in PARTS if rows[name]}
    wanted = set(PARTS) - (alive - wish.replace)
    if not wanted:
        raise Failed(
            "Restoring", f"both databases are alive: {rows['main']:,} users, {rows['keyring']:,} data keys",
            "`--replace main` or `--replace keyring` replaces one (say both for both); `--drill` only tries",
        )  # fmt: skip
    return wanted


def _refuse_a_running_site(wish: RestoreRequest) -> None:
    if wish.is_dry_run or wish.is_drill or not Path("/run/systemd/system").exists() or not shutil.which("systemctl"):
        return
    if programs.run(["systemctl", "is-active", "--quiet", "ibanse.service"], {}).returncode == 0:
        raise Failed("Restoring", "the site is running", "systemctl stop ibanse")


def _chosen(wish: RestoreRequest, restic: Restic) -> Snapshot:
    name = restic.repository.name
    found = restic.snapshots(name)
    if not found:
        meaning = (
            "nothing that is sealed can be opened without it" if name == "keyring" else "there is nothing to restore"
        )
        raise Failed(
            f"Choosing a snapshot of {name}", f"there is none in {restic.repository.address}: {meaning}",
            "look at the other repositories, or at a snapshot of the Storage Box, for an older state of this folder",
        )  # fmt: skip
    wished = wish.snapshots[name]
    fitting = found[-1:] if wished == "latest" else [each for each in found if each.id.startswith(wished)]
    if len(fitting) != 1:
        listed = ", ".join(str(each) for each in found[-10:])
        raise Failed(
            f"Choosing a snapshot of {name}", f"{wished} names {len(fitting)} of them", f"choose one of: {listed}"
        )
    return fitting[0]


def _tell(target: Target, rows: int | None, snapshot: Snapshot | None) -> None:
    state = (
        "missing or unreadable"
        if rows is None
        else "empty"
        if rows == 0
        else f"alive ({rows:,} rows in its main table)"
    )
    action = (
        f"restored from {snapshot}, {snapshot.age().total_seconds() / 3600:.1f} hours old"
        if snapshot
        else "left as it is"
    )
    say(f"{target.name}: {target.database.name} is {state}; it is {action}.")


def _fill(target: Target, snapshot: Snapshot, settings: Settings) -> None:
    repository = settings.main if target.name == "main" else settings.keyring
    with timed(f"Restored {target.name} beside its place"):
        restic = Restic(repository, settings.cache)
        # Which kind it was backed up from decides its name: a SQLite copy cannot go into PostgreSQL.
        name = make.NAMES[target.database.is_sqlite]
        target.fill(restic.read(snapshot, name))


class Site:
    """Runs this release of the site on the restored databases, before anybody else can see them."""

    def __init__(self, source: Source, plan: Plan, ledger_path: Path) -> None:
        # Root would leave files of its own among the site's; the tables are the owner's to migrate.
        self._user = source.text("IBANSE_SITE_USER", "ibanse-owner") if os.geteuid() == 0 else ""
        self._told = _settings_of_the_site(source)
        self._told["IBANSE_LEDGER"] = str(ledger_path)
        for target in plan.targets:
            setting = URLS[target.name]
            url = source.text(f"IBANSE_RESTORE_{setting}", self._told.get(setting, ""))
            self._told[setting] = _with(url, target.beside if target in plan.restored else target.database)

    def prove(self) -> None:
        """Migrate, replay erasures, end sessions, verify keys and chains; see proof.py. Raises Failed."""
        done = subprocess.run(
            [*as_user(self._user), sys.executable, "-B", "-m", "deploy.backup.proof"], cwd=ROOT,
            env=self._told, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        say("\n".join(f"  {line}" for line in done.stdout.strip().splitlines()))
        if done.returncode:
            raise Failed(
                "Proving what was restored", " ".join(done.stderr.split()) or "it said nothing",
                "nothing was put into its place; mend this (missing keys come from your safe), then run it again",
            )  # fmt: skip


def _settings_of_the_site(source: Source) -> dict[str, str]:
    """Return what deploy/manage gives a command that runs as the owner of the tables, secrets and all.

    They go by environment to a process of that user; root alone may read the files.
    """
    folder = source.file.parent
    files = [path for each in source.credentials if each.is_dir() for path in each.iterdir()]
    names = ("IBANSE_", "EMAIL_URL", "REDIS_URL")
    secrets = [path for path in files if path.name.startswith(names) and not path.name.startswith("IBANSE_BACKUP_")]
    return {
        **{path.name: path.read_text(encoding="utf-8").strip() for path in secrets if os.access(path, os.R_OK)},
        **assignments(folder / "ibanse.env"),
        **assignments(folder / "owner.env"),
        **os.environ,
    }


def _with(url: str, place: Database) -> str:
    """Return an address with the name of another database of the same kind in it."""
    if place.is_sqlite:
        return f"sqlite:///{quote(place.name)}"
    return urlsplit(url)._replace(path=f"/{quote(place.name)}").geturl()


def _tell_counts(target: Target) -> None:
    say(f"Rows in {target.name}:")
    for table, rows in target.counts().items():
        say(f"  {rows:12,} {table}")


def _newer_ledger(settings: Settings, shipped: bytes) -> bytes:
    """Return the ledger that knows more, ours or the shipped one. Raises Failed when neither continues the other."""
    here = read_as_owner(settings.ledger)
    if not (here.startswith(shipped) or shipped.startswith(here)):
        raise Failed(
            "Comparing erasure ledgers", f"{settings.ledger} and its shipped copy tell different things",
            "keep both; `deploy/restore --only ledger` puts the shipped one into its place. Replay what only the other "
            "one knows by hand",
        )  # fmt: skip
    newer = max(here, shipped, key=len)
    say(f"Erasure ledger: {len(here):,} bytes here, {len(shipped):,} shipped; the longer one is replayed.")
    return newer


def _put_ledger_back(settings: Settings) -> None:
    shipped = ledger.shipped(Restic(settings.main, settings.cache))
    if not shipped:
        raise Failed("Restoring the erasure ledger", "none was ever shipped", "there is nothing to bring back")
    aside = settings.ledger.with_name(f"{settings.ledger.name}.before-{int(time.time())}")
    if as_owner(settings.ledger.parent, _put_aside, settings.ledger, aside):
        say(f"The ledger that was here is kept as {aside}.")
    _write_ledger(settings, shipped)
    say(f"Restored {settings.ledger} ({len(shipped):,} bytes). Now: manage.py replay_erasures")


def _put_aside(path: Path, aside: Path) -> bool:
    with suppress(FileNotFoundError):
        path.rename(aside)
        return True
    return False


def _write_ledger(settings: Settings, content: bytes) -> None:
    """Put the ledger into its place whole or not at all; one that is the same already is left alone."""
    path = settings.ledger
    if not content or read_as_owner(path) == content:
        return
    draft = path.with_name(f"{path.name}.draft")
    as_owner(path.parent, draft.unlink, missing_ok=True)
    write_as_owner(draft, [content])
    as_owner(path.parent, draft.replace, path)


def _targets(settings: Settings, source: Source) -> list[Target]:
    places = {"main": settings.main_database, "keyring": settings.keyring_database}
    return [_target(name, place, source) for name, place in places.items()]


def _target(name: str, place: Database, source: Source) -> Target:
    if place.is_sqlite:
        return SqliteTarget(name, place)
    admin = database(source, f"IBANSE_RESTORE_{'' if name == 'main' else 'KEYRING_'}ADMIN_URL")
    is_peer = os.geteuid() == 0 and "PGPASSWORD" not in admin.libpq and admin.libpq.get("PGHOST", "/").startswith("/")
    return PostgresqlTarget(name, place, PostgresqlRole(admin.libpq, admin.libpq.get("PGUSER", "") if is_peer else ""))
