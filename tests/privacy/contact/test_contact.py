"""The contact page: each message arrives once, and nobody can make it mail others."""

import smtplib
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Final
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone
from redis import RedisError

from accounts.models import Client
from privacy.contact import messages
from privacy.models import ContactMessage
from privacy.retention import pruning
from tests.base import BaseTest, Visitor

if TYPE_CHECKING:
    from tests.base import PageResponse

pytestmark = pytest.mark.claim("messages")

OPERATOR: Final = "desk@operator.example"
WRITTEN: Final = {
    "name": "Åsa Öberg",
    "email": "asa@example.org",
    "subject": "security",
    "message": "Hej!\r\nDet går att …",
    "website": "",
}


@override_settings(CONTACT_ADDRESS=OPERATOR)
class ContactTests(BaseTest):
    def writes(self, **typed: str) -> "PageResponse":
        return self.write(self.visitor, typed)

    def write(self, visitor: Visitor, typed: dict[str, str]) -> "PageResponse":
        return visitor.posts("/contact/", {"number": str(uuid4()), **WRITTEN, **typed})

    def runs(self, command: str, *options: str) -> str:
        expected = StringIO()
        call_command(command, *options, stdout=expected)
        return expected.getvalue()

    def test_a_message_is_sealed_confirmed_and_mailed_to_the_operator_only(self) -> None:
        response = self.writes()

        stored = ContactMessage.objects.get()
        self.assertRedirects(response, f"/contact/sent/{stored.pk}/")
        page = self.visitor.opens(f"/contact/sent/{stored.pk}/")
        self.assertContains(page, messages.reference(stored.pk))
        self.assertNotContains(page, "asa@example.org")
        self.assertNotIn("Åsa".encode(), bytes(stored.sealed))
        self.assertEqual(messages.mail_waiting(timezone.now()), 1)
        [sent] = mail.outbox
        self.assertEqual((sent.to, sent.cc, sent.bcc, sent.reply_to), ([OPERATOR], [], [], ["asa@example.org"]))
        self.assertIn(messages.reference(stored.pk), sent.subject)
        self.assertIn("Hej!\nDet går att …\n", str(sent.body))
        self.assertEqual(messages.mail_waiting(timezone.now() + timedelta(days=1)), 0)

    def test_a_second_click_sends_one_message_and_another_text_another(self) -> None:
        number = str(uuid4())
        first = self.writes(number=number)
        second = self.writes(number=number)
        other = self.writes(number=number, message="Something else")

        self.assertEqual(first.headers["Location"], second.headers["Location"])
        self.assertNotEqual(first.headers["Location"], other.headers["Location"])
        self.assertEqual(ContactMessage.objects.count(), 2)

    def test_errors_are_shown_at_their_field_and_input_remains(self) -> None:
        number = str(uuid4())
        for typed, field in (
            ({"email": "nobody"}, "email"),
            ({"subject": "win"}, "subject"),
            ({"message": " "}, "message"),
            ({"message": "å" * 4_001}, "message"),
            ({"name": "Åsa\u202e"}, "name"),
        ):
            with self.subTest(typed=str(typed)[:40]):
                page = self.writes(number=number, **typed)
                self.assertContains(page, f'aria-describedby="id_{field}', status_code=422)
                self.assertContains(page, 'aria-invalid="true"', status_code=422, count=1)
                self.assertContains(page, f'name="number" value="{number}"', status_code=422)
                for name in {"name", "email", "message"} - {field}:
                    self.assertContains(page, WRITTEN[name], status_code=422)
        self.assertContains(self.writes(message="å" * 4_001), "å" * 4_001, status_code=422)
        # A line break is one character, however the browser sends it.
        self.assertEqual(self.writes(message="\r\n".join(["å" * 39] * 100)).status_code, 302)
        self.assertEqual(ContactMessage.objects.count(), 1)

    def test_no_mail_header_can_be_injected(self) -> None:
        for typed in (
            {"email": "asa@example.org\nBcc: all@example.net"},
            {"email": "asa@example.org, all@example.net"},
            {"name": "Åsa\r\nBcc: all@example.net"},
            {"subject": "security\nBcc: all@example.net"},
        ):
            self.assertEqual(self.writes(**typed).status_code, 422, typed)
        text = "Subject: win\r\nBcc: all@example.net\r\n\r\n<b>\x1b[2J\x07now</b> {{ settings.SECRET_KEY }}"
        self.writes(message=text)
        messages.mail_waiting(timezone.now())

        [sent] = mail.outbox
        raw = sent.message()
        self.assertEqual(sorted(raw.keys()), sorted(set(raw.keys())))
        self.assertNotIn("Bcc", raw)
        self.assertNotIn("win", str(raw["Subject"]))
        self.assertIn("<b>[2Jnow</b> {{ settings.SECRET_KEY }}", str(sent.body))
        self.assertNotIn("\x1b", self.runs("read_messages"))

    def test_a_bot_is_refused_and_a_person_sees_why(self) -> None:
        page = self.writes(website="https://win.example")

        self.assertContains(page, "A hidden field was filled in", status_code=422)
        self.assertNotContains(page, "win.example", status_code=422)
        self.assertFalse(ContactMessage.objects.exists())

    def test_an_ip_address_may_send_five_an_hour_and_input_remains(self) -> None:
        number = str(uuid4())
        self.writes(number=number)
        for _ in range(messages.MOST_PER_HOUR - 1):
            self.assertEqual(self.writes().status_code, 302)
        refused = self.writes(message="The sixth")

        self.assertContains(refused, "The sixth", status_code=429)
        self.assertLessEqual(int(refused.headers["Retry-After"]), 3600)
        self.assertEqual(self.writes(number=number).status_code, 302, "what is here already costs nothing")
        self.assertEqual(self.write(Visitor("198.51.100.7"), {}).status_code, 302)
        self.assertEqual(ContactMessage.objects.count(), messages.MOST_PER_HOUR + 1)

    def test_without_a_counter_nothing_is_sent_and_nothing_lost(self) -> None:
        with patch("accounts.guard.limits.get_usage", side_effect=RedisError):
            page = self.writes()

        self.assertContains(page, "Det går att …", status_code=503)
        self.assertFalse(ContactMessage.objects.exists())

    def test_after_a_mail_failure_the_message_is_sent_later(self) -> None:
        now = timezone.now()
        self.writes()
        self.writes()
        with (
            patch("django.core.mail.EmailMessage.send", side_effect=smtplib.SMTPServerDisconnected) as send,
            self.assertLogs("accounts.mail", "ERROR") as shown,
        ):
            self.assertEqual(messages.mail_waiting(now), 0)
            self.assertEqual(send.call_count, 1, "the next one would fail as well")
            with self.assertRaisesMessage(CommandError, "Not mailed: 2."):
                self.runs("mail_messages")
        self.assertNotIn("asa@example.org", str(shown.output))
        self.assertIn("2 messages, 2 of them not mailed yet", self.runs("read_messages"))

        self.assertEqual(messages.mail_waiting(now + timedelta(minutes=1)), 1, "the other one was not tried yet")
        self.assertEqual(messages.mail_waiting(now + timedelta(minutes=11)), 1)
        self.assertEqual(len(mail.outbox), 2)

    def test_the_operator_reads_and_deletes_and_they_expire_after_30_days(self) -> None:
        self.writes()
        self.writes(subject="invoice", message="Where is it?")
        expected = self.runs("read_messages")
        for words in ("Åsa Öberg <asa@example.org>", "  Det går att …", "  Where is it?", "NOT MAILED YET"):
            self.assertIn(words, expected)

        first = ContactMessage.objects.get(subject="security")
        self.runs("delete_message", messages.reference(first.pk).lower())
        with self.assertRaises(CommandError):
            self.runs("delete_message", messages.reference(first.pk))
        self.assertEqual(self.visitor.opens(f"/contact/sent/{first.pk}/").status_code, 404)

        for days, left in ((29, 1), (31, 0)):
            dict(pruning.prune(timezone.now() + timedelta(days=days)))
            self.assertEqual(ContactMessage.objects.count(), left)

    def test_a_signed_in_user_gets_the_email_filled_in_and_no_link_to_an_account(self) -> None:
        self.assertContains(self.alice.opens("/contact/"), 'value="alice@example.com"')
        self.write(self.alice, {})

        related = [field.related_model for field in ContactMessage._meta.get_fields() if field.is_relation]
        self.assertEqual(related, [])
        self.assertFalse(Client.objects.filter(pk=messages.OWNER).exists())

    def test_without_a_contact_address_there_is_no_form(self) -> None:
        with override_settings(CONTACT_ADDRESS="", OPERATOR_NAME="Check & Co AB", OPERATOR_ADDRESS="Storgatan 1, Lund"):
            page = self.visitor.opens("/contact/")
            self.assertContains(page, "Check &amp; Co AB")
            self.assertNotContains(page, "<textarea")
            self.writes()
        self.assertFalse(ContactMessage.objects.exists())

    def test_it_speaks_three_languages_swedish_first(self) -> None:
        swedish = "Ditt meddelande"
        titles = {"": swedish, "sv": swedish, "de": "Ihre Nachricht", "en": "Your message"}
        for language, title in titles.items():
            self.assertContains(Visitor(language=language).opens("/contact/"), title)

    def test_an_unknown_id_is_not_confirmed(self) -> None:
        self.assertEqual(self.visitor.opens(f"/contact/sent/{UUID(int=1)}/").status_code, 404)
