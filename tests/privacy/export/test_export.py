"""The data export: complete, sealed until it is downloaded, for the client's owners only, and never partial."""

import csv
import io
import json
import stat
import threading
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4
from zipfile import ZipFile

import jsonschema_rs
import pytest
from django.conf import settings
from django.core import mail
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from accounts.audit import client_log
from accounts.errors import Refusal
from accounts.models import User
from accounts.personal_data.schema import ExportedField, ExportedTable
from accounts.profile import details
from privacy import vault
from privacy.check_logging.mode import Choice, choose
from privacy.export import archive, exports
from privacy.inventory import registry
from privacy.models import DataExport, Mode
from tests.base import BaseTest, Person

PAGE = "/account/settings/security-and-privacy/export/"
IBAN = "SE4550000000058398257466"


class ExportTest(BaseTest):
    """A test with an export folder of its own."""

    def setUp(self) -> None:
        super().setUp()
        # The heartbeat has a connection of its own, which does not see what a test has not committed.
        self.enterContext(patch.object(exports, "BEAT_EVERY_SECONDS", 3_600))
        for path in self.folder.iterdir():
            path.unlink()

    @property
    def folder(self) -> Path:
        folder: Path = settings.EXPORT_DIR
        return folder

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def ask(self, person: Person | None = None) -> DataExport:
        person = person or self.alice
        return exports.request_export(person.client, by=person.actor)

    def make(self, person: Person | None = None) -> DataExport:
        """Return an export that is ready."""
        requested = self.ask(person)
        with self.captureOnCommitCallbacks(execute=True):
            self.assertTrue(exports.work(timezone.now()))
        requested.refresh_from_db()
        self.assertEqual((requested.state, requested.problem), ("ready", ""))
        return requested

    def path(self, made: DataExport) -> Path:
        return self.folder / f"{made.pk}.{made.attempt}.sealed"

    def download(self, made: DataExport, person: Person | None = None) -> Any:
        return (person or self.alice).posts(f"{PAGE}{made.pk}/download/")

    def downloaded(self, made: DataExport, person: Person | None = None) -> ZipFile:
        """Return the zip as a browser receives it."""
        response = self.download(made, person)
        self.assertEqual(response.status_code, 200)
        return ZipFile(io.BytesIO(b"".join(response.streaming_content)))

    def holding(self, *tables: ExportedTable) -> AbstractContextManager[object]:
        """Replace the sources by one with these tables."""

        class Source:
            @staticmethod
            def count(_client: object) -> dict[str, int]:
                return {table.name: 0 for table in tables}

            @staticmethod
            def export(_client: object) -> Any:
                return iter(tables)

        return patch.object(registry, "every", lambda: [Source])


def table(name: str, *rows: dict[str, Any]) -> ExportedTable:
    fields = tuple(ExportedField(field, f"About {field}") for field in rows[0])
    return ExportedTable(name, f"About {name}", fields, iter(rows))


