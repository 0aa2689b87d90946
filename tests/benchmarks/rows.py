"""The servers to be measured, each as it would really run: bare Django, FastAPI, and ibanse in its variants."""

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from privacy.crypto import sealed_box
from tests.benchmarks import cpu, load
from tests.benchmarks.engine import MISTYPED_SHARE, mistyped, valid_iban
from tests.support import services
from validation.engine.registry import COUNTRIES

ROOT: Final = Path(__file__).resolve().parents[2]
WORKERS: Final = 2
NUMBERS: Final = 400
_HOST: Final = "ibanse.example"
_PATH: Final = "/api/v1/validate"
_REFERENCE: Final = (
    "-m", "gunicorn", "-c", "tests/benchmarks/servers/gunicorn_reference.py",
    "tests.benchmarks.servers.hello:application",
)  # fmt: skip
_OURS: Final = ("-m", "gunicorn", "-c", "deploy/gunicorn.conf.py")
_FASTAPI: Final = (
    "-m", "uvicorn", "--workers", str(WORKERS), "--no-access-log", "--log-level", "warning",
    "tests.benchmarks.servers.fastapi_schwifty:application",
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """An ibanse with its tables, a client and a key: what its processes find in their environment, and the key."""

    environment: dict[str, str]
    token: str


class Spent(NamedTuple):
    """Processor time of a server with its workers, of PostgreSQL, and of Redis and nginx."""

    server: float
    postgresql: float
    others: float

    def since(self, earlier: "Spent", requests: int) -> "Spent":
        """Return the microseconds per request since an earlier measurement."""
        return Spent(*((now - then) * 1e6 / requests for now, then in zip(self, earlier, strict=True)))


@dataclass(frozen=True)
class Row:
    """A running server: where it listens, its requests, and whose processor time counts as what."""

    title: str
    port: int
    requests: list[bytes]
    server: int
    postgresql: Sequence[int] = ()
    others: Sequence[int] = ()

    def spent(self) -> Spent:
        """Return the processor time so far."""
        return Spent(cpu.seconds([self.server]), cpu.seconds(self.postgresql), cpu.seconds(self.others))


class Stage:
    """Where the servers run: starts what a row needs, once, and ends everything with its stack."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ibanse-bench-")))
        random = Random(20_261_123)
        numbers = [valid_iban(random, country) for country in random.choices(list(COUNTRIES.values()), k=NUMBERS)]
        self.numbers = [mistyped(random, iban) if random.random() < MISTYPED_SHARE else iban for iban in numbers]

    def requests(self, token: str) -> list[bytes]:
        """Return the calls, with the headers that nginx adds, the same for every server."""
        headers = [f"Host: {_HOST}", f"Authorization: Bearer {token}", "X-Real-IP: 192.0.2.7"]
        headers += ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"]
        bodies = (json.dumps({"iban": number}, separators=(",", ":")).encode() for number in self.numbers)
        return [load.post(_PATH, body, headers) for body in bodies]

    def start(self, name: str, command: Sequence[str], listener: Path | int, environment: dict[str, str]) -> int:
        """Start a Python server in a folder of its own; return its process."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        command = [sys.executable, *command]
        return self.stack.enter_context(services.serving(command, folder, listener, environment)).pid

    @cached_property
    def redis(self) -> tuple[str, list[int]]:
        """Return the URL and the process of a Redis."""
        url = self.stack.enter_context(services.redis())
        return url, [*cpu.children_named("redis-server"), *cpu.children_named("valkey-server")]

    @cached_property
    def postgresql(self) -> tuple[str, list[int]]:
        """Return the URL and the process of a PostgreSQL that writes as safely as production's does."""
        url = self.stack.enter_context(services.postgresql(durable=True))
        return url, cpu.children_named("postgres")

    @cached_property
    def on_sqlite(self) -> Site:
        """Return a site on SQLite."""
        return self._site("sqlite", f"sqlite:///{self.folder / 'site.sqlite3'}")

    @cached_property
    def on_postgresql(self) -> Site:
        """Return a site on PostgreSQL."""
        return self._site("postgresql", self.postgresql[0])

    @cached_property
    def sealed(self) -> Site:
        """Return a site on PostgreSQL whose client stores everything."""
        return self._site("sealed", self.postgresql[0], mode="full")

    def _site(self, name: str, database_url: str, *, mode: str = "off") -> Site:
        key = base64.b64encode(bytes(range(32))).decode()
        environment = services.environment(
            DATABASE_URL=database_url,
            DJANGO_SETTINGS_MODULE="ibanse.settings",
            EMAIL_URL="console:",
            IBANSE_DATA_DIR=str(self.folder / name),
            IBANSE_HOSTS=_HOST,
            IBANSE_LOG_KEY=str(sealed_box.PrivateKey.make(1).public),
            IBANSE_MAIL_FROM=f"ibanse@{_HOST}",
            IBANSE_MASTER_KEYS=f"1:{key}",
            IBANSE_MODE="production",
            IBANSE_PEPPERS=f"1:{key}",
            IBANSE_SECRET_KEY="only-for-measuring-0123456789-abcdefghijklmnopqrstuvwxyz",
            IBANSE_SIGNING_KEYS=f"1:{key}",
            IBANSE_WORKERS=str(WORKERS),
            KEYRING_DATABASE_URL=f"sqlite:///{self.folder / f'{name}-keyring.sqlite3'}",
            REDIS_URL=self.redis[0],
        )
        command = [sys.executable, "-m", "tests.benchmarks.site", mode]
        made = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if made.returncode:
            raise services.ServiceError("the site could not be prepared; its output stands above")
        return Site(environment, made.stdout.split()[-1])


def hello(stage: Stage) -> Row:
    """Start Django with an empty view and nothing else."""
    return _reference(stage, "hello", "hello: Django, empty view")


def middlewares(stage: Stage) -> Row:
    """Start the same behind the middlewares of a new Django project."""
    return _reference(stage, "middlewares", "hello + Django's middlewares", HELLO_MIDDLEWARES="1")


def _reference(stage: Stage, name: str, title: str, **added: str) -> Row:
    port = services.free_port()
    environment = services.environment(IBANSE_MODE="production", IBANSE_WORKERS=str(WORKERS), **added)
    server = stage.start(name, [*_REFERENCE, "--bind", f"127.0.0.1:{port}"], port, environment)
    return Row(title, port, stage.requests(_token_like()), server)


def fastapi(stage: Stage) -> Row:
    """Start what somebody would build instead."""
    port = services.free_port()
    server = stage.start("fastapi", [*_FASTAPI, "--port", str(port)], port, services.environment())
    # On asyncio's own loop uvicorn's workers leave Nagle's delay on: 44 ms per answer.
    loop = "uvicorn" if find_spec("uvloop") and find_spec("httptools") else "uvicorn WITHOUT uvloop"
    return Row(f"FastAPI + {loop} + schwifty", port, stage.requests(_token_like()), server)


def _token_like() -> str:
    return f"ibanse_live_{'0' * 40}"


def sqlite(stage: Stage) -> Row:
    """Start ibanse on SQLite, otherwise as in production."""
    return _ours(stage, "ibanse, SQLite", "sqlite", stage.on_sqlite)


def postgresql(stage: Stage) -> Row:
    """Start ibanse as in production."""
    return _ours(stage, "ibanse, PostgreSQL", "postgresql", stage.on_postgresql, stage.postgresql[1])


def _ours(stage: Stage, title: str, name: str, site: Site, database: Sequence[int] = ()) -> Row:
    port = services.free_port()
    server = stage.start(name, [*_OURS, "--bind", f"127.0.0.1:{port}"], port, site.environment)
    return Row(title, port, stage.requests(site.token), server, database, stage.redis[1])


def sealed(stage: Stage) -> Row:
    """Start ibanse for a client that stores each check, sealed and with its blind index."""
    return _ours(stage, "ibanse, PostgreSQL, sealed log", "sealed", stage.sealed, stage.postgresql[1])


def behind_nginx(stage: Stage) -> Row:
    """Start ibanse as in production, with nginx before its socket."""
    site = stage.on_postgresql
    listening = stage.folder / "gunicorn.sock"
    own = {"IBANSE_DATA_DIR": str(stage.folder / "nginx"), "IBANSE_SOCKET": str(listening)}
    server = stage.start("nginx", _OURS, listening, site.environment | own)
    url = stage.stack.enter_context(services.nginx(listening))
    others = [*stage.redis[1], *cpu.children_named("nginx")]
    port = int(url.rpartition(":")[2])
    return Row(
        "ibanse, PostgreSQL, behind nginx", port, stage.requests(site.token), server, stage.postgresql[1], others
    )


ROWS: Final[dict[str, Callable[[Stage], Row]]] = {
    "hello": hello,
    "middlewares": middlewares,
    "fastapi": fastapi,
    "sqlite": sqlite,
    "postgresql": postgresql,
    "sealed": sealed,
    "nginx": behind_nginx,
}
