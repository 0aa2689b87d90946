"""The pages of the account: what they show, keep and refuse, and that nobody else's can be opened."""

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import override

from accounts import audit
from accounts.audit import client_log
from accounts.audit import export as audit_export
from accounts.audit.events import AuditEvent
from accounts.models import HistoryEntry, UsageDay, User
from accounts.profile import details
from accounts.usage import counts
from tests.base import BaseTest
from tests.support.two_factor_proof import proven

if TYPE_CHECKING:
    from tests.base import PageResponse

CONTACT = {
    "company": "Räksmörgås & Söner AB",
    "person": "Alice Åberg",
    "phone": "+46 8 123 456",
    "street": "Storgatan 1",
    "postcode": "111 22",
    "city": "Stockholm",
    "country": "SE",
}
BILLING = {
    "company": "Räksmörgås & Söner AB",
    "street": "Storgatan 1",
    "postcode": "111 22",
    "city": "Stockholm",
    "country": "SE",
    "vat_number": "se 5560 3607 9301",
    "reference": "=1+1",
    "invoice_email": "faktura@example.com",
}
HOSTILE_NAMES = {
    "right to left": "Alice\u202egnp.exe",
    "isolate": "\u2066Alice\u2069",
    "zero width": "Al\u200bice",
    "line break": "Alice\nBcc: x@example.com",
    "null": "Al\x00ice",
    "escape": "Al\x1b[31mice",
    "line separator": "Al\u2028ice",
    "tag": "Al\U000e0041ice",
    "broken bytes": "Al\ufffdice",
    "10,000 characters": "x" * 10_000,
    "101 characters": "é" * 101,
}
OWNER_PAGES = (
    "/overview/",
    "/account/contact/",
    "/account/billing/",
    "/account/users/",
    "/account/history/",
    "/account/settings/",
    "/account/settings/security-and-privacy/",
)


class PageTest(BaseTest):
    def events(self) -> list[str]:
        return [entry.tag for entry in client_log.entries(self.alice.client).order_by("number")]

    def write(self, count: int, tag: str = "users.signed_in") -> None:
        for _ in range(count):
            audit.record(AuditEvent(tag), client=self.alice.client, by=self.alice.actor)


class EveryPageTests(PageTest):
    def test_an_owner_opens_them_all(self) -> None:
        for path in (*OWNER_PAGES, "/account/", "/account/profile/"):
            self.assertEqual(self.alice.opens(path).status_code, 200, path)

    def test_a_member_opens_only_the_profile(self) -> None:
        for path in OWNER_PAGES:
            self.assertEqual(self.vera.opens(path).status_code, 403, path)
            self.assertEqual(self.vera.posts(path, {"role": "owner"}).status_code, 403, path)
        for path in ("/account/", "/account/profile/"):
            page = self.vera.opens(path)
            self.assertEqual(page.status_code, 200)
            for hidden in OWNER_PAGES:
                self.assertNotContains(page, f'href="{hidden}"')

    def test_a_visitor_is_redirected_to_sign_in_and_back(self) -> None:
        response = self.visitor.opens("/account/history/?kind=users.invited")

        self.assertEqual(response["Location"], "/sign-in/?next=/account/history/%3Fkind%3Dusers.invited")

    def test_the_literal_path_to_security_and_privacy(self) -> None:
        page = self.alice.opens("/account/settings/security-and-privacy/").content.decode()

        breadcrumbs = page.partition("<ol>")[2].partition("</ol>")[0]
        words = re.sub(r"<[^>]+>", " ", breadcrumbs).split()
        self.assertEqual(words, ["My", "account", "Account", "Settings", "Security", "and", "privacy"])


