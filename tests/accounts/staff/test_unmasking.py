"""Unmasking: one client, one member of staff, a quarter of an hour, a reason; and the access that a client gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import client_log, staff_log
from accounts.errors import Refusal
from accounts.models import Client, StaffEntry, SupportAccess, Unmasking, User
from accounts.staff import support_access, unmasking
from accounts.staff.justification import Justification
from privacy.inventory import registry
from privacy.retention import pruning
from tests.base import BaseTest

pytestmark = pytest.mark.claim("staff_masked")

WORDS = "She asks why her invitation does not arrive"


@contextmanager
def later(**by: float) -> Iterator[datetime]:
    """Be there so much later."""
    then = timezone.now() + timedelta(**by)
    with patch("django.utils.timezone.now", return_value=then):
        yield then


class UnmaskingTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.client_of_alice = self.alice.client
        self.supporter = self.staff("support").user
        self.biller = self.staff("billing").user

    def open(
        self,
        client: Client | None = None,
        *,
        by: User | None = None,
        form: str = "",
        ticket: str = "T-1042",
        words: str = WORDS,
    ) -> Unmasking:
        client, by = client or self.client_of_alice, by or self.supporter
        form = form or unmasking.form_token(client, by)
        with self.captureOnCommitCallbacks(execute=True):
            return unmasking.open(client, Justification(Actor(by), ticket, words), form=form)

    def assert_refused(self, code: str, **said: Any) -> None:
        with pytest.raises(Refusal) as refused:
            self.open(**said)
        self.assertEqual(refused.value.code, code)
        self.assertFalse(unmasking.is_open(self.supporter, self.client_of_alice.pk))

    def sees(self, user: User, section: str, client: Client | None = None) -> bool:
        fresh = User.objects.get(pk=user.pk)  # Permissions are read once a request.
        return unmasking.may_see(fresh, (client or self.client_of_alice).pk, section)


class UnmaskingTests(UnmaskingTest):
    def test_it_opens_one_client_to_one_person_in_the_sections_of_their_group(self) -> None:
        self.assertFalse(self.sees(self.supporter, "contact"))
        self.open()

        self.assertTrue(self.sees(self.supporter, "contact"))
        self.assertTrue(self.sees(self.supporter, "users"))
        self.assertFalse(self.sees(self.supporter, "billing"))
        self.assertFalse(self.sees(self.supporter, "contact", self.mallory.client))
        self.assertFalse(self.sees(self.biller, "billing"))

        self.open(by=self.biller)
        self.assertTrue(self.sees(self.biller, "billing"))
        self.assertFalse(self.sees(self.biller, "users"))

    def test_it_ends_by_itself_after_a_quarter_of_an_hour(self) -> None:
        self.open()

        with later(minutes=14):
            self.assertTrue(self.sees(self.supporter, "users"))
        with later(minutes=15, seconds=1):
            self.assertFalse(self.sees(self.supporter, "users"))
            self.assertIsNone(unmasking.current(self.supporter, self.client_of_alice.pk))

    def test_it_is_ended_early_and_with_the_permission(self) -> None:
        self.open()
        self.assertTrue(unmasking.end(self.client_of_alice, by=Actor(self.supporter)))
        self.assertFalse(unmasking.end(self.client_of_alice, by=Actor(self.supporter)))
        self.assertFalse(self.sees(self.supporter, "users"))

        self.open(by=self.biller)
        self.biller.groups.clear()
        self.assertFalse(self.sees(self.biller, "billing"))

    def test_the_owners_find_it_in_their_history_and_are_mailed_without_a_name(self) -> None:
        self.open()

        entry = client_log.entries(self.client_of_alice).get(tag="client.unmasked")
        [row] = client_log.open_entries(self.client_of_alice, [entry])
        self.assertEqual(
            {**row.details, "until": ""},
            {"group": "support", "ticket": "T-1042", "reason": WORDS, "rooms": "contact, users", "until": ""},
        )
        self.assertEqual((row.address, row.network, entry.actor), ("", "", None))
        [message] = mail.outbox
        self.assertEqual(message.to, ["alice@example.com"])
        self.assertIn("T-1042", message.body)
        self.assertNotIn(self.supporter.email, message.body)
        page = self.alice.opens("/account/history/").content.decode()
        self.assertIn("the operator", page)
        self.assertNotIn(self.supporter.email, page)

    def test_the_staff_history_records_who_and_why(self) -> None:
        self.open()
        unmasking.end(self.client_of_alice, by=Actor(self.supporter))

        ended, opened = staff_log.open_entries(staff_log.entries(client=self.client_of_alice.pk))
        self.assertEqual((opened.tag, opened.who), ("client.unmasked", self.supporter.email))
        self.assertEqual(opened.details, {"ticket": "T-1042", "reason": WORDS})
        self.assertEqual(ended.tag, "client.masked")

    def test_a_second_click_opens_it_once_and_does_not_prolong_it(self) -> None:
        form = unmasking.form_token(self.client_of_alice, self.supporter)
        first = self.open(form=form)

        with later(minutes=5):
            self.assertEqual(self.open(form=form), first)
            again = self.open()

        self.assertEqual((again, again.until), (first, first.until))
        self.assertEqual((len(mail.outbox), StaffEntry.objects.count(), Unmasking.objects.count()), (1, 1, 1))

    def test_a_form_that_is_sent_again_when_it_is_over_opens_nothing(self) -> None:
        form = unmasking.form_token(self.client_of_alice, self.supporter)
        self.open(form=form)

        unmasking.end(self.client_of_alice, by=Actor(self.supporter))
        self.assert_refused("unmasking_over", form=form)
        unused = unmasking.form_token(self.client_of_alice, self.supporter)
        with patch("time.time", return_value=timezone.now().timestamp() + 3_601):
            self.assert_refused("unmasking_over", form=unused)

    def test_a_form_of_another_client_another_person_or_of_nobody_opens_nothing(self) -> None:
        for form in (
            unmasking.form_token(self.mallory.client, self.supporter),
            unmasking.form_token(self.client_of_alice, self.biller),
            "forged",
            "",
        ):
            with pytest.raises(SuspiciousOperation):
                self.open(form=form or " ")
        self.assertFalse(Unmasking.objects.exists())
        self.assertEqual(client_log.entries(self.client_of_alice, tag="client.unmasked").count(), 0)

    def test_without_a_case_and_words_there_is_no_justification(self) -> None:
        for said in ({"ticket": " "}, {"words": "because  "}, {"words": "x" * 9}):
            with pytest.raises(ValueError, match="has"):
                self.open(**said)  # type: ignore[arg-type]  # texts by name
        self.assertFalse(Unmasking.objects.exists())

    def test_whoever_may_not_gets_nothing(self) -> None:
        guard = self.staff("security").user
        for user in (self.sten.user, guard, self.alice.user, self.mallory.user):
            with pytest.raises(PermissionDenied):
                self.open(by=user)
        self.assertFalse(Unmasking.objects.exists())

    def test_whoever_opens_too_many_in_an_hour_is_refused_and_security_is_notified(self) -> None:
        guard = self.staff("security").user
        others = [Client.objects.create() for _ in range(unmasking.MOST_PER_HOUR)]
        for other in others:
            self.open(other)
        mail.outbox.clear()

        self.assert_refused("too_many_unmaskings")

        self.assertEqual([message.to for message in mail.outbox], [[guard.email]])
        self.assertIn(self.supporter.email, mail.outbox[0].body)
        with later(minutes=61):
            self.open()

    def test_of_a_client_whose_deletion_has_begun_nothing_opens(self) -> None:
        Client.objects.filter(pk=self.client_of_alice.pk).update(state=Client.State.GONE)

        self.assert_refused("client_gone")

    def test_the_words_lie_sealed_under_the_clients_key(self) -> None:
        row = self.open()

        self.assertNotIn(b"invitation", bytes(row.sealed_reason))
        self.assertEqual(unmasking.reason_text(Unmasking.objects.get()), WORDS)

    def test_the_clients_copy_tells_of_it_and_names_nobody(self) -> None:
        self.open()
        access = support_access.grant(self.client_of_alice, "hour", by=self.alice.actor)

        tables = {table.name: list(table.rows) for table in registry.export(self.client_of_alice)}

        [look], [leave] = tables["unmaskings"], tables["support_accesses"]
        self.assertEqual((look["groups"], look["ticket"], look["words"]), ("support", "T-1042", WORDS))
        self.assertEqual(leave["granted_by"], "alice@example.com")
        self.assertTrue(str(leave["until"]).startswith(f"{access.until:%Y-%m-%d}"))
        [seen] = tables["staff_history"]
        self.assertEqual((seen["tag"], seen["ticket"], seen["reason"]), ("client.unmasked", "T-1042", WORDS))
        self.assertNotIn(self.supporter.email, str(tables))
        self.assertNotIn(str(self.supporter.pk), str(tables))

    def test_it_goes_with_the_account_and_after_25_months(self) -> None:
        for client in (self.client_of_alice, self.mallory.client):
            self.open(client)
            support_access.grant(client, "hour", by=self.alice.actor)

        for _step in registry.erase(self.client_of_alice):
            pass
        self.assertEqual((Unmasking.objects.count(), SupportAccess.objects.count()), (1, 1))
        pruned = dict(pruning.prune(timezone.now() + timedelta(days=761)))
        self.assertEqual((pruned["unmaskings"], pruned["support accesses"]), (1, 1))


class SupportAccessTests(UnmaskingTest):
    PAGE = "/account/support-access/"

    def grant(self, length: str = "hour") -> None:
        with self.captureOnCommitCallbacks(execute=True):
            response = self.alice.posts(f"{self.PAGE}grant/", {"length": length})
        self.assertRedirects(response, self.PAGE)

    def look(self, by: User | None = None) -> Unmasking:
        return unmasking.open_as_granted(self.client_of_alice, by=Actor(by or self.supporter))

    def test_an_owner_gives_it_for_a_while_and_every_owner_is_notified(self) -> None:
        for length, lasts in support_access.LENGTHS.items():
            self.grant(length)

            access = support_access.current(self.client_of_alice.pk)
            assert access is not None
            self.assertAlmostEqual(access.until, timezone.now() + lasts, delta=timedelta(seconds=5))
            self.assertContains(self.alice.opens(self.PAGE), "Support has access until")
            with self.captureOnCommitCallbacks(execute=True):
                self.alice.posts(f"{self.PAGE}end/")
        self.assertEqual(len(mail.outbox), 6)
        tags = [entry.tag for entry in client_log.entries(self.client_of_alice)]
        self.assertEqual(tags[:2], ["support.ended", "support.granted"])
        self.assertContains(self.alice.opens(self.PAGE), "Support has no access")

    def test_a_second_click_gives_it_once_and_ends_it_once(self) -> None:
        self.grant()
        self.grant("week")
        self.assertEqual((SupportAccess.objects.count(), len(mail.outbox)), (1, 1))

        self.alice.posts(f"{self.PAGE}end/")
        response = self.alice.posts(f"{self.PAGE}end/", follow=True)
        self.assertContains(response, "no longer had access")
        self.assertEqual(client_log.entries(self.client_of_alice, tag="support.ended").count(), 1)

    def test_a_length_that_is_not_offered_is_refused(self) -> None:
        for fields in ({}, {"length": "year"}):
            response = self.alice.posts(f"{self.PAGE}grant/", fields)
            self.assertEqual(response.status_code, 422)
        self.assertFalse(SupportAccess.objects.exists())

    def test_with_it_no_reason_is_needed_and_the_look_is_on_record_in_both_histories(self) -> None:
        self.grant()
        mail.outbox.clear()
        with self.captureOnCommitCallbacks(execute=True):
            self.look()
            self.look()

        self.assertTrue(self.sees(self.supporter, "contact"))
        self.assertFalse(self.sees(self.supporter, "billing"))
        self.assertFalse(self.sees(self.biller, "billing"))
        self.assertEqual(mail.outbox, [])
        self.assertEqual(client_log.entries(self.client_of_alice, tag="client.looked_at").count(), 1)
        self.assertEqual(staff_log.entries(tag="client.looked_at").count(), 1)
        self.assertContains(self.alice.opens(self.PAGE), "You had given access")

    def test_without_it_a_reason_is_needed(self) -> None:
        with pytest.raises(Refusal, match="support_access_over"):
            self.look()
        self.grant()
        with later(minutes=61), pytest.raises(Refusal, match="support_access_over"):
            self.look()
        with pytest.raises(PermissionDenied):
            self.look(by=self.sten.user)

    def test_ending_it_masks_at_once_what_was_seen_by_it_and_nothing_else(self) -> None:
        self.grant()
        self.look()
        self.open(by=self.biller)

        self.alice.posts(f"{self.PAGE}end/")

        self.assertFalse(self.sees(self.supporter, "contact"))
        self.assertTrue(self.sees(self.biller, "billing"))

    def test_no_look_outlasts_it(self) -> None:
        self.grant()
        with later(minutes=55):
            look = self.look()

        access = support_access.current(self.client_of_alice.pk)
        assert access is not None
        self.assertEqual(look.until, access.until)

    def test_the_page_tells_who_has_looked_and_why(self) -> None:
        self.assertContains(self.alice.opens(self.PAGE), "Nobody has viewed")
        self.open(words="Because of <b>her</b> invoice")

        page = self.alice.opens(self.PAGE)

        self.assertContains(page, "T-1042")
        self.assertContains(page, "&lt;b&gt;her&lt;/b&gt;")
        self.assertNotContains(self.mallory.opens(self.PAGE), "T-1042")

    def test_only_owners_may(self) -> None:
        self.assertEqual(self.vera.posts(f"{self.PAGE}grant/", {"length": "hour"}).status_code, 403)
        self.mallory.posts(f"{self.PAGE}grant/", {"length": "hour"})
        self.assertIsNone(support_access.current(self.client_of_alice.pk))
