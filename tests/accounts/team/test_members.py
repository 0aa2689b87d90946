"""Actions of owners on members: each done once, mailed to both, never leaving a client without an owner."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import TYPE_CHECKING
from unittest import skipUnless
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user
from django.core import mail
from django.core.cache import cache
from django.db import connection, connections
from django.test import TransactionTestCase

from accounts import audit
from accounts.actor import Actor
from accounts.audit import client_log
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client, User
from accounts.team import invitations, member_actions, members
from accounts.team.member_actions import ACTIONS
from tests.base import BaseTest, Person
from tests.support.two_factor_proof import proven

if TYPE_CHECKING:
    from tests.base import PageResponse


class MemberTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        proven(self.alice)

    def does(self, action: str, member: User, *, by: Person | None = None) -> "PageResponse":
        with self.captureOnCommitCallbacks(execute=True):
            return (by or self.alice).posts(f"/account/users/{member.pk}/{action}/")

    def second_owner(self) -> Person:
        return self.person("olga@example.com", client=self.alice.client, role=User.Role.OWNER)

    def give_factor(self, user: User) -> None:
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})

    def events(self) -> list[str]:
        """Return the recorded events in order, without refused pages."""
        tags = [entry.tag for entry in client_log.entries(self.alice.client).order_by("number")]
        return [tag for tag in tags if tag != "users.refused"]

    def mailed(self) -> list[str]:
        return sorted(email for message in mail.outbox for email in message.to)

    def is_signed_in(self, person: Person) -> bool:
        return get_user(person.browser).is_authenticated


@pytest.mark.claim("deactivated_users")
class ActionTests(MemberTest):
    def test_a_deactivated_user_is_signed_out_and_cannot_come_back(self) -> None:
        self.vera.opens("/")

        self.does("deactivate", self.vera.user)

        self.assertFalse(User.objects.get(pk=self.vera.user.pk).is_active)
        self.assertFalse(self.is_signed_in(self.vera))
        self.assertFalse(UserSession.objects.filter(user=self.vera.user).exists())
        self.assertEqual(self.vera.opens("/account/profile/").status_code, 302)
        self.assertEqual(self.events(), ["users.deactivated"])
        self.assertEqual(self.mailed(), ["alice@example.com", "vera@example.com"])

    def test_a_reactivated_user_may_sign_in_again(self) -> None:
        self.does("deactivate", self.vera.user)

        self.does("reactivate", self.vera.user)

        self.assertTrue(User.objects.get(pk=self.vera.user.pk).is_active)
        self.assertEqual(self.events(), ["users.deactivated", "users.reactivated"])

    def test_reactivating_needs_a_free_seat(self) -> None:
        self.does("deactivate", self.vera.user)
        Client.objects.filter(pk=self.alice.client.pk).update(user_limit=1)

        response = self.does("reactivate", self.vera.user)

        self.assertContains(response, "Your account has reached its limit of", status_code=409)
        self.assertFalse(User.objects.get(pk=self.vera.user.pk).is_active)

    def test_a_removed_user_is_gone_and_the_audit_log_stays(self) -> None:
        vera = self.vera.user
        audit.record(AuditEvent.SIGNED_IN, client=self.alice.client, by=Actor(vera))

        self.does("remove", vera)

        self.assertFalse(User.objects.filter(pk=vera.pk).exists())
        self.assertFalse(self.is_signed_in(self.vera))
        self.assertEqual(self.events(), ["users.signed_in", "users.removed"])
        self.assertTrue(client_log.verify(self.alice.client).ok)
        self.assertContains(self.alice.opens("/account/history/"), f"removed user {str(vera.pk)[:8]}")

    def test_a_reset_of_factors_signs_out_and_is_mailed_to_both(self) -> None:
        self.give_factor(self.vera.user)
        self.vera.opens("/")

        self.does("reset-factors", self.vera.user)

        self.assertFalse(Authenticator.objects.filter(user=self.vera.user).exists())
        self.assertFalse(self.is_signed_in(self.vera))
        self.assertEqual(self.events(), ["users.factors_reset"])
        self.assertEqual(self.mailed(), ["alice@example.com", "vera@example.com"])
        [message] = [sent for sent in mail.outbox if sent.to == ["vera@example.com"]]
        self.assertIn("has removed your two-factor authentication", str(message.body))
        self.assertIn("alice@example.com", str(message.body))

    def test_ownership_can_be_shared(self) -> None:
        self.does("give-ownership", self.vera.user)

        self.assertEqual(set(User.objects.values_list("role", flat=True)), {"owner"})
        self.assertEqual(self.events(), ["users.ownership_given"])
        self.assertEqual(self.vera.opens("/account/users/").status_code, 200)

    def test_ownership_can_be_handed_over(self) -> None:
        response = self.does("hand-over", self.vera.user)

        self.assertRedirects(response, "/account/profile/")
        roles = dict(User.objects.values_list("email", "role"))
        self.assertEqual(roles, {"alice@example.com": "sub_user", "vera@example.com": "owner"})
        self.assertEqual(self.alice.opens("/account/users/").status_code, 403)
        self.assertEqual(self.events(), ["users.ownership_given", "users.ownership_taken"])

    def test_ownership_can_be_taken(self) -> None:
        olga = self.second_owner()

        self.does("take-ownership", olga.user)

        self.assertEqual(User.objects.get(pk=olga.user.pk).role, "sub_user")
        self.assertEqual(olga.opens("/account/users/").status_code, 403)

    def test_a_deactivated_user_becomes_no_owner(self) -> None:
        self.does("deactivate", self.vera.user)

        response = self.does("give-ownership", self.vera.user)

        self.assertEqual(response.status_code, 409)
        self.assertEqual(User.objects.get(pk=self.vera.user.pk).role, "sub_user")


class SecondClickTests(MemberTest):
    def test_a_action_that_is_done_already_changes_and_records_nothing(self) -> None:
        self.give_factor(self.vera.user)
        for action in ("deactivate", "reactivate", "reset-factors", "give-ownership", "take-ownership"):
            with self.subTest(action):
                self.does(action, self.vera.user)
                mails, entries = len(mail.outbox), len(self.events())

                self.assertEqual(self.does(action, self.vera.user).status_code, 302)

                self.assertEqual((len(mail.outbox), len(self.events())), (mails, entries))

    def test_removing_twice_says_that_there_is_no_such_page(self) -> None:
        self.does("remove", self.vera.user)

        self.assertEqual(self.does("remove", self.vera.user).status_code, 404)
        self.assertEqual(self.events(), ["users.removed"])


class LastOwnerTests(MemberTest):
    def test_the_last_owner_stays_owner(self) -> None:
        response = self.does("take-ownership", self.alice.user)

        self.assertContains(response, "at least one owner who can sign in", status_code=409)
        self.assertEqual(User.objects.get().role, "owner")

    def test_a_deactivated_owner_does_not_count(self) -> None:
        olga = self.second_owner()
        self.does("deactivate", olga.user)

        self.assertEqual(self.does("take-ownership", self.alice.user).status_code, 409)

    def test_nobody_removes_deactivates_or_resets_themselves(self) -> None:
        self.give_factor(self.alice.user)
        for action in ("remove", "deactivate", "reset-factors"):
            with self.subTest(action):
                self.assertContains(self.does(action, self.alice.user), "for yourself", status_code=409)
        self.assertTrue(User.objects.get().is_active)
        self.assertTrue(Authenticator.objects.exists())

    def test_of_two_owners_who_act_on_each_other_the_first_wins(self) -> None:
        for slug in ("remove", "deactivate", "take-ownership"):
            with self.subTest(slug):
                one, other = (self.owner(f"{slug}{index}@example.com") for index in (1, 2))
                action = ACTIONS[slug].carry_out

                action(other, by=Actor(one))
                with self.assertRaises(Refusal) as refused:
                    action(one, by=Actor(other))

                self.assertEqual(refused.exception.code, "no_longer_owner")
                self.assertTrue(User.objects.filter(pk=one.pk, role="owner", is_active=True).exists())

    def owner(self, email: str) -> User:
        return User.objects.create_user(email, client=self.alice.client, role=User.Role.OWNER)


@skipUnless(connection.vendor == "postgresql", "SQLite runs one writing transaction after the other")
class ConcurrentOwnersTests(TransactionTestCase):
    databases = {"default", "keyring"}

    def setUp(self) -> None:
        cache.clear()
        self.client_of_both = Client.objects.create(user_limit=3)
        self.owners = [
            User.objects.create_user(email, client=self.client_of_both, role=User.Role.OWNER)
            for email in ("a@example.com", "b@example.com")
        ]

    def at_once(self, *actions: Callable[[], object]) -> list[str]:
        """Do all at the same moment; return the codes of those that were refused."""
        start = Barrier(len(actions))
        refused: list[str] = []

        def do(action: Callable[[], object]) -> None:
            start.wait()
            try:
                action()
            except Refusal as refusal:
                refused.append(refusal.code)
            finally:
                connections.close_all()

        threads = [Thread(target=do, args=(action,)) for action in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        return refused

    def test_two_owners_removing_each_other_leave_one(self) -> None:
        one, other = self.owners

        refused = self.at_once(
            lambda: member_actions.remove(other, by=Actor(one)), lambda: member_actions.remove(one, by=Actor(other))
        )

        self.assertEqual(self.client_of_both.users.filter(role="owner", is_active=True).count(), 1)
        self.assertEqual(refused, ["no_longer_owner"])

    def test_two_owners_stepping_down_leave_one(self) -> None:
        one, other = self.owners

        refused = self.at_once(
            lambda: member_actions.take_ownership(one, by=Actor(one)),
            lambda: member_actions.take_ownership(other, by=Actor(other)),
        )

        self.assertEqual(self.client_of_both.users.filter(role="owner").count(), 1)
        self.assertEqual(refused, ["last_owner"])

    def test_two_invitations_do_not_pass_the_limit_together(self) -> None:
        def invite(by: User) -> Callable[[], object]:
            return lambda: invitations.invite(self.client_of_both, f"colleague.of.{by.email}", by=Actor(by))

        refused = self.at_once(*(invite(owner) for owner in self.owners))

        self.assertEqual(self.client_of_both.invitations.count(), 1)
        self.assertEqual(refused, ["user_limit_reached"])

    def test_one_link_opened_twice_makes_one_user(self) -> None:
        invitation = invitations.invite(self.client_of_both, "ture@example.com", by=Actor(self.owners[0]))

        refused = self.at_once(
            *[lambda: invitations.accept(invitation, name="Ture", password="four wild geese over Skane", by=Actor())]
            * 2
        )

        self.assertEqual(self.client_of_both.users.count(), 3)
        self.assertEqual(refused, ["invitation_over"])


class WhoMayTests(MemberTest):
    def test_a_member_may_act_on_nobody(self) -> None:
        proven(self.vera)
        for action in ACTIONS:
            for member in (self.alice.user, self.vera.user):
                with self.subTest(action, member=member.email):
                    response = self.vera.posts(f"/account/users/{member.pk}/{action}/", {"role": "owner"})
                    self.assertEqual(response.status_code, 403)
        self.assertEqual(set(User.objects.values_list("role", "is_active")), {("owner", True), ("sub_user", True)})
        self.assertEqual(self.events(), [])

    def test_another_clients_user_is_as_unknown_as_nobody(self) -> None:
        mallory = proven(self.mallory)
        for action in ACTIONS:
            for method in (mallory.opens, mallory.posts):
                foreign = method(f"/account/users/{self.vera.user.pk}/{action}/")
                unknown = method(f"/account/users/{uuid4()}/{action}/")

                self.assertEqual((foreign.status_code, unknown.status_code), (404, 404))
                self.assertEqual(self.body(foreign), self.body(unknown))
        self.assertTrue(User.objects.filter(pk=self.vera.user.pk, is_active=True, role="sub_user").exists())

    def test_a_action_that_does_not_exist_is_no_page(self) -> None:
        for action in ("make-admin", "remove-all", "__init__"):
            self.assertEqual(self.does(action, self.vera.user).status_code, 404)

    def test_opening_the_page_does_nothing(self) -> None:
        self.give_factor(self.vera.user)
        for action in ACTIONS:
            response = self.alice.opens(f"/account/users/{self.vera.user.pk}/{action}/")
            self.assertContains(response, "vera@example.com")
        self.assertEqual(self.events(), [])

    @pytest.mark.claim("proof_again")
    def test_an_old_sign_in_has_to_be_proven_again(self) -> None:
        olga = proven(self.second_owner(), minutes_ago=6)
        for response in (
            olga.opens(f"/account/users/{self.vera.user.pk}/remove/"),
            olga.posts(f"/account/users/{self.vera.user.pk}/remove/"),
            olga.posts("/account/users/invite/", {"email": "x@example.com"}),
            olga.posts("/account/settings/second-factor/", {"required": "yes"}),
        ):
            self.assertIn("/account/again/", response["Location"])
        self.assertTrue(User.objects.filter(pk=self.vera.user.pk).exists())

    def body(self, response: "PageResponse") -> str:
        lines = response.content.decode().splitlines()
        return "\n".join(line for line in lines if "csrfmiddlewaretoken" not in line and 'name="next"' not in line)


@pytest.mark.claim("second_factor")
class SecondFactorForAllTests(MemberTest):
    PATH = "/account/settings/second-factor/"

    def test_an_owner_with_a_factor_requires_it_of_all(self) -> None:
        self.give_factor(self.alice.user)

        with self.captureOnCommitCallbacks(execute=True):
            self.alice.posts(self.PATH, {"required": "yes"})
            self.alice.posts(self.PATH, {"required": "yes"})

        self.assertTrue(Client.objects.get().needs_second_factor)
        self.assertEqual(self.events(), ["privacy.second_factor_required"])
        self.assertEqual(self.mailed(), ["alice@example.com"])

    def test_an_owner_without_one_would_lock_themselves_out(self) -> None:
        response = self.alice.posts(self.PATH, {"required": "yes"}, follow=True)

        self.assertContains(response, "Set up two-factor authentication for yourself first")
        self.assertFalse(Client.objects.get().needs_second_factor)

    def test_it_can_be_made_optional_again(self) -> None:
        self.give_factor(self.alice.user)
        members.require_second_factor(self.alice.client, by=self.alice.actor)

        self.alice.posts(self.PATH, {"required": "no"})

        self.assertFalse(Client.objects.get().needs_second_factor)
        self.assertEqual(self.events()[-1], "privacy.second_factor_optional")

    def test_a_member_cannot_switch_it(self) -> None:
        proven(self.vera)

        self.assertEqual(self.vera.posts(self.PATH, {"required": "yes"}).status_code, 403)
