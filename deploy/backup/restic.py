"""Operates one restic repository: store, list, read, forget, check. Knows nothing of the content.

Works with restic 0.14 (Debian 12) and newer. Secrets are passed in the environment, never on a command line.
"""

import json
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final, cast

from deploy.backup import programs
from deploy.backup.programs import StepFailed
from deploy.backup.settings import Repository

HOST: Final = "ibanse"
"""The host name of every snapshot, so that another machine finds the snapshots of this one."""
CHUNK_BYTES: Final = 1024 * 1024
LOCK_TIMEOUT: Final = timedelta(minutes=10)
STOP_TIMEOUT: Final = timedelta(seconds=20)

# Pattern in restic's output → meaning and remedy. Its exit codes distinguish them only from 0.17 on.
_MEANINGS: Final = (
    (
        "wrong password or no key found",
        "the password does not open this repository",
        "compare it with your safe: IBANSE_BACKUP_PASSWORD is main's, IBANSE_BACKUP_KEYRING_PASSWORD the keyring's",
    ),
    (
        "unable to open config file|repository does not exist|Is there a repository",
        "there is no repository, or nothing responds there",
        "check the URL in backup.env; a new target is prepared once by `ibanse-backup prepare`",
    ),
    (
        "no space left on device|quota exceeded|SSH_FX_FAILURE",
        "the target is full or refuses to write",
        "free space there (a larger Storage Box) and run the backup again; earlier backups are intact",
    ),
    (
        "already locked",
        "another restic uses the repository",
        "wait for it; when none is running on any machine, `restic unlock` removes its lock",
    ),
    (
        (
            "ssh command exited|Host key verification failed|Permission denied|Connection (refused|timed out|closed)"
            "|unable to start the sftp session|Could not resolve|connection lost"
        ),
        "the target cannot be reached over SFTP",
        "check its host and port, backup_known_hosts, and that the key IBANSE_BACKUP_SSH_KEY.pub is registered there",
    ),
    (
        (
            "ciphertext verification failed|hash mismatch|hash does not match|Pack ID does not match|id mismatch"
            "|(invalid|wrong) data returned|repository contains errors|not found in|unexpected EOF|data seems to be"
            " missing|errors were found|no such file|size does not match|does not exist"
        ),
        "the repository is damaged",
        "restore an older snapshot, or one of the Storage Box itself; then back up into a new repository",
    ),
)


@dataclass(frozen=True)
class Snapshot:
    """A backup: its id, its time, and what it contains."""

    id: str
    time: datetime
    tag: str

    def __str__(self) -> str:
        """Return the short id and the time."""
        return f"{self.id[:8]} of {self.time:%Y-%m-%d %H:%M} UTC"

    def age(self) -> timedelta:
        """Return its age now."""
        return datetime.now(UTC) - self.time