@pytest.mark.claim("own_copy")
class ContentTests(ExportTest):
    def live(self, person: Person, iban: str, company: str) -> None:
        """Create a row in every source."""
        client = person.client
        choose(client, Choice(Mode.FULL, 90), by=person.actor)
        details.save_contact(client, details.Contact(company=company), by=person.actor)
        person.key(networks=["192.0.2.7"])
        person.checks(iban)

    def test_everything_about_the_client_is_in_it_and_nothing_about_another(self) -> None:
        self.live(self.alice, IBAN, "Alices bageri")
        self.live(self.mallory, "DE89370400440532013000", "Mallory GmbH")

        zipped = self.downloaded(self.make())

        self.assertIsNone(zipped.testzip())
        content = b"".join(zipped.read(name) for name in zipped.namelist()).decode()
        for known in (IBAN, "Alices bageri", "alice@example.com", "192.0.2.7", "privacy.export_requested"):
            self.assertIn(known, content)
        for foreign in ("DE89370400440532013000", "Mallory", "mallory@example.net", str(self.mallory.client.pk)):
            self.assertNotIn(foreign, content)
        tables = json.loads(zipped.read("data.json"))["tables"]
        expected = {
            found.name: [column.name for column in found.fields] for found in registry.export(self.alice.client)
        }
        self.assertEqual(list(tables), list(expected))
        for name, rows in tables.items():
            self.assertTrue(all(list(row) == expected[name] for row in rows), name)
        self.assertEqual([row["iban"] for row in tables["checks"]], [IBAN])

    def test_no_password_key_or_secret_is_in_it(self) -> None:
        key = self.alice.key()

        zipped = self.downloaded(self.make())

        content = b"".join(zipped.read(name) for name in zipped.namelist()).decode()
        self.assertNotIn(key, content)
        self.assertNotIn(self.alice.user.password, content)
        self.assertNotIn("secret", json.loads(zipped.read("data.json"))["tables"]["second_factors"])

    def test_the_document_is_as_its_schema_says(self) -> None:
        self.live(self.alice, IBAN, "Alices bageri")

        zipped = self.downloaded(self.make())

        schema, document = json.loads(zipped.read("schema.json")), json.loads(zipped.read("data.json"))
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.validate(schema, document)
        self.assertEqual(document["schema_version"], archive.SCHEMA_VERSION)
        self.assertEqual(document["account"], str(self.alice.client.pk))
        document["tables"]["users"][0]["password"] = "x"
        self.assertFalse(jsonschema_rs.is_valid(schema, document))

    def test_the_csv_files_hold_what_the_document_holds(self) -> None:
        self.live(self.alice, IBAN, "Alices bageri")

        zipped = self.downloaded(self.make())

        tables = json.loads(zipped.read("data.json"))["tables"]
        self.assertEqual({f"csv/{name}.csv" for name in tables}, {n for n in zipped.namelist() if n.startswith("csv/")})
        for name, rows in tables.items():
            lines = list(csv.DictReader(io.StringIO(zipped.read(f"csv/{name}.csv").decode("utf-8-sig"), newline="")))
            self.assertEqual(len(lines), len(rows), name)
            for line, row in zip(lines, rows, strict=True):
                self.assertEqual(list(line), list(row))
                for field, value in row.items():
                    cell = value if isinstance(value, str) else "" if value is None else json.dumps(value)
                    self.assertIn(line[field], (cell, f"'{cell}"), field)

    def test_no_spreadsheet_runs_a_cell_as_a_formula(self) -> None:
        evil = {"first": '=HYPERLINK("http://evil.example")', "second": "+1", "third": ["=1"], "fourth": -5}

        with self.holding(table("evil", evil)):
            zipped = self.downloaded(self.make())

        [line] = csv.DictReader(io.StringIO(zipped.read("csv/evil.csv").decode("utf-8-sig")))
        self.assertEqual(list(line.values()), ['\'=HYPERLINK("http://evil.example")', "'+1", '["=1"]', "-5"])
        self.assertEqual(json.loads(zipped.read("data.json"))["tables"]["evil"], [evil])

    def test_text_of_every_kind_comes_through(self) -> None:
        odd: dict[str, Any] = {
            "text": 'Ünïcode 日本 🥐, "quoted";\r\nnext line',
            "none": None,
            "yes": True,
            "map": {"a": "ö"},
            "list": [],
        }

        with self.holding(
            table("odd", odd, odd), ExportedTable("empty", "Nothing", (ExportedField("a", "A"),), iter(()))
        ):
            zipped = self.downloaded(self.make())

        tables = json.loads(zipped.read("data.json"))["tables"]
        self.assertEqual(tables, {"odd": [odd, odd], "empty": []})
        [line, _] = csv.DictReader(io.StringIO(zipped.read("csv/odd.csv").decode("utf-8-sig"), newline=""))
        self.assertEqual(list(line.values()), [odd["text"], "", "true", '{"a": "ö"}', "[]"])

    def test_the_readme_explains_every_field_in_the_requesters_language(self) -> None:
        for language, known in (("en", "A copy of everything"), ("sv", "")):
            User.objects.filter(pk=self.alice.user.pk).update(language=language)
            readme = self.downloaded(self.make()).read("README.txt").decode()

            self.assertIn(known, readme)
            for found in registry.export(self.alice.client):
                self.assertIn(f"csv/{found.name}.csv", readme)

    def test_many_rows_need_little_memory_and_few_files(self) -> None:
        rows: Any = ({"number": number, "text": "x" * 100} for number in range(30_000))
        many = ExportedTable("many", "Many", (ExportedField("number", ""), ExportedField("text", "")), rows)

        with self.holding(many):
            made = self.make()

        self.assertEqual(made.rows, 30_000)
        self.assertEqual(self.files(), [self.path(made).name])
        self.assertEqual(len(json.loads(self.downloaded(made).read("data.json"))["tables"]["many"]), 30_000)


