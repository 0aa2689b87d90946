"""A live ibanse as in production: several workers on the run's kind of database, and programs that call them.

Kill it, stop it, ask it from many threads: afterwards `Production.counted` tells what it has counted.
"""

import atexit
import base64
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

import psycopg

from ibanse.logging import reader
from privacy.crypto import sealed_box
from tests.support import services

NO_LIMIT: Final = 2**31 - 1
IBAN: Final = "SE45 5000 0000 0583 9825 7466"
_HOST: Final = "ibanse.example"
_MAKE_PROGRAM: Final = """
from datetime import timedelta
from django.utils import timezone
from accounts.actor import SYSTEM
from accounts.models import Client
from apikeys import keys
from apikeys.models import ApiKey

client = Client.objects.create(monthly_quota=told["quota"])
end = timezone.now() + timedelta(days=1)
networks = tuple(told["networks"])
draft = keys.Draft("Tests", ("validate",), end, any_address=not networks, networks=networks)
key, token = keys.create(client, draft, by=SYSTEM)
ApiKey.objects.filter(pk=key.pk).update(rate_per_minute=told["rate"])
print(client.pk, key.pk, token)
"""


# Sites that stand ready, by their settings, the oldest first: see tests/support/forkserver.py.
_standing: dict[tuple[tuple[str, str], ...], "subprocess.Popen[str]"] = {}
_MOST_STANDING: Final = 4


@atexit.register
def leave() -> None:
    """Let those who stand ready go."""
    while _standing:
        _standing.popitem()[1].communicate(timeout=20)


class Program(NamedTuple):
    """A client's program, with the key that it calls with."""

    client: uuid.UUID
    key: uuid.UUID
    token: str


class Counted(NamedTuple):
    """What the database says of a client."""

    units: int
    """Units of its calls, by its usage."""
    by_key: int
    """The same, by the usage of its keys."""
    taken: int
    """Units taken from its quota."""
    leases: int
    """How many workers hold some of them."""


class Production:
    """Tables, data and settings of a site; it runs within `serving`."""

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

    def does(self, action: str, **told: Any) -> str:
        """Return what a piece of Python prints, run by a process of the site; `told` is a dictionary to it."""
        line = json.dumps({"action": action, "told": told})
        ready = self._ready()
        assert ready.stdin is not None
        assert ready.stdout is not None
        ready.stdin.write(line + "\n")
        ready.stdin.flush()
        done = json.loads(ready.stdout.readline() or '{"status": 1, "said": "the process that stood ready is gone"}')
        if done["status"]:
            raise subprocess.CalledProcessError(done["status"], "a deed", done["said"])
        said: str = done["said"]
        return said.strip()

    def _ready(self) -> "subprocess.Popen[str]":
        """Return a process of the site that stands ready, with the settings of this moment."""
        told = tuple(sorted(self.environment.items()))
        if told not in _standing:
            if len(_standing) == _MOST_STANDING:
                _standing.pop(next(iter(_standing))).communicate(timeout=20)
            _standing[told] = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forkserver"],
                cwd=services.ROOT, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        return _standing[told]

    def prepare(self) -> None:
        """Make the tables."""
        self.does(
            "from django.core.management import call_command\n"
            "for database in ('default', 'keyring'): call_command('migrate', database=database, verbosity=0)"
        )

    def program(self, *, quota: int = NO_LIMIT, rate: int = NO_LIMIT, networks: Sequence[str] = ()) -> Program:
        """Make a client with a key that works from the networks, or from anywhere without any."""
        client, key, token = self.does(_MAKE_PROGRAM, quota=quota, rate=rate, networks=networks).split()
        return Program(uuid.UUID(client), uuid.UUID(key), token)

    @contextmanager
    def serving(self, *, workers: int = 2) -> Iterator["Server"]:
        """Run gunicorn; it is told to end at the end, if it lives."""
        port = services.free_port()
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
        told = self.environment | {"IBANSE_WORKERS": str(workers)}
        with services.serving(command, self._folder, port, told) as process:
            server = Server(process, port)
            wait_until(lambda: len(server.ready()) == workers)
            yield server

    @contextmanager
    def behind(self, socket: Path, *, workers: int = 2, **settings: str) -> Iterator["Server"]:
        """Run gunicorn on a socket for nginx, as production does; what it says is in `log` beside the socket."""
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
        told = self.environment | {"IBANSE_SOCKET": str(socket), "IBANSE_WORKERS": str(workers)} | settings
        with services.serving(command, socket.parent, socket, told) as process:
            server = Server(process)
            wait_until(lambda: len(server.ready()) == workers)
            yield server

    def log(self) -> reader.Log:
        """Return its sealed log, as whoever has the private key sees it."""
        return reader.Log(self.logs, [self.log_key])

    def counted(self, program: Program) -> Counted:
        """Return what is in the database for the program's client."""
        return Counted(
            self._number("SELECT SUM(units) FROM accounts_usageday WHERE client_id = %s", program.client),
            self._number("SELECT SUM(units) FROM apikeys_keyusageday WHERE key_id = %s", program.key),
            self._number("SELECT SUM(taken) FROM apikeys_quotamonth WHERE client_id = %s", program.client),
            self._number("SELECT COUNT(*) FROM apikeys_quotalease WHERE client_id = %s", program.client),
        )

    def settled(self, program: Program, is_right: Callable[[Counted], bool]) -> Counted:
        """Return what is counted as soon as it is right, or after ten seconds as it is then."""
        wait_until(lambda: is_right(self.counted(program)), must=False)
        return self.counted(program)

    def _number(self, statement: str, value: uuid.UUID) -> int:
        place = urlsplit(self.database)
        if place.scheme == "sqlite":
            with closing(sqlite3.connect(place.path[1:], timeout=10)) as file:
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
        """Return the processes of its workers."""
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]

    def ready(self) -> list[int]:
        """Return the workers that hear signals: gunicorn loses one that meets a worker which is being made."""
        return [worker for worker in self.workers() if _ignores(worker, signal.SIGINT)]

    def told(self, signal_number: int) -> None:
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
        """Tell it to end and wait until it has."""
        self.told(signal.SIGTERM)
        self._process.wait(timeout=30)

    @contextmanager
    def only(self, worker: int) -> Iterator[None]:
        """Hold all other workers, so that a connection that is made now is this one's."""
        others = [other for other in self.workers() if other != worker]
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            yield
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)


