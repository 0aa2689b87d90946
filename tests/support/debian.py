"""An empty Debian in a folder, made by debootstrap from this machine's own mirror; used with and without booting."""

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
"""The releases that deploy/install supports, newest first: the first that the mirror has is taken."""
SUITE_VARIABLE: Final = "TESTS_DEBIAN"
"""Names another one of them in the environment: `make test-long` takes the oldest."""
NEEDED: Final = ("debootstrap", "systemd-container")
CACHED_FOR_SECONDS: Final = 7 * 24 * 3600
_TREE: Final = "/root/ibanse"
_WRITTEN_BY_NSPAWN: Final = {"etc/resolv.conf", "etc/machine-id", "etc/.updated"}
_LEFT_OUT: Final = (".*", "__pycache__", "dist", "node_modules")


class Debian:
    """A root folder with a Debian in it, and this working copy in /root/ibanse."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._leader: int | None = None

    def runs(
        self, *command: str, environment: dict[str, str] | None = None, must: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, with the machine's network until it is booted; fail with its output."""
        settings = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        settings |= self._pip_settings() | (environment or {})
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

    def installs(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """Run deploy/install of the working copy and return its output."""
        return self.runs(f"{_TREE}/deploy/install", *arguments, environment=environment).stdout

    def tree(self, *below: str) -> dict[str, tuple[int, int, int, int, int]]:
        """Return every file's mode, owner, size and time of change, without those that a mere start changes."""
        found = {}
        for place in below or (".",):
            for path in (self.root / place).rglob("*"):
                name = str(path.relative_to(self.root))
                if name not in _WRITTEN_BY_NSPAWN and not name.startswith(("proc", "sys/", "dev/", "run/", "tmp")):
                    stat = path.lstat()
                    size, time_ns = (0, 0) if path.is_dir() else (stat.st_size, stat.st_mtime_ns)
                    found[name] = (stat.st_mode, stat.st_uid, stat.st_gid, size, time_ns)
        return found

    @contextmanager
    def booted(self) -> Iterator[None]:
        """Boot it, with a private network that leads nowhere; skip the test where the kernel cannot do that."""
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
                # Like a power cut: it is not needed any more.
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
        command = ["nsenter", f"--target={children[0]}", "--all", "systemctl", "is-system-running"]
        state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if state not in ("running", "degraded"):
            return False
        self._leader = int(children[0])
        return True

    def _nspawn(self) -> list[str]:
        return [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={self.root}",
            "--resolv-conf=copy-host", "--hostname=ibanse",
        ]  # fmt: skip

    def _pip_settings(self) -> dict[str, str]:
        """Return this machine's settings of pip, so that it finds the same packages inside."""
        found = {
            name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")
        }
        return found | {"PIP_CERT": "/etc/ssl/this-machine.crt"}


@contextmanager
def debian() -> Iterator[Debian]:
    """Make an empty Debian with this working copy, and remove it at the end; skip where that is not possible."""
    if os.geteuid() != 0:
        pytest.skip(services.missing("root's rights, which debootstrap needs"))
    for package in NEEDED:
        if not services.PRESENT[package]():
            pytest.skip(services.missing(package))
    # Not in pytest's folder, which stays for the next three runs.
    root = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        root.chmod(0o755)
        _bootstrap(root)
        _copy_network_settings(root)
        _copy_working_copy(root)
        yield Debian(root)
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


def _bootstrap(root: Path) -> None:
    output = ""
    chosen = os.environ.get(SUITE_VARIABLE)
    for suite in [chosen] if chosen else SUITES:
        options = ["--variant=minbase", "--include=ca-certificates,systemd-sysv,dbus", suite]
        archive = _archive([*options, *_mirror()])
        if archive.exists() and time.time() - archive.stat().st_mtime < CACHED_FOR_SECONDS:
            subprocess.run(["tar", "-C", root, "--numeric-owner", "-xf", archive], check=True, timeout=120)
            return
        command = ["debootstrap", *options, str(root), *_mirror()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=420)
        if done.returncode == 0:
            _store(root, archive)
            return
        output = done.stdout[-2000:] + done.stderr
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(mode=0o755)
    pytest.fail(f"debootstrap made none of {[chosen] if chosen else SUITES}: {output}")


def cache_folder() -> Path:
    """Return where archives of Debian are stored for a week: not in the working copy, which may be new."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ibanse-tests"


def _archive(options: Sequence[str]) -> Path:
    """Return the archive of a Debian that was made with these options."""
    return cache_folder() / f"debian-{hashlib.sha256(' '.join(options).encode()).hexdigest()[:16]}.tar"


def _store(root: Path, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    begun = archive.with_suffix(f".{os.getpid()}")
    options = ("--one-file-system", "--numeric-owner", "--exclude=./var/cache/apt/archives/*.deb")
    subprocess.run(["tar", "-C", root, *options, "-cf", begun, "."], check=True, timeout=120)
    begun.replace(archive)


def _mirror() -> list[str]:
    """Return where this machine gets Debian from, or nothing: then debootstrap takes its default."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"]
    targets = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    urls = [line.rpartition("|")[2] for line in targets if line.startswith("Debian|Debian|main|")]
    return urls[:1]


def _copy_network_settings(root: Path) -> None:
    """Let apt and pip inside use the proxy, the certificates and the index of this machine."""
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in settings.splitlines() if re.match(r"Acquire::(http|https|Retries)\b", line)]
    (root / "etc/apt/apt.conf.d/99this-machine").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # A machine that exists for minutes need not wait for the disk.
    (root / "etc/dpkg/dpkg.cfg.d").mkdir(exist_ok=True)
    (root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n", encoding="ascii")
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if bundle and Path(bundle).is_file():
        shutil.copy(bundle, root / "etc/ssl/this-machine.crt")
    if Path("/etc/pip.conf").is_file():
        shutil.copy("/etc/pip.conf", root / "etc/pip.conf")


def _copy_working_copy(root: Path, leave_out: Sequence[str] = _LEFT_OUT) -> None:
    shutil.copytree(services.ROOT, root / _TREE.removeprefix("/"), ignore=shutil.ignore_patterns(*leave_out))
