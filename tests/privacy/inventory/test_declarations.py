"""What is declared as stored is what is stored: deploy/data.md and the list on the page, against models and rows."""

import base64
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.core.management import call_command
from django.db import models
from django.test import RequestFactory
from django.test.utils import isolate_apps
from django.utils.html import escape

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent, StaffEvent
from accounts.models import Client, User
from accounts.personal_data.declaration import BOOKKEEPING, StorageSummary, StoredForm
from accounts.profile import details
from accounts.team import invitations
from ibanse.logging import handler
from privacy.check_logging import mode
from privacy.check_logging.mode import Choice
from privacy.inventory import data_map, registry
from privacy.models import Mode
from tests.base import BaseTest

if TYPE_CHECKING:
    from django.db.models.options import Options

pytestmark = pytest.mark.claim("sealed_and_clear")

TABLES: Final = {table.label: table for table in registry.tables()}
IBAN: Final = "SE45 5000 0000 0583 9825 7466"
ENVELOPE: Final = b"\x01\x01"
LEAST_BYTES: Final = 30

AnyModel = type[models.Model]


def meta(model: AnyModel) -> "Options[models.Model]":
    """Return what Django knows of a model."""
    return model._meta


def every_model() -> list[AnyModel]:
    return list(apps.get_models(include_auto_created=True))


def by_label() -> dict[str, AnyModel]:
    return {meta(model).label: model for model in every_model()}


def field_names(model: AnyModel) -> list[str]:
    return [field.name for field in meta(model).get_fields() if getattr(field, "concrete", False)]


def undeclared(found: Iterable[AnyModel]) -> list[str]:
    return sorted({meta(model).label for model in found} - {*TABLES, *registry.impersonal_tables()})


def about_people(found: Iterable[AnyModel]) -> Iterator[AnyModel]:
    """Yield each model from which relations lead to a client or a user, in however many steps.

    A generic relation may lead anywhere, so it counts as one that does.
    """
    reached: set[AnyModel] = {Client, User}
    left = [model for model in found if model not in reached]
    while linked := [model for model in left if any(other in reached for other in _related(model))]:
        reached.update(linked)
        left = [model for model in left if model not in reached]
    yield from reached
    yield from (
        model for model in left if any(isinstance(field, GenericForeignKey) for field in meta(model).private_fields)
    )


def _related(model: AnyModel) -> Iterator[AnyModel]:
    for field in meta(model).get_fields():
        if getattr(field, "concrete", False) and field.is_relation and isinstance(field.related_model, type):
            yield field.related_model
    yield from meta(model).get_parent_list()


def plant(name: str, parent: AnyModel = models.Model, **fields: object) -> AnyModel:
    """Return a model of accounts that is declared nowhere."""
    options = type("Meta", (), {"app_label": "accounts"})
    return type(name, (parent,), {"Meta": options, "__module__": __name__, **fields})


class TestDeclarations:
    def test_every_model_is_declared_once(self) -> None:
        declared = [table.label for table in registry.tables()] + list(registry.impersonal_tables())

        assert undeclared(every_model()) == []
        assert sorted(declared) == sorted(by_label())

    @isolate_apps("accounts")
    def test_a_planted_model_is_found(self) -> None:
        near = plant("Near", client=models.ForeignKey(Client, models.CASCADE, related_name="+"))
        far = plant("Far", near=models.OneToOneField(near, models.CASCADE, related_name="+"))
        users: models.ManyToManyField[User, models.Model] = models.ManyToManyField(User, related_name="+")
        many = plant("Many", users=users)
        child, apart = plant("Child", near), plant("Apart")
        through = users.remote_field.through
        assert through is not None
        planted = [near, far, many, through, child, apart]

        assert undeclared([*every_model(), *planted]) == sorted(meta(model).label for model in planted)
        assert set(planted) & set(about_people([*every_model(), *planted])) == {*planted} - {apart, many} | {many}

    def test_no_table_about_people_counts_as_impersonal(self) -> None:
        labels = {meta(model).label for model in about_people(every_model())}

        # Django's own log of the admin is never written: what staff do is in their audit log.
        assert labels & set(registry.impersonal_tables()) == {"admin.LogEntry"}

    def test_every_table_is_exported_or_says_why_not(self) -> None:
        for table in (table for source in registry.every() for table in source.tables):
            assert bool(table.export) != bool(table.not_exported), table.label
            assert table.export or not any(field.columns for field in table.fields), table.label

    @pytest.mark.parametrize("label", TABLES)
    def test_every_field_is_declared_once(self, label: str) -> None:
        assert sorted(field.name for field in TABLES[label].fields) == sorted(field_names(by_label()[label]))

    @pytest.mark.parametrize("label", TABLES)
    def test_each_declaration_says_what_why_and_how_long(self, label: str) -> None:
        assert TABLES[label].until
        assert all(field.what and field.why for field in TABLES[label].fields)

    @pytest.mark.parametrize("label", TABLES)
    def test_sealed_fields_are_sealed_and_bytes_are_never_clear(self, label: str) -> None:
        for field in TABLES[label].fields:
            if field.name.startswith("sealed"):
                assert field.form == StoredForm.SEALED, field.name
            if isinstance(meta(TABLES[label].model).get_field(field.name), models.BinaryField):
                assert field.form in (StoredForm.SEALED, StoredForm.HASH), field.name


