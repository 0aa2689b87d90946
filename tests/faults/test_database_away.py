"""The database is away for a moment: what was answered is counted afterwards, all else is refused and costs nothing."""

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
def away(site: Production) -> Iterator[None]:
    """Let nobody write for a while: PostgreSQL throws everybody out, and a stranger holds the file of SQLite."""
    place = urlsplit(site.database)
    if place.scheme == "sqlite":
        with closing(sqlite3.connect(place.path[1:], isolation_level=None)) as file:
            file.execute("BEGIN EXCLUSIVE")
            yield
        return
    name = place.path[1:]
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
            time.sleep(1)
            with away(production):
                # Longer than what is held in memory may be trusted.
                time.sleep(3)
            caller = Caller(server.port, program)
            wait_until(lambda: caller.call() == 200)
            caller.close()
        load.seen[200] += 1  # This one.
        server.ends()
    counted = production.settled(program, lambda now: now.units >= load.answered)

    assert set(load.seen) <= {0, 200, 503}
    assert load.answered <= counted.units <= load.sent
    assert counted.by_key == counted.units
    assert counted.taken == counted.units
    assert counted.leases == 0
    assert list(production.spools.glob("*.spool")) == []
