"""The pages of staff actions: what they show, what is sent once, what is refused, and who sees them."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from allauth.usersessions.models import UserSession
from django.contrib.messages import get_messages
from django.core import mail
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import client_log, staff_log
from accounts.guard.models import Block
from accounts.models import Client, ClientNote, Invitation
from accounts.staff import limits, notes, suspension
from accounts.staff.justification import Justification
from accounts.team import invitations
from apikeys.models import ApiKey
from tests.base import BaseTest, Person

if TYPE_CHECKING:
    from tests.base import PageResponse

IBAN: Final = "SE45 5000 0000 0583 9825 7466"
REASON: Final = {"ticket": "T-1204", "words": "The owner asked for it by telephone"}


class BackOfficeActionTest(BaseTest):
    """Alice's client, and staff who send forms about it."""

    def setUp(self) -> None:
        super().setUp()
        self.token = self.alice.key()
        self.key = ApiKey.objects.get()
        until = timezone.now() + invitations.VALID_FOR
        self.invitation = Invitation.objects.create(
            client=self.alice.client, email="nina@example.com", invited_by=self.alice.user, expires_at=until,
            sent_at=timezone.now() - timedelta(hours=1),
        )  # fmt: skip
        self.block = Block.objects.create(network="203.0.113.0/24", reason="T-1")
        mail.outbox.clear()

    def form_of(self, person: Person, path: str) -> dict[str, str]:
        """Return the hidden fields of an action's page."""
        page = person.opens(path)
        self.assertEqual(page.status_code, 200, path)
        hidden = re.findall(r'<input type="hidden" name="(attempt|before)" value="([^"]*)"', page.content.decode())
        return dict(hidden)

    def does(self, person: Person, path: str, **fields: Any) -> "PageResponse":
        """Return the response to an action that a person opens, justifies and sends."""
        given = self.form_of(person, path)
        with self.captureOnCommitCallbacks(execute=True):
            return person.posts(path, {**given, **REASON, **fields})

    def messages_of(self, response: "PageResponse") -> str:
        """Return what the next page would say on top."""
        return " ".join(str(message) for message in get_messages(response.wsgi_request))

    def path(self, name: str, row: Any = None) -> str:
        return reverse(f"admin:{name}", args=[] if row is None else [row.pk])

    def calls_with(self, token: str, **sent: Any) -> int:
        return self.calls(token, "/api/v1/validate", {"iban": IBAN}, **sent).status_code


