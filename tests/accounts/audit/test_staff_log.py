"""The staff audit log: one chain, sealed, and alarming when something alarming is recorded."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Barrier, Thread
from unittest import skipUnless
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import RequestFactory, TransactionTestCase
from django.utils import timezone

from accounts import audit
from accounts.actor import SYSTEM, Actor
from accounts.audit import client_log, staff_log
from accounts.audit.events import AuditEvent, StaffEvent
from accounts.audit.hash_chain import ChainVerification
from accounts.models import Client, HistoryEntry, StaffDetail, StaffEntry, User
from accounts.personal_data import source
from privacy import vault
from privacy.inventory import registry
from tests.base import BaseTest
from tests.support import services

pytestmark = pytest.mark.claim("staff_on_record")


class StaffHistoryTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.77")

    def write(self, number: int = 3, client: UUID | None = None) -> None:
        for place in range(number):
            detail = {"page": f"Page {place}"}
            audit.record_staff(
                StaffEvent.PAGE_VIEWED, by=Actor.of(self.request, user=self.sten.user), client=client, detail=detail
            )

    def test_a_look_is_reported_with_who_when_at_whom_and_from_where(self) -> None:
        self.write(1, client=self.alice.client.pk)

        [row] = staff_log.open_entries(staff_log.entries())

        self.assertEqual((row.who, row.client), ("sten@operator.example", self.alice.client.pk))
        self.assertEqual((row.network, row.address), ("192.0.2.0/24", "192.0.2.77"))
        self.assertEqual((row.details, row.when.microsecond), ({"page": "Page 0"}, 0))

    def test_nothing_personal_lies_in_the_clear_or_under_a_clients_key(self) -> None:
        self.write(1, client=self.alice.client.pk)

        row = str(StaffEntry.objects.values().get()) + str(StaffDetail.objects.values().get())

        for personal in ("Page", "192.0.2.77", "sten@"):
            self.assertNotIn(personal, row)
        self.assertFalse(Client.objects.filter(pk=staff_log.OWNER).exists())
        with pytest.raises(vault.VaultError):
            vault.unseal(
                self.alice.client.pk, StaffDetail.objects.get().sealed, purpose="staff history.detail", record="x"
            )

    def test_whatever_is_changed_in_an_entry_is_found(self) -> None:
        changes: tuple[dict[str, object], ...] = (
            {"tag": "office.refused"},
            {"actor": None},
            {"client": None},
            {"client": uuid4()},
            {"network": ""},
            {"at": timezone.now() + timedelta(days=1)},
        )
        for change in changes:
            with self.subTest(change=change):
                StaffEntry.objects.all().delete()
                self.write(4, client=self.alice.client.pk)
                StaffEntry.objects.filter(number=2).update(**change)

                result = staff_log.verify()

                self.assertEqual((result.ok, result.first_bad, result.problem), (False, 2, "edited"))

    def test_a_removed_entry_a_moved_detail_and_a_cut_tail_are_found(self) -> None:
        self.write(4)
        checkpoint = staff_log.checkpoint()
        self.assertTrue(staff_log.verify_checkpoint(checkpoint).ok)
        first, second = StaffDetail.objects.order_by("entry__number")[:2]
        own = bytes(second.sealed)
        StaffDetail.objects.filter(pk=second.pk).update(sealed=bytes(first.sealed))
        self.assertEqual(staff_log.verify().problem, "detail")
        StaffDetail.objects.filter(pk=second.pk).update(sealed=own)

        StaffEntry.objects.filter(number=4).delete()
        self.assertTrue(staff_log.verify().ok)
        self.assertEqual(staff_log.verify_checkpoint(checkpoint).problem, "cut")
        StaffEntry.objects.filter(number=2).delete()
        self.assertEqual(staff_log.verify().problem, "missing")

    def test_a_checkpoint_of_a_client_is_none_of_staff(self) -> None:
        self.write(1)
        audit.record(AuditEvent.CONTACT_CHANGED, client=self.alice.client, by=SYSTEM)
        theirs = client_log.checkpoint(self.alice.client)

        for forged in (
            theirs,
            {**theirs, "staff": str(staff_log.OWNER)},
            {**staff_log.checkpoint(), "number": "0"},
        ):
            self.assertEqual(staff_log.verify_checkpoint(forged).problem, "signature")

    def test_the_command_names_a_broken_entry_of_staff_and_fails(self) -> None:
        self.write(3)
        said = StringIO()
        call_command("verify_history", stdout=said)
        self.assertIn("audit logs are intact", said.getvalue())

        StaffEntry.objects.filter(number=2).update(client=uuid4())
        with self.assertRaises(CommandError):
            call_command("verify_history", stdout=said, stderr=said)
        self.assertIn("staff: entry 2 is edited", said.getvalue())

    def test_filters_narrow_it(self) -> None:
        self.write(1, client=self.alice.client.pk)
        self.write(1, client=self.mallory.client.pk)
        audit.record_staff(StaffEvent.PAGE_REFUSED, by=SYSTEM)

        def numbers(**filters: object) -> list[int]:
            return [entry.number for entry in staff_log.entries(**filters)]  # type: ignore[arg-type]  # by name

        later = timezone.now() + timedelta(hours=1)
        self.assertEqual(numbers(), [3, 2, 1])
        self.assertEqual(numbers(tag="office.refused"), [3])
        self.assertEqual(numbers(actor=self.sten.user.pk), [2, 1])
        self.assertEqual(numbers(client=self.mallory.client.pk), [2])
        self.assertEqual((numbers(since=later), numbers(until=later)), ([], [3, 2, 1]))

    def test_an_address_goes_after_seven_days_a_reason_after_25_months_and_the_chain_stays(self) -> None:
        self.write(1)
        now = timezone.now()

        self.assertEqual(staff_log.forget_old(now + timedelta(days=6)), 0)
        self.assertEqual(staff_log.forget_old(now + timedelta(days=8)), 1)
        [row] = staff_log.open_entries(staff_log.entries())
        self.assertEqual((row.address, row.network, row.details), ("", "192.0.2.0/24", {"page": "Page 0"}))
        self.assertEqual(staff_log.forget_old(now + timedelta(days=762)), 1)
        [row] = staff_log.open_entries(staff_log.entries())
        self.assertEqual(row.details, {})
        self.assertTrue(staff_log.verify().ok)

    def test_with_a_client_go_the_details_and_stay_the_entries(self) -> None:
        self.write(2, client=self.alice.client.pk)
        self.write(1, client=self.mallory.client.pk)

        for _step in registry.erase(self.alice.client):
            pass

        rows = staff_log.open_entries(staff_log.entries())
        self.assertEqual([line.details for line in rows], [{"page": "Page 0"}, {}, {}])
        self.assertEqual([line.address for line in rows], ["192.0.2.77", "", ""])
        self.assertTrue(staff_log.verify().ok)

    def test_with_a_user_go_the_reasons_that_name_them(self) -> None:
        client = self.alice.client
        for words in (f"{self.vera.user.email.upper()} cannot sign in", "Something else"):
            audit.record_staff(
                StaffEvent.CLIENT_UNMASKED, by=self.sten.actor, client=client.pk, detail={"reason": words}
            )
        audit.record_staff(
            StaffEvent.CLIENT_UNMASKED, by=self.sten.actor, detail={"reason": "vera@example.com elsewhere"}
        )

        for _step in source.erase_user(client, self.vera.user.pk):
            pass

        rows = staff_log.open_entries(staff_log.entries(client=client.pk))
        self.assertEqual([line.details for line in rows], [{"reason": "Something else"}, {}])
        self.assertTrue(staff_log.verify().ok)

    def test_the_command_states_where_the_chain_ends_and_finds_later_what_was_cut(self) -> None:
        self.write(3)
        said = StringIO()
        call_command("verify_history", "--checkpoint", stdout=said)
        with NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            file.write(said.getvalue())
            file.flush()
            call_command("verify_history", "--against", file.name, stdout=said)
            self.assertIn("reaches at least to entry 3", said.getvalue())

            StaffEntry.objects.filter(number=3).delete()
            with self.assertRaisesMessage(CommandError, "is cut from entry 3"):
                call_command("verify_history", "--against", file.name, stdout=said)
        with self.assertRaisesMessage(CommandError, "cannot be read"):
            call_command("verify_history", "--against", "/nowhere", stdout=said)

    def test_who_was_a_clients_user_is_never_named_here(self) -> None:
        audit.record_staff(StaffEvent.PAGE_REFUSED, by=self.alice.actor)

        [row] = staff_log.open_entries(staff_log.entries())
        self.assertEqual(row.who, "")


class AlarmTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        watch = Group.objects.create(name="security")
        self.watching = [
            self.person("erika@operator.example", is_staff=True, language="de"),
            self.person("elin@operator.example", is_staff=True, language="sv"),
        ]
        away = self.person("away@operator.example", is_staff=True, is_active=False)
        for person in (*self.watching, away):
            person.user.groups.add(watch)

    def record(self, tag: str, by: User | None) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            audit.record_staff(StaffEvent(tag), by=Actor(by))

    def test_security_is_mailed_of_what_alarms_each_in_their_language_and_of_nothing_else(self) -> None:
        self.record("office.viewed", self.sten.user)
        self.assertEqual(mail.outbox, [])

        self.record("office.misused", self.sten.user)

        self.assertEqual(
            [message.to for message in mail.outbox], [["elin@operator.example"], ["erika@operator.example"]]
        )
        swedish, german = (message.body for message in mail.outbox)
        self.assertIn("När:", swedish)
        self.assertIn("Wann:", german)
        self.assertIn("sten@operator.example", german)

    def test_the_same_of_the_same_person_is_mailed_again_only_after_ten_minutes(self) -> None:
        self.record("office.misused", self.sten.user)
        self.record("office.misused", self.sten.user)
        self.assertEqual(len(mail.outbox), 2)

        self.record("office.misused", None)
        self.assertEqual(len(mail.outbox), 4)
        later = timezone.now() + timedelta(minutes=11)
        with patch("django.utils.timezone.now", return_value=later):
            self.record("office.misused", self.sten.user)
        self.assertEqual(len(mail.outbox), 6)
        self.assertEqual(StaffEntry.objects.filter(tag="office.misused").count(), 4)


def test_an_entry_of_a_clients_trail_hashes_as_it_always_has() -> None:
    """What was stored before chain.py was taken out of history.py stays whole."""
    entry = HistoryEntry(
        client_id=UUID(int=1),
        number=2,
        tag="users.invited",
        at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        actor=UUID(int=3),
        network="192.0.2.0/24",
        detail_hash=bytes(range(32)),
        previous_hash=bytes(32),
    )

    hashed = client_log.chain(Client(pk=UUID(int=1))).hash(entry)

    assert hashed.hex() == "1e967d9539d2731d1ea996d8ee61d171d18c48c011fd0f1880880e1d2c76d18f"


@skipUnless(connection.vendor == "postgresql", "SQLite runs one writing transaction after the other")
class AtOnceTests(TransactionTestCase):
    databases = {"default", "keyring"}

    def test_many_at_once_make_one_chain(self) -> None:
        begin = Barrier(4)

        def write() -> None:
            begin.wait()
            try:
                for _turn in range(5):
                    audit.record_staff(StaffEvent.PAGE_VIEWED, by=SYSTEM)
            finally:
                connections.close_all()

        run(*[write] * 4)

        self.assertEqual(staff_log.verify(), ChainVerification(ok=True, entries=20))


@pytest.mark.database
@skipUnless(connection.vendor == "sqlite", "the test above does it with PostgreSQL")
def test_processes_that_write_at_once_make_one_chain_on_sqlite(tmp_path: Path) -> None:
    """Each worker of a server is one; SQLite lets them take turns by its lock of the file."""
    setup = "import django\nfrom django.core.management import call_command\ndjango.setup()\n"
    environment = services.environment(IBANSE_DATA_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="ibanse.settings")

    def does(code: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", setup + code]
        return subprocess.Popen(command, cwd=services.ROOT, env=environment, text=True, stdout=subprocess.PIPE)

    said = does("for name in ('default', 'keyring'): call_command('migrate', database=name, verbosity=0)")
    assert said.communicate(timeout=120)[0] == ""
    write = (
        "from accounts import audit\nfrom accounts.actor import SYSTEM\nfrom accounts.audit.events import StaffEvent\n"
        "for _ in range(10): audit.record_staff(StaffEvent.PAGE_VIEWED, by=SYSTEM)"
    )

    writers = [does(write), does(write)]

    assert [(writer.communicate(timeout=120)[0], writer.returncode) for writer in writers] == [("", 0), ("", 0)]
    verified = does(
        "from accounts.audit import staff_log\nresult = staff_log.verify()\nprint(result.ok, result.entries)"
    )
    assert verified.communicate(timeout=120)[0].strip() == "True 20"


def run(*actions: Callable[[], None]) -> None:
    """Do all at once."""
    threads = [Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
