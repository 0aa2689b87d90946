"""An export whose worker is killed in the middle is made by the next worker, and is complete."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.production import Production, Server, wait_until
from tests.support.programs import exports

pytestmark = pytest.mark.postgresql

ROWS = 60_000


@pytest.fixture(scope="module")
def owner(production: Production) -> str:
    """Return the owner of a client with so many check records that an export takes a moment."""
    return production.run(exports.create_owner_with_records, ROWS)


def files(site: Production, pk: str) -> list[Path]:
    folder = Path(site.environment["IBANSE_DATA_DIR"]) / "exports"
    return sorted(folder.glob(f"{pk}.*"))


def state(site: Production, pk: str, expected: str) -> list[str | int]:
    """Return the state, the attempt and the problem once the state is the expected one, or after a while."""
    return site.run(exports.wait_for_state, pk, expected)


def worker_of(server: Server, site: Production, pk: str) -> int:
    """Return the worker that has a file of the export open, and has written something."""
    found: list[int] = []

    def has_written() -> bool:
        ours = {str(path) for path in files(site, pk) if path.stat().st_size}
        for worker in server.workers():
            with suppress(FileNotFoundError):  # It closes others while we look.
                opened = {str(entry.readlink()) for entry in Path(f"/proc/{worker}/fd").iterdir()}
                found.extend([worker] if opened & ours else [])
        return bool(found)

    wait_until(has_written)
    return found[0]


def assert_whole(site: Production, pk: str, attempt: int, folder: Path) -> None:
    """Wait until the export is ready; fail unless it is complete and no file of another attempt is left."""
    assert state(site, pk, "ready") == ["ready", attempt, ""]
    assert [path.name for path in files(site, pk)] == [f"{pk}.{attempt}.sealed"]
    site.run(exports.download, pk, str(folder / "copy.zip"))
    with ZipFile(folder / "copy.zip") as zipped:
        assert zipped.testzip() is None
        assert len(json.loads(zipped.read("data.json"))["tables"]["checks"]) == ROWS


def test_what_a_killed_worker_was_making_is_made_by_another(production: Production, owner: str, tmp_path: Path) -> None:
    with production.serving() as server:
        pk = production.run(exports.request, owner)
        os.kill(worker_of(server, production, pk), signal.SIGKILL)

        # Nothing incomplete is offered, and no worker takes it over while the first may still run.
        assert state(production, pk, "running") == ["running", 1, ""]
        assert files(production, pk)
        production.run(exports.age_heartbeat, pk)
        assert_whole(production, pk, 2, tmp_path)


def test_what_was_being_made_when_everything_was_killed_is_made_after_the_next_start(
    production: Production, owner: str, tmp_path: Path
) -> None:
    with production.serving() as server:
        pk = production.run(exports.request, owner)
        worker_of(server, production, pk)
        server.kill_everything()
    assert state(production, pk, "running") == ["running", 1, ""]
    production.run(exports.age_heartbeat, pk)
    with production.serving():
        assert_whole(production, pk, 2, tmp_path)


def test_a_server_that_ends_gives_it_back_at_once(production: Production, owner: str, tmp_path: Path) -> None:
    with production.serving() as server:
        pk = production.run(exports.request, owner)
        worker_of(server, production, pk)
        server.ends()
    assert state(production, pk, "waiting") == ["waiting", 1, ""]
    assert files(production, pk) == []
    with production.serving():
        assert_whole(production, pk, 2, tmp_path)
