"""Invitations: one link, one mail, one colleague, and nobody learns who else is here."""

from datetime import timedelta
from typing import cast
from unittest import mock
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user
from django.core import mail, signing
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import client_log
from accounts.errors import Refusal
from accounts.models import Client, Invitation, User
from accounts.profile import details
from accounts.team import invitations, members
from tests.base import PASSWORD, BaseTest, Visitor
from tests.support.two_factor_proof import proven

COLLEAGUE = "ture@example.com"
JOINING = {"name": "Ture Å. O’Neil", "password": PASSWORD}


class InvitationTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        proven(self.alice)

    def alice_invites(self, email: str = COLLEAGUE) -> Invitation:
        with self.captureOnCommitCallbacks(execute=True):
            return invitations.invite(self.alice.client, email, by=self.alice.actor)

    def alice_posts(self, path: str, fields: dict[str, str] | None = None) -> str:
        with self.captureOnCommitCallbacks(execute=True):
            response = self.alice.posts(path, fields, follow=True)
        return response.content.decode()

    def link(self, invitation: Invitation) -> str:
        return reverse("accounts:accept", args=[invitations.token(invitation)])

    def mails_to(self, email: str) -> list[EmailMultiAlternatives]:
        return [cast(EmailMultiAlternatives, sent) for sent in mail.outbox if sent.to == [email]]

    def events(self, client: Client) -> list[str]:
        return [entry.tag for entry in client_log.entries(client).order_by("number")]

    def years_pass(self, **fields: object) -> None:
        Invitation.objects.update(sent_at=F("sent_at") - timedelta(hours=2), **fields)


