"""An empty Debian in a folder, made by debootstrap from this machine's own mirror; used unbooted and booted."""

import hashlib
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.support import services

SUITES: Final = ("trixie", "bookworm")
"""Those that deploy/install is for, the newest first: the one that the mirror has is taken."""
NEEDED: Final = ("debootstrap", "systemd-container")
FRESH_SECONDS: Final = 7 * 24 * 3600
_OURS: Final = "/root/ibanse"
_NSPAWNS_OWN: Final = {"etc/resolv.conf", "etc/machine-id", "etc/.updated"}
_LEFT_OUT: Final = (".*", "__pycache__", "dist", "node_modules")


class Debian:
    """A root folder with a Debian in it, and our tree in /root/ibanse."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._leader: int | None = None

    def runs(
        self, *command: str, told: dict[str, str] | None = None, must: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, with the machine's network until it is booted; fail with what it said."""
        settings = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        settings |= self._index() | (told or {})
        if self._leader is None:
            inside = [*self._nspawn(), *(f"--setenv={name}={value}" for name, value in settings.items()), "--pipe"]
        else:
            inside = ["nsenter", f"--target={self._leader}", "--all", "env", "-i"]
            inside += [f"{name}={value}" for name, value in settings.items()]
        done = subprocess.run(
            [*inside, *command], capture_output=True, text=True, check=False, timeout=420, stdin=subprocess.DEVNULL
        )
        assert not must or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def installs(self, *arguments: str, told: dict[str, str] | None = None) -> str:
        """Run deploy/install of our tree and return what it said."""
        return self.runs(f"{_OURS}/deploy/install", *arguments, told=told).stdout

    def tree(self, *below: str) -> dict[str, tuple[int, int, int, int, int]]:
        """Return every file's mode, owner, size and time of change, without what only looking changes."""
        found = {}
        for place in below or (".",):
            for path in (self.root / place).rglob("*"):
                name = str(path.relative_to(self.root))
                if name not in _NSPAWNS_OWN and not name.startswith(("proc", "sys/", "dev/", "run/", "tmp")):
                    of = path.lstat()
                    time_ns = 0 if path.is_dir() else of.st_mtime_ns
                    found[name] = (of.st_mode, of.st_uid, of.st_gid, 0 if path.is_dir() else of.st_size, time_ns)
        return found

    @contextmanager
    def booted(self) -> Iterator[None]:
        """Boot it, with a network of its own that leads nowhere; skip, named as missing, where that cannot be."""
        with (self.root / "console").open("wb") as console:
            machine = subprocess.Popen(
                [*self._nspawn(), "--boot", "--private-network", "--console=pipe"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            )  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while not self._has_booted(machine):
                if machine.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(services.missing("a kernel on which systemd-nspawn boots"))
                time.sleep(0.5)
            yield
        finally:
            if self._leader is not None:
                # Like a power cut: nobody needs it any more.
                off = ["systemctl", "poweroff", "--force", "--force"]
                subprocess.run(["nsenter", f"--target={self._leader}", "--all", *off], check=False)
                self._leader = None
                with suppress(subprocess.TimeoutExpired):
                    machine.wait(timeout=20)
            machine.kill()
            machine.wait()

    def _has_booted(self, machine: "subprocess.Popen[bytes]") -> bool:
        children = Path(f"/proc/{machine.pid}/task/{machine.pid}/children").read_text(encoding="ascii").split()
        if not children:
            return False
        ask = ["nsenter", f"--target={children[0]}", "--all", "systemctl", "is-system-running"]
        response = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
        if response not in ("running", "degraded"):
            return False
        self._leader = int(children[0])
        return True

    def _nspawn(self) -> list[str]:
        return [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={self.root}",
            "--resolv-conf=copy-host", "--hostname=ibanse",
        ]  # fmt: skip

    def _index(self) -> dict[str, str]:
        """Return what this machine tells pip, so that it finds the same packages inside."""
        told = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
        return told | {"PIP_CERT": "/etc/ssl/this-machine.crt"}


@contextmanager
def debian() -> Iterator[Debian]:
    """Make an empty Debian with our tree, and remove it at the end; skip, named as missing, where that cannot be."""
    if os.geteuid() != 0:
        pytest.skip(services.missing("root's rights, which debootstrap needs"))
    for package in NEEDED:
        if not services.PRESENT[package]():
            pytest.skip(services.missing(package))
    # Not pytest's folder, which is kept for the next three runs.
    root = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        root.chmod(0o755)
        _bootstrap(root)
        _tell_the_machines_ways(root)
        _copy_our_tree(root)
        yield Debian(root)
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


def _bootstrap(root: Path) -> None:
    said = ""
    for suite in SUITES:
        made = ["--variant=minbase", "--include=ca-certificates,systemd-sysv,dbus", suite]
        kept = _kept([*made, *_mirror()])
        if kept.exists() and time.time() - kept.stat().st_mtime < FRESH_SECONDS:
            subprocess.run(["tar", "-C", root, "--numeric-owner", "-xf", kept], check=True, timeout=120)
            return
        command = ["debootstrap", *made, str(root), *_mirror()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=420)
        if done.returncode == 0:
            _keep(root, kept)
            return
        said = done.stdout[-2000:] + done.stderr
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(mode=0o755)
    pytest.fail(f"debootstrap made none of {SUITES}: {said}")


def _kept(made: Sequence[str]) -> Path:
    """Return where a Debian that was made like this is kept for a week: not in the checkout, which may be new."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "ibanse-tests" / f"debian-{hashlib.sha256(' '.join(made).encode()).hexdigest()[:16]}.tar"


def _keep(root: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    begun = kept.with_suffix(f".{os.getpid()}")
    options = ("--one-file-system", "--numeric-owner", "--exclude=./var/cache/apt/archives/*.deb")
    subprocess.run(["tar", "-C", root, *options, "-cf", begun, "."], check=True, timeout=120)
    begun.replace(kept)


def _mirror() -> list[str]:
    """Return where this machine gets Debian itself from, or nothing: then debootstrap knows."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    places = [line.rpartition("|")[2] for line in told if line.startswith("Debian|Debian|main|")]
    return places[:1]


def _tell_the_machines_ways(root: Path) -> None:
    """Let apt and pip inside go the ways of this machine: proxy, certificates, index."""
    ways = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in ways.splitlines() if re.match(r"Acquire::(http|https|Retries)\b", line)]
    (root / "etc/apt/apt.conf.d/99this-machine").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # A machine that lives for minutes need not wait for the disk.
    (root / "etc/dpkg/dpkg.cfg.d").mkdir(exist_ok=True)
    (root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n", encoding="ascii")
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if bundle and Path(bundle).is_file():
        shutil.copy(bundle, root / "etc/ssl/this-machine.crt")
    if Path("/etc/pip.conf").is_file():
        shutil.copy("/etc/pip.conf", root / "etc/pip.conf")


def _copy_our_tree(root: Path, leave_out: Sequence[str] = _LEFT_OUT) -> None:
    shutil.copytree(services.ROOT, root / _OURS.removeprefix("/"), ignore=shutil.ignore_patterns(*leave_out))