class OverviewTests(PageTest):
    def test_an_empty_one_says_what_to_do_next(self) -> None:
        page = self.alice.opens("/overview/")

        self.assertContains(page, "Nothing has been checked yet.")
        self.assertContains(page, 'href="/account/users/"')
        self.assertNotContains(page, "<svg viewBox")

    def test_the_days_are_in_chart_and_table(self) -> None:
        today = counts.today()
        UsageDay.objects.create(client=self.alice.client, day=today, source="page", valid=1500, invalid=500)
        UsageDay.objects.create(
            client=self.alice.client, day=today - timedelta(days=29), source="page", valid=3, invalid=1
        )
        UsageDay.objects.create(client=self.mallory.client, day=today, source="page", valid=77_777)

        page = self.alice.opens("/overview/")

        self.assertContains(page, "<rect", count=60)
        self.assertContains(page, "2,004")
        self.assertContains(page, '<td class="figure">1,500</td>', html=True)
        self.assertContains(page, "75.0 %")
        self.assertNotContains(page, "77,777")

    def test_the_drawing_has_points_in_every_language(self) -> None:
        UsageDay.objects.create(client=self.alice.client, day=counts.today(), source="page", valid=12_345, invalid=1)
        for language in ("sv", "de", "en"):
            self.alice.user.language = language
            self.alice.user.save()
            page = self.alice.opens("/overview/").content.decode().partition("<main")[2]
            page = page.partition("<details>")[0]
            for place in re.findall(r'\b(?:x|y|width|height|viewBox|min|max|value)="([^"]*)"', page):
                self.assertRegex(place, r"^[\d. ]+$", language)

    def test_the_month_shows_what_is_left(self) -> None:
        UsageDay.objects.create(client=self.alice.client, day=counts.today(), source="page", valid=77)
        UsageDay.objects.create(client=self.alice.client, day=counts.today(), source="api", valid=5, units=9_999)

        page = self.alice.opens("/overview/")

        self.assertContains(page, "1 check is left until the end of the month")
        self.assertContains(page, "The check page and test keys do not use it")

    def test_checks_are_shown_by_source(self) -> None:
        for source, valid, invalid in (("page", 40, 2), ("api", 1_230, 4)):
            UsageDay.objects.create(
                client=self.alice.client, day=counts.today(), source=source, valid=valid, invalid=invalid
            )
        UsageDay.objects.create(
            client=self.alice.client, day=counts.today() - timedelta(days=30), source="api", valid=500
        )

        page = self.alice.opens("/overview/")

        self.assertContains(page, "<dt>Check page</dt><dd>42</dd>", html=True)
        self.assertContains(page, "<dt>API</dt><dd>1,234</dd>", html=True)