class DayTests(BackOfficeActionTest):
    """Each action by a person of the group that may do it, as the customer sees it."""

    def test_billing_suspends_and_reopens_a_client_and_sets_its_limits(self) -> None:
        billing, client = self.staff("billing"), self.alice.client

        response = self.does(billing, self.path("suspend_client", client))
        self.assertRedirects(response, self.path("accounts_client_change", client))
        self.assertEqual(self.messages_of(response), "The client is suspended.")
        self.assertEqual(self.calls_with(self.token), 401)
        self.assertContains(self.alice.opens("/overview/"), "This account is suspended", status_code=403)
        self.assertContains(billing.opens(self.path("suspend_client", client)), "already suspended")

        self.does(billing, self.path("reopen_client", client))
        self.assertEqual(self.calls_with(self.token), 200)

        self.does(billing, self.path("set_quota", client), units="0")
        self.assertContains(self.alice.opens("/account/history/"), REASON["words"])
        self.does(billing, self.path("set_user_limit", client), most="2")
        self.assertEqual(Client.objects.values_list("monthly_quota", "user_limit").get(), (0, 2))
        self.assertEqual(len(mail.outbox), 4)
        done = staff_log.open_entries(staff_log.entries(client=client.pk, actor=billing.user.pk))
        tags = [row.tag for row in done if not row.tag.startswith("office.")]
        self.assertEqual(tags, ["users.limit_changed", "quota.changed", "client.reopened", "client.suspended"])
        self.assertEqual(done[-1].client, client.pk)

    def test_support_helps_invitations_signs_users_out_and_notes_it(self) -> None:
        support, client = self.staff("support"), self.alice.client
        old = invitations.token(self.invitation)

        self.assertEqual(
            self.messages_of(self.does(support, self.path("resend_invitation", self.invitation))),
            "The invitation has been sent again.",
        )
        self.assertEqual([letter.to[0] for letter in mail.outbox], ["nina@example.com", "alice@example.com"])
        self.invitation.refresh_from_db()
        self.assertNotEqual(invitations.token(self.invitation), old)
        self.does(support, self.path("withdraw_invitation", self.invitation))
        self.assertFalse(Invitation.objects.exists())
        self.assertEqual(support.opens(self.path("withdraw_invitation", self.invitation)).status_code, 404)

        self.vera.opens("/account/profile/")
        self.does(support, self.path("sign_out_user", self.vera.user))
        self.assertEqual(self.vera.opens("/account/profile/").status_code, 302)

        self.does(support, self.path("note_client", client), words="Prefers to be called <b>before noon</b>")
        self.assertContains(support.opens(self.path("notes", client)), "called &lt;b&gt;before noon")
        self.assertContains(self.alice.opens("/account/history/"), "We added a note about the account")

    def test_security_revokes_a_pasted_key_and_blocks_an_address(self) -> None:
        security = self.staff("security")

        response = security.posts(self.path("find_leaked_key"), {"text": f"leaked: {self.token}"})
        self.assertRedirects(response, self.path("revoke_key", self.key))
        page = security.opens(self.path("revoke_key", self.key))
        self.assertContains(page, self.key.prefix)
        self.assertNotContains(page, self.token[25:])
        self.does(security, self.path("revoke_key", self.key))
        self.assertEqual(self.calls_with(self.token), 401)
        self.assertIn("create a new key", mail.outbox[0].body)
        self.assertContains(security.opens(self.path("revoke_key", self.key)), "already been revoked")

        token = self.alice.key()
        self.does(security, self.path("set_block"), network="198.51.100.0/24", hours="24")
        self.assertEqual(self.calls_with(token, address="198.51.100.7"), 403)
        block = Block.objects.get(network="198.51.100.0/24")
        self.assertLess(block.expires_at or timezone.now(), timezone.now() + timedelta(hours=25))
        self.does(security, self.path("lift_block", block))
        self.assertEqual(self.calls_with(token, address="198.51.100.7"), 200)

    def test_security_signs_out_whoever_a_session_or_an_entry_belongs_to(self) -> None:
        security, kim = self.staff("security"), self.staff("support")
        self.vera.opens("/account/profile/")
        kim.opens("/admin/")
        session = UserSession.objects.get(user=self.vera.user)
        entry = staff_log.entries(actor=kim.user.pk)[0]
        for name, row, person in (("sign_out_session", session, self.vera), ("sign_out_actor", entry, kim)):
            with self.subTest(action=name):
                listed = {"sign_out_session": "usersessions_usersession", "sign_out_actor": "accounts_staffentry"}[name]
                self.assertContains(security.opens(self.path(f"{listed}_change", row)), self.path(name, row))
                self.assertEqual(
                    self.messages_of(self.does(security, self.path(name, row))),
                    "The user has been signed out everywhere.",
                )
                self.assertFalse(UserSession.objects.filter(user=person.user).exists())

    def test_lead_signs_a_colleague_out(self) -> None:
        lead, kim = self.staff("lead"), self.staff("support")
        kim.opens("/admin/")

        response = self.does(lead, self.path("sign_out_staff", kim.user))

        self.assertEqual(self.messages_of(response), "The user has been signed out everywhere.")
        self.assertEqual(kim.opens("/admin/").headers["Location"][:10], "/sign-in/?")
        self.assertContains(lead.opens(self.path("change_staff", kim.user)), self.path("sign_out_staff", kim.user))
        self.assertContains(self.does(lead, self.path("sign_out_staff", lead.user)), "This is you", status_code=409)
        self.assertEqual(lead.opens(self.path("sign_out_staff", self.alice.user)).status_code, 404)
        self.assertEqual(self.staff("security").opens(self.path("sign_out_user", kim.user)).status_code, 404)


