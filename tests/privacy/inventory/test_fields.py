"""What we say is kept is what is kept: deploy/data.md and the table on the page, against the models and the rows."""

import base64
from typing import Final

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import models
from django.test import RequestFactory
from django.utils.html import escape

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent, StaffEvent
from accounts.profile import details
from accounts.team import invitations
from privacy.check_logging import mode
from privacy.check_logging.mode import Choice
from privacy.inventory import fields as inventory_fields
from privacy.inventory import tables
from privacy.inventory.fields import How
from privacy.models import Mode
from tests.base import BaseTest

pytestmark = pytest.mark.claim("sealed_and_clear")

TABLES: Final = {table.model: table for table in tables.TABLES}
IBAN: Final = "SE45 5000 0000 0583 9825 7466"
ENVELOPE: Final = b"\x01\x01"
LEAST_BYTES: Final = 30


def everything() -> dict[str, type[models.Model]]:
    """Every model of the house and of what it is built on, by its label."""
    return {model._meta.label: model for model in apps.get_models(include_auto_created=True)}


def fields(model: type[models.Model]) -> list[str]:
    """The names of a model's own fields."""
    return [field.name for field in model._meta.get_fields() if getattr(field, "concrete", False)]


class TestTheList:
    def test_every_table_is_in_it_and_no_other(self) -> None:
        assert {*TABLES, *tables.WITHOUT_PEOPLE} == set(everything())
        assert not set(TABLES) & set(tables.WITHOUT_PEOPLE)

    @pytest.mark.parametrize("label", TABLES)
    def test_every_field_is_in_it_and_no_other(self, label: str) -> None:
        assert sorted(field.name for field in TABLES[label].fields) == sorted(fields(everything()[label]))

    @pytest.mark.parametrize("label", TABLES)
    def test_each_row_says_what_why_and_how_long(self, label: str) -> None:
        table = TABLES[label]

        assert table.until
        assert all(field.what and field.why for field in table.fields)

    @pytest.mark.parametrize("label", TABLES)
    def test_what_is_named_sealed_is_sealed_and_bytes_are_never_in_clear(self, label: str) -> None:
        model = everything()[label]
        for field in TABLES[label].fields:
            if field.name.startswith("sealed"):
                assert field.how == How.SEALED, field.name
            if isinstance(model._meta.get_field(field.name), models.BinaryField):
                assert field.how in (How.SEALED, How.HASH), field.name

    def test_the_file_names_every_table(self) -> None:
        call_command("describe_data", verbosity=0)

        written = (settings.BASE_DIR / "deploy" / "data.md").read_text(encoding="utf-8")
        assert [
            label for label in everything() if f"## {label}\n" not in written and f"| {label} |" not in written
        ] == []


class TestTheReadableTable:
    def test_each_field_is_told_by_a_line_of_it(self) -> None:
        told = {field.line for table in tables.TABLES for field in table.fields} - {inventory_fields.ELSEWHERE}

        assert told == set(inventory_fields.LINES)

    @pytest.mark.parametrize("line", inventory_fields.LINES)
    def test_a_line_names_the_forms_that_its_fields_have(self, line: str) -> None:
        found = [field for table in tables.TABLES for field in table.fields if field.line == line]

        forms = {field.how for field in found}
        # That a row has a number, and of which other row, says nothing that a sealed or hashed line would have to tell.
        assert inventory_fields.LINES[line].forms <= forms
        if How.CLEAR not in inventory_fields.LINES[line].forms:
            assert {field.name for field in found if field.how == How.CLEAR} <= {"pepper", "next_pepper"}


class RowTests(BaseTest):
    """The rows of a client of whom everything is kept."""

    def setUp(self) -> None:
        super().setUp()
        client, by = self.alice.client, self.alice.user
        details.save_contact(client, details.Contact(company="Kept AB"), by=Actor(by))
        details.save_billing(client, details.Billing(company="Kept AB"), by=Actor(by))
        details.save_name(by, "Kept Name")
        invitations.invite(client, "nina@example.com", by=Actor(by))
        self.key = self.alice.key(name="Kept Key", networks=["192.0.2.7"])
        self.alice.posts(f"/keys/{client.keys.get().pk}/networks/add/", {"network": "192.0.2.8", "note": "Kept Note"})
        mode.choose(client, Choice(Mode.FULL, 90), by=Actor(by))
        self.alice.checks(IBAN)
        audit.record(
            AuditEvent.CONTACT_CHANGED,
            client=client,
            by=Actor(by, ip_address="192.0.2.7"),
            detail={"fields": "Kept Detail"},
        )
        looked = RequestFactory().get("/", REMOTE_ADDR="192.0.2.9")
        audit.record_staff(StaffEvent.PAGE_VIEWED, by=Actor.of(looked), client=client.pk, detail={"why": "Kept Why"})

    def test_what_is_said_to_be_sealed_is_an_envelope_in_every_row(self) -> None:
        looked_at = set()
        for label, table in TABLES.items():
            for field in table.fields:
                if field.how != How.SEALED or label in ("vault.DataKey", "mfa.Authenticator"):
                    continue
                for value in everything()[label]._default_manager.values_list(field.name, flat=True):
                    sealed = base64.b64decode(value) if isinstance(value, str) else bytes(value)
                    if sealed:
                        looked_at.add(f"{label}.{field.name}")
                        self.assertEqual(sealed[:2], ENVELOPE, field)
                        self.assertGreaterEqual(len(sealed), LEAST_BYTES)
        self.assertEqual(
            looked_at,
            {
                "accounts.User.sealed_name",
                "accounts.ContactDetails.sealed",
                "accounts.BillingDetails.sealed",
                "accounts.HistoryDetail.sealed",
                "accounts.HistoryDetail.sealed_address",
                "accounts.StaffDetail.sealed",
                "accounts.StaffDetail.sealed_address",
                "apikeys.ApiKey.sealed_name",
                "apikeys.AllowedNetwork.sealed_note",
                "validation.ValidationRecord.sealed",
                "sessions.Session.session_data",
            },
        )

    def test_what_was_told_stands_in_no_field_in_clear(self) -> None:
        everywhere = []
        for label, model in everything().items():
            if model._meta.app_label != "vault":
                names = [field.attname for field in model._meta.concrete_fields]
                everywhere += [(label, repr(row)) for row in model._default_manager.values_list(*names)]

        self.assertGreater(len(everywhere), 10)
        for secret in ("Kept", self.key[24:], IBAN, IBAN.replace(" ", "")):
            found = {label for label, row in everywhere if secret in row}
            self.assertEqual(found, set(), secret)

    def test_every_line_is_on_the_page(self) -> None:
        page = self.alice.opens("/account/settings/security-and-privacy/")

        for line in inventory_fields.LINES.values():
            for said in (line.what, line.how, line.until):
                self.assertContains(page, escape(said))