class InvitingTests(InvitationTest):
    def test_a_colleague_is_mailed_a_link_and_joins_as_a_member(self) -> None:
        page = self.alice_posts("/account/users/invite/", {"email": " Ture@Example.com "})
        self.assertIn("We have sent an invitation to ture@example.com.", page)
        [sent] = self.mails_to(COLLEAGUE)
        link = next(line for line in str(sent.body).splitlines() if "/invitations/" in line)
        path = "/invitations/" + link.partition("/invitations/")[2]

        ture = Visitor("198.51.100.9")
        self.assertContains(ture.opens(path), COLLEAGUE)
        response = ture.posts(path, JOINING)

        self.assertRedirects(response, "/")
        user = User.objects.get(email=COLLEAGUE)
        self.assertEqual((user.client, user.role), (self.alice.client, User.Role.MEMBER))
        self.assertEqual(details.name(user), "Ture Å. O’Neil")
        self.assertNotIn(b"Ture", bytes(user.sealed_name))
        self.assertTrue(user.check_password(PASSWORD))
        self.assertTrue(EmailAddress.objects.get(user=user).verified)
        self.assertEqual(get_user(ture.browser), user)
        self.assertEqual(self.events(self.alice.client)[:2], ["users.invited", "users.joined"])

    def test_the_mail_says_who_invites_and_has_two_forms(self) -> None:
        self.alice_invites()

        [sent] = self.mails_to(COLLEAGUE)
        self.assertIn("alice@example.com", str(sent.body))
        self.assertEqual([kind for _, kind in sent.alternatives], ["text/html"])

    def test_opening_the_link_uses_nothing_up(self) -> None:
        path = self.link(self.alice_invites())

        for _ in range(3):
            self.assertEqual(self.visitor.opens(path).status_code, 200)
        self.assertIn("no-store", self.visitor.opens(path)["Cache-Control"])

    def test_a_second_click_renews_nothing_and_mails_nothing(self) -> None:
        first = self.alice_invites()

        second = self.alice_invites()

        self.assertEqual((second.pk, second.nonce), (first.pk, first.nonce))
        self.assertEqual(len(self.mails_to(COLLEAGUE)), 1)
        self.assertEqual(self.events(self.alice.client), ["users.invited"])

    def test_inviting_again_later_renews_and_ends_the_older_link(self) -> None:
        older = self.link(self.alice_invites())
        self.years_pass()

        newer = self.link(self.alice_invites())

        self.assertEqual(Invitation.objects.count(), 1)
        self.assertEqual(self.visitor.opens(older).status_code, 410)
        self.assertEqual(self.visitor.opens(newer).status_code, 200)
        self.assertEqual(len(self.mails_to(COLLEAGUE)), 2)

    def test_inviting_an_existing_member_is_refused(self) -> None:
        response = self.alice.posts("/account/users/invite/", {"email": self.vera.user.email.upper()})

        self.assertContains(response, "vera@example.com is already a user of your account.", status_code=422)
        self.assertContains(response, 'aria-invalid="true"', status_code=422)

    def test_a_user_of_another_client_is_not_revealed(self) -> None:
        other = self.alice_posts("/account/users/invite/", {"email": self.mallory.user.email})
        nobody = self.alice_posts("/account/users/invite/", {"email": "nobody1@example.net"})

        def messages_of(page: str, email: str) -> list[str]:
            return [line.replace(email, "…") for line in page.splitlines() if "sent an invitation" in line]

        self.assertEqual(len(messages_of(other, "mallory@example.net")), 1)
        self.assertEqual(messages_of(other, "mallory@example.net"), messages_of(nobody, "nobody1@example.net"))
        self.assertEqual(
            sorted(Invitation.objects.values_list("email", flat=True)), ["mallory@example.net", "nobody1@example.net"]
        )
        [message] = self.mails_to("mallory@example.net")
        self.assertIn("already have an account", str(message.subject))
        self.assertNotIn("/invitations/", str(message.body))

    def test_a_user_of_another_client_is_mailed_once_a_day(self) -> None:
        found = self.alice_invites(self.mallory.user.email)
        self.years_pass()
        with self.captureOnCommitCallbacks(execute=True):
            invitations.resend(found, by=self.alice.actor)

        self.assertEqual(len(self.mails_to("mallory@example.net")), 1)

    def test_the_limit_counts_users_and_open_invitations(self) -> None:
        Client.objects.filter(pk=self.alice.client.pk).update(user_limit=2)
        self.alice_invites("one@example.com")

        response = self.alice.posts("/account/users/invite/", {"email": "two@example.com"})

        self.assertContains(
            response, "Your account has reached its limit of 2 users and open invitations", status_code=422
        )
        self.assertContains(response, "two@example.com", status_code=422)
        self.years_pass(expires_at=timezone.now())
        self.alice_invites("two@example.com")

    def test_a_flood_of_invitations_is_refused(self) -> None:
        Client.objects.filter(pk=self.alice.client.pk).update(user_limit=500)

        with mock.patch.object(invitations, "MAILS_PER_DAY", 2):
            self.alice_invites("one@example.com")
            self.alice_invites("two@example.com")
            with self.assertRaises(Refusal) as refused:
                self.alice_invites("three@example.com")

        self.assertEqual(refused.exception.code, "too_many_invitations")
        self.assertEqual(Invitation.objects.count(), 2)

    def test_a_malformed_address_is_refused(self) -> None:
        for wrong in ("", "ture", "ture@", "a" * 10_000, "ture@example.com\nBcc: x@example.com", "<b>@example.com"):
            response = self.alice.posts("/account/users/invite/", {"email": wrong})

            self.assertContains(response, 'id="id_email_error"', status_code=422)
        self.assertFalse(Invitation.objects.exists())

    def test_a_member_invites_nobody(self) -> None:
        response = proven(self.vera).posts("/account/users/invite/", {"email": COLLEAGUE})

        self.assertEqual(response.status_code, 403)
        self.assertFalse(Invitation.objects.exists())


