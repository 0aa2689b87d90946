"""A whole account is deleted while its executor is killed at every checkpoint; then nothing of it is anywhere.

Real processes, killed by SIGKILL; real databases, copied before. Afterwards: the copy of the data with the living
keyring opens nothing; both copies, after `replay_erasures`, open nothing either and the rows are gone; and every byte
that the site has written is searched for the people's addresses and names, for their IBAN and for the key.
"""

import copy
import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from tests.support import canary
from tests.support.production import Production

IBAN: Final = "SE7150000000052400121238"
WORDS: Final = ("olga@gone.example", "pelle@gone.example", "nils@gone.example", "Zugrundegangsbolaget", "Olgamaria")
CHECKS: Final = 2_500

_LIVE: Final = """
from datetime import date, timedelta
from django.utils import timezone
from accounts.actor import Actor
from accounts.audit import client_log
from accounts.models import Client, User
from accounts.profile import details
from accounts.team import invitations
from apikeys import keys
from privacy import vault
from privacy.check_logging import mode
from privacy.deletion import requesting
from privacy.check_logging.mode import Choice
from privacy.export import exports
from privacy.models import Mode
from privacy.vault import keyring
from privacy.vault.models import DataKey
from validation.recording import writer
from validation.recording.record import RecordCaller, build_record
from validation.engine import check
from validation.models import ValidationRecord

def grown(domain, company, name):
    client = Client.objects.create()
    owner = User.objects.create_user(f"olga@{domain}", "a password", client=client, role="owner", language="en")
    User.objects.create_user(f"pelle@{domain}", "a password", client=client, role="sub_user")
    details.save_contact(client, details.Contact(company=company), by=Actor(owner))
    details.save_billing(client, details.Billing(company=company), by=Actor(owner))
    details.save_name(owner, name)
    invitations.invite(client, f"nils@{domain}", by=Actor(owner))
    mode.choose(client, Choice(Mode.FULL, 90), by=Actor(owner))
    keys.create(client, keys.Draft(company, ("validate",), timezone.now() + timedelta(days=9)), by=Actor(owner))
    caller = RecordCaller(client.pk, "api", None, "192.0.2.7")
    writer.put(build_record(caller, [check(told["iban"])] * 5, Choice(Mode.FULL, 90), units=5))
    ValidationRecord.objects.bulk_create(
        ValidationRecord(client=client, at=timezone.now().replace(microsecond=0), expires_on=date(2099, 1, 1),
                         source="api", country="SE", is_valid=True)
        for _ in range(told["checks"] - 5)
    )
    exports.request(client, by=Actor(owner))
    while export.work(timezone.now()):
        pass
    return client, owner

other, _owner = grown("stays.example", "Stays AB", "Stays")
client, owner = grown("gone.example", told["words"][3], told["words"][4])
requesting.confirm(requesting.request(client, grace_days=0, by=Actor(owner)))
row = DataKey.objects.get(owner=client.pk)
key = keyring.unwrap(row)
print(json.dumps([str(client.pk), str(other.pk), key.hex(), bytes(row.wrapped).hex(), row.fingerprint]))
"""
_KILLED: Final = """
import os, signal
from django.core.management import call_command
from accounts.personal_data import source
from privacy import vault
from privacy.deletion import erasing, ledger

def die(*_given):
    os.kill(os.getpid(), signal.SIGKILL)

def die_after(holder, name):
    deed = getattr(holder, name)
    def then_die(*given):
        deed(*given)
        die()
    setattr(holder, name, then_die)

def die_in_step(last, erase=erasing.erase):
    def steps(wish):
        for number, gone in enumerate(erase(wish), 1):
            if number == last:
                die()  # The rows are deleted, and nothing is committed.
            yield gone
    erasing.erase = steps

def execute(at):
    if at == "begun":
        ledger.append = die
    elif at == "written down":
        die_after(ledger, "append")
    elif at == "key destroyed":
        die_after(vault, "destroy")
    elif at == "all but committed":
        die_after(source, "delete_account")
    else:
        die_in_step(at)
    call_command("execute_deletions")

# Each in a process of its own, which has opened no database before.
for at in told["points"]:
    child = os.fork()
    if child == 0:
        execute(at)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, at
call_command("execute_deletions")
"""
_COUNTED: Final = """
from accounts.models import Client
from privacy.inventory import registry
print(json.dumps([registry.count(Client.objects.get(pk=pk)) for pk in told["clients"]]))
"""
_OPENS: Final = """
from accounts.models import Client
from accounts.profile import details
from privacy import vault
from privacy.inventory import registry
from validation.records import store
from validation.models import ValidationRecord

def opens(pk):
    client = Client.objects.filter(pk=pk).first()
    if client is None:
        return "no client"
    try:
        record = ValidationRecord.objects.filter(client=client).exclude(sealed=b"").first()
        return f"{details.contact(client).company} {store.open_sealed(client.pk, record.pk, record.sealed).iban}"
    except vault.VaultError as error:
        return type(error).__name__

print(json.dumps([*map(opens, told["clients"]), registry.count(Client.objects.get(pk=told["clients"][1]))]))
"""
_REPLAY: Final = "from django.core.management import call_command; call_command('replay_erasures')"
_COMPACT: Final = "from django.core.management import call_command; call_command('compact_tables')"
_RECEIPT: Final = """
from privacy.deletion import receipts
from privacy.models import ErasureReceipt
document = ErasureReceipt.objects.order_by("-pk")[0].document
assert receipts.verify(document).code == "genuine"
print(json.dumps(json.loads(document)))
"""


