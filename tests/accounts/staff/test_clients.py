"""What staff do to a client, as the client meets it: at the API, on its pages, in its history and its mail."""

from datetime import timedelta
from uuid import uuid4

from django.core import mail
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.actor import Actor
from accounts.audit import client_log, staff_log
from accounts.errors import Refusal
from accounts.guard.models import Block
from accounts.models import Client, ClientNote, Invitation, User
from accounts.staff import invitations as helped_invitations
from accounts.staff import ip_blocks, limits, notes, sessions, suspension
from accounts.staff.justification import LEAST_CHARACTERS, Justification
from accounts.team import invitations
from apikeys import keys, leaked_keys
from apikeys.models import ApiKey
from privacy.deletion import requesting
from privacy.inventory import registry
from privacy.models import DataExport
from tests.base import BaseTest
from validation.models import ValidationRecord

IBAN = "SE45 5000 0000 0583 9825 7466"
VALIDATE = "/api/v1/validate"


class ActionTest(BaseTest):
    """A test with a justification at hand, and the client's audit log."""

    def setUp(self) -> None:
        super().setUp()
        self.justification = Justification(Actor(self.sten.user), "T-1204", "Invoices of two months are unpaid")

    @property
    def client_now(self) -> Client:
        """Alice's client, as stored."""
        return Client.objects.get(pk=self.alice.client.pk)

    def entries_of(self, tag: str) -> list[client_log.ClientLogRow]:
        """What Alice reads of events of this kind."""
        return client_log.open_entries(self.alice.client, client_log.entries(self.alice.client, tag=tag))

    def assert_refuses(self, code: str, action: object, *arguments: object, **named: object) -> None:
        """Fail unless the action is refused with this code, and nothing was recorded or mailed."""
        before = client_log.entries(self.alice.client).count(), len(mail.outbox)
        with self.captureOnCommitCallbacks(execute=True), self.assertRaises(Refusal) as refused:
            action(*arguments, **named)  # type: ignore[operator]  # any rule
        self.assertEqual(refused.exception.code, code)
        self.assertEqual((client_log.entries(self.alice.client).count(), len(mail.outbox)), before)