class DetailsTests(PageTest):
    def test_contact_details_are_stored_sealed_and_shown_again(self) -> None:
        self.alice.posts("/account/contact/", CONTACT)

        self.assertEqual(details.contact(self.alice.client), details.Contact(**CONTACT))
        page = self.alice.opens("/account/contact/")
        self.assertContains(page, "Räksmörgås &amp; Söner AB")
        self.assertContains(page, "The contact details have been saved.")
        self.assertEqual(self.events(), ["contact.changed"])

    def test_saving_the_same_again_records_nothing(self) -> None:
        for _ in range(2):
            self.alice.posts("/account/contact/", CONTACT)

        self.assertEqual(self.events(), ["contact.changed"])

    def test_billing_details_get_a_vat_number_in_its_one_form(self) -> None:
        self.alice.posts("/account/billing/", BILLING)

        self.assertEqual(details.billing(self.alice.client).vat_number, "SE556036079301")
        self.assertEqual(self.events(), ["billing.changed"])

    def test_vat_numbers_are_checked_for_form_by_country(self) -> None:
        for country, vat_number, stored in (
            ("SE", "556036-0793 01", "SE556036079301"),
            ("SE", "DE136695976", "DE136695976"),
            ("GR", "094259216", "EL094259216"),
            ("GB", "980 7806 84", "GB980780684"),
            ("CH", "CHE-107.787.577 IVA", "CHE107787577IVA"),
            ("US", "12-3456789", "123456789"),
            ("", "SE556036079301", "SE556036079301"),
            ("", "556036079301", "556036079301"),
            ("SE", "", ""),
        ):
            with self.subTest(vat_number, country=country):
                fields = {**BILLING, "country": country, "vat_number": vat_number}
                self.assertEqual(self.alice.posts("/account/billing/", fields).status_code, 302)
                self.assertEqual(details.billing(self.alice.client).vat_number, stored)

    def test_a_malformed_vat_number_is_refused_at_its_field(self) -> None:
        for vat_number in ("SE556036079302", "556036", "٥٥٦٠٣٦٠٧٩٣٠١", "x", "<b>12345678</b>", "SE" + "1" * 40):
            with self.subTest(vat_number):
                response = self.alice.posts("/account/billing/", {**BILLING, "vat_number": vat_number})
                self.assertContains(response, 'id="id_vat_number_error"', status_code=422)
                self.assertContains(response, "Räksmörgås &amp; Söner AB", status_code=422)
                self.assertContains(response, 'aria-describedby="id_vat_number_helptext id_vat_number_error"', 1, 422)
        response = self.alice.posts("/account/billing/", {**BILLING, "vat_number": "SE123", "country": ""})
        self.assertContains(response, "Start with the country letters", status_code=422)
        self.assertEqual(details.billing(self.alice.client), details.Billing())

    def test_hostile_names_are_refused_with_a_clear_message(self) -> None:
        for what, name in HOSTILE_NAMES.items():
            for path, field, fields in (
                ("/account/contact/", "company", CONTACT),
                ("/account/billing/", "company", BILLING),
                ("/account/profile/", "name", {"language": "en", "time_zone": "UTC"}),
            ):
                with self.subTest(what, path=path):
                    response = self.alice.posts(path, {**fields, field: name})
                    self.assertContains(response, f'id="id_{field}_error"', status_code=422)
        self.assertEqual(self.events(), [])

    def test_names_of_every_script_are_welcome(self) -> None:
        for name in (
            "Łukasz Żółć",
            "محمد",
            "שרה",
            "北京有限公司",
            "می\u200cخواهم",
            "क्\u200dष",
            "O’Neil & Söhne",
            "x" * 100,
        ):
            with self.subTest(name):
                self.alice.posts("/account/contact/", {**CONTACT, "company": name})
                self.assertEqual(details.contact(self.alice.client).company, name)

    def test_html_is_text(self) -> None:
        self.alice.posts("/account/contact/", {**CONTACT, "company": "<img src=x onerror=alert(1)>"})

        page = self.alice.opens("/account/contact/")

        self.assertNotContains(page, "<img src=x")
        self.assertContains(page, "&lt;img src=x")

    def test_a_country_is_one_of_the_list_in_the_language_of_the_page(self) -> None:
        self.assertEqual(self.alice.posts("/account/contact/", {**CONTACT, "country": "ZZ"}).status_code, 422)
        self.alice.user.language = "sv"
        self.alice.user.save()
        page = self.alice.opens("/account/contact/").content.decode()

        self.assertIn('<option value="DE">Tyskland</option>', page)
        self.assertLess(page.index(">Zimbabwe<"), page.index(">Åland<"))

    @pytest.mark.claim("customers_apart")
    def test_two_clients_never_see_each_other(self) -> None:
        self.alice.posts("/account/contact/", CONTACT)

        self.assertNotContains(self.mallory.opens("/account/contact/"), "Söner")
        self.mallory.posts("/account/contact/", {**CONTACT, "company": "Other", "client": str(self.alice.client.pk)})
        self.assertEqual(details.contact(self.alice.client).company, CONTACT["company"])


