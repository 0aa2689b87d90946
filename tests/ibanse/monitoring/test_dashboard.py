"""The overview of the back-office: who sees which metrics, and what it shows of them."""

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
from ibanse.monitoring.metrics import KINDS, HelpPage, MetricKind
from ibanse.monitoring.series import HOUR
from tests.base import BaseTest, Person

SEEN = {
    "support": {"clients", "queues"},
    "billing": {"clients", "calls"},
    "security": {"calls", "queues", "machines", "safety"},
    "lead": {"machines", "safety"},
}
"""Group → the sections of which its members see at least a part."""
MOST_QUERIES = 12


def past(now: datetime, days: int) -> Iterator[Metric]:
    """Yield rows of every metric, for each hour of so many days."""
    for index in range(days * 24):
        at = hour_of(now) - index * HOUR
        parts = [(kind.name, kind.part, "") for kind in KINDS]
        parts += [("free", kind.part, "") for kind in KINDS if kind.name == "free_share"]
        parts += [("refused", f"code_{index}", "") for index in range(16)]
        for name, part, node in parts:
            yield Metric(name=name, part=part, node=node, at=at, value=index % 50, taken_at=min(now, at + HOUR))


class MetricsOverviewTests(BaseTest):
    def cards(self, person: Person, query: str = "") -> set[str]:
        page = person.opens("/admin/", QUERY_STRING=query).content.decode()
        return set(re.findall(r'<article class="card metric" id="([\w-]+)"', page))

    def test_each_group_sees_its_metrics_and_no_others(self) -> None:
        sampling.collect(timezone.now())
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

    def test_each_metric_leads_to_a_page_that_opens_or_to_a_command(self) -> None:
        sampling.collect(timezone.now())
        for name in groups.GROUPS:
            person = self.staff(name)
            page = person.opens("/admin/").content.decode()
            links = re.findall(r'<p class="place"><a href="([^"]+)"', page)
            with self.subTest(group=name):
                self.assertEqual({link: person.opens(link).status_code for link in links}, dict.fromkeys(links, 200))
                self.assertEqual(
                    len(links), sum(page.count(f'id="{kind.key}"') for kind in self.kinds_with_a_page(name))
                )

    def kinds_with_a_page(self, group: str) -> list[MetricKind]:
        rights = groups.GROUPS[group].permissions
        return [kind for kind in KINDS if isinstance(kind.help, HelpPage) and kind.help.permission in rights]

    def test_before_the_first_collection_it_says_when_metrics_come_and_how_to_collect_them(self) -> None:
        self.assertContains(self.staff("security").opens("/admin/"), "python manage.py collect_metrics")
        with override_settings(EMBEDDED=False, SECURE_SSL_REDIRECT=False):
            page = self.staff("security").opens("/admin/", HTTP_X_REAL_IP="192.0.2.7")

        self.assertContains(page, "sudo /opt/ibanse/current/deploy/manage collect_metrics")
        self.assertContains(page, "systemctl status ibanse-collect-metrics.timer")

    def test_what_is_ok_says_so_and_what_is_not_comes_first_with_what_helps(self) -> None:
        sampling.collect(timezone.now())
        Metric.objects.filter(name="mails").update(value=7)

        page = self.staff("support").opens("/admin/").content.decode()

        summary = page[page.index('id="attention-title"') : page.index('<nav class="periods"')]
        self.assertIn("1 metric needs attention", summary)
        self.assertIn('href="#mails"', summary)
        self.assertIn("critical</span>", summary)
        self.assertIn("manage mail_messages", page)
        self.assertIn("OK</span>", page)

    def test_an_old_value_is_shown_as_stale_whatever_it_was(self) -> None:
        sampling.collect(timezone.now() - timedelta(hours=3))
        sten = self.staff("support")

        page = sten.opens("/admin/").content.decode()

        self.assertIn("out of date</span>", page)
        self.assertNotIn("OK</span>", page)
        self.assertIn("No metrics have been recorded for 3 hours, so the current state is unknown.", page)
        self.assertNotIn('id="attention-title"', page)

        sampling.collect(timezone.now())
        Metric.objects.filter(name="mails").update(taken_at=timezone.now() - timedelta(hours=3))
        with override_settings(EMBEDDED=False, SECURE_SSL_REDIRECT=False, SECURE_PROXY_SSL_HEADER=None):
            page = sten.opens("/admin/").content.decode()

        self.assertIn("1 metric needs attention", page)
        self.assertIn(
            "Recorded 3\xa0hours ago. Troubleshoot: <code>systemctl status ibanse-collect-metrics.timer", page
        )

    def test_a_backup_that_never_happened_is_unknown(self) -> None:
        sampling.collect(timezone.now())

        page = self.staff("lead").opens("/admin/").content.decode()

        card = page[page.index('id="backup"') :]
        self.assertIn("unknown</span>", card[: card.index("</article>")])

    def test_calls_and_refusals_are_shown_by_the_hour(self) -> None:
        now = timezone.now()
        hour = hour_of(now)
        sampling.collect(now)
        base = 0 if (hour - HOUR).hour == 0 else 40
        rows = [(hour - 2 * HOUR, base), (hour - HOUR, base + 25), (hour, 3 if hour.hour == 0 else base + 28)]
        Metric.objects.filter(name="calls").delete()
        Metric.objects.bulk_create(Metric(name="calls", at=at, value=value, taken_at=now) for at, value in rows)
        Metric.objects.create(name="refused", part="key_missing", at=hour - HOUR, value=11)
        counters.count("refused", "key_unknown")
        counters.flush()

        page = self.staff("security").opens("/admin/").content.decode()

        values = re.findall(r"<strong>([\d–]+)</strong> +<span class=\"muted\">in the last full hour", page)
        self.assertEqual(values[:2], ["25", "11"])
        self.assertIn("3 so far this hour", page)
        self.assertIn("1 so far this hour", page)

    def test_in_the_first_hour_calls_are_unknown_and_need_no_attention(self) -> None:
        sampling.collect(timezone.now())

        page = self.staff("billing").opens("/admin/").content.decode()

        self.assertIn("Available once a full hour has been measured.", page)
        self.assertIn("Nothing needs attention", page)

    def test_several_machines_are_shown_separately(self) -> None:
        now = timezone.now()
        sampling.collect(now)
        Metric.objects.create(name="spool", node="web2", at=hour_of(now), value=9 * 1024 * 1024, taken_at=now)

        page = self.staff("support").opens("/admin/").content.decode()

        self.assertIn('id="spool-web2"', page)
        self.assertIn(f'id="spool-{sampling.node()}"', page)
        self.assertIn("(web2)</a>: 9.0", page)

    def test_ninety_days_of_metrics_take_no_more_queries_and_invalid_periods_show_the_default_one(self) -> None:
        now = timezone.now()
        Metric.objects.bulk_create(past(now, 20), batch_size=5_000)
        security = self.staff("security")
        security.opens("/admin/")  # The first visit of a session writes down that there is one.
        for query in ("", "days=1", "days=90", "days=8", "days=x", "days=-1", "days=90&days=\x00"):
            with self.subTest(query=query), CaptureQueriesContext(connection) as queries:
                self.assertEqual(len(self.cards(security, query)), len(self.cards_of("security")))
            statements = [entry["sql"] for entry in queries if "SAVEPOINT" not in entry["sql"]]
            self.assertEqual(len([sql for sql in statements if "accounts_metric" in sql]), 2)
            self.assertLessEqual(len(statements), MOST_QUERIES, statements)

    def cards_of(self, group: str) -> list[str]:
        rights = groups.GROUPS[group].permissions
        return [kind.key for kind in KINDS if f"accounts.{kind.permission}" in rights and not kind.only_in_production]


