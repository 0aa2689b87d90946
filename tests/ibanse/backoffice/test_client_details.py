"""A client's personal details in the back-office: masked, in clear for a reason or with leave, and masked again."""

import re
from typing import Any, Final

from django.core import mail
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import staff_log
from accounts.models import Client, Invitation, Unmasking, User
from accounts.profile import details
from accounts.staff import support_access
from accounts.team import invitations
from privacy import vault
from tests.accounts.staff.test_unmasking import later
from tests.base import BaseTest, Person

CONTACT: Final = details.Contact(
    company="Alfa Kakel AB", organisation_number="556703-7485", person="Alice Ek", phone="+46 8 123 45 67",
    street="Storgatan 1", postcode="111 22", city="Stockholm", country="SE",
)  # fmt: skip
BILLING: Final = details.Billing(
    company="Alfa Fakturor AB", street="Box 77", postcode="222 33", city="Uppsala", country="SE",
    vat_number="SE556703748501", reference="Ref Andersson", invoice_email="faktura@alfa.example",
)  # fmt: skip
OF_CONTACT: Final = {
    "Alfa Kakel AB",
    "556703-7485",
    "Alice Ek",
    "+46 8 123 45 67",
    "Storgatan 1",
    "111 22",
    "Stockholm",
}
OF_USERS: Final = {"alice@example.com", "vera@example.com", "Vera Andersson", "nina@example.com"}
OF_BILLING: Final = {
    "Alfa Fakturor AB", "Box 77", "222 33", "Uppsala", "SE556703748501", "Ref Andersson", "faktura@alfa.example",
}  # fmt: skip
EVERYTHING: Final = OF_CONTACT | OF_USERS | OF_BILLING
REASON: Final = {"ticket": "T-1042", "words": "She asks why no invoice arrives"}


class ClientDetailsTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.of_alice, by = self.alice.client, self.alice.user
        details.save_contact(self.of_alice, CONTACT, by=Actor(by))
        details.save_billing(self.of_alice, BILLING, by=Actor(by))
        details.save_name(self.vera.user, "Vera Andersson")
        until = timezone.now() + invitations.VALID_FOR
        Invitation.objects.create(client=self.of_alice, email="nina@example.com", expires_at=until)
        self.support = self.staff("support")
        self.billing = self.staff("billing")

    def path(self, client: Client | None = None) -> str:
        return f"/admin/clients/{(client or self.of_alice).pk}/details/"

    def page(self, person: Person, client: Client | None = None) -> str:
        response = person.opens(self.path(client))
        self.assertEqual(response.status_code, 200)
        return response.content.decode()

    def in_clear(self, person: Person) -> set[str]:
        page = self.page(person)
        return {text for text in EVERYTHING if text in page}

    def unmasks(self, person: Person, client: Client | None = None, **fields: str) -> Any:
        [number] = re.findall(r'name="number" value="([^"]+)"', self.page(person, client))
        with self.captureOnCommitCallbacks(execute=True):
            return person.posts(self.path(client), {"number": number, **REASON, **fields})

    def test_each_group_sees_its_own_sections_masked_and_then_in_clear(self) -> None:
        for person, sections in ((self.support, OF_CONTACT | OF_USERS), (self.billing, OF_BILLING)):
            self.assertEqual(self.in_clear(person), set())
            self.assertIn("•••", self.page(person))

            self.assertRedirects(self.unmasks(person), self.path())

            self.assertEqual(self.in_clear(person), sections)
        self.assertEqual(self.in_clear(self.staff("support")), set())
        self.assertEqual(self.in_clear(self.staff("support", "billing")), set())

    def test_the_other_groups_have_no_such_page_and_find_no_link_to_it(self) -> None:
        for name in ("security", "lead"):
            person = self.staff(name)
            for response in (person.opens(self.path()), person.posts(self.path(), REASON)):
                self.assertEqual(response.status_code, 403)
        self.assertNotContains(
            self.staff("security").opens(f"/admin/accounts/client/{self.of_alice.pk}/change/"), self.path()
        )
        self.assertContains(self.support.opens(f"/admin/accounts/client/{self.of_alice.pk}/change/"), self.path())
        self.assertFalse(Unmasking.objects.exists())

    def test_it_masks_itself_when_the_time_is_over_also_on_the_screen(self) -> None:
        self.unmasks(self.support)
        response = self.support.opens(self.path())
        self.assertLessEqual(int(response.headers["Refresh"]), 901)
        self.assertIn("no-store", response.headers["Cache-Control"])

        with later(minutes=15, seconds=1):
            self.assertEqual(self.in_clear(self.support), set())
            self.assertNotIn("Refresh", self.support.opens(self.path()).headers)

    def test_it_is_masked_again_by_a_click_and_a_second_click_does_no_harm(self) -> None:
        self.unmasks(self.support)

        for _click in range(2):
            self.assertRedirects(self.support.posts(self.path(), {"action": "mask"}), self.path())

        self.assertEqual(self.in_clear(self.support), set())
        self.assertEqual(staff_log.entries(tag="client.masked").count(), 1)

    def test_another_client_stays_masked(self) -> None:
        details.save_contact(self.mallory.client, details.Contact(company="Mallory Ltd"), by=self.mallory.actor)
        self.unmasks(self.support)

        other = self.page(self.support, self.mallory.client)

        self.assertNotIn("Mallory Ltd", other)
        self.assertNotIn("mallory@example.net", other)

    def test_a_form_that_is_sent_twice_opens_once_and_sent_later_nothing(self) -> None:
        [number] = re.findall(r'name="number" value="([^"]+)"', self.page(self.support))
        fields = {"number": number, **REASON}
        for _click in range(2):
            with self.captureOnCommitCallbacks(execute=True):
                self.assertRedirects(self.support.posts(self.path(), fields), self.path())
        self.assertEqual((Unmasking.objects.count(), len(mail.outbox)), (1, 1))
        self.support.posts(self.path(), {"action": "mask"})

        response = self.support.posts(self.path(), fields)

        self.assertContains(response, "has already been used", status_code=409)
        self.assertEqual(self.in_clear(self.support), set())
        self.assertContains(response, REASON["words"], status_code=409)

    def test_a_number_from_another_page_or_person_opens_nothing_and_security_is_notified(self) -> None:
        watching = self.staff("security")
        foreign = [
            re.findall(r'name="number" value="([^"]+)"', page)[0]
            for page in (self.page(self.support, self.mallory.client), self.page(self.billing))
        ]
        for number in (*foreign, "", "forged"):
            with self.captureOnCommitCallbacks(execute=True):
                response = self.support.posts(self.path(), {"number": number, **REASON})
            self.assertEqual(response.status_code, 400)
        self.assertFalse(Unmasking.objects.exists())
        self.assertEqual(staff_log.entries(tag="office.misused", client=self.of_alice.pk).count(), 4)
        self.assertEqual([message.to for message in mail.outbox], [[watching.user.email]])

    def test_without_a_reason_nothing_opens_and_the_page_says_what_is_missing(self) -> None:
        for missing in ({"ticket": ""}, {"words": "too few"}, {"words": ""}):
            response = self.unmasks(self.support, None, **missing)
            self.assertContains(response, "field-problem", status_code=422)
        self.assertEqual(self.in_clear(self.support), set())

    def test_with_the_clients_leave_a_click_shows_it_and_the_leave_ended_masks_it(self) -> None:
        self.assertEqual(self.support.posts(self.path(), {"action": "look"}).status_code, 409)
        support_access.grant(self.of_alice, "hour", by=self.alice.actor)
        self.assertContains(self.support.opens(self.path()), "The client has given access")

        self.assertRedirects(self.support.posts(self.path(), {"action": "look"}), self.path())
        self.assertEqual(self.in_clear(self.support), OF_CONTACT | OF_USERS)

        support_access.end(self.of_alice, by=self.alice.actor)
        self.assertEqual(self.in_clear(self.support), set())

    def test_each_view_is_on_record_with_the_client(self) -> None:
        self.page(self.support)

        [row] = staff_log.open_entries(staff_log.entries(client=self.of_alice.pk))
        self.assertEqual((row.tag, row.who), ("office.viewed", self.support.user.email))

    def test_of_a_client_that_is_being_deleted_nothing_is_shown_and_nothing_breaks(self) -> None:
        Client.objects.filter(pk=self.of_alice.pk).update(state=Client.State.GONE)
        vault.destroy(self.of_alice.pk)

        self.assertContains(self.support.opens(self.path()), "is being deleted")

    def test_text_of_a_client_is_never_markup(self) -> None:
        details.save_contact(self.of_alice, details.Contact(company="<script>alert(1)</script>"), by=self.alice.actor)
        self.unmasks(self.support)

        page = self.page(self.support)
        self.assertIn("&lt;script&gt;", page)
        self.assertNotIn("<script>alert", page)

    def test_a_group_that_is_taken_away_takes_it_at_once(self) -> None:
        self.unmasks(self.support)
        User.objects.get(pk=self.support.user.pk).groups.clear()

        self.assertEqual(self.support.opens(self.path()).status_code, 403)