class ProfileTests(PageTest):
    FIELDS = {"name": "Vera Öst", "language": "de", "time_zone": "Asia/Tokyo"}

    def test_a_member_changes_their_own(self) -> None:
        response = self.vera.posts("/account/profile/", self.FIELDS, follow=True)

        user = User.objects.get(pk=self.vera.user.pk)
        self.assertEqual((details.name(user), user.language, user.time_zone), ("Vera Öst", "de", "Asia/Tokyo"))
        self.assertContains(response, '<html lang="de">')
        self.assertEqual(self.events(), ["users.profile_changed"])

    def test_saving_the_same_again_records_nothing(self) -> None:
        for _ in range(2):
            self.vera.posts("/account/profile/", self.FIELDS)

        self.assertEqual(self.events(), ["users.profile_changed"])

    def test_nobody_gives_themselves_a_role_or_another_client(self) -> None:
        self.vera.posts(
            "/account/profile/",
            {
                **self.FIELDS,
                "role": "owner",
                "client": str(self.mallory.client.pk),
                "is_staff": "on",
                "is_superuser": "on",
                "is_active": "",
                "email": "owner@example.com",
                "pk": str(self.alice.user.pk),
                "id": str(self.alice.user.pk),
            },
        )

        user = User.objects.get(pk=self.vera.user.pk)
        self.assertEqual((user.role, user.client, user.email), ("sub_user", self.alice.client, "vera@example.com"))
        self.assertEqual((user.is_staff, user.is_superuser, user.is_active), (False, False, True))
        self.assertEqual(details.name(User.objects.get(pk=self.alice.user.pk)), "")

    def test_an_unknown_language_or_time_zone_is_refused(self) -> None:
        for field, wrong in (("language", "xx"), ("time_zone", "Mars/Olympus"), ("time_zone", "../../etc/passwd")):
            response = self.vera.posts("/account/profile/", {**self.FIELDS, field: wrong})
            self.assertContains(response, f'id="id_{field}_error"', status_code=422)

    def test_times_are_shown_in_the_users_time_zone(self) -> None:
        self.write(1)
        HistoryEntry.objects.update(at=datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
        self.alice.user.time_zone = "Asia/Tokyo"
        self.alice.user.save()

        self.assertContains(self.alice.opens("/account/history/"), 'datetime="2026-01-02T08:30:00+09:00"')


class UsersPageTests(PageTest):
    def test_everybody_is_listed_with_what_an_owner_needs_to_know(self) -> None:
        details.save_name(self.vera.user, "Vera Öst")
        Authenticator.objects.create(user=self.vera.user, type=Authenticator.Type.TOTP, data={})
        User.objects.filter(pk=self.vera.user.pk).update(last_login=timezone.now() - timedelta(days=400))

        page = self.alice.opens("/account/users/").content.decode()
        _, alice, vera = page.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr>")

        self.assertIn("alice@example.com", alice)
        self.assertIn("you", alice)
        self.assertNotIn("/remove/", alice)
        self.assertIn("Vera Öst", vera)
        self.assertIn("member", vera)
        self.assertIn((timezone.localdate() - timedelta(days=400)).isoformat(), vera)
        self.assertRegex(vera, r"</svg>\s*on")
        self.assertIn(f"/account/users/{self.vera.user.pk}/remove/", vera)
        self.assertNotIn("mallory", page)

    def test_a_full_client_is_warned_before_inviting(self) -> None:
        client = self.alice.client
        client.user_limit = 1
        client.save()

        self.assertContains(self.alice.opens("/account/users/"), "All 1 seats are used.")


class HistoryPageTests(PageTest):
    def numbers(self, response: "PageResponse") -> list[int]:
        return [int(figure) for figure in re.findall(r'<td class="figure">(\d+)</td>', response.content.decode())]

    def test_the_newest_comes_first_fifty_a_page(self) -> None:
        self.write(120)

        first = self.alice.opens("/account/history/")
        second = self.alice.opens("/account/history/?before=71")
        third = self.alice.opens("/account/history/?before=21")
        back = self.alice.opens("/account/history/?after=20")

        self.assertEqual(self.numbers(first), list(range(120, 70, -1)))
        self.assertContains(first, "?before=71")
        self.assertNotContains(first, 'rel="prev"')
        self.assertEqual(self.numbers(second), list(range(70, 20, -1)))
        self.assertEqual(self.numbers(third), list(range(20, 0, -1)))
        self.assertNotContains(third, 'rel="next"')
        self.assertEqual(self.numbers(back), list(range(70, 20, -1)))
        self.assertContains(back, "?after=70")

    def test_filters_by_kind_person_and_time(self) -> None:
        self.write(2)
        audit.record(
            AuditEvent.CONTACT_CHANGED, client=self.alice.client, by=self.vera.actor, detail={"fields": "street"}
        )
        HistoryEntry.objects.filter(number=1).update(at=timezone.now() - timedelta(days=9))
        today = timezone.localdate()

        def shown(query: str) -> list[int]:
            return self.numbers(self.alice.opens(f"/account/history/?{query}"))

        self.assertEqual(shown("kind=contact.changed"), [3])
        self.assertEqual(shown(f"person={self.vera.user.pk}"), [3])
        self.assertEqual(shown(f"since={today}"), [3, 2])
        self.assertEqual(shown(f"until={today - timedelta(days=1)}"), [1])
        self.assertEqual(shown(f"kind=users.signed_in&person={self.alice.user.pk}&since={today}&until={today}"), [2])

    def test_filters_stay_when_one_turns_the_page(self) -> None:
        self.write(60)

        self.assertContains(
            self.alice.opens("/account/history/?kind=users.signed_in&since=2020-01-01"),
            "?kind=users.signed_in&amp;since=2020-01-01&amp;before=11",
        )

    def test_wrong_filters_are_refused(self) -> None:
        self.write(1)
        for query, field in (
            ("kind=users.misspelt", "kind"),
            (f"person={uuid4()}", "person"),
            (f"person={self.mallory.user.pk}", "person"),
            ("since=yesterday", "since"),
            ("until=9999-12-31", "until"),
            ("since=0001-01-01", "since"),
            ("since=2026-02-02&until=2026-01-01", "until"),
        ):
            with self.subTest(query):
                response = self.alice.opens(f"/account/history/?{query}")
                self.assertContains(response, f'id="id_{field}_error"', status_code=422)
        for query in ("before=x", "before=-1", "before=" + "9" * 40, "after=٣", "before=&after="):
            self.assertEqual(self.numbers(self.alice.opens(f"/account/history/?{query}")), [1])

    def test_details_are_shown_in_words(self) -> None:
        audit.record(
            AuditEvent.CONTACT_CHANGED,
            client=self.alice.client,
            by=self.alice.actor,
            detail={"fields": "street, vat_number"},
        )

        self.assertContains(self.alice.opens("/account/history/"), "Street and number, VAT number")

    def test_an_intact_chain_is_said_to_be_whole(self) -> None:
        self.write(3)

        response = self.alice.posts("/account/history/verify/")

        self.assertContains(response, "The chain is intact: 3 entries were read")

    def test_an_edited_entry_is_named(self) -> None:
        self.write(3)
        HistoryEntry.objects.filter(number=2).update(tag="users.removed")

        self.assertContains(self.alice.posts("/account/history/verify/"), "Entry 2 has been altered")

    def test_a_cut_tail_is_found_by_the_last_line_of_an_export(self) -> None:
        self.write(3)
        line = self.export().strip().splitlines()[-1]
        whole = self.alice.posts("/account/history/verify/", {"checkpoint": line})
        self.assertContains(whole, "It also reaches the end of the export")

        HistoryEntry.objects.filter(number__gte=3).delete()

        self.assertContains(self.alice.posts("/account/history/verify/"), "The chain is intact: 2 entries")
        cut = self.alice.posts("/account/history/verify/", {"checkpoint": line})
        self.assertContains(cut, "The entries from number 3 onwards have been removed.")

    def test_a_line_that_is_no_checkpoint_of_ours_is_refused(self) -> None:
        self.write(1)
        for wrong in ("x", "{}", "[1]", '{"number": 1}', '{"number": "x"}', '{"number": "1"', "{" * 900, "9" * 3000):
            response = self.alice.posts("/account/history/verify/", {"checkpoint": wrong})
            self.assertContains(response, 'id="id_checkpoint_error"', status_code=422)
        foreign = audit.record(AuditEvent.SIGNED_IN, client=self.mallory.client, by=self.mallory.actor)
        self.assertEqual(foreign.number, 1)
        line = self.export(by="mallory").strip().splitlines()[-1]
        response = self.alice.posts("/account/history/verify/", {"checkpoint": line})
        self.assertContains(response, "not a checkpoint we have signed for this audit log")

    def export(self, by: str = "alice") -> str:
        response = {"alice": self.alice, "mallory": self.mallory}[by].posts("/account/history/export/")
        self.assertEqual(response.status_code, 200)
        return b"".join(cast(StreamingHttpResponse, response)).decode()

    def test_the_export_holds_everything_and_ends_with_a_signed_checkpoint(self) -> None:
        self.write(250)

        text = self.export()

        rows = list(csv.reader(StringIO(text.removeprefix("\ufeff"))))
        self.assertEqual([row[0] for row in rows[1:-1]], [str(sequence) for sequence in range(1, 252)])
        self.assertEqual(rows[-2][2], "history.exported")
        self.assertEqual(rows[-1][0], "checkpoint")
        stated = audit_export.read_checkpoint(rows[-1][1])
        assert stated is not None
        self.assertTrue(client_log.verify_checkpoint(self.alice.client, stated).ok)
        self.assertEqual(stated["hash"], rows[-2][-1])
        self.assertEqual(self.events()[-1], "history.exported")

    def test_no_cell_of_the_export_is_a_formula(self) -> None:
        for begin in ("=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"):
            audit.record(
                AuditEvent.CONTACT_CHANGED,
                client=self.alice.client,
                by=self.alice.actor,
                detail={f"{begin}cmd|' /C calc'!A0": "x"},
            )

        for row in csv.reader(StringIO(self.export(), newline="")):
            for cell in row:
                self.assertNotRegex(cell.lstrip(" "), r"^[=+\-@\t\r\n＝＋－＠]")

    def test_only_an_owners_post_exports(self) -> None:
        self.assertEqual(self.alice.opens("/account/history/export/").status_code, 302)
        self.assertEqual(self.vera.posts("/account/history/export/").status_code, 403)
        self.assertNotIn("history.exported", self.events())


class SettingsTests(PageTest):
    def test_it_says_what_requiring_a_second_factor_means(self) -> None:
        self.assertEqual(self.vera.user.role, "sub_user")
        page = self.alice.opens("/account/settings/security-and-privacy/")

        self.assertContains(page, "2 of them do not use two-factor authentication.")
        self.assertContains(page, "or you would lock yourself out")
        Authenticator.objects.create(user=self.alice.user, type=Authenticator.Type.TOTP, data={})
        page = self.alice.opens("/account/settings/security-and-privacy/")
        self.assertContains(page, "1 of them does not use two-factor authentication.")
        self.assertContains(page, "Require it for all users")


class MailTests(PageTest):
    def test_every_mail_exists_as_text_and_html_in_three_languages(self) -> None:
        proven(self.alice)
        for language in ("sv", "en", "de"):
            self.alice.user.language = self.vera.user.language = language
            self.alice.user.save()
            self.vera.user.save()
            mail.outbox.clear()
            with self.captureOnCommitCallbacks(execute=True):
                self.alice.posts("/account/users/invite/", {"email": f"{language}@example.com"})
                self.alice.posts(f"/account/users/{self.vera.user.pk}/deactivate/")
                self.alice.posts(f"/account/users/{self.vera.user.pk}/reactivate/")

            self.assertEqual(len(mail.outbox), 6)
            for sent in mail.outbox:
                self.assertTrue(sent.subject)
                self.assertNotIn("&", str(sent.body).replace("&nbsp;", ""))
                self.assertIn("<h1>", str(cast(EmailMultiAlternatives, sent).alternatives[0][0]))

    def test_times_in_mails_are_utc_wherever_the_owner_is(self) -> None:
        self.alice.user.time_zone = "Asia/Tokyo"
        self.alice.user.language = "en"
        self.alice.user.save()
        with self.captureOnCommitCallbacks(execute=True):
            proven(self.alice).posts(f"/account/users/{self.vera.user.pk}/deactivate/")

        at = client_log.entries(self.alice.client, tag="users.deactivated").get().at.astimezone(UTC)
        with override("en"):
            local_time = date_format(at, "DATETIME_FORMAT")
        for sent in mail.outbox:
            self.assertIn(f"{local_time} (UTC)", str(sent.body))
