"""Settings → Security and privacy: what owners decide about the check log, and what becomes of older records."""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.core import mail

from accounts.audit import client_log
from accounts.guard import revisions
from privacy import vault
from privacy.check_logging import mode as check_logging_mode
from privacy.check_logging import reduction
from privacy.check_logging import views as page
from privacy.check_logging.mode import Choice
from privacy.models import Mode, PrivacySettings
from tests.base import PASSWORD, BaseTest, Person
from validation.models import ValidationRecord

if TYPE_CHECKING:
    from tests.base import PageResponse

PAGE = "/account/settings/security-and-privacy/"
CHANGE = PAGE + "logging/"
IBAN = "SE45 5000 0000 0583 9825 7466"


class SettingsTest(BaseTest):
    def chooses(self, mode: Mode, days: int | str = 30, who: Person | None = None, **more: str) -> "PageResponse":
        """Return the response to the form of the page, or with `older` to the question."""
        return (who or self.alice).posts(CHANGE, {"mode": mode.value, "days": str(days), **more})

    def has(self, mode: Mode, days: int = 30) -> None:
        """Set up Alice's client with these settings."""
        check_logging_mode.choose(self.alice.client, Choice(mode, days), by=self.alice.actor)

    def chosen(self) -> Choice:
        return check_logging_mode.choice_of(self.alice.client)

    def records(self) -> list[ValidationRecord]:
        return list(ValidationRecord.objects.filter(client=self.alice.client).order_by("at"))

    def trail(self) -> list[str]:
        return [entry.tag for entry in client_log.entries(self.alice.client)]


class ShowingTests(SettingsTest):
    def test_a_new_client_has_verdict_only_for_thirty_days(self) -> None:
        response = self.alice.opens(PAGE)

        self.assertContains(response, 'value="verdict" ')
        self.assertRegex(response.content.decode(), r'value="verdict"[^>]*checked')
        self.assertContains(response, 'value="30"')
        self.assertContains(response, "There are no check records.")

    def test_records_are_counted_by_mode(self) -> None:
        self.alice.checks(IBAN)
        self.alice.checks(IBAN)
        self.has(Mode.FULL)
        self.alice.checks(IBAN)

        response = self.alice.opens(PAGE)

        self.assertContains(response, "There are 3 check records:")
        self.assertContains(response, "1 with the IBAN (full)")
        self.assertContains(response, "2 without (result only)")

    @pytest.mark.claim("kept_when_off")
    def test_the_list_of_stored_data_is_shown_when_off(self) -> None:
        response = self.alice.opens(PAGE)

        for text in ("X-No-Log: 1", "25 months", "30 days after the block has ended", "once a day for each key"):
            self.assertContains(response, text)

    def test_another_clients_records_are_not_counted(self) -> None:
        self.mallory.checks(IBAN)

        self.assertContains(self.alice.opens(PAGE), "There are no check records.")


