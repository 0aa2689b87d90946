"""Restores the site: newest or named snapshots, verified beside the live databases before they replace them.

The site stays down until the erasures since the snapshot are replayed: nobody may see a deleted client that came back
with the snapshot. Interrupted or failed at any step, it can simply be run again.
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
from deploy.backup.programs import StepFailed, report, timed
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
"""The site's names of the settings."""


@dataclass(frozen=True)
class RestoreRequest:
    """What to restore, and how."""

    snapshots: dict[str, str]
    """main or keyring → prefix of a snapshot's id, or `latest`."""
    replace: frozenset[str] = frozenset()
    """What may be replaced although it contains data."""
    is_dry_run: bool = False
    is_drill: bool = False
    is_only_ledger: bool = False

    @classmethod
    def of(cls, options: argparse.Namespace) -> "RestoreRequest":
        """Return the request of a command line."""
        chosen = {"main": options.main, "keyring": options.keyring}
        return cls(chosen, frozenset(options.replace), options.dry_run, options.drill, options.only == "ledger")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--main", default="latest", metavar="SNAPSHOT", help="a snapshot of the main database")
    parser.add_argument("--keyring", default="latest", metavar="SNAPSHOT", help="a snapshot of the keyring")
    parser.add_argument(
        "--replace",
        action="append",
        default=[],
        choices=PARTS,
        help="replace it although it contains data (repeat for both)",
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--dry-run", action="store_true", help="report what would be done, and change nothing")
    modes.add_argument("--drill", action="store_true", help="restore beside the live site, verify it, and discard it")
    modes.add_argument("--only", choices=["ledger"], help="replace the local erasure ledger by the shipped one")


@dataclass(frozen=True)
class Plan:
    """What a restore will do."""

    targets: list[Target]
    chosen: dict[str, Snapshot]
    """The snapshot for each target; other targets are unchanged."""
    erasures: bytes
    """The complete erasure ledger."""

    @property
    def restored(self) -> list[Target]:
        """Return the targets that are restored."""
        return [target for target in self.targets if target.name in self.chosen]


def restore(request: RestoreRequest, source: Source) -> None:
    """Carry out a request. Raises StepFailed; then the live databases are unchanged."""
    settings = load(source)
    if request.is_only_ledger:
        _restore_ledger(settings)
        return
    started = time.monotonic()
    plan = _plan(request, settings, source)
    if request.is_dry_run:
        report("Nothing was changed (--dry-run).")
        return
    if not request.is_drill:
        _write_ledger(settings, plan.erasures)
    try:
        for target in plan.restored:
            _fill(target, plan.chosen[target.name], settings)
        _verify(plan, settings, source, is_drill=request.is_drill)
        for target in plan.restored:
            _report_counts(target)
    except BaseException:
        _discard(plan)
        raise
    if request.is_drill:
        _discard(plan)
        report(f"The drill succeeded and changed nothing: {time.monotonic() - started:.1f} s in all.")
        return
    for target in plan.restored:
        if old := target.replace_live():
            report(f"The previous {target.name} is retained as {old}: remove it within days, since no timer does.")
    report(f"Restored in {time.monotonic() - started:.1f} s.")
    report("Changes after the snapshots are lost: API keys revoked since then work again, removed users are back, and")
    report("everybody must sign in again. Now run deploy/install: it applies the roles' rights and starts the site.")


def _verify(plan: Plan, settings: Settings, source: Source, *, is_drill: bool) -> None:
    if not is_drill:
        RestoredSite(source, plan, settings.ledger).verify()
        return
    # A drill changes nothing, not even the ledger: it replays from a copy.
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "ledger"
        if plan.erasures:
            copy.write_bytes(plan.erasures)
            copy.chmod(0o644)
        Path(name).chmod(0o755)
        RestoredSite(source, plan, copy).verify()


def _discard(plan: Plan) -> None:
    for target in plan.restored:
        target.remove_staging()


def _plan(request: RestoreRequest, settings: Settings, source: Source) -> Plan:
    """Check everything, change nothing, and report what will be done. Raises StepFailed when that is impossible."""
    targets = _targets(settings, source)
    rows = {target.name: target.rows() for target in targets}
    parts = _parts_to_restore(request, rows)
    _refuse_a_running_site(request)
    restics = {repository.name: Restic(repository, settings.cache) for repository, _ in settings.sources()}
    chosen = {name: _choose_snapshot(request, restic) for name, restic in restics.items() if name in parts}
    for target in targets:
        _report_plan(target, rows[target.name], chosen.get(target.name))
    return Plan(targets, chosen, _newer_ledger(settings, ledger.shipped(restics["main"])))


def _parts_to_restore(request: RestoreRequest, rows: dict[str, int | None]) -> set[str]:
    """Return what to restore: what is missing or empty, and what may be replaced; in a drill both."""
    if request.is_drill:
        return set(PARTS)
    live = {name for name in PARTS if rows[name]}
    parts = set(PARTS) - (live - request.replace)
    if not parts:
        raise StepFailed(
            "Restoring", f"both databases contain data: {rows['main']:,} users, {rows['keyring']:,} data keys",
            "`--replace main` or `--replace keyring` replaces one (use both for both); `--drill` only rehearses",
        )  # fmt: skip
    return parts


def _refuse_a_running_site(request: RestoreRequest) -> None:
    if (
        request.is_dry_run
        or request.is_drill
        or not Path("/run/systemd/system").exists()
        or not shutil.which("systemctl")
    ):
        return
    if programs.run(["systemctl", "is-active", "--quiet", "ibanse.service"], {}).returncode == 0:
        raise StepFailed("Restoring", "the site is running", "systemctl stop ibanse")


def _choose_snapshot(request: RestoreRequest, restic: Restic) -> Snapshot:
    name = restic.repository.name
    snapshots = restic.snapshots(name)
    if not snapshots:
        meaning = "nothing encrypted can be read without it" if name == "keyring" else "there is nothing to restore"
        raise StepFailed(
            f"Choosing a snapshot of {name}", f"there is none in {restic.repository.address}: {meaning}",
            "look for an older state of this folder in other repositories or the Storage Box's snapshots",
        )  # fmt: skip
    prefix = request.snapshots[name]
    matches = snapshots[-1:] if prefix == "latest" else [each for each in snapshots if each.id.startswith(prefix)]
    if len(matches) != 1:
        listed = ", ".join(str(each) for each in snapshots[-10:])
        raise StepFailed(
            f"Choosing a snapshot of {name}", f"{prefix} matches {len(matches)} of them", f"choose one of: {listed}"
        )
    return matches[0]


def _report_plan(target: Target, rows: int | None, snapshot: Snapshot | None) -> None:
    state = (
        "missing or unreadable" if rows is None else "empty" if rows == 0 else f"live ({rows:,} rows in its main table)"
    )
    action = (
        f"restored from {snapshot}, {snapshot.age().total_seconds() / 3600:.1f} hours old"
        if snapshot
        else "left unchanged"
    )
    report(f"{target.name}: {target.database.name} is {state}; it will be {action}.")


def _fill(target: Target, snapshot: Snapshot, settings: Settings) -> None:
    repository = settings.main if target.name == "main" else settings.keyring
    with timed(f"Restored {target.name} beside the live one"):
        restic = Restic(repository, settings.cache)
        # The kind of database decides the name: a SQLite copy cannot be restored into PostgreSQL.
        name = make.NAMES[target.database.is_sqlite]
        target.fill(restic.read(snapshot, name))


class RestoredSite:
    """Runs this release of the site on the restored databases, before they are live."""

    def __init__(self, source: Source, plan: Plan, ledger_path: Path) -> None:
        # As root it would leave root's files among the site's; only the owner of the tables can migrate them.
        self._user = source.text("IBANSE_SITE_USER", "ibanse-owner") if os.geteuid() == 0 else ""
        self._variables = _site_environment(source)
        self._variables["IBANSE_LEDGER"] = str(ledger_path)
        for target in plan.targets:
            setting = URLS[target.name]
            url = source.text(f"IBANSE_RESTORE_{setting}", self._variables.get(setting, ""))
            self._variables[setting] = _with_database(
                url, target.staging if target in plan.restored else target.database
            )

    def verify(self) -> None:
        """Migrate, replay erasures, end sessions, verify keys and audit logs. Raises StepFailed."""
        done = subprocess.run(
            [*as_user(self._user), sys.executable, "-B", "-m", "deploy.backup.verification"], cwd=ROOT,
            env=self._variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        report("\n".join(f"  {line}" for line in done.stdout.strip().splitlines()))
        if done.returncode:
            raise StepFailed(
                "Verifying what was restored", " ".join(done.stderr.split()) or "it printed nothing",
                "nothing live was changed; repair this (missing keys are in your safe), then run it again",
            )  # fmt: skip


def _site_environment(source: Source) -> dict[str, str]:
    """Return the environment that deploy/manage gives to a command of the tables' owner, including secrets.

    Only root can read the files, so the process of that user gets them in its environment.
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


def _with_database(url: str, target: Database) -> str:
    """Return a database URL with the name of another database of the same kind."""
    if target.is_sqlite:
        return f"sqlite:///{quote(target.name)}"
    return urlsplit(url)._replace(path=f"/{quote(target.name)}").geturl()


def _report_counts(target: Target) -> None:
    report(f"Rows in {target.name}:")
    for table, rows in target.counts().items():
        report(f"  {rows:12,} {table}")


def _newer_ledger(settings: Settings, shipped: bytes) -> bytes:
    """Return the longer ledger, local or shipped. Raises StepFailed when neither is the beginning of the other."""
    local = read_as_owner(settings.ledger)
    if not (local.startswith(shipped) or shipped.startswith(local)):
        raise StepFailed(
            "Comparing erasure ledgers", f"{settings.ledger} and its shipped copy contradict each other",
            "keep both; `deploy/restore --only ledger` restores the shipped one. Replay by hand what is only in the "
            "other one",
        )  # fmt: skip
    newer = max(local, shipped, key=len)
    report(f"Erasure ledger: {len(local):,} bytes locally, {len(shipped):,} shipped; the longer one is replayed.")
    return newer


def _restore_ledger(settings: Settings) -> None:
    shipped = ledger.shipped(Restic(settings.main, settings.cache))
    if not shipped:
        raise StepFailed("Restoring the erasure ledger", "none was ever shipped", "there is nothing to restore")
    backup = settings.ledger.with_name(f"{settings.ledger.name}.before-{int(time.time())}")
    if as_owner(settings.ledger.parent, _rename, settings.ledger, backup):
        report(f"The previous ledger is retained as {backup}.")
    _write_ledger(settings, shipped)
    report(f"Restored {settings.ledger} ({len(shipped):,} bytes). Now: manage.py replay_erasures")


def _rename(path: Path, backup: Path) -> bool:
    with suppress(FileNotFoundError):
        path.rename(backup)
        return True
    return False


def _write_ledger(settings: Settings, content: bytes) -> None:
    """Replace the ledger atomically, unless it is equal already."""
    path = settings.ledger
    if not content or read_as_owner(path) == content:
        return
    draft = path.with_name(f"{path.name}.draft")
    as_owner(path.parent, draft.unlink, missing_ok=True)
    write_as_owner(draft, [content])
    as_owner(path.parent, draft.replace, path)


def _targets(settings: Settings, source: Source) -> list[Target]:
    databases = {"main": settings.main_database, "keyring": settings.keyring_database}
    return [_target(name, live, source) for name, live in databases.items()]


def _target(name: str, live: Database, source: Source) -> Target:
    if live.is_sqlite:
        return SqliteTarget(name, live)
    admin = database(source, f"IBANSE_RESTORE_{'' if name == 'main' else 'KEYRING_'}ADMIN_URL")
    is_peer = os.geteuid() == 0 and "PGPASSWORD" not in admin.libpq and admin.libpq.get("PGHOST", "/").startswith("/")
    return PostgresqlTarget(name, live, PostgresqlRole(admin.libpq, admin.libpq.get("PGUSER", "") if is_peer else ""))
