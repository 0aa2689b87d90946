"""Writers of counts in processes of their own, and spools that are replayed."""

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.actor import SYSTEM
from accounts.models import Client
from apikeys import keys
from apikeys.limits import quota
from validation.recording import writer
from validation.recording.record import CallRecord


def replay_spools() -> None:
    """Count what is in the spools, as a start does."""
    writer.replay(settings.SPOOL_DIR)


def create_clients_with_keys(clients: int) -> list[list[str]]:
    """Make so many clients with a key each; return the ids of both."""
    pairs = []
    for _ in range(clients):
        client = Client.objects.create()
        draft = keys.Draft("Tests", ("validate",), timezone.now() + timedelta(days=1))
        pairs.append([str(client.pk), str(keys.create(client, draft, by=SYSTEM)[0].pk)])
    return pairs


def _call_record(client: UUID, key: UUID) -> CallRecord:
    return CallRecord(client, key, datetime.now(UTC).date(), valid=1, invalid=0, units=1, is_test=False)


def count_calls(pairs: Sequence[Sequence[str]], rounds: int) -> None:
    """Count a call of each client and key, so many times."""
    own = writer.Writer(settings.SPOOL_DIR)
    for _ in range(rounds):
        # In another order each time: a writer that locks in this order meets another one half-way.
        for client, key in random.sample(pairs, len(pairs)):
            own.put(_call_record(UUID(client), UUID(key)))
        own.write()
    own.stop()


def stop_writer_after_restart(client_id: str, key_id: str, server_url: str) -> bool:
    """Stop a writer when each connection of its pool is dead; return whether the pool was full before."""
    own = writer.Writer(settings.SPOOL_DIR)
    client, key = UUID(client_id), UUID(key_id)
    quota.leases.take(client, 1, quota=10_000)
    own.put(_call_record(client, key))
    size = settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]
    connection.close()
    all_connected = threading.Barrier(size)

    def connect() -> None:
        connection.ensure_connection()
        all_connected.wait(timeout=20)
        connection.close()

    threads = [threading.Thread(target=connect) for _ in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(server_url, autocommit=True) as server:
        ended = server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (connection.settings_dict["NAME"],),
        ).fetchall()
    own.stop()
    return bool(len(ended) >= size)