class Restic:
    """One repository."""

    def __init__(self, repository: Repository, cache: Path) -> None:
        self.repository = repository
        self._cache = cache
        self._listed: list[Snapshot] | None = None

    def create(self) -> None:
        """Create the repository. Raises StepFailed when it exists, or cannot be created."""
        self._run("Creating the repository", "init")

    def exists(self) -> bool:
        """Return whether the repository exists. Raises StepFailed when our password does not open it."""
        try:
            self._run("Opening the repository", "cat", "config")
        except StepFailed as failure:
            if failure.reason.startswith("there is no repository"):
                return False
            raise
        return True

    def add_password(self, file: Path) -> None:
        """Let the password in `file` open the repository as well."""
        self._run("Adding the recovery password", "key", "add", "--new-password-file", str(file))

    def unlock(self) -> None:
        """Remove locks of dead processes only."""
        self._run("Removing stale locks", "unlock")

    def store(self, chunks: Iterable[bytes], *, name: str, tag: str) -> Snapshot:
        """Store a stream under a name, and return its snapshot.

        What the stream raises is raised, and there is no incomplete snapshot.
        """
        step = f"Writing {name} to the {self.repository.name} repository"
        command = self._command("backup", "--stdin", "--stdin-filename", name, "--tag", tag, "--host", HOST, "--json")
        with tempfile.TemporaryFile() as stderr:
            process = programs.start(
                command, self._environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr.fileno()
            )
            try:
                programs.write_all(chunks, cast("IO[bytes]", process.stdin))
            except BaseException:
                # Its input is still open: without an end of file it makes no snapshot.
                _stop(process)
                raise
            output, _ = process.communicate()
            stderr.seek(0)
            errors = stderr.read()
        self._listed = None
        if process.returncode:
            raise self._failure(step, errors)
        return _stored_snapshot(output, step, tag)

    def snapshots(self, tag: str) -> list[Snapshot]:
        """Return the snapshots of a tag, oldest first."""
        if self._listed is None:
            rows: list[dict[str, Any]] = json.loads(self._run("Listing snapshots", "snapshots", "--json")) or []
            snapshots = [
                Snapshot(row["id"], datetime.fromisoformat(row["time"]).astimezone(UTC), "".join(row.get("tags") or []))
                for row in rows
            ]
            self._listed = sorted(snapshots, key=lambda snapshot: snapshot.time)
        return [snapshot for snapshot in self._listed if snapshot.tag == tag]

    def size(self, snapshot: Snapshot) -> int:
        """Return the size of a snapshot's content in bytes."""
        output = self._run("Measuring a snapshot", "ls", "--json", snapshot.id)
        return sum(int(json.loads(line).get("size", 0)) for line in output.splitlines())

    def read(self, snapshot: Snapshot, name: str) -> Iterator[bytes]:
        """Yield what is stored under a name. Raises StepFailed at the end when it was incomplete."""
        with tempfile.TemporaryFile() as stderr:
            process = programs.start(
                self._command("dump", snapshot.id, name),
                self._environment(),
                stdout=subprocess.PIPE,
                stderr=stderr.fileno(),
            )
            output = cast("IO[bytes]", process.stdout)
            try:
                yield from iter(lambda: output.read(CHUNK_BYTES), b"")
            finally:
                output.close()
                status = process.wait()
            stderr.seek(0)
            if status:
                raise self._failure(f"Reading {name} from the {self.repository.name} repository", stderr.read())

    def forget(self, snapshots: Iterable[Snapshot]) -> None:
        """Remove snapshots, and what only they needed, from the target, to the last byte.

        Always prunes: after an interrupted run, data of removed snapshots may still be there. By default restic would
        retain up to 5 % of such data, which could contain old keys.
        """
        self._listed = None
        ids = [snapshot.id for snapshot in snapshots]
        if ids:
            self._run("Forgetting old snapshots", "forget", *ids)
        self._run("Removing what only old snapshots needed", "prune", "--max-unused", "0")

    def has_leftovers(self) -> bool:
        """Return whether the target contains data that no snapshot needs."""
        output = self._run("Looking for leftovers", "prune", "--dry-run", "--max-unused", "0", is_quiet=False)
        unneeded = re.search(rb"^total prune: +(\d+) blobs", output, re.MULTILINE)
        if unneeded is None:
            raise StepFailed(
                "Looking for leftovers", "the output of restic is not understood", "report its version, please"
            )
        return int(unneeded[1]) > 0

    def check(self, *, part: str) -> None:
        """Check the repository's structure, and read a `part` of its data: `1/1` is all of it."""
        extent = ("--read-data",) if part == "1/1" else (f"--read-data-subset={part}",)
        self._run(f"Checking the {self.repository.name} repository", "check", *extent)

    def _run(self, step: str, *arguments: str, is_quiet: bool = True) -> bytes:
        deadline = time.monotonic() + LOCK_TIMEOUT.total_seconds()
        while True:
            done = programs.run(self._command(*arguments, is_quiet=is_quiet), self._environment())
            if not done.returncode:
                return done.stdout
            if b"already locked" not in done.stderr or time.monotonic() > deadline:
                raise self._failure(step, done.stderr + done.stdout)
            # Removes the lock of a dead process. A live one, such as on the operator's laptop, will be done soon.
            self.unlock()
            time.sleep(2)

    def _command(self, *arguments: str, is_quiet: bool = True) -> list[str]:
        ssh = ("-o", f"sftp.command={shlex.join(self.repository.ssh)}") if self.repository.ssh else ()
        quiet = ("--quiet",) if is_quiet else ()
        return ["restic", *quiet, *ssh, *arguments]

    def _environment(self) -> Mapping[str, str]:
        return {
            "RESTIC_REPOSITORY": self.repository.address,
            "RESTIC_PASSWORD": self.repository.password,
            "RESTIC_CACHE_DIR": str(self._cache),
            "HOME": str(self._cache),
        }

    def _failure(self, step: str, output: bytes) -> StepFailed:
        text = output.decode(errors="replace").strip()
        for pattern, meaning, remedy in _MEANINGS:
            if re.search(pattern, text, re.IGNORECASE | re.MULTILINE):
                return StepFailed(step, f"{meaning} ({self.repository.name}: {programs.last_line(output)})", remedy)
        return StepFailed(
            step,
            f"restic failed ({self.repository.name}: {programs.last_line(output)})",
            "see the output of restic, which its manual explains",
        )


def _stored_snapshot(output: bytes, step: str, tag: str) -> Snapshot:
    """Return the snapshot that restic's summary names. Raises StepFailed when there is none."""
    for line in output.splitlines():
        message = json.loads(line) if line.startswith(b"{") else {}
        if message.get("message_type") == "summary":
            return Snapshot(message["snapshot_id"], datetime.now(UTC), tag)
    raise StepFailed(step, "restic named no snapshot", "run it again; if it fails again, check the repository")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt restic so that it cleans up; kill it if it does not exit: the next run removes its lock."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_TIMEOUT.total_seconds())
    except subprocess.TimeoutExpired:
        # Started by a process that ignores SIGINT, such as a background shell, it ignores it too at first.
        process.kill()
    process.communicate()
