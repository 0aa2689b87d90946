"""What the sources of personal data export: everything about one client, nothing about another, and no secret."""

import json

import pytest
from allauth.mfa.models import Authenticator

from accounts.actor import Actor
from accounts.audit import client_log
from accounts.personal_data.schema import Value
from accounts.profile import details
from accounts.team import invitations, owner_recovery
from privacy.check_logging import mode
from privacy.check_logging.mode import Choice
from privacy.inventory import registry
from privacy.models import Mode
from tests.base import PASSWORD, BaseTest
from validation.models import ValidationRecord

pytestmark = pytest.mark.claim("own_copy")


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

    def test_sealed_fields_are_decrypted(self) -> None:
        exported = json.dumps(self.exported(), ensure_ascii=False)

        for text in (
            "Alice AB", "+46 8 123", "Alice Invoices", "SE556703748501", "Vera Andersson", "nina@example.com",
            "Bookkeeping", "SE4550000000058398257466", "DE89370400440532013000", "192.0.2.7",
            "owners.recovery_requested",
        ):  # fmt: skip
            self.assertIn(text, exported)

    def test_nothing_about_another_client_is_exported(self) -> None:
        exported = json.dumps(self.exported())

        for foreign in ("mallory", "Mallory", "GB33BUKB20201555555555", str(self.mallory.client.pk)):
            self.assertNotIn(foreign, exported)

    def test_no_secret_is_exported(self) -> None:
        exported = json.dumps(self.exported())

        record = ValidationRecord.objects.filter(client=self.alice.client).first()
        assert record is not None
        assert record.blind_index is not None
        session = self.alice.browser.session.session_key or ""
        for secret in (
            PASSWORD, self.alice.user.password, self.key[24:], self.secret, bytes(record.blind_index).hex(), session,
            *(str(invitation.nonce) for invitation in self.alice.client.invitations.all()),
        ):  # fmt: skip
            self.assertNotIn(secret, exported)

    def test_a_row_has_exactly_the_columns_of_its_table(self) -> None:
        for table in registry.export(self.alice.client):
            self.assertRegex(table.name, r"\A[a-z_]+\Z")
            self.assertTrue(str(table.about))
            names = [field.name for field in table.fields]
            self.assertEqual(len(names), len(set(names)))
            self.assertTrue(all(str(field.about) for field in table.fields))
            for row in table.rows:
                self.assertEqual(list(row), names)

    def test_the_counts_match_and_no_table_appears_twice(self) -> None:
        counted = registry.count(self.alice.client)

        self.assertEqual({name: len(rows) for name, rows in self.exported().items()}, counted)
        self.assertEqual(len(list(registry.export(self.alice.client))), len(counted))
        self.assertGreaterEqual(counted["checks"], 2)

    def test_the_audit_log_names_who_and_what(self) -> None:
        entries = self.exported()["history"]

        self.assertEqual(len(entries), client_log.entries(self.alice.client).count())
        self.assertEqual(entries[0]["by"], "alice@example.com")
        self.assertEqual([entry["number"] for entry in entries], list(range(1, len(entries) + 1)))
