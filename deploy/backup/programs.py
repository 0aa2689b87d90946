"""Runs other programs, and turns failures into a step, a reason and a remedy. Contains no secret."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


class StepFailed(Exception):
    """A step failed; the message names the step, the reason, and what to do."""

    def __init__(self, step: str, reason: str, remedy: str) -> None:
        self.step, self.reason, self.remedy = step, reason, remedy
        super().__init__(f"{step}: {reason}\n  What to do: {remedy}")

    def __reduce__(self) -> tuple[type["StepFailed"], tuple[str, str, str]]:
        """Support pickling, so that a child process can raise it."""
        return type(self), (self.step, self.reason, self.remedy)


def environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program: a few of our variables and `added`, no setting or secret of others."""
    inherited = ("HOME", "PATH", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return {**{name: os.environ[name] for name in inherited if name in os.environ}, "LC_ALL": "C.UTF-8", **added}


def run(
    command: Sequence[str | Path], variables: Mapping[str, str], *, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program with these variables and return its output. Raises StepFailed if it is not installed."""
    try:
        return subprocess.run(command, env=environment(variables), input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        raise not_installed(command) from None


def start(command: Sequence[str | Path], variables: Mapping[str, str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program with these variables and options of Popen. Raises StepFailed if it is not installed."""
    try:
        return subprocess.Popen(command, env=environment(variables), **options)
    except FileNotFoundError:
        raise not_installed(command) from None


def write_all(chunks: Iterable[bytes], pipe: IO[bytes]) -> None:
    """Write all chunks; when the reader has closed the pipe, its exit status will tell why."""
    for chunk in chunks:
        try:
            pipe.write(chunk)
        except BrokenPipeError:
            return


def not_installed(command: Sequence[str | Path]) -> StepFailed:
    """Return the error for a program that is not installed."""
    package = {"pg_dump": "postgresql-client", "pg_restore": "postgresql-client", "psql": "postgresql-client"}
    name = Path(command[0]).name
    return StepFailed("Programs", f"{name} is not installed", f"apt-get install {package.get(name, name)}")


def error_line(output: bytes) -> str:
    """Return the first line that contains `error:`, which is the cause; else the last line."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    return next((line for line in lines if "error:" in line.lower()), last_line(output))


def last_line(output: bytes) -> str:
    """Return the last line that is not blank."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "it printed nothing")


def report(line: str) -> None:
    """Print a line without buffering, for the journal and for whoever waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Print the step with the seconds it took, once it is done."""
    started = time.monotonic()
    yield
    report(f"{step}: {time.monotonic() - started:.1f} s")
