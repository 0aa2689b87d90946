"""The overview of the back-office, through the door: who sees which readings, and what they say."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import counters
from accounts.counters import hour_of
from accounts.models import Metric
from accounts.staff import groups
from ibanse.monitoring import sampling
from ibanse.monitoring.metrics import KINDS, Kind, Page
from ibanse.monitoring.series import HOUR
from tests.base import BaseTest, Person

SEEN = {
    "support": {"clients", "queues"},
    "billing": {"clients", "calls"},
    "security": {"calls", "queues", "machines", "safety"},
    "lead": {"machines", "safety"},
}
"""Group → the sections of readings that its members see at least a part of."""
MOST_QUERIES = 12


def past(now: datetime, days: int) -> Iterator[Metric]:
    """Yield readings of every kind, for each hour of so many days."""
    for index in range(days * 24):
        at = hour_of(now) - index * HOUR
        parts = [(kind.name, kind.part, "") for kind in KINDS]
        parts += [("free", kind.part, "") for kind in KINDS if kind.name == "free_share"]
        parts += [("refused", f"code_{number}", "") for number in range(16)]
        for name, part, node in parts:
            yield Metric(name=name, part=part, node=node, at=at, value=index % 50, taken_at=min(now, at + HOUR))


class OverviewTests(BaseTest):
    def cards(self, person: Person, query: str = "") -> set[str]:
        page = person.opens("/admin/", QUERY_STRING=query).content.decode()
        return set(re.findall(r'<article class="card reading" id="([\w-]+)"', page))

    def test_each_group_sees_the_readings_of_its_rooms_and_no_other(self) -> None:
        sampling.take(timezone.now())
        for name, sections in SEEN.items():
            shown = self.cards(self.staff(name))
            permitted = {
                kind.key
                for kind in KINDS
                if f"accounts.{kind.permission}" in groups.GROUPS[name].permissions and not kind.only_in_production
            }
            with self.subTest(group=name):
                self.assertEqual(shown, permitted)
                self.assertEqual({kind.section for kind in KINDS if kind.key in shown}, sections)
        self.assertEqual(self.cards(self.staff()), set())

    def test_each_reading_leads_to_a_page_that_opens_or_to_a_command(self) -> None:
        sampling.take(timezone.now())
        for name in groups.GROUPS:
            person = self.staff(name)
            page = person.opens("/admin/").content.decode()
            links = re.findall(r'<p class="place"><a href="([^"]+)"', page)
            with self.subTest(group=name):
                self.assertEqual({link: person.opens(link).status_code for link in links}, dict.fromkeys(links, 200))
                self.assertEqual(len(links), sum(page.count(f'id="{kind.key}"') for kind in self.led_to(name)))

    def led_to(self, group: str) -> list[Kind]:
        rights = groups.GROUPS[group].permissions
        return [kind for kind in KINDS if isinstance(kind.place, Page) and kind.place.permission in rights]

    def test_before_the_first_reading_it_says_when_they_come_and_how_to_take_one(self) -> None:
        self.assertContains(self.staff("security").opens("/admin/"), "python manage.py collect_metrics")
        with override_settings(EMBEDDED=False, SECURE_SSL_REDIRECT=False):
            page = self.staff("security").opens("/admin/", HTTP_X_REAL_IP="192.0.2.7")

        self.assertContains(page, "sudo /opt/ibanse/current/deploy/manage collect_metrics")
        self.assertContains(page, "systemctl status ibanse-collect-metrics.timer")

    def test_what_is_calm_says_so_and_what_is_not_stands_first_with_what_helps(self) -> None:
        sampling.take(timezone.now())
        Metric.objects.filter(name="mails").update(value=7)

        page = self.staff("support").opens("/admin/").content.decode()

        wants = page[page.index('id="wants-title"') : page.index('<nav class="spans"')]
        self.assertIn("1 metric needs attention", wants)
        self.assertIn('href="#mails"', wants)
        self.assertIn("act now</span>", wants)
        self.assertIn("manage mail_messages", page)
        self.assertIn("calm</span>", page)

    def test_an_old_reading_is_told_as_old_whatever_it_said(self) -> None:
        sampling.take(timezone.now() - timedelta(hours=3))
        sten = self.staff("support")

        page = sten.opens("/admin/").content.decode()

        self.assertIn("old</span>", page)
        self.assertNotIn("calm</span>", page)
        self.assertIn("No metrics have been recorded for 3 hours, so the current state is unknown.", page)
        self.assertNotIn('id="wants-title"', page)

        sampling.take(timezone.now())
        Metric.objects.filter(name="mails").update(taken_at=timezone.now() - timedelta(hours=3))
        with override_settings(EMBEDDED=False, SECURE_SSL_REDIRECT=False, SECURE_PROXY_SSL_HEADER=None):
            page = sten.opens("/admin/").content.decode()

        self.assertIn("1 metric needs attention", page)
        self.assertRegex(page, r"Taken 3\xa0hours ago. Look why: <code>systemctl status ibanse-collect-metrics.timer")

    def test_nobody_knows_of_a_backup_that_was_never_stamped(self) -> None:
        sampling.take(timezone.now())

        page = self.staff("lead").opens("/admin/").content.decode()

        card = page[page.index('id="backup"') :]
        self.assertIn("unknown</span>", card[: card.index("</article>")])

    def test_calls_and_refusals_are_told_by_the_hour(self) -> None:
        now = timezone.now()
        hour = hour_of(now)
        sampling.take(now)
        base = 0 if (hour - HOUR).hour == 0 else 40
        rows = [(hour - 2 * HOUR, base), (hour - HOUR, base + 25), (hour, 3 if hour.hour == 0 else base + 28)]
        Metric.objects.filter(name="calls").delete()
        Metric.objects.bulk_create(Metric(name="calls", at=at, value=value, taken_at=now) for at, value in rows)
        Metric.objects.create(name="refused", part="key_missing", at=hour - HOUR, value=11)
        counters.count("refused", "key_unknown")
        counters.flush()

        page = self.staff("security").opens("/admin/").content.decode()

        told = re.findall(r"<strong>([\d–]+)</strong> +<span class=\"muted\">in the last full hour", page)
        self.assertEqual(told[:2], ["25", "11"])
        self.assertIn("3 so far this hour", page)
        self.assertIn("1 so far this hour", page)

    def test_in_the_first_hour_calls_are_not_known_and_nobody_is_called_for_that(self) -> None:
        sampling.take(timezone.now())

        page = self.staff("billing").opens("/admin/").content.decode()

        self.assertIn("Available once a full hour has been measured.", page)
        self.assertIn("Nothing needs attention", page)

    def test_several_machines_are_told_apart(self) -> None:
        now = timezone.now()
        sampling.take(now)
        Metric.objects.create(name="spool", node="web2", at=hour_of(now), value=9 * 1024 * 1024, taken_at=now)

        page = self.staff("support").opens("/admin/").content.decode()

        self.assertIn('id="spool-web2"', page)
        self.assertIn(f'id="spool-{sampling.node()}"', page)
        self.assertIn("(web2)</a>: 9.0", page)

    def test_ninety_days_of_readings_take_no_more_queries_and_odd_periods_the_usual_one(self) -> None:
        now = timezone.now()
        Metric.objects.bulk_create(past(now, 20), batch_size=5_000)
        security = self.staff("security")
        security.opens("/admin/")  # The first visit of a session writes down that there is one.
        for query in ("", "days=1", "days=90", "days=8", "days=x", "days=-1", "days=90&days=\x00"):
            with self.subTest(query=query), CaptureQueriesContext(connection) as queries:
                self.assertEqual(len(self.cards(security, query)), len(self.cards_of("security")))
            asked = [entry["sql"] for entry in queries if "SAVEPOINT" not in entry["sql"]]
            self.assertEqual(len([sql for sql in asked if "accounts_reading" in sql]), 2)
            self.assertLessEqual(len(asked), MOST_QUERIES, asked)

    def cards_of(self, group: str) -> list[str]:
        rights = groups.GROUPS[group].permissions
        return [kind.key for kind in KINDS if f"accounts.{kind.permission}" in rights and not kind.only_in_production]


class RefusedCallsTests(BaseTest):
    def test_reasons_are_told_by_the_hour_and_nobody_is_named(self) -> None:
        key = self.alice.key()
        for token in (None, None, key[:-1] + "x"):
            self.calls(token, "/api/v1/validate", {}, address="203.0.113.77")
        counters.flush()
        sampling.take(timezone.now())

        page = self.staff("security").opens("/admin/refused-calls/").content.decode()

        self.assertIn("3 refused calls", page)
        self.assertRegex(page, r"key_missing</code> 2\b")
        self.assertIn("Missing key", page)
        for secret in ("203.0.113", "ibanse_live", str(self.alice.client.pk), "alice@"):
            self.assertNotIn(secret, page)

    def test_a_quiet_week_is_told_from_one_in_which_nobody_looked(self) -> None:
        watch = self.staff("security")
        self.assertContains(watch.opens("/admin/refused-calls/"), "Nothing counted yet")
        sampling.take(timezone.now())

        self.assertContains(watch.opens("/admin/refused-calls/"), "No calls were refused")

    def test_a_code_of_another_release_is_told_by_its_name(self) -> None:
        Metric.objects.create(name="refused", part="of_tomorrow", at=hour_of(timezone.now()), value=4)

        self.assertContains(self.staff("security").opens("/admin/refused-calls/"), "of_tomorrow")
