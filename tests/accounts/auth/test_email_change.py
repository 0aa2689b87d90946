"""Change of the e-mail address: confirmed by codes to both mailboxes."""

from datetime import timedelta
from unittest import mock

from allauth.account.models import EmailAddress
from django.core import mail

from accounts.audit import client_log
from accounts.auth import codes
from accounts.models import User
from tests.base import Visitor
from tests.support.entrance import SignInTest

OLD, NEW = "olga@example.com", "olga@new.example"
PATH = "/account/email/"


class EmailChangeTests(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.member(OLD)
        self.here = self.enter(self.owner)

    def begin(self, new: str = NEW) -> None:
        self.assertRedirects(self.send(self.here, PATH, {"email": new}), PATH)

    def test_both_codes_change_the_address_and_notify_both(self) -> None:
        there = self.enter(self.owner)
        self.begin("Olga@New.example")
        self.send(self.here, PATH, {"new_code": self.code_for(NEW), "old_code": self.code_for(OLD)})

        self.owner.refresh_from_db()
        self.assertEqual(self.owner.email, NEW)
        self.assertEqual(list(EmailAddress.objects.values_list("email", "verified", "primary")), [(NEW, True, True)])
        assert self.owner.client is not None
        [row] = client_log.open_entries(
            self.owner.client, client_log.entries(self.owner.client, tag="users.email_changed")
        )
        self.assertEqual(row.details, {"old": OLD, "new": NEW})
        subjects = {
            message.to[0] for message in mail.outbox if message.subject == "Your e-mail address has been changed"
        }
        self.assertEqual(subjects, {OLD, NEW})
        self.assert_in(self.here)
        self.assert_out(there)
        self.assertEqual(self.sign_in(Visitor(), OLD).status_code, 200)
        self.assertEqual(self.sign_in(Visitor(), NEW).status_code, 302)

    def test_one_code_is_not_enough(self) -> None:
        self.begin()
        new_code, old_code = self.code_for(NEW), self.code_for(OLD)
        for pair in ((new_code, new_code), (old_code, old_code), (old_code, new_code), (new_code, "BBBB-BBBB")):
            response = self.send(self.here, PATH, dict(zip(("new_code", "old_code"), pair, strict=True)))
            self.assertContains(response, "At least one of the codes is wrong.", status_code=422)

        self.owner.refresh_from_db()
        self.assertEqual(self.owner.email, OLD)

    def test_five_wrong_pairs_or_fifteen_minutes_end_it(self) -> None:
        self.begin()
        right = {"new_code": self.code_for(NEW), "old_code": self.code_for(OLD)}
        for _ in range(codes.MAX_TRIES):
            self.send(self.here, PATH, {**right, "old_code": "BBBB-BBBB"})
        self.send(self.here, PATH, right)

        self.begin()
        right = {"new_code": self.code_for(NEW), "old_code": self.code_for(OLD)}
        with mock.patch.object(codes, "VALID_FOR", timedelta(seconds=-1)):
            self.send(self.here, PATH, right)

        self.owner.refresh_from_db()
        self.assertEqual(self.owner.email, OLD)

    def test_the_address_of_somebody_else_is_not_given_away(self) -> None:
        other = self.member("mallory@example.net")
        self.begin(other.email)

        taken, notice = mail.outbox[-2:]
        self.assertEqual((taken.to, notice.to), ([other.email], [OLD]))
        self.assertNotRegex(str(taken.body), r"[A-Z]{4}-[A-Z]{4}")
        self.assertContains(self.here.opens(PATH), "Nothing changes until you have entered both.")
        response = self.send(self.here, PATH, {"new_code": "", "old_code": self.code_for(OLD)})
        self.assertEqual(response.status_code, 422)

    def test_an_address_taken_in_the_meantime_is_refused(self) -> None:
        self.begin()
        User.objects.create_user(NEW)
        self.send(self.here, PATH, {"new_code": self.code_for(NEW), "old_code": self.code_for(OLD)})

        self.owner.refresh_from_db()
        self.assertEqual(self.owner.email, OLD)

    def test_it_can_be_left_as_it_is(self) -> None:
        self.begin()
        self.send(self.here, PATH, {"cancel": "1"})

        self.assertContains(self.here.opens(PATH), "New e-mail address")

    def test_the_present_address_is_no_new_one(self) -> None:
        self.assertContains(
            self.send(self.here, PATH, {"email": OLD.upper()}), "your current e-mail address", status_code=422
        )

    def test_it_takes_a_recent_proof_of_who_asks(self) -> None:
        who = Visitor()
        who.browser.force_login(self.owner)

        self.assertRedirects(who.opens(PATH), f"/account/again/?next={PATH}")
        self.assertRedirects(self.send(who, PATH, {"email": NEW}), f"/account/again/?next={PATH}")
        self.assertEqual(mail.outbox, [])