class JustificationTests(ActionTest):
    def test_a_reason_that_says_nothing_is_no_reason(self) -> None:
        for ticket, words in (("", "Invoices are unpaid"), (" ", "x" * 10), ("T" * 41, "x" * 10), ("T-1", "unpaid")):
            with self.subTest(ticket=ticket, words=words), self.assertRaises(ValueError):
                Justification(Actor(self.sten.user), ticket, words)

    def test_the_words_lie_sealed_and_are_not_mailed(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            suspension.suspend(self.alice.client, self.justification)

        [entry] = self.entries_of("client.suspended")
        self.assertEqual(entry.details, {"ticket": "T-1204", "reason": "Invoices of two months are unpaid"})
        self.assertEqual((entry.who, entry.address, entry.network), (gettext("the operator"), "", ""))
        [letter] = mail.outbox
        html = str(getattr(letter, "alternatives")[0][0])  # noqa: B009 - the outbox may hold mails without one
        for text in (letter.body, html):
            self.assertIn("T-1204", text)
            self.assertNotIn("unpaid", text)
            self.assertNotIn("sten@", text)
            self.assertNotIn("change your password", text)
        [done] = staff_log.open_entries(staff_log.entries(client=self.alice.client.pk))
        self.assertEqual(
            (done.tag, done.who, done.details), ("client.suspended", "sten@operator.example", entry.details)
        )


class SuspensionTests(ActionTest):
    def test_a_suspended_clients_keys_are_refused_and_work_again_afterwards(self) -> None:
        token = self.alice.key()
        self.assertEqual(self.calls(token, VALIDATE, {"iban": IBAN}).status_code, 200)

        self.assertTrue(suspension.suspend(self.alice.client, self.justification))
        self.assert_problem(self.calls(token, VALIDATE, {"iban": IBAN}), "key_unknown", 401)

        self.assertTrue(suspension.reopen(self.alice.client, self.justification))
        self.assertEqual(self.calls(token, VALIDATE, {"iban": IBAN}).status_code, 200)
        self.assertIsNone(self.client_now.suspended_at)

    def test_its_people_are_notified_what_is_so_and_owners_what_they_can_still_do(self) -> None:
        suspension.suspend(self.alice.client, self.justification)

        for person, page in ((self.alice, "/overview/"), (self.alice, "/keys/"), (self.vera, "/account/profile/")):
            response = person.opens(page)
            self.assertContains(response, "This account is suspended", status_code=403)
            self.assertContains(response, 'href="/contact/"', status_code=403)
        self.assertNotContains(self.vera.opens("/account/profile/"), "delete the account", status_code=403)
        rights = ("accounts:history", "validation:log", "accounts:settings", "privacy:export", "privacy:deletion")
        for name in rights:
            self.assertNotIn(self.alice.opens(reverse(name)).status_code, (403, 404), name)
            self.assertEqual(self.vera.opens(reverse(name)).status_code, 403, name)
        self.assertContains(self.alice.opens("/account/history/"), "Invoices of two months are unpaid")
        self.assertEqual(self.alice.posts(reverse("privacy:request_export")).status_code, 302)
        self.assertTrue(DataExport.objects.filter(client=self.alice.client).exists())
        self.assertEqual(self.alice.posts(reverse("accounts:invite"), {"email": "nina@example.com"}).status_code, 403)

    def test_its_checks_on_the_page_are_those_of_anybody(self) -> None:
        suspension.suspend(self.alice.client, self.justification)
        before = ValidationRecord.objects.count()

        self.assertContains(self.alice.checks(IBAN), "SE45")

        self.assertEqual(ValidationRecord.objects.count(), before)

    def test_a_second_click_changes_nothing(self) -> None:
        suspension.suspend(self.alice.client, self.justification)
        since, entries = self.client_now.suspended_at, client_log.entries(self.alice.client).count()

        self.assertFalse(suspension.suspend(self.alice.client, self.justification))

        self.assertEqual(
            (self.client_now.suspended_at, client_log.entries(self.alice.client).count()), (since, entries)
        )
        self.assertFalse(suspension.reopen(self.mallory.client, self.justification))

    def test_a_client_that_is_being_deleted_is_neither_suspended_nor_brought_back(self) -> None:
        for state, code in ((Client.State.CLOSING, "client_closing"), (Client.State.GONE, "client_gone")):
            Client.objects.filter(pk=self.alice.client.pk).update(state=state)
            for action in (suspension.suspend, suspension.reopen):
                self.assert_refuses(code, action, self.alice.client, self.justification)
            self.assertEqual(self.client_now.state, state)
        Client.objects.filter(pk=self.alice.client.pk).delete()
        with self.assertRaises(Refusal):
            suspension.suspend(self.alice.client, self.justification)

    def test_an_owner_can_delete_a_suspended_account_but_not_open_it_by_calling_that_off(self) -> None:
        suspension.suspend(self.alice.client, self.justification)
        deletion = requesting.request_deletion(self.client_now, grace_days=7, by=self.alice.actor)

        requesting.confirm(deletion)
        self.assertEqual(self.client_now.state, Client.State.CLOSING)
        requesting.cancel(deletion)

        self.assertEqual(self.client_now.state, Client.State.SUSPENDED)
        self.assertTrue(suspension.reopen(self.alice.client, self.justification))
        deletion = requesting.request_deletion(self.client_now, grace_days=7, by=self.alice.actor)
        requesting.confirm(deletion)
        requesting.cancel(deletion)
        self.assertEqual(self.client_now.state, Client.State.ACTIVE)

    def test_nobody_is_warned_of_keys_that_are_refused_anyway_and_everybody_is_afterwards(self) -> None:
        self.alice.key(expires_at=timezone.now() + timedelta(days=5))
        suspension.suspend(self.alice.client, self.justification)
        self.assertEqual(keys.warn_expiring(timezone.now()), 0)

        suspension.reopen(self.alice.client, self.justification)

        self.assertEqual(keys.warn_expiring(timezone.now()), 1)

    def test_nobody_joins_a_suspended_account(self) -> None:
        invitation = invitations.invite(self.alice.client, "nina@example.com", by=self.alice.actor)
        suspension.suspend(self.alice.client, self.justification)

        with self.assertRaises(Refusal):
            invitations.find(invitations.token(invitation))
        with self.assertRaises(Refusal):
            invitations.accept(invitation, name="Nina", password="correct horse battery staple 8", by=Actor())
        self.assertFalse(User.objects.filter(email="nina@example.com").exists())


class LimitTests(ActionTest):
    def test_a_quota_holds_at_the_next_call_and_the_owner_reads_both_figures(self) -> None:
        token = self.alice.key()

        self.assertTrue(limits.set_quota(self.alice.client, 0, self.justification, before=10_000))

        self.assert_problem(self.calls(token, VALIDATE, {"iban": IBAN}), "quota_exhausted", 429)
        [entry] = self.entries_of("quota.changed")
        self.assertEqual((entry.details["old"], entry.details["new"]), ("10000", "0"))
        self.assertFalse(limits.set_quota(self.alice.client, 0, self.justification, before=10_000))

    def test_a_limit_of_users_keeps_who_is_there_and_lets_nobody_more_in(self) -> None:
        self.vera  # noqa: B018 - she comes in by being named

        self.assertTrue(limits.set_user_limit(self.alice.client, 1, self.justification, before=25))

        self.assertEqual(self.vera.opens("/account/profile/").status_code, 200)
        with self.assertRaises(Refusal):
            invitations.invite(self.alice.client, "nina@example.com", by=self.alice.actor)
        self.assert_recorded("users.limit_changed", self.alice.client)

    def test_what_a_colleague_has_set_meanwhile_is_not_overwritten(self) -> None:
        limits.set_quota(self.alice.client, 500, self.justification, before=10_000)
        limits.set_user_limit(self.alice.client, 30, self.justification, before=25)

        self.assert_refuses(
            "changed_meanwhile", limits.set_quota, self.alice.client, 9, self.justification, before=10_000
        )
        self.assert_refuses(
            "changed_meanwhile", limits.set_user_limit, self.alice.client, 9, self.justification, before=25
        )
        self.assertEqual((self.client_now.monthly_quota, self.client_now.user_limit), (500, 30))

    def test_a_figure_that_cannot_be_is_an_error(self) -> None:
        for units in (-1, 2_000_000_001):
            with self.assertRaises(ValueError):
                limits.set_quota(self.alice.client, units, self.justification, before=10_000)
        for most in (0, 1_001):
            with self.assertRaises(ValueError):
                limits.set_user_limit(self.alice.client, most, self.justification, before=25)


class InvitationTests(ActionTest):
    def setUp(self) -> None:
        super().setUp()
        self.alice.user.language = "sv"
        self.alice.user.save()
        self.invitation = invitations.invite(self.alice.client, "nina@example.com", by=self.alice.actor)
        self.old_link = invitations.token(self.invitation)

    def later(self) -> None:
        """Let the minute pass in which a second click mails nothing."""
        Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))

    def test_one_is_mailed_again_in_its_owners_name_and_language(self) -> None:
        self.later()
        mail.outbox.clear()
        with self.captureOnCommitCallbacks(execute=True):
            self.assertTrue(helped_invitations.resend(self.invitation, self.justification))
            self.assertFalse(helped_invitations.resend(self.invitation, self.justification))

        to_nina = [letter for letter in mail.outbox if letter.to == ["nina@example.com"]]
        self.assertEqual(len(to_nina), 1)
        self.assertIn("alice@example.com", to_nina[0].body)
        self.assertIn("inbjuden", to_nina[0].subject)
        self.assertNotIn("sten", to_nina[0].body)
        with self.assertRaises(Refusal):
            invitations.find(self.old_link)
        [entry] = self.entries_of("users.invitation_resent_by_operator")
        self.assertEqual((entry.who, entry.details["email"]), (gettext("the operator"), "nina@example.com"))

    def test_one_is_withdrawn_once(self) -> None:
        self.assertTrue(helped_invitations.withdraw(self.invitation, self.justification))
        self.assertFalse(helped_invitations.withdraw(self.invitation, self.justification))

        with self.assertRaises(Refusal):
            invitations.find(self.old_link)
        self.assertEqual(len(self.entries_of("users.invitation_withdrawn_by_operator")), 1)
        self.assert_refuses("invitation_over", helped_invitations.resend, self.invitation, self.justification)

    def test_none_is_mailed_for_a_client_that_is_shut_or_full(self) -> None:
        self.later()
        Invitation.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        Client.objects.update(user_limit=1)
        self.assert_refuses("user_limit_reached", helped_invitations.resend, self.invitation, self.justification)
        suspension.suspend(self.alice.client, self.justification)
        self.assert_refuses("client_suspended", helped_invitations.resend, self.invitation, self.justification)
        Client.objects.update(state="closing")
        self.assert_refuses("client_closing", helped_invitations.withdraw, self.invitation, self.justification)