class RefusedCallsTests(BaseTest):
    def test_reasons_are_shown_by_the_hour_without_naming_anybody(self) -> None:
        key = self.alice.key()
        for token in (None, None, key[:-1] + "x"):
            self.calls(token, "/api/v1/validate", {}, address="203.0.113.77")
        counters.flush()
        sampling.collect(timezone.now())

        page = self.staff("security").opens("/admin/refused-calls/").content.decode()

        self.assertIn("3 refused calls", page)
        self.assertRegex(page, r"key_missing</code> 2\b")
        self.assertIn("Missing key", page)
        for secret in ("203.0.113", "ibanse_live", str(self.alice.client.pk), "alice@"):
            self.assertNotIn(secret, page)

    def test_a_quiet_week_differs_from_one_that_was_not_measured(self) -> None:
        security = self.staff("security")
        self.assertContains(security.opens("/admin/refused-calls/"), "Nothing counted yet")
        sampling.collect(timezone.now())

        self.assertContains(security.opens("/admin/refused-calls/"), "No calls were refused")

    def test_a_code_of_another_release_is_shown_by_its_name(self) -> None:
        Metric.objects.create(name="refused", part="of_tomorrow", at=hour_of(timezone.now()), value=4)

        self.assertContains(self.staff("security").opens("/admin/refused-calls/"), "of_tomorrow")
