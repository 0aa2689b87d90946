"""Accounts with data in every part of the site, deleted by an executor that is killed at chosen steps."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NoReturn

from django.core.management import call_command
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Client, User
from accounts.personal_data import source
from accounts.profile import details
from accounts.team import invitations
from apikeys import keys
from privacy import vault
from privacy.check_logging import mode
from privacy.check_logging.mode import Choice
from privacy.deletion import erasing, ledger, receipts, requesting
from privacy.export import exports
from privacy.inventory import registry
from privacy.models import ErasureReceipt, Mode
from privacy.vault import keyring
from privacy.vault.models import DataKey
from validation.engine import check
from validation.models import ValidationRecord
from validation.recording import writer
from validation.recording.record import RecordCaller, build_record
from validation.records import store


def create_two_accounts(iban: str, checks: int, company: str, name: str) -> dict[str, str]:
    """Make an account that stays and one whose deletion is due; return ids and keys, bytes in hexadecimal."""
    other, _other_owner = _create_account("stays.example", "Stays AB", "Stays", iban, checks)
    client, owner = _create_account("gone.example", company, name, iban, checks)
    requesting.confirm(requesting.request_deletion(client, grace_days=0, by=Actor(owner)))
    row = DataKey.objects.get(owner=client.pk)
    return {
        "deleted": str(client.pk),
        "other": str(other.pk),
        "key": keyring.unwrap(row).hex(),
        "wrapped_key": bytes(row.wrapped or b"").hex(),
        "fingerprint": row.fingerprint,
    }


def _create_account(domain: str, company: str, name: str, iban: str, checks: int) -> tuple[Client, User]:
    client = Client.objects.create()
    owner = User.objects.create_user(f"olga@{domain}", "a password", client=client, role=User.Role.OWNER, language="en")
    User.objects.create_user(f"pelle@{domain}", "a password", client=client, role=User.Role.MEMBER)
    details.save_contact(client, details.Contact(company=company), by=Actor(owner))
    details.save_billing(client, details.Billing(company=company), by=Actor(owner))
    details.save_name(owner, name)
    invitations.invite(client, f"nils@{domain}", by=Actor(owner))
    mode.choose(client, Choice(Mode.FULL, 90), by=Actor(owner))
    keys.create(client, keys.Draft(company, ("validate",), timezone.now() + timedelta(days=9)), by=Actor(owner))
    caller = RecordCaller(client.pk, "api", None, "192.0.2.7")
    writer.put(build_record(caller, [check(iban)] * 5, Choice(Mode.FULL, 90), units=5))
    now = timezone.now().replace(microsecond=0)
    ValidationRecord.objects.bulk_create(
        ValidationRecord(client=client, at=now, expires_on=date(2099, 1, 1), source="api", country="SE", is_valid=True)
        for _ in range(checks - 5)
    )
    exports.request_export(client, by=Actor(owner))
    while exports.work(timezone.now()):
        pass
    return client, owner


def delete_killed_at_each(points: Sequence[str | int]) -> None:
    """Run the executor once for each point, where it is killed, and at last without."""
    for point in points:
        # A process of its own, before any database is opened in this one.
        child = os.fork()
        if child == 0:
            _execute_until(point)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status), point
        assert os.WTERMSIG(status) == signal.SIGKILL, point
    call_command("execute_deletions")


def _execute_until(point: str | int) -> None:
    """Run the executor until it dies: at a named point, or before the commit of the step of this number."""
    if point == "begun":
        vars(ledger)["append"] = _die
    elif point == "written down":
        _die_after(ledger, "append")
    elif point == "key destroyed":
        _die_after(vault, "destroy")
    elif point == "all but committed":
        _die_after(source, "delete_account")
    else:
        _die_in_step(int(point))
    call_command("execute_deletions")


def _die(*_arguments: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("A killed process goes no further.")


def _die_after(module: Any, name: str) -> None:
    function: Callable[..., object] = getattr(module, name)

    def run_and_die(*arguments: object) -> NoReturn:
        function(*arguments)
        _die()

    setattr(module, name, run_and_die)


def _die_in_step(last: int) -> None:
    erase = erasing.erase

    def erase_until_last(request: erasing.ErasureRequest) -> Iterator[dict[str, int]]:
        for step, counts in enumerate(erase(request), 1):
            if step == last:
                _die()  # The rows are deleted, and nothing is committed.
            yield counts

    vars(erasing)["erase"] = erase_until_last


def count_rows(client_ids: Sequence[str]) -> list[dict[str, int]]:
    """Return how many rows of each kind the clients have."""
    return [registry.count(Client.objects.get(pk=pk)) for pk in client_ids]


def open_data(client_ids: Sequence[str]) -> list[str]:
    """Return the company and the IBAN of each client, or why they cannot be opened."""
    return [_open_data(pk) for pk in client_ids]


def _open_data(client_id: str) -> str:
    client = Client.objects.filter(pk=client_id).first()
    if client is None:
        return "no client"
    try:
        record = ValidationRecord.objects.filter(client=client).exclude(sealed=b"")[0]
        fields = store.open_sealed(client.pk, record.pk, record.sealed)
        assert fields is not None
        return f"{details.contact(client).company} {fields.iban}"
    except vault.VaultError as error:
        return type(error).__name__


def read_receipt() -> dict[str, Any]:
    """Return the newest receipt, which must be genuine."""
    document = ErasureReceipt.objects.order_by("-pk")[0].document
    assert receipts.verify(document).code == "genuine"
    content: dict[str, Any] = json.loads(document)
    return content
