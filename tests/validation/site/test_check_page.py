"""The check page through its form: what a person sees, and what a hostile sender gets."""

import logging
import re
from html import unescape
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from accounts.models import HistoryEntry
from accounts.usage import counts
from tests.base import BaseTest, Visitor

if TYPE_CHECKING:
    from tests.base import PageResponse

COMMERZBANK = "DE89 3704 0044 0532 0130 00"


def words(response: "PageResponse") -> str:
    """Return what the page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


class CheckPageTests(BaseTest):
    def test_a_valid_iban_shows_bank_and_bic(self) -> None:
        response = self.visitor.checks(COMMERZBANK)

        self.assertContains(response, 'data-verdict="valid"')
        self.assertContains(response, "Commerzbank")
        self.assertContains(response, "COBADEFFXXX")
        self.assertIn("This IBAN is valid", words(response))

    def test_an_invalid_iban_shows_each_check(self) -> None:
        response = self.visitor.checks("DE88 3704 0044 0532 0130 00")

        self.assertContains(response, 'data-verdict="invalid"')
        self.assertIn("The check digits are 88, but for this number they would be 89.", words(response))
        for check in ("Characters", "Country", "Length", "Structure", "Check digits", "National check digits", "Bank"):
            self.assertContains(response, f"<strong>{check}</strong>")

    def test_the_offending_character_is_marked_in_the_grouped_number(self) -> None:
        response = self.visitor.checks("GB12BARC20201530093A59")

        self.assertContains(response, '<span class="group">093<mark>A</mark></span>')

    def test_wrong_check_digits_are_marked_together(self) -> None:
        response = self.visitor.checks("DE88370400440532013000")

        self.assertContains(response, "DE<mark>8</mark><mark>8</mark>")

    def test_check_digits_inside_the_account_number_mark_no_single_digit(self) -> None:
        response = self.visitor.checks("DE39370400440533013000")

        self.assertIn("check digits in the account number do not match", words(response))
        self.assertNotContains(response, "<mark>")

    def test_a_typo_gets_a_suggestion(self) -> None:
        response = self.visitor.checks("DE89 3704 0044 0532 0310 00")

        self.assertContains(response, 'value="DE89370400440532013000"')
        self.assertIn("ask the payee", words(response))

    def test_a_wrong_length_shows_the_right_one(self) -> None:
        self.assertIn(
            "Too short: an IBAN from Germany has 22 characters, this one has 20.",
            words(self.visitor.checks("DE893704004405320130")),
        )
        self.assertIn(
            "Too long: an IBAN from Germany has 22 characters, this one has 24.",
            words(self.visitor.checks("DE8937040044053201300000")),
        )

    def test_a_number_of_wrong_length_gets_no_check_digits_proposed(self) -> None:
        response = self.visitor.checks("CH93 0076 2011 6238 5295")

        self.assertIn("The check digits do not match the rest either.", words(response))
        self.assertNotContains(response, "<mark>")

    def test_an_invisible_character_is_named_by_its_code(self) -> None:
        text = words(self.visitor.checks("DE89\u200b370400440532013000"))

        self.assertIn("Character 5 is U+200B.", text)
        self.assertIn("“ı” (U+0131)", words(self.visitor.checks("DE89ı")))

    def test_what_was_typed_stays_in_the_field(self) -> None:
        response = self.visitor.checks("de88 3704-0044")

        self.assertContains(response, 'value="de88 3704-0044"')

    def test_warnings_are_plain_words(self) -> None:
        territory = words(self.visitor.checks("GP1120041010050500013M02606"))
        aspirational = words(self.visitor.checks("AO06004400006729503010102"))
        unknown_bank = words(self.visitor.checks("DE60999999990532013000"))
        thin_register = words(self.visitor.checks("ES7999990001209999999999"))

        self.assertIn("banks officially use that of the parent country", territory)
        self.assertIn("has not registered it with SWIFT", aspirational)
        self.assertIn("No bank in our bank list for this country has this bank code", unknown_bank)
        self.assertIn("Our bank list for this country is incomplete", thin_register)

    def test_british_account_numbers_are_openly_not_checked(self) -> None:
        response = self.visitor.checks("GB24BARC20201630093459")

        self.assertContains(response, 'data-verdict="valid"')
        self.assertIn("can only be checked with Pay.UK's tables", words(response))

    def test_the_page_is_in_the_visitors_language_or_swedish(self) -> None:
        for language, text in (
            ("sv", "IBAN-numret är giltigt"),
            ("de-AT", "ist gültig"),
            ("en", "This IBAN is valid"),
            ("fr", "IBAN-numret är giltigt"),
            ("", "IBAN-numret är giltigt"),
        ):
            with self.subTest(language=language):
                self.assertIn(text, words(Visitor(language=language).checks(COMMERZBANK)))

    @pytest.mark.claim("visitors")
    def test_no_response_is_cached(self) -> None:
        response = self.visitor.checks(COMMERZBANK)

        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("DE89", str(response.headers))
        self.assertNotIn("DE89", str(response.cookies))

    @pytest.mark.claim("visitors")
    def test_nothing_is_logged_of_a_check(self) -> None:
        with self.assertNoLogs(level=logging.DEBUG):
            self.visitor.checks(COMMERZBANK)

    def test_an_iban_in_the_address_is_not_read(self) -> None:
        response = self.visitor.opens("/?iban=DE89370400440532013000")

        self.assertNotContains(response, "data-verdict")
        self.assertNotContains(response, "Commerzbank")


@pytest.mark.claim("odd_input")
class BadInputTests(BaseTest):
    def test_an_empty_field_is_an_error_at_the_field(self) -> None:
        for text in ("", "   ", "\t\r\n", "\u00a0"):
            with self.subTest(text=text):
                response = self.visitor.checks(text)

                self.assertEqual(response.status_code, 422)
                self.assertContains(response, 'aria-invalid="true"', status_code=422)
                self.assertIn("Paste or type an IBAN first.", words(response))

    def test_any_text_gets_a_verdict(self) -> None:
        for text in (
            "A" * 100_000,
            "DE89\x00370400440532013000",
            "\u202eDE89370400440532013000",
            "DE89370400440532013000\u200f",
            "ＤＥ８９３７０４００４４０５３２０１３０００",
            "DE८९३७०४००४४०५३२०१३०००",
            "💶",
            "DE",
            "1",
            "IBAN",
            "{{ 7|add:7 }}",
            "%s %(iban)s {0}",
        ):
            with self.subTest(text=text[:20]):
                self.assertContains(self.visitor.checks(text), 'data-verdict="invalid"')

    def test_a_very_long_text_is_not_sent_back_whole(self) -> None:
        response = self.visitor.checks("A" * 100_000)

        self.assertLess(len(response.content), 30_000)
        self.assertIn("longer than 128 characters", words(response))

    def test_nothing_is_echoed_unescaped(self) -> None:
        for text in ('"><script>alert(1)</script>', "</title><img src=x onerror=alert(1)>", "' onfocus='alert(1)"):
            with self.subTest(text=text):
                page = self.visitor.checks(text).content.decode()

                self.assertNotIn("<script>alert", page)
                self.assertNotIn("<img src=x", page)
                self.assertNotIn("' onfocus='", page)

    def test_a_foreign_form_is_refused_with_the_reason(self) -> None:
        for fields, expected in (
            ({}, "without the field"),
            ({"iban": ["DE89", "SE45"]}, "one IBAN at a time"),
            ({"iban[]": "DE89"}, "fields that this page does not have"),
            ({"iban": COMMERZBANK, "admin": "1"}, "fields that this page does not have"),
        ):
            with self.subTest(fields=fields):
                response = self.visitor.posts("/", fields)

                self.assertEqual(response.status_code, 400)
                self.assertIn(expected, words(response))

    def test_bytes_that_are_not_utf_8_are_refused(self) -> None:
        self.visitor.opens()
        token = self.visitor.browser.cookies["csrftoken"].value
        body = urlencode({"csrfmiddlewaretoken": token}).encode() + b"&iban=DE89%ff%fe"

        response = self.visitor.browser.post("/", body, content_type="application/x-www-form-urlencoded")

        self.assertEqual(response.status_code, 400)
        self.assertIn("could not be read as UTF-8", words(response))

    def test_a_file_instead_of_text_is_refused(self) -> None:
        response = self.visitor.posts("/", {"iban": SimpleUploadedFile("iban.bin", bytes(range(256)))})

        self.assertEqual(response.status_code, 400)
        self.assertIn("does not accept files", words(response))

    def test_a_body_that_is_no_form_is_refused(self) -> None:
        self.visitor.opens()
        token = self.visitor.browser.cookies["csrftoken"].value
        for kind, body in (
            ("application/json", b'{"iban": ["DE89"]}'),
            ("multipart/form-data; boundary=x", b"\x00\xff--"),
            ("text/plain", b"iban=DE89"),
        ):
            with self.subTest(kind=kind):
                response = self.visitor.browser.generic("POST", "/", body, kind, headers={"X-CSRFToken": token})

                self.assertEqual(response.status_code, 400)

    def test_a_huge_body_is_refused_unread(self) -> None:
        response = self.visitor.checks("A" * 1_000_000)

        self.assertEqual(response.status_code, 400)
        self.assertNotContains(response, "AAAA", status_code=400)

    def test_other_methods_are_refused(self) -> None:
        for method in ("put", "patch", "delete"):
            response = getattr(Client(), method)("/", REMOTE_ADDR="192.0.2.7")
            self.assertEqual(response.status_code, 405)

    def test_a_form_without_its_token_is_refused_in_plain_words(self) -> None:
        response = self.visitor.browser.post("/", {"iban": COMMERZBANK})

        self.assertEqual(response.status_code, 403)
        self.assertIn("The form has expired", words(response))
        self.assertNotContains(response, "DE89", status_code=403)

    def test_an_error_of_ours_shows_no_traceback_and_no_number(self) -> None:
        self.visitor.browser.raise_request_exception = False
        with (
            patch("validation.site.views.engine.check", side_effect=RuntimeError("DE89")),
            self.assertLogs("django.request"),
        ):
            response = self.visitor.checks(COMMERZBANK)

        self.assertEqual(response.status_code, 500)
        self.assertIn("Something went wrong on our side", words(response))
        self.assertNotContains(response, "DE89", status_code=500)
        self.assertNotContains(response, "Traceback", status_code=500)


@override_settings(ANONYMOUS_CHECKS_PER_MINUTE=3)
class RateLimitTests(BaseTest):
    def test_too_many_checks_must_wait_and_keep_the_text(self) -> None:
        for _ in range(3):
            self.assertEqual(self.visitor.checks(COMMERZBANK).status_code, 200)

        response = self.visitor.checks(COMMERZBANK)

        self.assertEqual(response.status_code, 429)
        self.assertTrue(1 <= int(response.headers["Retry-After"]) <= 60)
        self.assertIn(f"Please wait {response.headers['Retry-After']} second", words(response))
        self.assertContains(response, f'value="{COMMERZBANK}"', status_code=429)
        self.assertNotContains(response, "data-verdict", status_code=429)

    def test_the_limit_is_the_callers_own(self) -> None:
        for _ in range(4):
            self.visitor.checks(COMMERZBANK)

        self.assertEqual(Visitor(ip_address="192.0.2.8").checks(COMMERZBANK).status_code, 200)

    def test_one_ipv6_network_counts_as_one_caller(self) -> None:
        for last in range(4):
            response = Visitor(ip_address=f"2001:db8::{last + 1}").checks(COMMERZBANK)

        self.assertEqual(response.status_code, 429)
        self.assertEqual(Visitor(ip_address="2001:db8:0:1::1").checks(COMMERZBANK).status_code, 200)

    def test_a_forged_header_does_not_reset_the_limit(self) -> None:
        for _ in range(3):
            self.visitor.checks(COMMERZBANK)

        for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X_Real_IP"):
            response = self.visitor.checks(COMMERZBANK, headers={header: "198.51.100.1"})
            self.assertEqual(response.status_code, 429, header)

    def test_looking_at_pages_is_not_limited(self) -> None:
        for _ in range(10):
            self.assertEqual(self.visitor.opens("/").status_code, 200)
            self.assertEqual(self.visitor.opens("/countries/se/").status_code, 200)


@override_settings(ANONYMOUS_CHECKS_PER_MINUTE=2, CLIENT_CHECKS_PER_MINUTE=4)
class SignedInTests(BaseTest):
    def test_checks_count_towards_the_clients_usage(self) -> None:
        self.alice.checks(COMMERZBANK)
        self.vera.checks("DE88 3704 0044 0532 0130 00")
        self.vera.checks("  ")

        self.assertEqual((counts.month(self.alice.client).valid, counts.month(self.alice.client).invalid), (1, 1))
        self.assertEqual(counts.month(self.mallory.client).used, 0)
        self.assertEqual(HistoryEntry.objects.count(), 0)

    def test_a_client_has_its_own_limit_which_its_users_share(self) -> None:
        for person in (self.alice, self.vera, self.alice, self.vera):
            self.assertEqual(person.checks(COMMERZBANK).status_code, 200)

        self.assertEqual(self.vera.checks(COMMERZBANK).status_code, 429)
        self.assertEqual(self.mallory.checks(COMMERZBANK).status_code, 200)

    def test_an_inactive_client_is_limited_as_a_visitor(self) -> None:
        self.alice.client.state = "suspended"
        self.alice.client.save()
        self.vera.client.refresh_from_db()

        self.assertEqual([self.vera.checks(COMMERZBANK).status_code for _ in range(3)], [200, 200, 429])
        self.assertEqual(counts.month(self.alice.client).used, 0)


class LanguageSwitcherTests(BaseTest):
    def test_the_switcher_keeps_the_page(self) -> None:
        response = self.visitor.posts("/language/", {"language": "de", "next": "/countries/se/"})

        self.assertRedirects(response, "/countries/se/", fetch_redirect_response=False)
        self.assertContains(self.visitor.opens("/countries/se/"), "Schweden")

    def test_the_switcher_keeps_the_verdict_without_iban_in_the_url(self) -> None:
        response = self.visitor.posts("/language/", {"language": "de", "next": "/", "iban": COMMERZBANK})

        self.assertEqual(response.status_code, 307)
        self.assertEqual(response.headers["Location"], "/")
        again = self.visitor.posts("/", {"language": "de", "next": "/", "iban": COMMERZBANK})
        self.assertIn("ist gültig", words(again))

    def test_the_switcher_leads_to_no_other_site(self) -> None:
        response = self.visitor.posts("/language/", {"language": "de", "next": "https://evil.example/"})

        self.assertEqual(response.headers["Location"], "/")

    def test_a_language_we_do_not_have_changes_nothing(self) -> None:
        self.visitor.posts("/language/", {"language": "xx", "next": "/"})

        self.assertNotIn("language", self.visitor.browser.cookies)