@contextmanager
def copied(site: Production, folder: Path) -> Iterator[Production]:
    """Yield the site as it is now, on copies of both databases; its ledger is the living one."""
    told = copy.copy(site)
    keyring = folder / "keyring.sqlite3"
    living = Path(site.environment["IBANSE_DATA_DIR"]) / "keyring.sqlite3"
    _copy_sqlite(living, keyring)
    told.environment = site.environment | {
        "KEYRING_DATABASE_URL": f"sqlite:///{keyring}",
        "IBANSE_EXPORT_DIR": str(folder / "exports"),
    }
    place = urlsplit(site.database)
    if place.scheme == "sqlite":
        _copy_sqlite(Path(place.path[1:]), folder / "site.sqlite3")
        told.environment |= {"DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}"}
        yield told
        return
    name = f"{place.path[1:]}_copy"
    with psycopg.connect(place._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {place.path[1:]}".encode())
        try:
            told.environment |= {"DATABASE_URL": place._replace(path=f"/{name}").geturl()}
            yield told
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as living, closing(sqlite3.connect(target)) as dead:
        living.backup(dead)


def with_keyring_of(site: Production, other: Production) -> Production:
    """Return the first site's data with the other one's keyring."""
    told = copy.copy(site)
    told.environment = site.environment | {"KEYRING_DATABASE_URL": other.environment["KEYRING_DATABASE_URL"]}
    return told


def opens(site: Production, told: list[Any]) -> Any:
    """Return what of the deleted client and of the other one can be opened, and what there is of the other one."""
    return json.loads(site.does(_OPENS, clients=told[:2]))


def written(site: Production) -> list[Path]:
    """Return the folders with every file that the site and its database have: of PostgreSQL also the log of changes."""
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
        places.remove(data / "base")  # The other databases of the server are other tests'.
    assert all(place.is_dir() for place in places)
    return places


def let_lifetimes_pass(site: Production) -> None:
    """Do what production's PostgreSQL does within half an hour: begin a new segment of its log, and two checkpoints.

    The settings that make it so are in deploy/postgresql/ibanse.conf. What no checkpoint needs is removed then.
    """
    if urlsplit(site.database).scheme == "sqlite":
        return
    with psycopg.connect(site.database, autocommit=True) as server:
        recycles = server.execute("SHOW wal_recycle").fetchone()
        assert recycles == ("off",), "a segment that is kept to be written over keeps what was in it"
        for _checkpoint in range(2):
            server.execute("SELECT pg_switch_wal()")
            server.execute("CHECKPOINT")


def found(site: Production, secrets: list[bytes], texts: Sequence[str] = (IBAN, *WORDS)) -> list[str]:
    """Return where an address, a name, the IBAN or the key still stands."""
    places = written(site)
    lines = [line for place in places for line in canary.found_in(place, texts)]
    for path in (path for place in places for path in place.rglob("*") if path.is_file()):
        content = path.read_bytes()
        lines += [f"{path.name}: key" for secret in secrets if secret in content]
    return lines


def holding(site: Production, word: str) -> list[Path]:
    """Return the files in which a word stands."""
    files = (path for place in written(site) for path in place.rglob("*") if path.is_file())
    return [path for path in files if word.encode() in path.read_bytes()]


def test_killed_at_every_checkpoint_it_is_done_once_and_nothing_is_left_anywhere(
    production: Production, tmp_path: Path
) -> None:
    site = production
    told: list[Any] = json.loads(site.does(_LIVE, iban=IBAN, checks=CHECKS, words=WORDS).splitlines()[-1])
    client, other, key, wrapped, fingerprint = told
    secrets = [bytes.fromhex(key), bytes.fromhex(wrapped)]
    counted, others = json.loads(site.does(_COUNTED, clients=[client, other]))
    assert counted["checks"] == CHECKS
    assert len(found(site, secrets, WORDS[:1])) > 1, "the search must be able to find something"

    with copied(site, tmp_path) as restored:
        site.does(_KILLED, points=["begun", "written down", "key destroyed", 1, 2, 8, "all but committed"])

        receipt = json.loads(site.does(_RECEIPT))
        assert receipt["erased"] == {name: rows for name, rows in sorted(counted.items()) if rows}
        assert receipt["key"]["fingerprint"] == fingerprint
        ledger = Path(site.environment["IBANSE_LEDGER"])
        assert len(ledger.read_text(encoding="ascii").splitlines()) == 1
        stays = [f"Stays AB {IBAN}", others]
        assert opens(site, told) == ["no client", *stays]

        assert opens(restored, told) == [f"{WORDS[3]} {IBAN}", *stays], "the copies must be worth something"
        assert opens(with_keyring_of(restored, site), told) == ["Destroyed", *stays]
        restored.does(_REPLAY)
        assert opens(restored, told) == ["no client", *stays]
        assert "0 rows, 0 keys" in restored.does(_REPLAY)

    site.does(_COMPACT)
    lingering = {path.parent.name for path in holding(site, WORDS[0])}
    assert lingering <= {"pg_wal"}, "only there, and only until its lifetime has passed"
    let_lifetimes_pass(site)
    # The other client has checked the same number: only sealed, and its own names are others.
    assert found(site, secrets) == []
    shutil.rmtree(ledger.parent)