class ReasonTests(BackOfficeActionTest):
    def test_without_a_reason_nothing_is_done_and_what_was_typed_stays(self) -> None:
        billing, path = self.staff("billing"), self.path("suspend_client", self.alice.client)
        for wrong in ({"ticket": ""}, {"words": ""}, {"words": "unpaid"}, {"words": " " * 30}, {"ticket": "T" * 41}):
            with self.subTest(wrong=wrong):
                response = self.does(billing, path, **wrong)
                self.assertContains(response, "field-problem", status_code=422)
                self.assertContains(response, {**REASON, **wrong}["words"].strip(), status_code=422)
        self.assertEqual(Client.objects.get().state, "active")
        self.assertEqual(mail.outbox, [])

    def test_figures_and_addresses_that_cannot_be_are_named_at_their_field(self) -> None:
        billing, security = self.staff("billing"), self.staff("security")
        for units in ("", "-1", "2000000001", "many", "1e9", "９"):
            if units != "９":
                response = self.does(billing, self.path("set_quota", self.alice.client), units=units)
                self.assertContains(response, "id_units_error", status_code=422)
        for network, status in (
            ("", 422),
            ("nonsense", 422),
            ("192.0.2.7/33", 422),
            ("0.0.0.0/0", 409),
            ("127.0.0.1", 409),
            ("192.0.2.0/24", 409),
        ):
            with self.subTest(network=network):
                response = self.does(security, self.path("set_block"), network=network, hours="1")
                self.assertEqual(response.status_code, status)
        for hours in ("9999", ""):
            response = self.does(security, self.path("set_block"), network="198.51.100.7", hours=hours)
            self.assertEqual(response.status_code, 422, hours)
        self.assertEqual(Block.objects.count(), 1)

    def test_a_whole_key_is_neither_stored_nor_shown_wherever_it_is_pasted(self) -> None:
        security, secret = self.staff("security"), self.token[25:]
        wrong = self.token[:-1] + ("0" if self.token[-1] != "0" else "1")
        foreign = "ibanse_live_0000000000_" + self.token[23:]
        for text in (foreign, f"{self.token} {foreign}", wrong[:20]):
            response = security.posts(self.path("find_leaked_key"), {"text": text})
            self.assertContains(response, "id_text_error", status_code=422)
            self.assertNotContains(response, text, status_code=422)
        self.does(security, self.path("note_client", self.alice.client), words=f"They sent {self.token} by mail")
        self.does(security, self.path("revoke_key", self.key), words=f"{self.token} stands on a forum")
        security.opens("/admin/accounts/client/", QUERY_STRING=f"q={self.token}")

        stored = str(client_log.open_entries(self.alice.client, client_log.entries(self.alice.client)))
        stored += str(staff_log.open_entries(staff_log.entries())) + str(notes.of(self.alice.client))
        self.assertNotIn(secret, stored)
        self.assertEqual(stored.count(f"{self.key.prefix}… stands on a forum"), 2)
        self.assertNotIn(secret, "".join(str(letter.body) for letter in mail.outbox))


class TwiceTests(BackOfficeActionTest):
    def test_a_form_that_is_sent_again_does_nothing_and_says_so(self) -> None:
        billing, client = self.staff("billing"), self.alice.client
        path = self.path("suspend_client", client)
        sent = {**self.form_of(billing, path), **REASON}
        billing.posts(path, sent)
        suspension.reopen(client, Justification(Actor(billing.user), "T-2", "It was paid meanwhile"))

        response = billing.posts(path, sent)

        self.assertEqual(response.status_code, 302)
        self.assertIn("No further changes were made", self.messages_of(response))
        self.assertEqual(Client.objects.get().state, "active")

    def test_two_forms_of_two_tabs_do_it_once(self) -> None:
        billing, path = self.staff("billing"), self.path("suspend_client", self.alice.client)
        tabs = [{**self.form_of(billing, path), **REASON} for _ in range(2)]

        said = [self.messages_of(billing.posts(path, tab)) for tab in tabs]

        self.assertIn("already suspended", said[1])
        self.assertEqual(client_log.entries(self.alice.client, tag="client.suspended").count(), 1)

    def test_a_form_that_was_never_given_out_or_belongs_to_a_colleague_does_nothing(self) -> None:
        billing, path = self.staff("billing"), self.path("suspend_client", self.alice.client)
        foreign = self.form_of(self.staff("billing"), path)["attempt"]
        for attempt in ("", "x", str(uuid4()), foreign):
            response = billing.posts(path, {**REASON, "attempt": attempt})
            self.assertContains(response, "This form has expired", status_code=409)
            self.assertContains(response, REASON["words"], status_code=409)
        self.assertEqual(Client.objects.get().state, "active")

    def test_what_has_changed_since_the_page_was_opened_is_shown_and_not_overwritten(self) -> None:
        billing, client = self.staff("billing"), self.alice.client
        by_another = Justification(Actor(self.sten.user), "T-2", "Agreed with the owner")
        quota, suspend = self.path("set_quota", client), self.path("suspend_client", client)
        opened = {path: {**self.form_of(billing, path), **REASON, "units": "500"} for path in (quota, suspend)}
        limits.set_quota(client, 777, by_another, before=10_000)
        Client.objects.update(state="closing")

        for path, problem in ((quota, "it is scheduled"), (suspend, "it is scheduled")):
            self.assertContains(billing.posts(path, opened[path]), problem, status_code=409)
        Client.objects.update(state="active")
        response = self.does(billing, quota, units="500", before="10000")

        self.assertContains(response, "It is now 777", status_code=409)
        self.assertContains(response, 'value="777"', status_code=409)
        self.assertEqual(Client.objects.get().monthly_quota, 777)
        form = {**self.form_of(billing, suspend), **REASON}
        Client.objects.all().delete()
        self.assertEqual(billing.posts(suspend, form).status_code, 404)

    def test_a_note_is_written_once(self) -> None:
        support, path = self.staff("support"), self.path("note_client", self.alice.client)
        sent = {**self.form_of(support, path), **REASON}

        support.posts(path, sent)
        support.posts(path, sent)

        self.assertEqual(ClientNote.objects.count(), 1)

    def test_a_grave_action_needs_a_proof_of_the_last_five_minutes_and_its_form_can_be_sent_then(self) -> None:
        person = self.staff("billing", "security", "support")
        rows = {
            "suspend_client": self.alice.client,
            "revoke_key": self.key,
            "set_block": None,
            "reopen_client": self.alice.client,
        }
        sent = {**self.form_of(person, self.path("suspend_client", self.alice.client)), **REASON}
        with override_settings(ACCOUNT_REAUTHENTICATION_TIMEOUT=-1):
            locations = {
                name: person.opens(self.path(name, row)).headers.get("Location", "") for name, row in rows.items()
            }
            person.posts(self.path("suspend_client", self.alice.client), sent)
        self.assertEqual([name for name, place in locations.items() if "/account/again/" in place], [*rows][:3])
        self.assertEqual(Client.objects.get().state, "active")

        response = person.posts(self.path("suspend_client", self.alice.client), sent)

        self.assertEqual(self.messages_of(response), "The client is suspended.")

    def test_without_the_token_of_the_site_nothing_is_done(self) -> None:
        billing, path = self.staff("billing"), self.path("suspend_client", self.alice.client)
        sent = {**self.form_of(billing, path), **REASON}

        self.assertEqual(billing.browser.post(path, sent).status_code, 403)
        self.assertEqual(Client.objects.get().state, "active")


