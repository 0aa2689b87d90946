"""Every room of the house: nothing that hangs on a client or a user is in none, or in two; what leaves is listed."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.db import models
from django.test.utils import isolate_apps

from accounts.actor import Actor
from accounts.audit import client_log
from accounts.models import Client, User
from accounts.personal_data.schema import Value
from accounts.profile import details
from accounts.team import invitations, owner_recovery
from privacy.check_logging import mode
from privacy.check_logging.mode import Choice
from privacy.inventory import registry
from privacy.models import Mode
from tests.base import PASSWORD, BaseTest
from validation.models import ValidationRecord

if TYPE_CHECKING:
    from django.db.models.options import Options

pytestmark = pytest.mark.claim("own_copy")

UNCLAIMED: Final = {
    "accounts.User_groups": "groups are for staff; a client's user is in none",
    "accounts.User_user_permissions": "rights are for staff; a client's user has none",
    "admin.LogEntry": "no row is ever written: what staff do is in their history",
}
"""Tables with a road to a user that no room holds, and why."""

Road = type[models.Model]


def meta(model: Road) -> "Options[models.Model]":
    """Return what Django knows of a model."""
    return model._meta


def roads(everything: Iterable[Road], ends: frozenset[Road]) -> Iterator[Road]:
    """Yield each model from which relations lead to one of `ends`, in however many steps; the ends themselves too.

    A generic relation may lead anywhere, so it counts as one that does.
    """
    reached = set(ends)
    models_left = [model for model in everything if model not in reached]
    while found := [model for model in models_left if any(end in reached for end in _neighbours(model))]:
        reached.update(found)
        models_left = [model for model in models_left if model not in reached]
    yield from reached
    yield from (model for model in models_left if _leads_anywhere(model))


def plant(name: str, parent: Road = models.Model, **fields: object) -> Road:
    """Return a model of the accounts that nobody has thought of."""
    options = type("Meta", (), {"app_label": "accounts"})
    return type(name, (parent,), {"Meta": options, "__module__": __name__, **fields})


def _neighbours(model: Road) -> Iterator[Road]:
    for field in meta(model).get_fields():
        if getattr(field, "concrete", False) and field.is_relation and isinstance(field.related_model, type):
            yield field.related_model
    yield from meta(model).get_parent_list()


def _leads_anywhere(model: Road) -> bool:
    return any(isinstance(field, GenericForeignKey) for field in meta(model).private_fields)


def unclaimed(everything: Iterable[Road]) -> list[str]:
    """Return the label of every model with a road to a client or user that not exactly one room holds."""
    held = [model for source in registry.every() for model in source.HOLDS]
    found = (model for model in roads(everything, frozenset({Client, User})) if held.count(model) != 1)
    return sorted(meta(model).label for model in found if meta(model).label not in UNCLAIMED)


class TestCompleteness:
    def test_every_model_with_a_road_to_a_client_or_user_is_in_exactly_one_room(self) -> None:
        assert unclaimed(apps.get_models(include_auto_created=True)) == []

    def test_no_exception_is_older_than_what_it_excepts(self) -> None:
        everything = apps.get_models(include_auto_created=True)
        labels = {meta(model).label for model in roads(everything, frozenset({Client, User}))}

        assert set(UNCLAIMED) <= labels

    def test_no_model_is_in_two_rooms(self) -> None:
        held = [model for source in registry.every() for model in source.HOLDS]

        assert len(held) == len(set(held))

    @isolate_apps("accounts")
    def test_a_planted_model_is_found_however_long_its_road(self) -> None:
        near = plant("Near", client=models.ForeignKey(Client, models.CASCADE, related_name="+"))
        far = plant("Far", near=models.OneToOneField(near, models.CASCADE, related_name="+"))
        users: models.ManyToManyField[User, models.Model] = models.ManyToManyField(User, related_name="+")
        many = plant("Many", users=users)
        child = plant("Child", near)
        apart = plant("Apart")

        through = users.remote_field.through
        assert through is not None
        planted = [near, far, many, through, child, apart]
        found = unclaimed([*apps.get_models(include_auto_created=True), *planted])

        assert found == [f"accounts.{name}" for name in ("Child", "Far", "Many", "Many_users", "Near")]

    @pytest.mark.parametrize("name", settings.PERSONAL_DATA)
    def test_each_room_offers_what_a_room_must(self, name: str) -> None:
        source = registry.every()[settings.PERSONAL_DATA.index(name)]

        for action in ("count", "export", "prune"):
            assert callable(getattr(source, action))


class ExportTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        client, by = self.alice.client, self.alice.user
        details.save_contact(client, details.Contact(company="Alice AB", phone="+46 8 123"), by=Actor(by))
        details.save_billing(
            client, details.Billing(company="Alice Invoices", vat_number="SE556703748501"), by=Actor(by)
        )
        details.save_name(self.vera.user, "Vera Andersson")
        invitations.invite(client, "nina@example.com", by=Actor(by))
        owner_recovery.request(self.vera.user, reason="by phone")
        self.key = self.alice.key(name="Bookkeeping", networks=["192.0.2.7"])
        mode.choose(client, Choice(Mode.FULL, 90), by=Actor(by))
        self.alice.checks("SE45 5000 0000 0583 9825 7466")
        self.calls(self.key, "/api/v1/validate", {"iban": "DE89 3704 0044 0532 0130 00"})
        self.secret = "JBSWY3DPEHPK3PXP"
        Authenticator.objects.create(user=by, type=Authenticator.Type.TOTP, data={"secret": self.secret})
        self.mallory.checks("GB33BUKB20201555555555")
        details.save_contact(self.mallory.client, details.Contact(company="Mallory Ltd"), by=self.mallory.actor)

    def exported(self) -> dict[str, list[dict[str, Value]]]:
        return {table.name: list(table.rows) for table in registry.export(self.alice.client)}

    def test_what_is_sealed_is_opened(self) -> None:
        told = json.dumps(self.exported(), ensure_ascii=False)

        for said in (
            "Alice AB", "+46 8 123", "Alice Invoices", "SE556703748501", "Vera Andersson", "nina@example.com",
            "Bookkeeping", "SE4550000000058398257466", "DE89370400440532013000", "192.0.2.7",
            "owners.recovery_requested",
        ):  # fmt: skip
            self.assertIn(said, told)

    def test_nothing_of_another_client_is_in_it(self) -> None:
        told = json.dumps(self.exported())

        for foreign in ("mallory", "Mallory", "GB33BUKB20201555555555", str(self.mallory.client.pk)):
            self.assertNotIn(foreign, told)

    def test_no_secret_leaves_the_house(self) -> None:
        told = json.dumps(self.exported())

        record = ValidationRecord.objects.filter(client=self.alice.client).first()
        assert record is not None
        assert record.blind_index is not None
        session = self.alice.browser.session.session_key or ""
        for secret in (
            PASSWORD, self.alice.user.password, self.key[24:], self.secret, bytes(record.blind_index).hex(), session,
            *(str(invitation.nonce) for invitation in self.alice.client.invitations.all()),
        ):  # fmt: skip
            self.assertNotIn(secret, told)

    def test_each_row_has_just_the_fields_that_the_table_names(self) -> None:
        for table in registry.export(self.alice.client):
            self.assertRegex(table.name, r"\A[a-z_]+\Z")
            self.assertTrue(str(table.about))
            names = [field.name for field in table.fields]
            self.assertEqual(len(names), len(set(names)))
            self.assertTrue(all(str(field.about) for field in table.fields))
            for row in table.rows:
                self.assertEqual(list(row), names)

    def test_it_is_counted_as_it_is_exported_and_no_table_is_there_twice(self) -> None:
        counted = registry.count(self.alice.client)

        self.assertEqual({name: len(rows) for name, rows in self.exported().items()}, counted)
        self.assertEqual(len(list(registry.export(self.alice.client))), len(counted))
        self.assertGreaterEqual(counted["checks"], 2)

    def test_the_history_names_who_and_what(self) -> None:
        entries = self.exported()["history"]

        self.assertEqual(len(entries), client_log.entries(self.alice.client).count())
        self.assertEqual(entries[0]["by"], "alice@example.com")
        self.assertEqual([entry["number"] for entry in entries], list(range(1, len(entries) + 1)))
