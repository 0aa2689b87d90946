"""Runs other programs, and turns what goes wrong into a step, a reason and a remedy. Knows no secret by itself."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


class Failed(Exception):
    """A step did not work; the message names the step, what was said, and what to do about it."""

    def __init__(self, step: str, said: str, remedy: str) -> None:
        self.step, self.said, self.remedy = step, said, remedy
        super().__init__(f"{step}: {said}\n  What to do: {remedy}")

    def __reduce__(self) -> tuple[type["Failed"], tuple[str, str, str]]:
        """Let it come out of a child process as it was raised there."""
        return type(self), (self.step, self.said, self.remedy)


def environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return what a program needs of our environment, and `added`; no setting or secret of another program."""
    kept = ("HOME", "PATH", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "LC_ALL": "C.UTF-8", **added}


def run(
    command: Sequence[str | Path], told: Mapping[str, str], *, given: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end with the variables `told`; return what it said. Raises Failed if it is not installed."""
    try:
        return subprocess.run(command, env=environment(told), input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise absent(command) from None


def start(command: Sequence[str | Path], told: Mapping[str, str], **how: Any) -> subprocess.Popen[bytes]:
    """Start a program with the variables `told`, and pipes, user or umask. Raises Failed when it is not here."""
    try:
        return subprocess.Popen(command, env=environment(told), **how)
    except FileNotFoundError:
        raise absent(command) from None


def pour(chunks: Iterable[bytes], into: IO[bytes]) -> None:
    """Write all chunks; when nobody reads any more, leave the reason to the reader's exit status."""
    for chunk in chunks:
        try:
            into.write(chunk)
        except BrokenPipeError:
            return


def absent(command: Sequence[str | Path]) -> Failed:
    """Return the failure of a program that is not installed."""
    package = {"pg_dump": "postgresql-client", "pg_restore": "postgresql-client", "psql": "postgresql-client"}
    name = Path(command[0]).name
    return Failed("Programs", f"{name} is not installed", f"apt-get install {package.get(name, name)}")


def complaint(said: bytes) -> str:
    """Return the first line that calls itself an error, which is the cause; the last one when there is none."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
    return next((line for line in lines if "error:" in line.lower()), last_line(said))


def last_line(said: bytes) -> str:
    """Return the last thing a program said that is more than blank."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "it said nothing")


def say(line: str) -> None:
    """Print a line at once: the journal and a waiting person read along."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Print the step, when it is done, with the seconds it took."""
    begun = time.monotonic()
    yield
    say(f"{step}: {time.monotonic() - begun:.1f} s")
