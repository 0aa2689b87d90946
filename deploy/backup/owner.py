"""Works in a service's folder as the owner of the folder, also when started by root.

The owner of a folder can put a symbolic link into it at any moment, and root would follow it anywhere; as its owner
this reaches only what that user can reach anyway. Knows nothing of the folder's content.
"""

import os
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import IO, NamedTuple, ParamSpec, TypeVar, cast

from deploy.backup import programs
from deploy.backup.programs import StepFailed

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Owner(NamedTuple):
    """The user and group of a folder."""

    user: int
    group: int

    def is_somebody_else(self) -> bool:
        """Return whether root must become this user first. No other user could."""
        return os.geteuid() == 0 and self.user != 0


def as_owner(folder: Path, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return what `work` returns, or raise what it raises; both must be picklable, since it runs in a child process."""
    owner = owner_of(folder)
    if not owner.is_somebody_else():
        return work(*args, **kwargs)
    with ProcessPoolExecutor(1, get_context("fork"), initializer=_become, initargs=(owner,)) as child:
        return child.submit(work, *args, **kwargs).result()


def write_as_owner(path: Path, chunks: Iterable[bytes]) -> None:
    """Create a file, which must not exist yet, and sync it to disk. Its group can write if it can in the folder.

    Raises StepFailed.
    """
    owner = owner_of(path.parent)
    is_shared = path.parent.lstat().st_mode & stat.S_IRWXG == stat.S_IRWXG
    identity = {"user": owner.user, "group": owner.group, "extra_groups": []} if owner.is_somebody_else() else {}
    # A program, since the stream may be too large to pass to a child process at once.
    command = ["dd", f"of={path}", "bs=1M", "iflag=fullblock", "conv=excl,fsync", "oflag=nofollow", "status=none"]
    with tempfile.TemporaryFile() as stderr:
        process = programs.start(
            command, {}, stdin=subprocess.PIPE, stderr=stderr.fileno(), umask=0o117 if is_shared else 0o177, **identity
        )
        try:
            programs.write_all(chunks, cast("IO[bytes]", process.stdin))
        except BaseException:
            process.kill()
            process.communicate()
            raise
        process.communicate()
        stderr.seek(0)
        output = stderr.read()
    if process.returncode:
        raise StepFailed(
            f"Writing {path}", programs.last_line(output), "free disk space there, and remove an existing file"
        )


def read_as_owner(path: Path) -> bytes:
    """Return the content of a small file; empty when it, or its folder, does not exist."""
    return as_owner(path.parent, _read, path) if path.parent.exists() else b""


def owner_of(folder: Path) -> Owner:
    """Return the owner of a folder. Raises StepFailed when root could not trust the answer."""
    try:
        status = folder.lstat()
    except OSError as error:
        raise StepFailed(
            f"Checking {folder}", error.strerror or "it cannot be read", "run deploy/install, which creates it"
        ) from None
    if os.geteuid() == 0:
        if not stat.S_ISDIR(status.st_mode):
            raise StepFailed(f"Checking {folder}", "it is not a folder", "find out who put it there, and remove it")
        if status.st_uid == 0:
            _refuse_untrusted(folder)
    return Owner(status.st_uid, status.st_gid)


def _refuse_untrusted(folder: Path) -> None:
    """Raise StepFailed where another user could replace a folder of root's by a symbolic link."""
    for parent in folder.absolute().parents:
        status = parent.lstat()
        is_open = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
        if status.st_uid != 0 or (is_open and not stat.S_ISLNK(status.st_mode)):
            raise StepFailed(
                f"Checking {folder}", f"others can write to {parent}", f"run this as the owner of {parent}, not as root"
            )


def _become(owner: Owner) -> None:
    os.setgroups([])
    os.setresgid(owner.group, owner.group, owner.group)
    os.setresuid(owner.user, owner.user, owner.user)
    os.umask(0o007)


def _read(path: Path) -> bytes:
    try:
        # Never through a symbolic link: somebody else could have put it there.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StepFailed(
            f"Reading {path}", error.strerror or "it cannot be read", "find out who put it there"
        ) from None
