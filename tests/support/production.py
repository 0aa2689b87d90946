"""A live ibanse as in production: several workers on the run's kind of database, and programs that call them.

Tests kill it, stop it and call it from many threads; `Production.counted` then returns what it has counted.
"""

import base64
import http.client
import json
import os
import signal
import sqlite3
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec, Self, TypeVar
from urllib.parse import urlsplit

import psycopg

from ibanse.logging import reader
from privacy.crypto import sealed_box
from tests.support import forkserver, services
from tests.support.programs import site as site_programs

if TYPE_CHECKING:
    import subprocess

NO_LIMIT: Final = 2**31 - 1
IBAN: Final = "SE45 5000 0000 0583 9825 7466"
# Without a pause the callers take both cores of a small machine from the servers that they test.
PAUSE_SECONDS: Final = 0.002
_HOST: Final = "ibanse.example"
P = ParamSpec("P")
T = TypeVar("T")


class Program(NamedTuple):
    """A client and the key that its program calls with."""

    client: uuid.UUID
    key: uuid.UUID
    token: str


class Counted(NamedTuple):
    """The counts of a client in the database."""

    units: int
    """Units of its calls, by the client's usage."""
    by_key: int
    """The same, by the usage of its keys."""
    taken: int
    """Units taken from its quota."""
    leases: int
    """How many workers hold some of them."""


class Production:
    """The databases, data and settings of a site; it runs within `serving`."""

    def __init__(self, folder: Path, database: str, redis: str) -> None:
        secret = base64.b64encode(bytes(range(32))).decode()
        self.database = database
        self.logs = folder / "logs"
        self.log_key = sealed_box.PrivateKey.make(1)
        self.spools = folder / "spool"
        self.environment = services.environment(
            DATABASE_URL=database,
            DJANGO_SETTINGS_MODULE="ibanse.settings",
            EMAIL_URL="console:",
            IBANSE_DATA_DIR=str(folder),
            IBANSE_HOSTS=_HOST,
            IBANSE_LOG_DIR=str(self.logs),
            IBANSE_LOG_KEY=str(self.log_key.public),
            IBANSE_MAIL_FROM=f"ibanse@{_HOST}",
            IBANSE_MASTER_KEYS=f"1:{secret}",
            IBANSE_LEDGER=str(folder / "erasures" / "ledger"),
            IBANSE_MODE="production",
            IBANSE_PEPPERS=f"1:{secret}",
            IBANSE_SECRET_KEY="only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
            IBANSE_SIGNING_KEYS=f"1:{secret}",
            IBANSE_SPOOL_DIR=str(self.spools),
            KEYRING_DATABASE_URL=f"sqlite:///{folder / 'keyring.sqlite3'}",
            REDIS_URL=redis,
        )
        self._folder = folder

    def run(self, function: Callable[P, T], *positional: P.args, **named: P.kwargs) -> T:
        """Run a function of tests/support/programs in a process of the site; return its value.

        Arguments and value go through JSON. Raises CalledProcessError when the function raises or is killed.
        """
        name = f"{function.__module__}:{function.__name__}"
        value: T = forkserver.for_environment(self.environment).run(name, positional, named)
        return value

    def prepare(self) -> None:
        """Make the tables."""
        self.run(site_programs.migrate)

    def program(self, *, quota: int = NO_LIMIT, rate: int = NO_LIMIT, networks: Sequence[str] = ()) -> Program:
        """Make a client with a key that works from the networks, or from anywhere without any."""
        client, key, token = self.run(site_programs.create_client_with_key, quota, rate, networks)
        return Program(uuid.UUID(client), uuid.UUID(key), token)

    @contextmanager
    def serving(self, *, workers: int = 2) -> Iterator["Server"]:
        """Run gunicorn, which is ended at the end if it still runs."""
        port = services.free_port()
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
        environment = self.environment | {"IBANSE_WORKERS": str(workers)}
        with services.serving(command, self._folder, port, environment) as process:
            server = Server(process, port)
            wait_until(lambda: len(server.ready()) == workers, seconds=services.STARTS_WITHIN_SECONDS)
            yield server

    @contextmanager
    def behind(self, socket: Path, *, workers: int = 2, **settings: str) -> Iterator["Server"]:
        """Run gunicorn on a socket for nginx, as production does; its output is in `log` beside the socket."""
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
        environment = self.environment | {"IBANSE_SOCKET": str(socket), "IBANSE_WORKERS": str(workers)} | settings
        with services.serving(command, socket.parent, socket, environment) as process:
            server = Server(process)
            wait_until(lambda: len(server.ready()) == workers, seconds=services.STARTS_WITHIN_SECONDS)
            yield server

    def log(self) -> reader.SealedLogFolder:
        """Return its sealed log, readable with the private key."""
        return reader.SealedLogFolder(self.logs, [self.log_key])

    def counted(self, program: Program) -> Counted:
        """Return the counts of the program's client in the database."""
        return Counted(
            self._count("SELECT SUM(units) FROM accounts_usageday WHERE client_id = %s", program.client),
            self._count("SELECT SUM(units) FROM apikeys_keyusageday WHERE key_id = %s", program.key),
            self._count("SELECT SUM(taken) FROM apikeys_quotamonth WHERE client_id = %s", program.client),
            self._count("SELECT COUNT(*) FROM apikeys_quotalease WHERE client_id = %s", program.client),
        )

    def settled(self, program: Program, is_right: Callable[[Counted], bool]) -> Counted:
        """Return the counts as soon as they are right, or as they are after ten seconds."""
        wait_until(lambda: is_right(self.counted(program)), must=False)
        return self.counted(program)

    def _count(self, statement: str, value: uuid.UUID) -> int:
        url = urlsplit(self.database)
        if url.scheme == "sqlite":
            with closing(sqlite3.connect(url.path[1:], timeout=10)) as file:
                return int(file.execute(statement.replace("%s", "?"), (value.hex,)).fetchone()[0] or 0)
        with psycopg.connect(self.database) as server:
            row = server.execute(statement.encode(), (value,)).fetchone()
            return int((row or [0])[0] or 0)