class SessionTests(ActionTest):
    def test_every_browser_of_a_user_is_signed_out_and_they_are_notified(self) -> None:
        self.vera.opens("/account/profile/")  # Noticed as present.

        with self.captureOnCommitCallbacks(execute=True):
            self.assertTrue(sessions.sign_out(self.vera.user, self.justification))

        self.assertEqual(self.vera.opens("/account/profile/").status_code, 302)
        self.assertEqual(self.alice.opens("/account/profile/").status_code, 200)
        self.assertEqual({letter.to[0] for letter in mail.outbox}, {"vera@example.com", "alice@example.com"})
        self.assertEqual(self.entries_of("users.signed_out_by_operator")[0].details["user"], "vera@example.com")
        self.assertFalse(sessions.sign_out(self.vera.user, self.justification))

    def test_a_colleague_is_signed_out_too_and_no_client_hears_of_it(self) -> None:
        kim = self.person("kim@operator.example", is_staff=True)
        kim.opens("/")

        with self.captureOnCommitCallbacks(execute=True):
            self.assertTrue(sessions.sign_out(kim.user, self.justification))

        self.assertFalse(kim.browser.session.get("_auth_user_id"))
        self.assertEqual([letter.to for letter in mail.outbox], [["kim@operator.example"]])
        [done] = staff_log.open_entries(staff_log.entries(tag="staff.signed_out"))
        self.assertEqual((done.client, done.details["user"]), (None, "kim@operator.example"))

    def test_a_user_who_was_removed_meanwhile_is_gone(self) -> None:
        user = self.vera.user
        User.objects.filter(pk=user.pk).delete()

        self.assert_refuses("gone", sessions.sign_out, user, self.justification)


