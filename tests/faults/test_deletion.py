"""A whole account is deleted while its executor is killed at every checkpoint; then nothing of it is anywhere.

Real processes, killed by SIGKILL; real databases, copied before. Afterwards: the copy of the data with the current
keyring opens nothing; both copies, after `replay_erasures`, open nothing either and the rows are gone; and every byte
that the site has written is searched for the people's addresses and names, for their IBAN and for the key.
"""

import copy
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg

from tests.support import canary
from tests.support.production import Production
from tests.support.programs import deletion
from tests.support.programs import site as site_programs

IBAN: Final = "SE7150000000052400121238"
WORDS: Final = ("olga@gone.example", "pelle@gone.example", "nils@gone.example", "Zugrundegangsbolaget", "Olgamaria")
CHECKS: Final = 2_500
KILLED_AT: Final = ("begun", "written down", "key destroyed", 1, 2, 8, "all but committed")


@contextmanager
def copied(site: Production, folder: Path) -> Iterator[Production]:
    """Yield the site as it is now, on copies of both databases; the ledger is shared."""
    copied_site = copy.copy(site)
    keyring = folder / "keyring.sqlite3"
    _copy_sqlite(Path(site.environment["IBANSE_DATA_DIR"]) / "keyring.sqlite3", keyring)
    copied_site.environment = site.environment | {
        "KEYRING_DATABASE_URL": f"sqlite:///{keyring}",
        "IBANSE_EXPORT_DIR": str(folder / "exports"),
    }
    url = urlsplit(site.database)
    if url.scheme == "sqlite":
        _copy_sqlite(Path(url.path[1:]), folder / "site.sqlite3")
        copied_site.environment |= {"DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}"}
        yield copied_site
        return
    name = f"{url.path[1:]}_copy"
    with psycopg.connect(url._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {url.path[1:]}".encode())
        try:
            copied_site.environment |= {"DATABASE_URL": url._replace(path=f"/{name}").geturl()}
            yield copied_site
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as backup:
        original.backup(backup)


def with_keyring_of(site: Production, other: Production) -> Production:
    """Return the first site's data with the other one's keyring."""
    combined = copy.copy(site)
    combined.environment = site.environment | {"KEYRING_DATABASE_URL": other.environment["KEYRING_DATABASE_URL"]}
    return combined


def open_data(site: Production, account: dict[str, str]) -> list[str]:
    """Return what can be opened of the deleted client and of the other one."""
    return site.run(deletion.open_data, [account["deleted"], account["other"]])


def written(site: Production) -> list[Path]:
    """Return the folders of every file of the site and its database, with the write-ahead log of PostgreSQL."""
    places = [Path(site.environment["IBANSE_DATA_DIR"])]
    if urlsplit(site.database).scheme != "sqlite":
        with psycopg.connect(site.database, autocommit=True) as server:
            server.execute("CHECKPOINT")
            row = server.execute(
                "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
            ).fetchone()
        assert row is not None
        data = Path(row[0])
        places += [data / "base" / str(row[1]), *(folder for folder in data.iterdir() if folder.is_dir())]
        places.remove(data / "base")  # The other databases of the server belong to other tests.
    assert all(place.is_dir() for place in places)
    return places


def let_lifetimes_pass(site: Production) -> None:
    """Do what production's PostgreSQL does within half an hour: begin a new segment of its log, and two checkpoints.

    The settings for that are in deploy/postgresql/ibanse.conf. Segments that no checkpoint needs are removed then.
    """
    if urlsplit(site.database).scheme == "sqlite":
        return
    with psycopg.connect(site.database, autocommit=True) as server:
        recycles = server.execute("SHOW wal_recycle").fetchone()
        assert recycles == ("off",), "a segment that is reused keeps its old content"
        for _checkpoint in range(2):
            server.execute("SELECT pg_switch_wal()")
            server.execute("CHECKPOINT")


def found(site: Production, secrets: list[bytes], texts: Sequence[str] = (IBAN, *WORDS)) -> list[str]:
    """Return where an e-mail, a name, the IBAN or the key still is."""
    places = written(site)
    lines = [line for place in places for line in canary.found_in(place, texts)]
    for path in (path for place in places for path in place.rglob("*") if path.is_file()):
        content = path.read_bytes()
        lines += [f"{path.name}: key" for secret in secrets if secret in content]
    return lines


def holding(site: Production, word: str) -> list[Path]:
    """Return the files that contain a word."""
    files = (path for place in written(site) for path in place.rglob("*") if path.is_file())
    return [path for path in files if word.encode() in path.read_bytes()]


def test_killed_at_every_checkpoint_it_is_done_once_and_nothing_is_left_anywhere(
    production: Production, tmp_path: Path
) -> None:
    site = production
    account = site.run(deletion.create_two_accounts, IBAN, CHECKS, *WORDS[3:])
    secrets = [bytes.fromhex(account["key"]), bytes.fromhex(account["wrapped_key"])]
    counted, others = site.run(deletion.count_rows, [account["deleted"], account["other"]])
    assert counted["checks"] == CHECKS
    assert len(found(site, secrets, WORDS[:1])) > 1, "the search must be able to find something"

    with copied(site, tmp_path) as restored:
        site.run(deletion.delete_killed_at_each, KILLED_AT)

        receipt = site.run(deletion.read_receipt)
        assert receipt["erased"] == {name: rows for name, rows in sorted(counted.items()) if rows}
        assert receipt["key"]["fingerprint"] == account["fingerprint"]
        ledger = Path(site.environment["IBANSE_LEDGER"])
        assert len(ledger.read_text(encoding="ascii").splitlines()) == 1
        other = f"Stays AB {IBAN}"
        assert open_data(site, account) == ["no client", other]

        assert open_data(restored, account) == [f"{WORDS[3]} {IBAN}", other], "the copies must be worth something"
        assert open_data(with_keyring_of(restored, site), account) == ["Destroyed", other]
        restored.run(site_programs.run_command, "replay_erasures")
        assert open_data(restored, account) == ["no client", other]
        assert "0 rows, 0 keys" in restored.run(site_programs.run_command, "replay_erasures")
        for each in (site, restored):
            assert each.run(deletion.count_rows, [account["other"]]) == [others]

    site.run(site_programs.run_command, "compact_tables")
    remaining = {path.parent.name for path in holding(site, WORDS[0])}
    assert remaining <= {"pg_wal"}, "only there, and only until its lifetime has passed"
    let_lifetimes_pass(site)
    # The other client has checked the same IBAN: only sealed, and its own names are others.
    assert found(site, secrets) == []
    shutil.rmtree(ledger.parent)
