"""Does what must be done in a service's folder as the owner of the folder, also when root has started us.

Whoever owns a folder can put a link into it at any moment, and root would follow it anywhere. Its owner gets no further
than he would by himself. Knows nothing of what lies in the folder.
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
from deploy.backup.programs import Failed

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Owner(NamedTuple):
    """Who owns a folder."""

    user: int
    group: int

    def is_somebody_else(self) -> bool:
        """Return whether root must become this user first. Nobody else could, and would be refused by the system."""
        return os.geteuid() == 0 and self.user != 0


def as_owner(folder: Path, work: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
    """Return what `work` returns, or raise what it raises; both must be picklable, since it runs in a child process."""
    owner = owner_of(folder)
    if not owner.is_somebody_else():
        return work(*given, **named)
    with ProcessPoolExecutor(1, get_context("fork"), initializer=_become, initargs=(owner,)) as child:
        return child.submit(work, *given, **named).result()


def write_as_owner(path: Path, chunks: Iterable[bytes]) -> None:
    """Make a file, which must not be there yet, and force it to the disk. Its group may write if it may in the folder.

    Raises Failed.
    """
    owner = owner_of(path.parent)
    is_shared = path.parent.lstat().st_mode & stat.S_IRWXG == stat.S_IRWXG
    identity = {"user": owner.user, "group": owner.group, "extra_groups": []} if owner.is_somebody_else() else {}
    # A program, since a stream may be larger than what a child process could be handed.
    command = ["dd", f"of={path}", "bs=1M", "iflag=fullblock", "conv=excl,fsync", "oflag=nofollow", "status=none"]
    with tempfile.TemporaryFile() as said:
        process = programs.start(
            command, {}, stdin=subprocess.PIPE, stderr=said.fileno(), umask=0o117 if is_shared else 0o177, **identity
        )
        try:
            programs.pour(chunks, cast("IO[bytes]", process.stdin))
        except BaseException:
            process.kill()
            process.communicate()
            raise
        process.communicate()
        said.seek(0)
        complaint = said.read()
    if process.returncode:
        raise Failed(f"Writing {path}", programs.last_line(complaint), "make room there, and remove what is in the way")


def read_as_owner(path: Path) -> bytes:
    """Return what is in a small file; nothing when it, or its folder, is not there."""
    return as_owner(path.parent, _read, path) if path.parent.exists() else b""


def owner_of(folder: Path) -> Owner:
    """Return who owns a folder, as far as root may rely on it. Raises Failed."""
    try:
        found = folder.lstat()
    except OSError as error:
        raise Failed(
            f"Looking at {folder}", error.strerror or "it cannot be looked at", "run deploy/install, which makes it"
        ) from None
    if os.geteuid() == 0:
        if not stat.S_ISDIR(found.st_mode):
            raise Failed(f"Looking at {folder}", "it is no folder", "find out who put it there, and remove it")
        if found.st_uid == 0:
            _refuse_untrusted(folder)
    return Owner(found.st_uid, found.st_gid)


def _refuse_untrusted(folder: Path) -> None:
    """Raise Failed where somebody else could exchange a folder of root's for a link of their own."""
    for place in folder.absolute().parents:
        found = place.lstat()
        is_open = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
        if found.st_uid != 0 or (is_open and not stat.S_ISLNK(found.st_mode)):
            raise Failed(
                f"Looking at {folder}", f"{place} is not root's alone", f"run this as the owner of {place}, not as root"
            )


def _become(owner: Owner) -> None:
    os.setgroups([])
    os.setresgid(owner.group, owner.group, owner.group)
    os.setresuid(owner.user, owner.user, owner.user)
    os.umask(0o007)


def _read(path: Path) -> bytes:
    try:
        # Never through a link: somebody else could have put it there.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise Failed(f"Reading {path}", error.strerror or "it cannot be read", "find out who put it there") from None