@pytest.mark.claim("sealed_exports")
class SealedTests(ExportTest):
    def test_no_value_is_on_disk_in_clear(self) -> None:
        details.save_contact(self.alice.client, details.Contact(company="Alices bageri"), by=self.alice.actor)
        seen: list[bytes] = []
        original = archive._move_csv

        def watch(*args: Any) -> None:
            seen.extend(path.read_bytes() for path in self.folder.iterdir())
            original(*args)

        with patch.object(archive, "_move_csv", watch):
            made = self.make()

        for raw in (*seen, self.path(made).read_bytes()):
            for known in (b"bageri", b"alice@example.com", b"data.json", b"README", b"PK\x03\x04", b"csv/"):
                self.assertNotIn(known, raw)
        self.assertGreater(len(seen), 10)

    def test_other_users_of_the_machine_cannot_read_it(self) -> None:
        with override_settings(EXPORT_DIR=self.folder / "new"):
            made = self.make()
            self.assertEqual(stat.S_IMODE((self.folder).stat().st_mode), 0o700)
            self.assertEqual(stat.S_IMODE(self.path(made).stat().st_mode), 0o600)
            self.path(made).unlink()
            self.folder.rmdir()

    def test_a_truncated_or_altered_file_is_refused_with_a_remedy(self) -> None:
        damages: dict[str, Any] = {
            "cut": lambda raw: raw[:-1],
            "flipped": lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:],
            "empty": lambda _raw: b"",
        }
        for name, damage in damages.items():
            with self.subTest(damage=name):
                made = self.make()
                self.path(made).write_bytes(damage(self.path(made).read_bytes()))

                response = self.download(made)

                self.assertRedirects(response, PAGE, fetch_redirect_response=False)
                page = self.alice.opens(PAGE)
                self.assertContains(page, "The copy could not be read and was not sent.")
                self.assertContains(page, "it does not match what we wrote, so we did not send it. Request a new copy.")
                self.assertEqual(self.files(), [])
        self.assertNotIn("privacy.export_downloaded", [entry.tag for entry in client_log.entries(self.alice.client)])

    def test_a_missing_file_is_reported(self) -> None:
        made = self.make()
        self.path(made).unlink()

        self.download(made)

        self.assertContains(self.alice.opens(PAGE), "is damaged or missing")

    def test_the_file_of_another_export_does_not_open_in_its_place(self) -> None:
        theirs, ours = self.make(self.mallory), self.make()
        self.path(ours).write_bytes(self.path(theirs).read_bytes())

        self.assertEqual(self.download(ours).status_code, 302)
        self.assertContains(self.alice.opens(PAGE), "could not be read")

    def test_without_the_key_nothing_opens_or_is_created(self) -> None:
        made = self.make()
        requested = self.ask(self.mallory)
        vault.destroy(self.alice.client.pk)
        vault.destroy(self.mallory.client.pk)

        with self.assertRaisesMessage(Refusal, "export_locked"):
            exports.open_for_download(self.alice.client, made.pk, by=self.alice.actor)
        self.assertTrue(exports.work(timezone.now()))

        requested.refresh_from_db()
        self.assertEqual((requested.state, requested.problem), ("failed", "locked"))
        self.assertEqual(self.files(), [self.path(made).name])