class ChoosingTests(SettingsTest):
    def test_storing_more_is_saved_recorded_and_mailed(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            response = self.chooses(Mode.FULL, 90)

        self.assertEqual(response["Location"], PAGE)
        self.assertEqual(self.chosen(), Choice(Mode.FULL, 90))
        self.assertContains(self.alice.opens(PAGE), "Saved. This applies to every check from now on.")
        [row] = client_log.open_entries(
            self.alice.client, client_log.entries(self.alice.client, tag="privacy.logging_changed")
        )
        self.assertEqual((row.who, row.details["to"]), ("alice@example.com", "full, 90 days"))
        self.assertEqual([sent.to for sent in mail.outbox], [["alice@example.com"]])

    def test_every_worker_notices(self) -> None:
        before = revisions.current()

        self.chooses(Mode.OFF)

        self.assertNotEqual(revisions.current(), before)

    def test_off_applies_to_the_next_api_call(self) -> None:
        key = self.alice.key()
        self.chooses(Mode.OFF)

        self.calls(key, "/api/v1/validate", {"iban": IBAN})
        self.alice.checks(IBAN)

        self.assertEqual(self.records(), [])

    def test_the_same_again_changes_nothing(self) -> None:
        self.chooses(Mode.FULL, 90)
        self.chooses(Mode.FULL, 90)

        self.assertEqual(self.trail(), ["privacy.logging_changed"])
        self.assertContains(self.alice.opens(PAGE), "these settings already apply")

    def test_wrong_fields_are_named_and_input_remains(self) -> None:
        for days in ("0", "366", "", "many", "-1", "1.5", "9" * 40):
            with self.subTest(days=days):
                response = self.chooses(Mode.FULL, days)

                self.assertEqual(response.status_code, 422)
                self.assertRegex(response.content.decode(), r'value="full"[^>]*checked')
                if days:
                    self.assertContains(response, f'value="{days}"', status_code=422)
        for mode in ("", "everything"):
            response = self.alice.posts(CHANGE, {"mode": mode, "days": "30"})
            self.assertEqual(response.status_code, 422)
        self.assertEqual(self.chosen(), Choice())
        self.assertEqual(self.trail(), [])

    @pytest.mark.claim("proof_again")
    def test_it_needs_a_recent_login_and_drops_earlier_input(self) -> None:
        session = self.alice.browser.session
        for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
            record["at"] = time.time() - 3600
        session.save()

        response = self.chooses(Mode.FULL, 90)
        self.assertEqual(self.chosen(), Choice())
        self.assertTrue(response["Location"].startswith("/account/again/?next="))
        self.alice.posts(response["Location"], {"password": PASSWORD})
        self.assertEqual(self.chosen(), Choice())

        self.chooses(Mode.FULL, 90)
        self.assertEqual(self.chosen(), Choice(Mode.FULL, 90))

    def test_a_member_is_refused_everywhere(self) -> None:
        self.assertEqual(self.vera.opens(PAGE).status_code, 403)
        self.assertEqual(self.vera.opens(CHANGE).status_code, 403)
        for forged in ({}, {"older": "apply"}, {"client": str(self.alice.client.pk)}):
            response = self.vera.posts(CHANGE, {"mode": "off", "days": "30", **forged})
            self.assertEqual(response.status_code, 403)
        self.vera.browser.handler.enforce_csrf_checks = False
        self.assertEqual(self.vera.browser.post(CHANGE, {"mode": "off", "days": "1"}).status_code, 403)

        self.assertEqual(self.chosen(), Choice())

    def test_without_a_csrf_token_nothing_changes(self) -> None:
        response = self.alice.browser.post(CHANGE, {"mode": "off", "days": "1"})

        self.assertEqual((response.status_code, self.chosen()), (403, Choice()))

    def test_another_owner_changes_only_what_is_theirs(self) -> None:
        self.chooses(Mode.FULL, who=self.mallory, client=str(self.alice.client.pk))

        self.assertEqual(self.chosen(), Choice())
        self.assertEqual(check_logging_mode.choice_of(self.mallory.client).mode, Mode.FULL)

    def test_opening_the_form_url_redirects_to_the_page(self) -> None:
        self.assertRedirects(self.alice.opens(CHANGE), PAGE)


class OlderRecordsTests(SettingsTest):
    def setUp(self) -> None:
        super().setUp()
        self.has(Mode.FULL, 90)
        self.alice.checks(IBAN)
        self.alice.checks(IBAN)
        self.mallory.checks(IBAN)

    def test_storing_less_asks_first_and_changes_nothing(self) -> None:
        for mode, days in ((Mode.OFF, 90), (Mode.VERDICT, 90), (Mode.FULL, 30)):
            with self.subTest(mode=mode, days=days):
                response = self.chooses(mode, days)

                self.assertContains(response, "What should happen to the existing records?")
                self.assertContains(response, "2 records contain more than that, or are stored longer.")
        self.assertEqual(self.chosen(), Choice(Mode.FULL, 90))

    def test_they_may_stay_until_they_expire(self) -> None:
        self.chooses(Mode.VERDICT, 30, older="keep")

        self.assertEqual(self.chosen(), Choice(Mode.VERDICT, 30))
        self.assertTrue(all(record.sealed and record.blind_index for record in self.records()))
        self.assertNotIn("privacy.log_reduced", self.trail())

    def test_off_erases_them_on_request(self) -> None:
        self.chooses(Mode.OFF, 90, older="apply")

        self.assertEqual(self.records(), [])
        self.assertEqual(ValidationRecord.objects.count(), 1)
        self.assertContains(self.alice.opens(PAGE), "2 older records were deleted or reduced.")
        [row] = client_log.open_entries(
            self.alice.client, client_log.entries(self.alice.client, tag="privacy.log_reduced")
        )
        self.assertEqual(row.details, {"records": "2", "to": "off, 90 days"})

    def test_verdict_only_removes_what_it_would_not_store(self) -> None:
        self.chooses(Mode.VERDICT, 90, older="apply")

        for record in self.records():
            self.assertEqual((bytes(record.sealed), record.blind_index), (b"", None))
            self.assertEqual((record.country, record.is_valid), ("SE", True))

    def test_fewer_days_shorten_them_and_delete_older_ones(self) -> None:
        old, young = self.records()
        made = datetime.now(UTC) - timedelta(days=60)
        ValidationRecord.objects.filter(pk=old.pk).update(at=made, expires_on=(made + timedelta(days=90)).date())

        self.chooses(Mode.FULL, 30, older="apply")

        [left] = self.records()
        self.assertEqual(left.pk, young.pk)
        self.assertEqual(left.expires_on, left.at.astimezone(UTC).date() + timedelta(days=30))
        self.assertTrue(left.sealed)

    def test_the_question_requires_a_choice(self) -> None:
        for older in ({}, {"older": "perhaps"}):
            response = self.alice.posts(CHANGE, {"mode": "off", "days": "90", "asked": "1", **older})
            self.assertEqual(response.status_code, 422)
        self.assertEqual(self.chosen(), Choice(Mode.FULL, 90))

    def test_a_second_submission_changes_nothing(self) -> None:
        self.chooses(Mode.OFF, 90, older="apply")
        again = self.chooses(Mode.OFF, 90, older="apply")

        self.assertRedirects(again, PAGE)
        self.assertEqual(self.trail().count("privacy.log_reduced"), 1)
        self.assertEqual(self.trail().count("privacy.logging_changed"), 2)

    def test_without_records_there_is_no_question(self) -> None:
        ValidationRecord.objects.filter(client=self.alice.client).delete()

        self.assertRedirects(self.chooses(Mode.OFF), PAGE)
        self.assertEqual(self.chosen().mode, Mode.OFF)

    def test_older_records_can_be_reduced_later(self) -> None:
        self.chooses(Mode.VERDICT, 90, older="keep")
        self.assertContains(self.alice.opens(PAGE), "Some of them contain more than what is stored today.")

        response = self.chooses(Mode.VERDICT, 90, ask="1")
        self.assertContains(response, "What should happen to the existing records?")
        self.chooses(Mode.VERDICT, 90, older="apply")

        self.assertFalse(any(record.sealed for record in self.records()))

    def test_a_long_reduction_continues_in_the_background(self) -> None:
        with patch.object(page, "REDUCES_FOR", timedelta(microseconds=-1)):
            self.chooses(Mode.OFF, 90, older="apply")
        self.assertEqual(len(self.records()), 2)
        self.assertContains(self.alice.opens(PAGE), "they will be processed automatically")

        self.assertEqual(reduction.finish(), 2)

        self.assertEqual(self.records(), [])
        self.assertIn("privacy.log_reduced", self.trail())

    def test_a_late_record_is_reduced_later(self) -> None:
        late = self.records()[0]
        self.chooses(Mode.OFF, 90, older="apply")
        late.save(force_insert=True)

        self.assertEqual(reduction.finish(), 1)

        self.assertEqual(self.records(), [])

    def test_storing_more_again_reduces_nothing(self) -> None:
        self.chooses(Mode.VERDICT, 90, older="apply")
        self.chooses(Mode.FULL, 90)
        self.alice.checks(IBAN)

        self.assertEqual(reduction.finish(), 0)

        self.assertEqual([bool(record.sealed) for record in self.records()].count(True), 1)

    def test_leaving_them_withdraws_an_earlier_decision(self) -> None:
        self.chooses(Mode.FULL, 60, older="apply")
        self.chooses(Mode.FULL, 30, older="keep")

        self.assertFalse(PrivacySettings.objects.get(client=self.alice.client).covers_older)
        self.assertEqual(reduction.finish(), 0)

    def test_a_destroyed_key_does_not_stop_other_clients(self) -> None:
        check_logging_mode.choose(self.mallory.client, Choice(Mode.OFF), by=self.mallory.actor, covers_older=True)
        check_logging_mode.choose(self.alice.client, Choice(Mode.OFF), by=self.alice.actor, covers_older=True)
        vault.destroy(self.mallory.client.pk)

        with self.assertLogs("privacy.check_logging.reduction", "WARNING"):
            self.assertEqual(reduction.finish(), 2)

        self.assertEqual(ValidationRecord.objects.count(), 0)