class OpenInvitationTests(InvitationTest):
    def test_the_list_offers_to_send_again_and_to_withdraw(self) -> None:
        invitation = self.alice_invites()
        page = self.alice.opens("/account/users/")

        self.assertContains(page, f"/account/invitations/{invitation.pk}/resend/")
        self.assertContains(page, f"/account/invitations/{invitation.pk}/withdraw/")

    def test_sending_again_extends_an_expired_one(self) -> None:
        invitation = self.alice_invites()
        self.years_pass(expires_at=timezone.now() - timedelta(minutes=1))
        self.assertContains(self.alice.opens("/account/users/"), "expired")

        self.alice_posts(f"/account/invitations/{invitation.pk}/resend/")

        invitation.refresh_from_db()
        self.assertGreater(invitation.expires_at, timezone.now() + timedelta(days=6))
        self.assertEqual(self.events(self.alice.client), ["users.invited", "users.invitation_resent"])

    def test_withdrawing_ends_the_link(self) -> None:
        invitation = self.alice_invites()
        path = self.link(invitation)

        page = self.alice_posts(f"/account/invitations/{invitation.pk}/withdraw/")

        self.assertIn("The invitation to ture@example.com has been withdrawn.", page)
        self.assertEqual(self.visitor.opens(path).status_code, 410)
        self.assertEqual(self.events(self.alice.client), ["users.invited", "users.invitation_withdrawn"])

    def test_another_clients_invitation_is_as_unknown_as_none(self) -> None:
        invitation = self.alice_invites()
        mallory = proven(self.mallory)

        for action in ("resend", "withdraw"):
            foreign = mallory.posts(f"/account/invitations/{invitation.pk}/{action}/")
            unknown = mallory.posts(f"/account/invitations/{uuid4()}/{action}/")
            self.assertEqual((foreign.status_code, unknown.status_code), (404, 404))
        self.assertTrue(Invitation.objects.exists())