class LifeTests(ExportTest):
    def test_two_clicks_make_one_copy(self) -> None:
        first, second = self.ask(), self.ask()

        self.assertEqual(first, second)
        self.assertEqual(len(client_log.entries(self.alice.client, tag="privacy.export_requested")), 1)

    def test_a_new_copy_takes_the_place_of_the_old_one(self) -> None:
        old = self.make()
        with self.captureOnCommitCallbacks(execute=True):
            self.ask()

        old.refresh_from_db()
        self.assertEqual((old.state, self.files()), ("over", []))

    def test_more_than_ten_copies_a_day_are_refused(self) -> None:
        for _ in range(exports.MOST_PER_DAY):
            self.ask()
            DataExport.objects.update(state="over")

        self.alice.posts(f"{PAGE}request/")

        self.assertContains(self.alice.opens(PAGE), "You have reached the limit of 10 copies a day")
        self.assertEqual(DataExport.objects.count(), 10)
        self.assertEqual(self.ask(self.mallory).state, "waiting")

    def test_owners_are_mailed_without_a_secret_when_it_is_ready(self) -> None:
        olga = self.person("olga@example.com", client=self.alice.client, role=User.Role.OWNER)
        self.assertTrue(self.vera)

        made = self.make(olga)

        self.assertEqual({to for sent in mail.outbox for to in sent.to}, {"alice@example.com", "olga@example.com"})
        for sent in mail.outbox:
            self.assertIn(f"{settings.SITE_URL}{PAGE}\n", sent.body)
            self.assertNotIn(str(made.pk), str(sent.message()))

    def test_it_is_created_even_if_its_requester_is_removed(self) -> None:
        olga = self.person("olga@example.com", client=self.alice.client, role=User.Role.OWNER)
        requested = self.ask(olga)
        olga.user.delete()

        exports.work(timezone.now())

        self.assertIn("data.json", self.downloaded(requested).namelist())
        self.assertEqual(olga.posts(f"{PAGE}{requested.pk}/download/").status_code, 302)

    def test_it_can_be_downloaded_several_times_and_each_is_recorded(self) -> None:
        made = self.make()

        self.downloaded(made)
        self.downloaded(made)

        self.assertEqual(len(client_log.entries(self.alice.client, tag="privacy.export_downloaded")), 2)
        made.refresh_from_db()
        self.assertIsNotNone(made.downloaded_at)

    def test_the_response_is_not_cached_and_has_its_length(self) -> None:
        made = self.make()

        response = self.download(made)

        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertEqual(int(response["Content-Length"]), len(b"".join(response.streaming_content)))
        self.assertRegex(response["Content-Disposition"], r'^attachment; filename="ibanse-\d{4}-\d\d-\d\d\.zip"$')

    @pytest.mark.claim("sealed_exports")
    def test_after_a_day_it_expires_and_its_file_is_removed(self) -> None:
        made = self.make()
        later = timezone.now() + timedelta(hours=24, seconds=1)

        with patch("django.utils.timezone.now", return_value=later):
            with self.assertRaisesMessage(Refusal, "export_over"):
                exports.open_for_download(self.alice.client, made.pk, by=self.alice.actor)
            with self.captureOnCommitCallbacks(execute=True):
                self.assertEqual(exports.prune(later), 1)
            self.assertEqual(exports.prune(later), 0)

        made.refresh_from_db()
        self.assertEqual((made.state, self.files()), ("over", []))
        self.assertContains(self.alice.opens(PAGE), "has been deleted: a copy can be downloaded for 24 hours.")

    def test_its_row_is_deleted_after_a_month(self) -> None:
        made = self.make()
        month = timezone.now() + timedelta(days=30, seconds=1)

        exports.prune(month)

        self.assertFalse(DataExport.objects.filter(pk=made.pk).exists())

    def test_pruning_removes_files_that_belong_to_nothing_and_no_others(self) -> None:
        made = self.make()
        ours = self.path(made).name
        orphans = [f"{uuid4()}.1.sealed", f"{made.pk}.99.sealed", f"{made.pk}.{made.attempt}.users.sealed"]
        for name in (*orphans, "notes.txt"):
            (self.folder / name).touch()

        exports.prune(timezone.now())

        self.assertEqual(self.files(), sorted([ours, "notes.txt"]))
        (self.folder / "notes.txt").unlink()

    def test_the_files_of_one_in_progress_remain(self) -> None:
        requested = self.ask()
        DataExport.objects.update(state="running", attempt=1, heartbeat_at=timezone.now())
        names = sorted([f"{requested.pk}.1.sealed", f"{requested.pk}.1.users.sealed"])
        for name in names:
            (self.folder / name).touch()

        exports.prune(timezone.now())

        self.assertEqual(self.files(), names)


