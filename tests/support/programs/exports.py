"""A client with many checks, the export of its data, and that export's state."""

import time
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.db.models import F

from accounts.actor import Actor
from accounts.models import Client, User
from privacy.export import exports
from privacy.models import DataExport
from validation.models import ValidationRecord


def create_owner_with_records(rows: int) -> str:
    """Make a client with so many check records; return the id of its owner."""
    client = Client.objects.create()
    owner = User.objects.create_user(f"{uuid.uuid4()}@example.com", client=client, role=User.Role.OWNER)
    now = datetime.now(UTC).replace(microsecond=0)
    ValidationRecord.objects.bulk_create(
        (
            ValidationRecord(
                client=client, at=now, expires_on=date(2099, 1, 1), source="api", country="SE", is_valid=True
            )
            for _ in range(rows)
        ),
        batch_size=5_000,
    )
    return str(owner.pk)


def request(owner_id: str) -> str:
    """Request an export; return its id."""
    owner = User.objects.get(pk=owner_id)
    assert owner.client is not None
    return str(exports.request_export(owner.client, by=Actor(owner)).pk)


def wait_for_state(export_id: str, expected: str) -> list[str | int]:
    """Return the state, the attempt and the problem once the state is the expected one, or after 20 seconds."""
    deadline = time.monotonic() + 20
    while True:
        found = DataExport.objects.filter(pk=export_id).values_list("state", "attempt", "problem")[0]
        if found[0] == expected or time.monotonic() > deadline:
            return list(found)
        time.sleep(0.1)


def age_heartbeat(export_id: str) -> None:
    """Let the last heartbeat of a running export be so old that another worker may take it."""
    DataExport.objects.filter(pk=export_id, state="running").update(
        heartbeat_at=F("heartbeat_at") - timedelta(seconds=31)
    )


def download(export_id: str, path: str) -> None:
    """Write a finished export to a file."""
    export = DataExport.objects.get(pk=export_id)
    assert export.requested_by is not None
    pieces = exports.open_for_download(export.client, export.pk, by=Actor(export.requested_by)).pieces
    with Path(path).open("wb") as file:
        file.writelines(pieces)
