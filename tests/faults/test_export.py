"""A copy of a client's data survives whoever makes it: killed in the middle, it is made by the next one, and whole."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.support.production import Production, Server, wait_until

pytestmark = pytest.mark.postgresql

ROWS = 60_000
_LIVE = """
import uuid
from datetime import date, datetime, UTC
from accounts.models import Client, User
from validation.models import ValidationRecord

client = Client.objects.create()
owner = User.objects.create_user(f"{uuid.uuid4()}@example.com", client=client, role="owner")
now = datetime.now(UTC).replace(microsecond=0)
ValidationRecord.objects.bulk_create(
    (
        ValidationRecord(client=client, at=now, expires_on=date(2099, 1, 1), source="api", country="SE", is_valid=True)
        for _ in range(told["rows"])
    ),
    batch_size=5_000,
)
print(owner.pk)
"""
_ASK = """
from accounts.actor import Actor
from accounts.models import User
from privacy import export
owner = User.objects.get(pk=told["owner"])
print(export.request(owner.client, by=Actor(owner)).pk)
"""
_STATE = """
import time
from privacy.models import DataExport
until = time.monotonic() + 20
while True:
    found = DataExport.objects.filter(pk=told["pk"]).values_list("state", "attempt", "problem")[0]
    if found[0] == told["expected"] or time.monotonic() > until:
        break
    time.sleep(0.1)
print(json.dumps(found))
"""
_AGE = """
from datetime import timedelta
from django.db.models import F
from privacy.models import DataExport
DataExport.objects.filter(pk=told["pk"], state="running").update(heartbeat_at=F("heartbeat_at") - timedelta(seconds=31))
"""
_TAKE = """
from privacy import export
from privacy.models import DataExport
found = DataExport.objects.get(pk=told["pk"])
taken = export.open_for_download(found.client, found.pk, by=found.requested_by)
with open(told["path"], "wb") as file:
    file.writelines(taken.pieces)
"""


@pytest.fixture(scope="module")
def owner(production: Production) -> str:
    """Return an owner of a client with a log that takes a moment to copy."""
    return production.does(_LIVE, rows=ROWS)


def files(site: Production, pk: str) -> list[Path]:
    folder = Path(site.environment["IBANSE_DATA_DIR"]) / "exports"
    return sorted(folder.glob(f"{pk}.*"))


def state(site: Production, pk: str, expected: str) -> Any:
    """Return the state, the attempt and the problem as soon as the state is the expected one, or after a while."""
    return json.loads(site.does(_STATE, pk=pk, expected=expected))


def who_makes(server: Server, site: Production, pk: str) -> int:
    """Return the worker that has a file of the export open, and has written something."""
    found: list[int] = []

    def is_at_it() -> bool:
        ours = {str(path) for path in files(site, pk) if path.stat().st_size}
        for worker in server.workers():
            with suppress(FileNotFoundError):  # It closes others while we look.
                opened = {str(entry.readlink()) for entry in Path(f"/proc/{worker}/fd").iterdir()}
                found.extend([worker] if opened & ours else [])
        return bool(found)

    wait_until(is_at_it)
    return found[0]


def assert_whole(site: Production, pk: str, attempt: int, folder: Path) -> None:
    """Wait until the copy is ready, and fail unless all is in it and nothing of another attempt is left."""
    assert state(site, pk, "ready") == ["ready", attempt, ""]
    assert [path.name for path in files(site, pk)] == [f"{pk}.{attempt}.sealed"]
    site.does(_TAKE, pk=pk, path=str(folder / "copy.zip"))
    with ZipFile(folder / "copy.zip") as zipped:
        assert zipped.testzip() is None
        assert len(json.loads(zipped.read("data.json"))["tables"]["checks"]) == ROWS


def test_what_a_killed_worker_was_making_is_made_by_another(production: Production, owner: str, tmp_path: Path) -> None:
    with production.serving() as server:
        pk = production.does(_ASK, owner=owner)
        os.kill(who_makes(server, production, pk), signal.SIGKILL)

        # Nothing half is offered, and nobody takes it while its worker may still live.
        assert state(production, pk, "running") == ["running", 1, ""]
        assert files(production, pk)
        production.does(_AGE, pk=pk)
        assert_whole(production, pk, 2, tmp_path)


def test_what_was_being_made_when_everything_was_killed_is_made_after_the_next_start(
    production: Production, owner: str, tmp_path: Path
) -> None:
    with production.serving() as server:
        pk = production.does(_ASK, owner=owner)
        who_makes(server, production, pk)
        server.kill_everything()
    assert state(production, pk, "running") == ["running", 1, ""]
    production.does(_AGE, pk=pk)
    with production.serving():
        assert_whole(production, pk, 2, tmp_path)


def test_a_server_that_ends_gives_it_back_at_once(production: Production, owner: str, tmp_path: Path) -> None:
    with production.serving() as server:
        pk = production.does(_ASK, owner=owner)
        who_makes(server, production, pk)
        server.ends()
    assert state(production, pk, "waiting") == ["waiting", 1, ""]
    assert files(production, pk) == []
    with production.serving():
        assert_whole(production, pk, 2, tmp_path)
