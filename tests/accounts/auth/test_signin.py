"""Sign-in by password: who comes in, where to, and what an attacker does not get."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import override_settings

from accounts.auth import presence
from accounts.models import User
from tests.base import PASSWORD, Visitor
from tests.support.entrance import SignInTest

ELSEWHERE = (
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https://evil.example/",
    "\\\\evil",
    "javascript:alert(1)",
    "///evil",
    "/\t/evil.example",
    "http://testserver/account/",
)


class SignInTests(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.member("olga@example.com")

    def test_address_and_password_let_in_and_are_recorded(self) -> None:
        self.sign_in(self.visitor, "Olga@Example.com")

        self.assert_in(self.visitor)
        self.assert_tags(self.owner, "users.signed_in")

    def test_a_wrong_password_does_not(self) -> None:
        response = self.sign_in(self.visitor, "olga@example.com", "wrong password, wrong account")

        self.assertContains(response, "Wrong e-mail address or password.")
        self.assert_out(self.visitor)

    def test_owners_see_the_overview_first_and_members_the_check_page(self) -> None:
        member = self.member("sub@example.com", client=self.owner.client, role=User.Role.MEMBER)

        owner_response = self.sign_in(self.visitor, self.owner.email)
        member_response = self.sign_in(Visitor(), member.email)

        self.assertRedirects(owner_response, "/overview/", fetch_redirect_response=False)
        self.assertRedirects(member_response, "/", fetch_redirect_response=False)

    def test_one_is_led_on_to_the_page_one_wanted(self) -> None:
        self.assertContains(
            self.visitor.opens("/sign-in/?next=/countries/"), 'name="next" value="/countries/"', count=2
        )

        response = self.sign_in(self.visitor, self.owner.email, next="/countries/")

        self.assertRedirects(response, "/countries/")

    def test_nobody_is_led_to_another_site(self) -> None:
        for target in ELSEWHERE:
            with self.subTest(target):
                who = Visitor()
                response = self.sign_in(who, self.owner.email, next=target)
                self.assertEqual(response.headers["Location"], "/overview/")
                again = who.opens("/sign-in/", data={"next": target})
                self.assertEqual(again.headers["Location"], "/overview/")
                self.assertEqual(who.posts("/sign-out/", {"next": target}).headers["Location"], "/")

    def test_the_key_of_the_session_changes_at_sign_in(self) -> None:
        self.visitor.opens("/sign-in/")
        self.send(self.visitor, "/sign-in/forgotten/", {"email": "nobody@example.com"})
        planted = self.visitor.browser.cookies["session"].value

        self.sign_in(self.visitor, self.owner.email)

        self.assertNotEqual(self.visitor.browser.cookies["session"].value, planted)
        thief = Visitor()
        thief.browser.cookies["session"] = planted
        self.assert_out(thief)

    @pytest.mark.claim("deactivated_users")
    def test_somebody_deactivated_is_signed_out_and_stays_out(self) -> None:
        self.sign_in(self.visitor, self.owner.email)
        User.objects.filter(pk=self.owner.pk).update(is_active=False)

        self.assert_out(self.visitor)
        self.assertRedirects(self.sign_in(Visitor(), self.owner.email), "/sign-in/inactive/")
        self.assertContains(self.sign_in(Visitor(), self.owner.email, "wrong"), "Wrong e-mail address or password.")

    @pytest.mark.claim("passwords")
    def test_guessing_is_slowed_down_in_the_network_it_comes_from_and_nowhere_else(self) -> None:
        for guesser in ("198.51.100.1", "2001:db8:0:1::1"):
            self.guess(Visitor(guesser), 5)

        for caller, is_slowed in (
            ("198.51.100.1", True),
            ("198.51.100.2", False),
            ("2001:db8:0:1::2", True),
            ("2001:db8:0:2::1", False),
        ):
            with self.subTest(caller):
                who = Visitor(caller)
                response = self.sign_in(who, self.owner.email)
                if is_slowed:
                    self.assertContains(response, "Too many attempts.")
                    self.assert_out(who)
                else:
                    self.assert_in(who)

    @pytest.mark.claim("passwords")
    def test_guessing_at_the_same_address_does_not_lock_a_known_browser_out(self) -> None:
        self.sign_in(self.visitor, self.owner.email)
        self.visitor.posts("/sign-out/")
        self.guess(Visitor(), 8)

        self.sign_in(self.visitor, self.owner.email)
        unknown = self.sign_in(Visitor(), self.owner.email)

        self.assert_in(self.visitor)
        self.assertContains(unknown, "Too many attempts.")

    @pytest.mark.claim("passwords")
    @pytest.mark.claim("passwords")
    def test_a_known_browser_has_its_own_count_at_an_address_that_is_used_up(self) -> None:
        self.sign_in(self.visitor, self.owner.email)
        self.visitor.posts("/sign-out/")
        self.guess(Visitor(), 40)

        self.sign_in(self.visitor, self.owner.email)

        self.assert_in(self.visitor)
        self.assertEqual(self.sign_in(Visitor(), self.owner.email).status_code, 429)

    @pytest.mark.claim("passwords")
    def test_at_a_shared_address_a_known_browser_still_has_its_own_five(self) -> None:
        self.sign_in(self.visitor, self.owner.email)
        self.visitor.posts("/sign-out/")
        self.guess(Visitor(), 12)
        self.guess(self.visitor, 4)

        self.sign_in(self.visitor, self.owner.email)

        self.assert_in(self.visitor)

    @pytest.mark.claim("passwords")
    def test_a_known_browser_asks_thirty_times_a_minute_and_no_more(self) -> None:
        self.sign_in(self.visitor, self.owner.email)
        self.visitor.posts("/sign-out/")
        self.guess(self.visitor, 30)

        self.assertEqual(self.sign_in(self.visitor, self.owner.email).status_code, 429)

    @pytest.mark.claim("passwords")
    def test_a_browser_is_known_for_its_own_mailbox_only(self) -> None:
        other = self.member("other@example.com")
        self.sign_in(self.visitor, other.email)
        self.visitor.posts("/sign-out/")
        self.guess(self.visitor, 10)

        response = self.sign_in(Visitor(), self.member("third@example.com").email)

        self.assertContains(response, "Too many attempts.")

    def test_a_known_browser_is_slowed_down_as_well(self) -> None:
        self.sign_in(self.visitor, self.owner.email)
        self.visitor.posts("/sign-out/")
        self.guess(self.visitor, 5)

        response = self.sign_in(self.visitor, self.owner.email)

        self.assertContains(response, "Too many attempts.")
        self.assert_out(self.visitor)

    @pytest.mark.claim("passwords")
    def test_a_browser_is_not_known_by_a_cookie_of_its_own_making(self) -> None:
        self.sign_in(self.visitor, self.owner.email)
        known = self.visitor.browser.cookies["known"].value
        forger = Visitor()
        forger.browser.cookies["known"] = known.replace(".", ".0", 1)
        self.guess(forger, 5)

        response = self.sign_in(forger, self.owner.email)
        elsewhere = self.sign_in(Visitor(), self.owner.email)

        self.assertContains(response, "Too many attempts.")
        self.assertContains(elsewhere, "Too many attempts.")

    def guess(self, who: Visitor, times: int) -> None:
        """Try wrong passwords for the owner."""
        for _ in range(times):
            self.sign_in(who, self.owner.email, "first guess")

    def test_a_foreign_host_is_refused(self) -> None:
        for path in ("/sign-in/", "/sign-in/forgotten/", "/sign-up/"):
            response = self.visitor.opens(path, headers={"host": "evil.example"})
            self.assertEqual(response.status_code, 400)
            self.assertNotContains(response, "evil.example", status_code=400)

    def test_without_an_address_of_the_caller_nobody_signs_in(self) -> None:
        self.assertEqual(self.sign_in(Visitor(""), self.owner.email).status_code, 400)

    @pytest.mark.claim("odd_input")
    def test_a_form_from_another_site_is_refused(self) -> None:
        response = self.visitor.browser.post("/sign-in/", {"login": self.owner.email, "password": PASSWORD})

        self.assertEqual(response.status_code, 403)

    def test_signing_out_takes_a_form_not_a_link(self) -> None:
        self.sign_in(self.visitor, self.owner.email)
        self.assertContains(self.visitor.opens("/sign-out/"), "You will be signed out")
        self.assert_in(self.visitor)

        self.assertRedirects(self.visitor.posts("/sign-out/"), "/")

        self.assert_out(self.visitor)

    def test_visitors_are_redirected_to_sign_in(self) -> None:
        for path in ("/account/password/", "/account/second-factor/", "/account/email/", "/account/second-factor/app/"):
            response = self.visitor.opens(path)
            self.assertEqual((response.status_code, response.headers["Location"]), (302, f"/sign-in/?next={path}"))

    def test_what_anybody_may_open_opens(self) -> None:
        for path in (
            "/",
            "/countries/",
            "/countries/se/",
            "/terms/",
            "/privacy/",
            "/sign-in/",
            "/sign-up/",
            "/sign-in/forgotten/",
        ):
            self.assertEqual(self.visitor.opens(path).status_code, 200, path)

    def test_pages_of_signed_in_users_are_not_cached(self) -> None:
        self.sign_in(self.visitor, self.owner.email)

        for path in ("/", "/account/sessions/", "/account/second-factor/"):
            self.assertIn("no-store", self.visitor.opens(path).headers["Cache-Control"], path)


@pytest.mark.claim("sessions_end")
class SessionListTests(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.member("olga@example.com")
        self.here = self.enter(self.owner)
        self.there = self.enter(self.owner, "198.51.100.4")

    def test_both_browsers_are_listed_with_their_addresses(self) -> None:
        page = self.here.opens("/account/sessions/")

        self.assertContains(page, "192.0.2.7")
        self.assertContains(page, "198.51.100.4")
        self.assertContains(page, "this browser", count=1)

    def test_one_other_browser_is_signed_out(self) -> None:
        [other] = [one for one in presence.sessions_of(self.owner) if one.ip == "198.51.100.4"]

        self.here.posts(f"/account/sessions/{other.pk}/end/")

        self.assert_in(self.here)
        self.assert_out(self.there)

    def test_all_others_are_signed_out_and_it_is_recorded(self) -> None:
        self.here.posts("/account/sessions/end-others/")

        self.assert_in(self.here)
        self.assert_out(self.there)
        self.assert_tags(self.owner, "users.signed_out_everywhere")

    def test_nobody_ends_the_session_of_somebody_else(self) -> None:
        mallory = self.enter(self.member("mallory@example.net"))
        session_pk = presence.sessions_of(self.owner)[0].pk

        self.assertEqual(mallory.posts(f"/account/sessions/{session_pk}/end/").status_code, 404)
        self.assertEqual(mallory.posts("/account/sessions/999999/end/").status_code, 404)
        self.assert_in(self.here)
        self.assert_in(self.there)

    def test_a_session_ends_after_twelve_idle_hours_and_not_before(self) -> None:
        self.assertEqual(self.here.browser.session.get_expiry_age(), 12 * 3600)
        now = datetime.now(UTC)
        for hours, checks in ((11, self.assert_in), (22, self.assert_in), (35, self.assert_out)):
            later = now + timedelta(hours=hours)
            with (
                mock.patch("accounts.auth.presence.time.time", return_value=later.timestamp()),
                mock.patch("django.utils.timezone.now", return_value=later),
            ):
                checks(self.here)

    def test_where_somebody_was_is_forgotten_when_the_session_has_ended(self) -> None:
        self.here.posts("/sign-out/")
        self.assertEqual([one.ip for one in UserSession.objects.all()], ["198.51.100.4"])

        UserSession.objects.update(last_seen_at=datetime.now(UTC) - timedelta(hours=13))
        Session.objects.update(expire_date=datetime.now(UTC) - timedelta(hours=1))
        self.enter(self.owner, "203.0.113.5")

        self.assertEqual([one.ip for one in UserSession.objects.all()], ["203.0.113.5"])
        self.assertEqual(Session.objects.count(), 1)

    def test_a_visit_is_written_down_every_few_minutes_only(self) -> None:
        self.here.opens("/")
        with self.assertNumQueries(2):  # the session and its user
            self.here.opens("/countries/")

    @pytest.mark.claim("https_only")
    def test_the_cookie_is_for_this_site_and_out_of_reach_of_scripts(self) -> None:
        cookie = self.here.browser.cookies["session"]

        self.assertTrue(cookie["httponly"])
        self.assertEqual((cookie["samesite"], cookie["max-age"]), ("Lax", ""))

    @pytest.mark.claim("https_only")
    @override_settings(SESSION_COOKIE_SECURE=True)
    def test_the_cookie_travels_encrypted_in_production(self) -> None:
        who = self.enter(self.owner)

        self.assertTrue(who.browser.cookies["session"]["secure"])

    @pytest.mark.claim("factors_and_sessions")
    def test_a_session_is_unreadable_in_the_database_and_opens_under_its_own_key_only(self) -> None:
        mine, theirs = (who.browser.cookies["session"].value for who in (self.here, self.there))
        row = Session.objects.get(pk=mine)
        self.assertNotIn(str(self.owner.pk), row.session_data)
        Session.objects.filter(pk=theirs).update(session_data=row.session_data)

        self.assert_in(self.here)
        self.assert_out(self.there)