class ForeignTests(BackOfficeActionTest):
    def test_a_action_of_another_group_is_refused_on_record_and_does_nothing(self) -> None:
        rows = {
            "suspend_client": self.alice.client, "set_quota": self.alice.client, "note_client": self.alice.client,
            "resend_invitation": self.invitation, "sign_out_user": self.alice.user, "revoke_key": self.key,
            "lift_block": self.block, "sign_out_staff": self.sten.user,
        }  # fmt: skip
        theirs = {
            "support": {"note_client", "resend_invitation", "sign_out_user"},
            "billing": {"suspend_client", "set_quota"},
            "security": {
                "suspend_client",
                "note_client",
                "sign_out_user",
                "revoke_key",
                "lift_block",
                "sign_out_staff",
            },
            "lead": {"sign_out_staff"},
        }
        before = client_log.entries(self.alice.client).count()
        for group, allowed in theirs.items():
            person = self.staff(group)
            for name in rows.keys() - allowed:
                with self.subTest(group=group, action=name):
                    path = self.path(name, rows[name])
                    self.assertEqual(person.posts(path, {**REASON, "attempt": str(uuid4())}).status_code, 403)
                    newest = staff_log.entries(actor=person.user.pk)[0]
                    self.assertIn(newest.tag, ("office.refused", "office.misused"))
        self.assertEqual(client_log.entries(self.alice.client).count(), before)

    def test_an_id_that_is_nobodys_is_not_found(self) -> None:
        person = self.staff("support", "billing", "security", "lead")
        for name in ("suspend_client", "notes", "note_client", "resend_invitation", "sign_out_user", "revoke_key"):
            self.assertEqual(person.opens(reverse(f"admin:{name}", args=[uuid4()])).status_code, 404, name)
        self.assertEqual(person.opens(reverse("admin:lift_block", args=[999_999])).status_code, 404)

    def test_links_stand_where_the_action_can_be_done(self) -> None:
        billing, security = self.staff("billing"), self.staff("security")
        path = self.path("accounts_client_change", self.alice.client)
        suspend, reopen = (self.path(name, self.alice.client) for name in ("suspend_client", "reopen_client"))

        self.assertContains(billing.opens(path), f'href="{suspend}"')
        self.assertNotContains(billing.opens(path), f'href="{reopen}"')
        self.assertNotContains(security.opens(path), self.path("set_quota", self.alice.client))
        Client.objects.update(state="suspended")
        self.assertContains(security.opens(path), f'href="{reopen}"')
        Client.objects.update(state="closing")
        page = security.opens(path)
        for action in (suspend, reopen):
            self.assertNotContains(page, f'href="{action}"')
        self.assertContains(security.opens("/admin/"), self.path("find_leaked_key"))

    def test_no_action_shows_an_address_of_a_customer(self) -> None:
        person = self.staff("support", "billing", "security")
        rows = {
            "suspend_client": self.alice.client,
            "sign_out_user": self.alice.user,
            "resend_invitation": self.invitation,
        }
        for name, row in rows.items():
            page = person.opens(self.path(name, row)).content.decode()
            self.assertNotIn("alice@", page)
            self.assertNotIn("nina@", page)