class LeakedKeyTests(ActionTest):
    def test_a_key_is_found_by_how_it_begins_wherever_that_stands(self) -> None:
        token = self.alice.key()
        key = ApiKey.objects.get()
        for text in (key.prefix, token, f"  {token}\n", f"Authorization: Bearer {token}", f'api_key = "{key.prefix}…"'):
            self.assertEqual(leaked_keys.find(text), key, text)
        self.assertIsNone(leaked_keys.find("ibanse_live_0000000000"))
        self.assertIsNone(leaked_keys.find(key.prefix.replace("live", "test")))
        for text, code in (
            ("", "no_prefix"), ("sk_live_0000000000", "no_prefix"), (key.prefix[:-1], "no_prefix"),
            (f"{key.prefix} ibanse_live_0000000000", "several_prefixes"),
        ):  # fmt: skip
            with self.subTest(text=text), self.assertRaises(Refusal) as refused:
                leaked_keys.find(text)
            self.assertEqual(refused.exception.code, code)

    def test_it_is_refused_at_the_next_call_and_the_owners_are_notified_what_to_do(self) -> None:
        token, other = self.alice.key(), self.alice.key()
        self.calls(token, VALIDATE, {"iban": IBAN})
        key = leaked_keys.find(token)
        assert key is not None

        with self.captureOnCommitCallbacks(execute=True):
            self.assertTrue(leaked_keys.revoke(key, self.justification))
            self.assertFalse(leaked_keys.revoke(key, self.justification))

        self.assert_problem(self.calls(token, VALIDATE, {"iban": IBAN}), "key_unknown", 401)
        self.assertEqual(self.calls(other, VALIDATE, {"iban": IBAN}).status_code, 200)
        [letter] = mail.outbox
        self.assertIn("create a new key", letter.body)
        self.assertEqual(self.entries_of("keys.revoked_by_operator")[0].details["key"], key.prefix)