class WorkerTests(ExportTest):
    def stopping(self, action: Any) -> ExportedTable:
        """Return a table that runs the action between two rows."""

        def rows() -> Any:
            yield {"a": "before"}
            action()
            yield {"a": "after"}

        return ExportedTable("stops", "Stops", (ExportedField("a", "A"),), rows())

    def state(self) -> tuple[str, str]:
        made = DataExport.objects.get()
        return made.state, made.problem

    def test_without_a_request_there_is_nothing_to_do(self) -> None:
        self.assertFalse(exports.work(timezone.now()))

    def test_an_export_in_progress_is_left_alone(self) -> None:
        self.ask()
        DataExport.objects.update(state="running", attempt=1, heartbeat_at=timezone.now() - timedelta(seconds=25))

        self.assertFalse(exports.work(timezone.now()))

    def test_an_abandoned_one_is_started_again_from_the_beginning(self) -> None:
        requested = self.ask()
        DataExport.objects.update(state="running", attempt=1, heartbeat_at=timezone.now() - timedelta(seconds=31))
        for name in (f"{requested.pk}.1.sealed", f"{requested.pk}.1.users.sealed"):
            (self.folder / name).write_bytes(b"half")

        self.assertTrue(exports.work(timezone.now()))

        self.assertEqual(self.files(), [f"{requested.pk}.2.sealed"])
        self.assertIn("data.json", self.downloaded(requested).namelist())

    def test_after_five_dead_workers_it_is_given_up(self) -> None:
        self.ask()
        DataExport.objects.update(state="running", attempt=5, heartbeat_at=timezone.now() - timedelta(seconds=31))

        self.assertFalse(exports.work(timezone.now()))

        self.assertEqual(self.state(), ("failed", "given_up"))
        self.assertContains(self.alice.opens(PAGE), "The process was interrupted too often.")

    def test_a_worker_thought_dead_can_offer_and_damage_nothing(self) -> None:
        requested = self.ask()
        every = registry.every

        def another_takes_over() -> None:
            DataExport.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=31))
            with patch.object(registry, "every", every):
                exports.work(timezone.now())

        # Its own files were removed meanwhile, which it reports as a disk error.
        with self.holding(self.stopping(another_takes_over)), self.assertLogs("privacy.export.exports", "ERROR"):
            exports.work(timezone.now())

        made = DataExport.objects.get()
        self.assertEqual((made.state, made.attempt), ("ready", 2))
        self.assertEqual(self.files(), [f"{requested.pk}.2.sealed"])
        self.assertIn("data.json", self.downloaded(made).namelist())

    def test_a_stopping_worker_returns_it_at_once(self) -> None:
        self.ask()
        is_ending = threading.Event()

        with self.holding(self.stopping(is_ending.set)):
            exports.work(timezone.now(), is_ending=is_ending.is_set)

        self.assertEqual((self.state(), self.files()), (("waiting", ""), []))
        self.assertTrue(exports.work(timezone.now()))
        self.assertEqual(self.state(), ("ready", ""))

    def test_a_client_deleted_meanwhile_leaves_no_file(self) -> None:
        self.ask()

        with self.holding(self.stopping(self.alice.client.delete)):
            exports.work(timezone.now())

        self.assertEqual((DataExport.objects.count(), self.files()), (0, []))

    def test_a_failure_is_explained_and_stops_no_other_export(self) -> None:
        def full() -> None:
            raise OSError(28, "No space left on device")

        def nonsense() -> None:
            raise ValueError("SE4550000000058398257466")

        cases = (("disk", full, "not enough space"), ("internal", nonsense, "The error is on our side"))
        for problem, action, expected in cases:
            with self.subTest(problem=problem):
                DataExport.objects.all().delete()
                self.ask()

                with self.holding(self.stopping(action)), self.assertLogs("privacy.export.exports", "ERROR") as logged:
                    self.assertTrue(exports.work(timezone.now()))

                self.assertEqual((self.state(), self.files()), (("failed", problem), []))
                self.assertContains(self.alice.opens(PAGE), expected)
                self.assertNotIn("SE45", str(logged.output))
        self.make()

    def test_after_a_database_error_it_is_retried_later(self) -> None:
        self.ask()

        def trouble() -> None:
            raise OperationalError

        with self.holding(self.stopping(trouble)), self.assertLogs("privacy.export.exports", "WARNING"):
            exports.work(timezone.now())

        self.assertEqual(self.state(), ("running", ""))
        self.assertTrue(exports.work(timezone.now() + timedelta(seconds=60)))
        self.assertEqual(self.state(), ("ready", ""))