class Server:
    """A gunicorn that runs."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int = 0) -> None:
        self.port = port
        self._process = process

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]

    def ready(self) -> list[int]:
        """Return the workers that handle signals: gunicorn loses one that reaches a worker which is just starting."""
        return [worker for worker in self.workers() if _ignores(worker, signal.SIGINT)]

    def send_signal(self, signal_number: int) -> None:
        """Send a signal to the arbiter."""
        self._process.send_signal(signal_number)

    def runs(self) -> bool:
        """Return whether the arbiter has not ended yet."""
        return self._process.poll() is None

    def kill_everything(self) -> None:
        """Kill the arbiter and all workers at once."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def ends(self) -> None:
        """End it in order and wait until it has ended."""
        self.send_signal(signal.SIGTERM)
        self._process.wait(timeout=30)

    @contextmanager
    def only(self, worker: int) -> Iterator[None]:
        """Stop all other workers, so that this one accepts the next connection."""
        others = [other for other in self.workers() if other != worker]
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            yield
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)


def _ignores(process: int, signal_number: int) -> bool:
    """Return whether a process ignores a signal."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(ignored.split()[1], 16) >> (signal_number - 1) & 1)


class Caller:
    """One keep-alive connection of a program, opened again whenever it breaks."""

    def __init__(self, port: int, program: Program, connection: http.client.HTTPConnection | None = None) -> None:
        self._connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self._headers = {
            "Authorization": f"Bearer {program.token}",
            "Content-Type": "application/json",
            "X-Forwarded-Proto": "https",
            "X-Real-IP": "192.0.2.7",
        }

    def connect(self) -> bool:
        """Return whether the server accepts the connection."""
        try:
            if self._connection.sock is None:
                self._connection.connect()
        except OSError:
            return False
        return True

    def call(self, *ibans: str) -> int:
        """Validate one IBAN, or several as a batch; return the status, or 0 when the connection broke."""
        path = "/api/v1/validate/batch" if ibans else "/api/v1/validate"
        body = {"ibans": ibans} if ibans else {"iban": IBAN}
        try:
            self._connection.request("POST", path, json.dumps(body), self._headers)
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0
        return response.status

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Load:
    """Calls from a few threads while the context lasts; then `seen` counts the responses by status, 0 for none."""

    def __init__(self, called: Server | Callable[[], Caller], program: Program, *, threads: int = 4) -> None:
        self.seen: Counter[int] = Counter()
        self._is_over = threading.Event()
        self._caller = partial(Caller, called.port, program) if isinstance(called, Server) else called
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    @property
    def answered(self) -> int:
        """How many calls were answered; all of them must be counted."""
        return self.seen[200]

    @property
    def sent(self) -> int:
        """How many calls may have been counted: the answered ones, and those whose connection broke."""
        return self.seen[200] + self.seen[0]

    def wait_for_calls(self, count: int = 100) -> None:
        """Wait until so many more calls have been answered."""
        before = self.answered
        wait_until(lambda: self.answered >= before + count, seconds=60)

    def _run(self) -> None:
        caller = self._caller()
        while not self._is_over.is_set():
            if caller.connect():
                status = caller.call()
                with self._lock:
                    self.seen[status] += 1
                time.sleep(PAUSE_SECONDS)
            else:
                time.sleep(0.02)
        caller.close()


def wait_until(is_so: Callable[[], bool], *, must: bool = True, seconds: float = 10) -> None:
    """Wait until a condition holds; when the time is over fail, or return if it need not hold (`must`)."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            assert not must, f"The condition did not hold within {seconds} seconds."
            return
        time.sleep(0.05)


@contextmanager
def database_beside(url: str | None, folder: Path) -> Iterator[str]:
    """Make an empty database on the run's PostgreSQL, or a file when the run is on SQLite, and yield its URL."""
    if url is None:
        yield f"sqlite:///{folder / 'site.sqlite3'}"
        return
    name = f"live_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