class NoteTests(ActionTest):
    def test_a_note_is_stored_once_sealed_and_shown_to_the_client_by_its_copy_alone(self) -> None:
        attempt = uuid4()
        with self.captureOnCommitCallbacks(execute=True):
            self.assertTrue(notes.add(self.alice.client, self.justification, attempt=attempt))
            self.assertFalse(notes.add(self.alice.client, self.justification, attempt=attempt))
            self.assertTrue(notes.add(self.mallory.client, self.justification, attempt=attempt))

        [note] = notes.of(self.alice.client)
        self.assertEqual(
            (note.by, note.ticket, note.text), ("sten@operator.example", "T-1204", self.justification.words)
        )
        self.assertNotIn(b"unpaid", bytes(ClientNote.objects.get(client=self.alice.client).sealed))
        self.assertEqual(self.entries_of("client.noted")[0].details, {"ticket": "T-1204"})
        self.assertEqual(mail.outbox, [])
        [done] = staff_log.open_entries(staff_log.entries(tag="client.noted", client=self.alice.client.pk))
        self.assertEqual(done.details, {"ticket": "T-1204"})
        copy = {table.name: list(table.rows) for table in registry.export(self.alice.client)}["notes"]
        self.assertEqual([(row["ticket"], row["text"]) for row in copy], [("T-1204", self.justification.words)])
        self.assertNotIn("sten@", str(copy))

    def test_a_note_goes_after_two_years_or_with_the_user_it_names(self) -> None:
        about_vera = Justification(Actor(self.sten.user), "T-1", "Spoke with Vera@example.com of the invoice")
        notes.add(self.alice.client, about_vera, attempt=uuid4())
        notes.add(self.alice.client, self.justification, attempt=uuid4())

        self.assertEqual(sum(notes.forget_user(self.vera.user)), 1)
        self.assertEqual([note.ticket for note in notes.of(self.alice.client)], ["T-1204"])
        self.assertEqual(notes.forget_old(timezone.now() + notes.RETENTION - timedelta(minutes=1)), 0)
        self.assertEqual(notes.forget_old(timezone.now() + notes.RETENTION + timedelta(minutes=1)), 1)

    def test_nothing_is_noted_on_a_client_that_is_gone(self) -> None:
        Client.objects.filter(pk=self.alice.client.pk).update(state="gone")

        self.assert_refuses("client_gone", notes.add, self.alice.client, self.justification, attempt=uuid4())
        self.assertEqual(LEAST_CHARACTERS, 10)


class BlockTests(ActionTest):
    def test_an_address_is_blocked_with_an_end_and_let_in_again(self) -> None:
        token = self.alice.key()
        until = timezone.now() + timedelta(days=1)

        self.assertEqual(ip_blocks.block("198.51.100.7", self.justification, until=until), "198.51.100.7/32")

        response = self.calls(token, VALIDATE, {"iban": IBAN}, address="198.51.100.7")
        self.assert_problem(response, "address_blocked", 403)
        self.assertEqual(self.calls(token, VALIDATE, {"iban": IBAN}).status_code, 200)
        block = Block.objects.get()
        self.assertEqual((block.reason, block.expires_at), ("T-1204", until))
        self.assertTrue(ip_blocks.lift("198.51.100.7/32", self.justification))
        self.assertFalse(ip_blocks.lift("198.51.100.7/32", self.justification))
        self.assertEqual(self.calls(token, VALIDATE, {"iban": IBAN}, address="198.51.100.7").status_code, 200)
        rows = staff_log.open_entries(staff_log.entries())
        self.assertEqual([entry.tag for entry in rows], ["blocks.lifted", "blocks.set"])
        self.assertEqual(rows[0].details, {"network": "198.51.100.7/32", **self.justification.reason})

    def test_nobody_blocks_the_address_they_work_from(self) -> None:
        by = Actor(self.sten.user, ip_address="192.0.2.7")
        at_work = Justification(by, "T-1", "Many calls with wrong keys")

        with self.assertRaises(Refusal):
            ip_blocks.block("192.0.2.0/24", at_work, until=None)

        self.assertFalse(Block.objects.exists())
        self.assertFalse(staff_log.entries().exists())
