"""The database is unavailable for a moment: answered calls are counted later, all others are refused at no cost."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.production import Caller, Load, Production, wait_until

pytestmark = pytest.mark.claim("nothing_lost")


@contextmanager
def unavailable(site: Production) -> Iterator[None]:
    """Let no worker write for a while: PostgreSQL ends all connections, or a lock is held on SQLite's file."""
    url = urlsplit(site.database)
    if url.scheme == "sqlite":
        with closing(sqlite3.connect(url.path[1:], isolation_level=None)) as file:
            file.execute("BEGIN EXCLUSIVE")
            yield
        return
    name = url.path[1:]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_nothing_is_lost_or_doubled_while_the_database_is_away(production: Production) -> None:
    program = production.program()
    with production.serving() as server:
        with Load(server, program) as load:
            load.wait_for_calls()
            with unavailable(production):
                # Longer than cached keys and settings are valid.
                time.sleep(3)
            caller = Caller(server.port, program)
            wait_until(lambda: caller.call() == 200)
            caller.close()
        load.seen[200] += 1  # The call of the single caller.
        server.ends()
    counted = production.settled(program, lambda now: now.units >= load.answered)

    assert set(load.seen) <= {0, 200, 503}
    assert load.answered <= counted.units <= load.sent
    assert counted.by_key == counted.units
    assert counted.taken == counted.units
    assert counted.leases == 0
    assert list(production.spools.glob("*.spool")) == []