def _ignores(process: int, signal_number: int) -> bool:
    """Return whether a process has said that it ignores a signal."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(ignored.split()[1], 16) >> (signal_number - 1) & 1)


class Caller:
    """One kept connection of a program, made anew whenever it breaks."""

    def __init__(self, port: int, program: Program, connection: http.client.HTTPConnection | None = None) -> None:
        self._connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self._headers = {
            "Authorization": f"Bearer {program.token}",
            "Content-Type": "application/json",
            "X-Forwarded-Proto": "https",
            "X-Real-IP": "192.0.2.7",
        }

    def connect(self) -> bool:
        """Return whether somebody accepts."""
        try:
            if self._connection.sock is None:
                self._connection.connect()
        except OSError:
            return False
        return True

    def call(self, *ibans: str) -> int:
        """Validate one number, or several as a batch; return the status, or 0 when the connection broke."""
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
        """Hang up."""
        self._connection.close()


class Load:
    """Calls from a few threads for as long as the context lasts; then `seen` counts the answers by status, 0: none."""

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
        """How many calls were answered; all these must be counted."""
        return self.seen[200]

    @property
    def sent(self) -> int:
        """How many calls may have been counted: the answered ones, and those whose connection broke."""
        return self.seen[200] + self.seen[0]

    def _run(self) -> None:
        seen: Counter[int] = Counter()
        caller = self._caller()
        while not self._is_over.is_set():
            if caller.connect():
                seen[caller.call()] += 1
            else:
                time.sleep(0.02)
        caller.close()
        with self._lock:
            self.seen += seen


def wait_until(is_so: Callable[[], bool], *, must: bool = True) -> None:
    """Wait until something is so; fail after ten seconds if it `must` become so."""
    deadline = time.monotonic() + 10
    while not is_so():
        if time.monotonic() > deadline:
            assert not must, "It did not become so within ten seconds."
            return
        time.sleep(0.05)


@contextmanager
def database_beside(url: str | None, folder: Path) -> Iterator[str]:
    """Make an empty database on the run's PostgreSQL, or a file when the run is on SQLite, and yield its address."""
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
