"""Speaks to one restic repository: keep, list, give back, forget, check. Knows nothing of what it keeps.

Works with restic 0.14 (Debian 12) and newer. Secrets go by environment, never on a command line.
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
from deploy.backup.programs import Failed
from deploy.backup.settings import Repository

HOST: Final = "ibanse"
"""Every snapshot bears this name, so that another machine finds what this one has written."""
CHUNK_BYTES: Final = 1024 * 1024
LOCKED_PATIENCE: Final = timedelta(minutes=10)
ENDING_PATIENCE: Final = timedelta(seconds=20)

# What restic says → what it means, and what to do. Its exit codes tell these apart only from 0.17 on.
_MEANINGS: Final = (
    (
        "wrong password or no key found",
        "the password does not open this repository",
        "compare it with your safe: IBANSE_BACKUP_PASSWORD is main's, IBANSE_BACKUP_KEYRING_PASSWORD the keyring's",
    ),
    (
        "unable to open config file|repository does not exist|Is there a repository",
        "there is no repository, or nothing answers there",
        "look at the address in backup.env; a new target is prepared once by `ibanse-backup prepare`",
    ),
    (
        "no space left on device|quota exceeded|SSH_FX_FAILURE",
        "the target is full or refuses to write",
        "make room there (a larger Storage Box) and run the backup again; what was there before is whole",
    ),
    (
        "already locked",
        "another restic holds the repository",
        "wait for it; when none runs any more, on any machine, `restic unlock` removes its lock",
    ),
    (
        (
            "ssh command exited|Host key verification failed|Permission denied|Connection (refused|timed out|closed)"
            "|unable to start the sftp session|Could not resolve|connection lost"
        ),
        "the target cannot be reached over SFTP",
        "look at its address and port, at backup_known_hosts, and whether it knows the key IBANSE_BACKUP_SSH_KEY.pub",
    ),
    (
        (
            "ciphertext verification failed|hash mismatch|hash does not match|Pack ID does not match|id mismatch"
            "|(invalid|wrong) data returned|repository contains errors|not found in|unexpected EOF|data seems to be"
            " missing|errors were found|no such file|size does not match|does not exist"
        ),
        "the repository is damaged",
        "restore an older snapshot, or bring a snapshot of the Storage Box back; then back up into a new repository",
    ),
)


@dataclass(frozen=True)
class Snapshot:
    """A backup: its id, when it was made, and what of."""

    id: str
    time: datetime
    tag: str

    def __str__(self) -> str:
        """Name it as a person tells it apart."""
        return f"{self.id[:8]} of {self.time:%Y-%m-%d %H:%M} UTC"

    def age(self) -> timedelta:
        """Return how old it is now."""
        return datetime.now(UTC) - self.time


class Restic:
    """One repository."""

    def __init__(self, repository: Repository, cache: Path) -> None:
        self.repository = repository
        self._cache = cache
        self._listed: list[Snapshot] | None = None

    def create(self) -> None:
        """Make the repository. Raises Failed when there is one, or when it cannot be made."""
        self._run("Making the repository", "init")

    def exists(self) -> bool:
        """Return whether there is a repository that our password opens; raises Failed when it does not."""
        try:
            self._run("Looking for the repository", "cat", "config")
        except Failed as failure:
            if failure.said.startswith("there is no repository"):
                return False
            raise
        return True

    def add_password(self, file: Path) -> None:
        """Let the password in `file` open the repository as well."""
        self._run("Adding the recovery password", "key", "add", "--new-password-file", str(file))

    def unlock(self) -> None:
        """Remove locks whose owner is dead; a living one's stays."""
        self._run("Removing stale locks", "unlock")

    def keep(self, chunks: Iterable[bytes], *, name: str, tag: str) -> Snapshot:
        """Keep a stream under a name, and return its snapshot.

        When the stream breaks off, whatever it raises goes on and no snapshot is made of the half.
        """
        step = f"Writing {name} to the {self.repository.name} repository"
        command = self._command("backup", "--stdin", "--stdin-filename", name, "--tag", tag, "--host", HOST, "--json")
        with tempfile.TemporaryFile() as said:
            process = programs.start(
                command, self._told(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said.fileno()
            )
            try:
                programs.pour(chunks, cast("IO[bytes]", process.stdin))
            except BaseException:
                # Its input is still open, so it has not seen an end and makes no snapshot.
                _end(process)
                raise
            answer, _ = process.communicate()
            said.seek(0)
            complaint = said.read()
        self._listed = None
        if process.returncode:
            raise self._failure(step, complaint)
        return _made(answer, step, tag)

    def snapshots(self, tag: str) -> list[Snapshot]:
        """Return the snapshots of a tag, oldest first."""
        if self._listed is None:
            rows: list[dict[str, Any]] = json.loads(self._run("Listing snapshots", "snapshots", "--json")) or []
            found = [
                Snapshot(row["id"], datetime.fromisoformat(row["time"]).astimezone(UTC), "".join(row.get("tags") or []))
                for row in rows
            ]
            self._listed = sorted(found, key=lambda snapshot: snapshot.time)
        return [snapshot for snapshot in self._listed if snapshot.tag == tag]

    def size(self, snapshot: Snapshot) -> int:
        """Return how many bytes a snapshot gives back."""
        answer = self._run("Measuring a snapshot", "ls", "--json", snapshot.id)
        return sum(int(json.loads(line).get("size", 0)) for line in answer.splitlines())

    def read(self, snapshot: Snapshot, name: str) -> Iterator[bytes]:
        """Yield what was kept under a name, piece by piece. Raises Failed at the end when it was not whole."""
        with tempfile.TemporaryFile() as said:
            process = programs.start(
                self._command("dump", snapshot.id, name), self._told(), stdout=subprocess.PIPE, stderr=said.fileno()
            )
            output = cast("IO[bytes]", process.stdout)
            try:
                yield from iter(lambda: output.read(CHUNK_BYTES), b"")
            finally:
                output.close()
                status = process.wait()
            said.seek(0)
            if status:
                raise self._failure(f"Reading {name} from the {self.repository.name} repository", said.read())

    def drop(self, snapshots: Iterable[Snapshot]) -> None:
        """Forget snapshots and remove what only they needed from the target, to the last byte.

        Always prunes: after an interrupted run data of forgotten snapshots may still be there. restic would leave up to
        a twentieth of such data where it is; old keys must not be in that.
        """
        self._listed = None
        ids = [snapshot.id for snapshot in snapshots]
        if ids:
            self._run("Forgetting old snapshots", "forget", *ids)
        self._run("Removing what only old snapshots needed", "prune", "--max-unused", "0")

    def has_leftovers(self) -> bool:
        """Return whether data lie on the target that no snapshot needs."""
        answer = self._run("Looking for leftovers", "prune", "--dry-run", "--max-unused", "0", is_quiet=False)
        found = re.search(rb"^total prune: +(\d+) blobs", answer, re.MULTILINE)
        if found is None:
            raise Failed("Looking for leftovers", "restic's answer has another form", "tell us its version, please")
        return int(found[1]) > 0

    def check(self, *, part: str) -> None:
        """Check the repository's structure, and read the `part` of its data: `1/1` is all of it."""
        how = ("--read-data",) if part == "1/1" else (f"--read-data-subset={part}",)
        self._run(f"Checking the {self.repository.name} repository", "check", *how)

    def _run(self, step: str, *arguments: str, is_quiet: bool = True) -> bytes:
        deadline = time.monotonic() + LOCKED_PATIENCE.total_seconds()
        while True:
            done = programs.run(self._command(*arguments, is_quiet=is_quiet), self._told())
            if not done.returncode:
                return done.stdout
            if b"already locked" not in done.stderr or time.monotonic() > deadline:
                raise self._failure(step, done.stderr + done.stdout)
            # A dead one's lock goes now. A living one, such as the operator's laptop, will be done soon.
            self.unlock()
            time.sleep(2)

    def _command(self, *arguments: str, is_quiet: bool = True) -> list[str]:
        ssh = ("-o", f"sftp.command={shlex.join(self.repository.ssh)}") if self.repository.ssh else ()
        quiet = ("--quiet",) if is_quiet else ()
        return ["restic", *quiet, *ssh, *arguments]

    def _told(self) -> Mapping[str, str]:
        return {
            "RESTIC_REPOSITORY": self.repository.address,
            "RESTIC_PASSWORD": self.repository.password,
            "RESTIC_CACHE_DIR": str(self._cache),
            "HOME": str(self._cache),
        }

    def _failure(self, step: str, said: bytes) -> Failed:
        text = said.decode(errors="replace").strip()
        for pattern, meaning, remedy in _MEANINGS:
            if re.search(pattern, text, re.IGNORECASE | re.MULTILINE):
                return Failed(step, f"{meaning} ({self.repository.name}: {programs.last_line(said)})", remedy)
        return Failed(
            step,
            f"restic failed ({self.repository.name}: {programs.last_line(said)})",
            "see the words of restic; its manual explains them",
        )


def _made(answer: bytes, step: str, tag: str) -> Snapshot:
    """Return the snapshot that restic's summary tells of."""
    for line in answer.splitlines():
        told = json.loads(line) if line.startswith(b"{") else {}
        if told.get("message_type") == "summary":
            return Snapshot(told["snapshot_id"], datetime.now(UTC), tag)
    raise Failed(step, "restic named no snapshot", "run it again; if that stays, check the repository")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a restic clean up and end; kill one that does not listen, whose lock the next run removes."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(ENDING_PATIENCE.total_seconds())
    except subprocess.TimeoutExpired:
        # Begun by what ignores SIGINT, such as a shell in the background, it is deaf until it has set itself up.
        process.kill()
    process.communicate()