class ExportPageTests(ExportTest):
    def test_the_page_lists_the_contents_beforehand(self) -> None:
        page = self.alice.opens(PAGE)

        self.assertContains(page, 'data-state="none"')
        self.assertContains(page, "Create copy")
        self.assertContains(page, "People who can sign in")

    def test_requesting_and_downloading_need_a_recent_login(self) -> None:
        made = self.make()
        session = self.alice.browser.session
        session["account_authentication_methods"] = []
        session.save()

        for path in (f"{PAGE}request/", f"{PAGE}{made.pk}/download/"):
            self.assertIn("/account/again/", self.alice.posts(path).headers["Location"])
        self.assertEqual(DataExport.objects.count(), 1)

    def test_the_page_shows_each_state_of_a_copy(self) -> None:
        self.assertRedirects(self.alice.posts(f"{PAGE}request/"), PAGE, fetch_redirect_response=False)
        self.assertContains(self.alice.opens(PAGE), "It begins in a few seconds.")

        DataExport.objects.update(state="running", sources=4, sources_done=2, rows=1234)
        running = self.alice.opens(PAGE)
        self.assertContains(running, "2 of 4 parts are done.")
        self.assertContains(running, 'data-state="under-way"')

        DataExport.objects.update(state="waiting")
        exports.work(timezone.now())
        ready = self.alice.opens(f"{PAGE}?was=under-way")
        self.assertContains(ready, "Your copy is ready")
        self.assertContains(ready, "alice@example.com")
        self.assertContains(ready, '<p id="announcement" class="visually-hidden" role="status">Your copy is ready.</p>')

    def test_members_visitors_and_staff_are_refused(self) -> None:
        made = self.make()
        download = f"{PAGE}{made.pk}/download/"

        for path in (PAGE, f"{PAGE}request/", download):
            for person in (self.vera, self.sten):
                with self.subTest(path=path, who=person.user.email):
                    self.assertIn(person.posts(path).status_code, (302, 403))
        self.assertEqual(self.vera.posts(download).status_code, 403)
        self.assertEqual(self.mallory.posts(download).status_code, 404)
        self.assertContains(self.mallory.opens(PAGE), 'data-state="none"')
        self.assertEqual(DataExport.objects.count(), 1)
        self.assertEqual(DataExport.objects.get().downloaded_at, None)

    def test_get_requests_change_nothing(self) -> None:
        made = self.make()

        for path in (f"{PAGE}request/", f"{PAGE}{made.pk}/download/"):
            self.assertRedirects(self.alice.opens(path), PAGE, fetch_redirect_response=False)

        self.assertEqual(DataExport.objects.count(), 1)
        self.assertEqual(self.mallory.opens(f"{PAGE}{made.pk}/download/").status_code, 404)
