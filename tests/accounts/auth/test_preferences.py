"""Language and time zone follow the user; the header offers what they may open."""

from accounts.models import User
from tests.base import Visitor
from tests.support.entrance import SignInTest


class PreferenceTests(SignInTest):
    def test_a_user_reads_their_own_language_in_any_browser(self) -> None:
        owner = self.member("olga@example.com")
        User.objects.filter(pk=owner.pk).update(language="sv")

        page = self.enter(owner).opens("/")

        self.assertContains(page, '<html lang="sv">')
        self.assertEqual(page.headers["Content-Language"], "sv")

    def test_the_switcher_stores_the_users_language(self) -> None:
        owner = self.member("olga@example.com")
        who = self.enter(owner)
        who.posts("/language/", {"language": "de", "next": "/"})
        owner.refresh_from_db()

        self.assertEqual(owner.language, "de")
        self.assertContains(self.enter(owner).opens("/"), '<html lang="de">')
        who.posts("/language/", {"language": "xx", "next": "/"})
        owner.refresh_from_db()
        self.assertEqual(owner.language, "de")

    def test_a_visitor_still_has_the_cookie_alone(self) -> None:
        self.visitor.posts("/language/", {"language": "de", "next": "/"})

        self.assertContains(self.visitor.opens("/"), '<html lang="de">')

    def test_times_are_shown_in_the_users_time_zone(self) -> None:
        owner = self.member("olga@example.com")
        who, seen = self.enter(owner), set()
        for zone in ("Europe/Stockholm", "America/New_York", "Nowhere/At_All", "../etc/passwd", ""):
            User.objects.filter(pk=owner.pk).update(time_zone=zone)
            page = who.opens("/account/sessions/").content.decode()
            seen.add(page[page.index("Since") :][:40])

        self.assertEqual(len(seen), 2)


class MenuTests(SignInTest):
    OWNERS_ONLY = (
        "/overview/",
        "/account/users/",
        "/account/history/",
        "/account/contact/",
        "/account/billing/",
        "/account/settings/",
    )
    EVERYBODY = ("/account/profile/", "/account/password/", "/account/second-factor/", "/account/sessions/")

    def test_each_sees_the_links_they_may_open(self) -> None:
        owner = self.member("olga@example.com")
        member = self.member("sub@example.com", client=owner.client, role=User.Role.MEMBER)
        for user, hers in ((owner, True), (member, False)):
            page = self.enter(user).opens("/countries/").content.decode()
            for path in self.OWNERS_ONLY:
                self.assertEqual(f'href="{path}"' in page, hers, path)
            for path in self.EVERYBODY:
                self.assertIn(f'href="{path}"', page)
            self.assertIn('action="/sign-out/"', page)

    def test_staff_see_their_own_security_and_no_page_of_a_client(self) -> None:
        staff = self.member("sten@operator.example", is_staff=True)
        who = Visitor()
        self.sign_in(who, staff.email)
        page = who.opens("/account/second-factor/").content.decode()

        for path in ("/account/", "/account/profile/", *self.OWNERS_ONLY):
            self.assertNotIn(f'href="{path}"', page)
        for path in ("/account/password/", "/account/sessions/"):
            self.assertIn(f'href="{path}"', page)

    def test_a_visitor_is_offered_to_sign_in_or_up(self) -> None:
        page = Visitor().opens("/").content.decode()

        self.assertIn('href="/sign-in/"', page)
        self.assertIn('href="/sign-up/"', page)
        self.assertNotIn("/account/", page)
