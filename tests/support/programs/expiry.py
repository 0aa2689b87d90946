"""Check records that have expired, and a pruning that is killed."""

import os
import signal
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.db import transaction

from accounts import batch
from accounts.models import Client
from validation.models import ValidationRecord


def create_records(expired: int, current: int) -> str:
    """Make a client with so many check records; return its id."""
    client = Client.objects.create()
    at = datetime.now(UTC) - timedelta(days=400)
    today = datetime.now(UTC).date()

    def row(expires_on: date) -> ValidationRecord:
        return ValidationRecord(client=client, at=at, expires_on=expires_on, source="api", is_valid=True)

    ValidationRecord.objects.bulk_create([row(today - timedelta(days=1)) for _ in range(expired)], 1000)
    ValidationRecord.objects.bulk_create([row(today + timedelta(days=1)) for _ in range(current)], 1000)
    return str(client.pk)


def prune_killed_in_fourth_chunk() -> None:
    """Prune, and be killed when the rows of the fourth chunk are deleted and nothing of it is committed."""
    erase_chunk = batch.one
    chunks = 0

    def erase_or_die(rows: Any, *arguments: Any, **named: Any) -> int:
        nonlocal chunks
        chunks += rows.model is ValidationRecord
        if chunks == 4:
            with transaction.atomic():
                erase_chunk(rows, *arguments, **named)
                os.kill(os.getpid(), signal.SIGKILL)
        return erase_chunk(rows, *arguments, **named)

    vars(batch)["one"] = erase_or_die
    call_command("prune_expired")


def count_records(client_id: str) -> int:
    """Return how many check records a client has."""
    return ValidationRecord.objects.filter(client=UUID(client_id)).count()