class TestTheDocument:
    def test_it_names_every_table(self) -> None:
        call_command("describe_data", verbosity=0)

        written = (settings.BASE_DIR / "deploy" / "data.md").read_text(encoding="utf-8")
        assert [label for label in by_label() if f"## {label}\n" not in written and f"| {label} |" not in written] == []

    def test_it_states_how_long_the_log_of_the_processes_is_retained(self) -> None:
        [until] = [until for where, _what, until in data_map.PLACES if "IBANSE_LOG_DIR" in where]

        assert until == f"{handler.RETENTION.days} days"


class TestTheListForCustomers:
    @pytest.mark.parametrize("summary", registry.summaries(), ids=lambda summary: str(summary.what)[:40])
    def test_a_line_names_the_forms_of_its_fields(self, summary: StorageSummary) -> None:
        found = [
            field for table in TABLES.values() for field in table.fields if (field.summary or table.summary) is summary
        ]

        assert summary.forms <= {field.form for field in found}
        # The key of a row, or the one it belongs to, is no content that a line on sealed or hashed data would name.
        if StoredForm.CLEAR not in summary.forms:
            clear = {field.name for field in found if field.form == StoredForm.CLEAR}
            assert clear <= {"pepper", "next_pepper"}

    def test_bookkeeping_is_on_no_line(self) -> None:
        assert BOOKKEEPING not in registry.summaries()


class RowTests(BaseTest):
    """The rows of a client about whom everything is stored."""

    def setUp(self) -> None:
        super().setUp()
        client, by = self.alice.client, self.alice.user
        details.save_contact(client, details.Contact(company="Secret AB"), by=Actor(by))
        details.save_billing(client, details.Billing(company="Secret AB"), by=Actor(by))
        details.save_name(by, "Secret Name")
        invitations.invite(client, "nina@example.com", by=Actor(by))
        self.key = self.alice.key(name="Secret Key", networks=["192.0.2.7"])
        self.alice.posts(f"/keys/{client.keys.get().pk}/networks/add/", {"network": "192.0.2.8", "note": "Secret Note"})
        mode.choose(client, Choice(Mode.FULL, 90), by=Actor(by))
        self.alice.checks(IBAN)
        audit.record(
            AuditEvent.CONTACT_CHANGED,
            client=client,
            by=Actor(by, ip_address="192.0.2.7"),
            detail={"fields": "Secret Detail"},
        )
        request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.9")
        audit.record_staff(StaffEvent.PAGE_VIEWED, by=Actor.of(request), client=client.pk, detail={"why": "Secret Why"})

    def test_a_sealed_field_is_an_envelope_in_every_row(self) -> None:
        checked = set()
        for label, table in TABLES.items():
            for field in table.fields:
                if field.form != StoredForm.SEALED or label in ("vault.DataKey", "mfa.Authenticator"):
                    continue
                for value in table.model._default_manager.values_list(field.name, flat=True):
                    sealed = base64.b64decode(value) if isinstance(value, str) else bytes(value)
                    if sealed:
                        checked.add(f"{label}.{field.name}")
                        self.assertEqual(sealed[:2], ENVELOPE, field)
                        self.assertGreaterEqual(len(sealed), LEAST_BYTES)
        self.assertEqual(
            checked,
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

    def test_no_entered_text_is_in_clear(self) -> None:
        everywhere = []
        for label, model in by_label().items():
            if meta(model).app_label != "vault":
                names = [field.attname for field in meta(model).concrete_fields]
                everywhere += [(label, repr(row)) for row in model._default_manager.values_list(*names)]

        self.assertGreater(len(everywhere), 10)
        for secret in ("Secret", self.key[24:], IBAN, IBAN.replace(" ", "")):
            found = {label for label, row in everywhere if secret in row}
            self.assertEqual(found, set(), secret)

    def test_every_line_is_on_the_page(self) -> None:
        page = self.alice.opens("/account/settings/security-and-privacy/")

        for summary in registry.summaries():
            for text in (summary.what, summary.how, summary.until):
                self.assertContains(page, escape(text))
