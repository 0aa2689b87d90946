"""Deleting a client with a million checks while another client's calls go on: how long it takes, what callers notice.

On PostgreSQL, with the site as in production. `python -m tests.benchmarks deletion --rows 100000` takes fewer.
"""

import argparse
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import django

from tests.benchmarks import load, rows
from tests.support import services

ROOT: Final = Path(__file__).resolve().parents[2]
ROWS: Final = 1_000_000
CALLS_PER_SECOND: Final = 200
IDLE_SECONDS: Final = 10
WINDOW_SECONDS: Final = 3
_FILL: Final = """
INSERT INTO validation_validationrecord
    (id, client_id, at, expires_on, source, key_id, country, is_valid, codes, sealed, blind_index)
SELECT gen_random_uuid(), %s, date_trunc('second', now() - n * interval '2 seconds'), current_date + 90, 'api', NULL,
    'SE', n %% 10 > 0, '', decode(repeat(md5(n::text), 6), 'hex'), decode(md5((n %% 5000)::text), 'hex')
FROM generate_series(1, %s) AS n
"""


def run(*options: str) -> None:
    """Print how long the deletion takes, and the other client's p50 and p99 before it and meanwhile."""
    parser = argparse.ArgumentParser(prog="deletion")
    parser.add_argument("--rows", type=int, default=ROWS)
    wanted: int = parser.parse_args(options).rows
    services.install(["postgresql", "redis-server"])
    try:
        with ExitStack() as stack:
            _measure(rows.Stage(stack), wanted)
    except (services.ServiceError, load.LoadError) as error:
        sys.exit(f"  Not measured: {error}")


def _measure(stage: rows.Stage, wanted: int) -> None:
    server = rows.sealed(stage)
    apart = {"IBANSE_LEDGER": str(stage.folder / "ledger"), "EMAIL_URL": f"file://{stage.folder / 'mails'}"}
    environment = stage.sealed.environment | apart
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.deletion", str(wanted)], env=environment, cwd=ROOT, check=True
    )
    print(f"  a client with {wanted:,} checks was made in {time.perf_counter() - began:,.0f} s")
    load.pace(server.port, server.requests, CALLS_PER_SECOND, WINDOW_SECONDS)
    _print_worst("before", [load.pace(server.port, server.requests, CALLS_PER_SECOND, IDLE_SECONDS)])
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "manage.py", "execute_deletions"], env=environment, cwd=ROOT) as deleting:
        seen = []
        while deleting.poll() is None:
            seen.append(load.pace(server.port, server.requests, CALLS_PER_SECOND, WINDOW_SECONDS))
            # The last window may reach beyond the end; the time is the process's own.
            took = time.perf_counter() - began
    if deleting.returncode:
        raise load.LoadError("The deletion failed; its output stands above.")
    _print_worst("meanwhile, at worst", seen)
    print(f"  deleted in {took:,.0f} s, {wanted / took:,.0f} rows in a second (within {WINDOW_SECONDS} s)")


def _print_worst(when: str, results: list[load.LoadResult]) -> None:
    """Print the worst of some windows."""
    refused = sum(result.refused + result.broken for result in results)
    p50, p99 = max(result.p50 for result in results), max(result.p99 for result in results)
    print(f"  calls {when:22} p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   refused {refused}")


def fill(wanted: int) -> None:
    """Make a client with so many checks, whose deletion is due, in the database of this process's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
    django.setup()
    # Models can be imported only from here on.
    from django.db import connection

    from accounts.actor import Actor
    from accounts.models import Client, User
    from accounts.profile import details
    from privacy.deletion import requesting

    client = Client.objects.create()
    owner = User.objects.create_user("owner@bench.example", client=client, role=User.Role.OWNER)
    details.save_contact(client, details.Contact(company="Bench AB"), by=Actor(owner))
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [client.pk, wanted])
        cursor.execute("VACUUM ANALYZE validation_validationrecord")
    requesting.confirm(requesting.request_deletion(client, grace_days=0, by=Actor(owner)))


if __name__ == "__main__":
    fill(int(sys.argv[1]))