class AcceptingTests(InvitationTest):
    def assert_void(self, path: str, text: str, status: int = 410) -> None:
        users = User.objects.count()
        for response in (self.visitor.opens(path), self.visitor.posts(path, JOINING)):
            self.assertContains(response, "This invitation cannot be used", status_code=status)
            self.assertContains(response, text, status_code=status)
        self.assertEqual(User.objects.count(), users)

    def test_an_expired_link_says_so(self) -> None:
        path = self.link(self.alice_invites())
        self.years_pass(expires_at=timezone.now())

        self.assert_void(path, "The invitation has expired")

    def test_a_used_link_works_no_second_time(self) -> None:
        path = self.link(self.alice_invites())
        Visitor("198.51.100.9").posts(path, JOINING)

        self.assert_void(path, "has been used, withdrawn or replaced")

    def test_a_second_click_on_join_makes_no_second_user(self) -> None:
        invitation = self.alice_invites()
        invitations.accept(invitation, name="Ture", password=PASSWORD, by=Actor())

        with self.assertRaises(Refusal) as refused:
            invitations.accept(invitation, name="Ture", password=PASSWORD, by=Actor())

        self.assertEqual(refused.exception.code, "invitation_over")

    def test_a_changed_or_made_up_link_opens_nothing(self) -> None:
        token = invitations.token(self.alice_invites())
        forged = signing.dumps([uuid4().hex, uuid4().hex], salt="accounts.invitations", key="another key")

        for wrong in (token[:-1], token + "x", token.swapcase(), forged, "x", "%00", "a" * 3000):
            self.assert_void(f"/invitations/{wrong}/", "This link is not one of our invitations")

    def test_a_link_of_another_purpose_opens_nothing(self) -> None:
        invitation = self.alice_invites()
        token = signing.dumps([invitation.pk.hex, invitation.nonce.hex], salt="accounts.recovery")

        self.assert_void(f"/invitations/{token}/", "This link is not one of our invitations")

    def test_a_signed_in_user_must_sign_out_first(self) -> None:
        path = self.link(self.alice_invites())

        for response in (self.mallory.opens(path), self.mallory.posts(path, JOINING)):
            self.assertContains(response, "You are signed in as mallory@example.net.", status_code=409)
        self.assertFalse(User.objects.filter(email=COLLEAGUE).exists())
        self.assertEqual(self.visitor.opens(path).status_code, 200)

    def test_an_address_that_has_become_a_user_elsewhere_signs_in_instead(self) -> None:
        path = self.link(self.alice_invites())
        User.objects.create_user(COLLEAGUE, client=self.mallory.client, role=User.Role.OWNER)

        response = self.visitor.posts(path, JOINING)

        self.assertContains(response, "An account with your e-mail address already exists.", status_code=410)
        self.assertEqual(User.objects.get(email=COLLEAGUE).client, self.mallory.client)

    def test_a_client_that_has_become_full_lets_nobody_in(self) -> None:
        path = self.link(self.alice_invites())
        Client.objects.filter(pk=self.alice.client.pk).update(user_limit=1)

        self.assertContains(self.visitor.posts(path, JOINING), "reached its user limit", status_code=410)
        self.assertTrue(Invitation.objects.exists())

    def test_a_closing_client_lets_nobody_in(self) -> None:
        path = self.link(self.alice_invites())
        Client.objects.filter(pk=self.alice.client.pk).update(state=Client.State.CLOSING)

        self.assert_void(path, "has been used, withdrawn or replaced")

    def test_after_a_refused_form_the_link_still_works(self) -> None:
        path = self.link(self.alice_invites())
        for name, password, field in (
            ("Ture", "short", "password"),
            ("Ture", "password1234", "password"),
            ("Ture", COLLEAGUE + "1", "password"),
            ("\u202eerut", PASSWORD, "name"),
            ("x" * 10_000, PASSWORD, "name"),
            ("", PASSWORD, "name"),
        ):
            response = self.visitor.posts(path, {"name": name, "password": password})

            self.assertContains(response, f'id="id_{field}_error"', status_code=422)
            self.assertNotContains(response, f'value="{PASSWORD}"', status_code=422)
        self.assertEqual(self.visitor.posts(path, JOINING).status_code, 302)

    def test_nobody_chooses_a_role_a_client_or_an_address(self) -> None:
        path = self.link(self.alice_invites())

        self.visitor.posts(
            path,
            {
                **JOINING,
                "role": "owner",
                "client": str(self.mallory.client.pk),
                "email": "x@example.com",
                "is_staff": "on",
            },
        )

        user = User.objects.get(email=COLLEAGUE)
        self.assertEqual((user.role, user.client, user.is_staff), ("sub_user", self.alice.client, False))

    def test_a_name_in_html_does_no_harm(self) -> None:
        path = self.link(self.alice_invites())
        self.visitor.posts(path, {**JOINING, "name": "<script>alert(1)</script>"})

        page = self.alice.opens("/account/users/")

        self.assertNotContains(page, "<script>alert")
        self.assertContains(page, "&lt;script&gt;alert(1)")

    def test_joining_gives_the_browser_a_new_session(self) -> None:
        path = self.link(self.alice_invites())
        ture = Visitor("198.51.100.9")
        fixed = ture.browser.session
        fixed["planted"] = "x"
        fixed.save()

        ture.posts(path, JOINING)

        self.assertNotEqual(ture.browser.session.session_key, fixed.session_key)

    def test_the_language_of_the_browser_becomes_the_users(self) -> None:
        path = self.link(self.alice_invites())

        Visitor(language="de").posts(path, JOINING)

        self.assertEqual(User.objects.get(email=COLLEAGUE).language, "de")


class SeatTests(InvitationTest):
    def test_expired_invitations_and_deactivated_users_take_no_seat(self) -> None:
        self.alice_invites()
        self.assertEqual(members.seats_taken(self.alice.client), 2)

        self.years_pass(expires_at=timezone.now())
        self.vera.user.is_active = False
        self.vera.user.save()

        self.assertEqual(members.seats_taken(self.alice.client), 1)
