"""The table of background jobs: each is done in time, by a thread or by a timer, and deploy/systemd says the same."""

import configparser
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final
from unittest.mock import Mock, patch

import pytest
from django.core.management import get_commands
from django.db import OperationalError
from django.test import override_settings

from accounts import reconnect
from ibanse import scheduler
from ibanse.scheduler import DAY, JOBS, MONTH, Job, JobThread
from tests.support import services

UNITS: Final = services.ROOT / "deploy" / "systemd"
TIMERS: Final = {job.name: job for job in JOBS if job.runner == "timer"}
CALENDAR: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], timedelta]], ...]] = (
    (re.compile(r"\*:0/(\d+)"), lambda found: timedelta(minutes=int(found[1]))),
    (re.compile(r"\*-\*-\* \d\d:\d\d:\d\d UTC"), lambda _found: DAY),
    (re.compile(r"\*-\*-01 \d\d:\d\d:\d\d UTC"), lambda _found: MONTH),
)
"""The forms of OnCalendar= that our units use."""


def unit(name: str) -> configparser.ConfigParser:
    """Return what a unit says; of what it says several times, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capital letters
    parser.read_string((UNITS / name).read_text(encoding="utf-8"))
    return parser


def interval_of(timer: str) -> timedelta:
    """Return how often a timer goes off."""
    calendar = unit(timer)["Timer"]["OnCalendar"]
    [interval] = [of(found) for form, of in CALENDAR if (found := form.fullmatch(calendar))]
    return interval


class TestJobTable:
    def test_names_are_unique(self) -> None:
        assert len({job.name for job in JOBS}) == len(JOBS)

    def test_each_timer_is_in_it(self) -> None:
        found = {path.stem.removeprefix("ibanse-") for path in UNITS.glob("*.timer")}

        assert found == set(TIMERS)

    @pytest.mark.parametrize("name", TIMERS)
    def test_timer_goes_off_as_it_says(self, name: str) -> None:
        assert interval_of(f"ibanse-{name}.timer") == TIMERS[name].interval

    @pytest.mark.parametrize("name", TIMERS)
    def test_unit_runs_what_it_says(self, name: str) -> None:
        command = TIMERS[name].command
        started = unit(f"ibanse-{name}.service")["Service"]["ExecStart"]

        assert started.endswith((f"manage.py {command}", f"-m {command}"))
        assert " " in command or command in get_commands()

    def test_thread_has_something_to_call(self) -> None:
        for job in JOBS:
            assert (job.run is None) == (job.runner == "timer" and job.embedded_interval is None), job.name
            assert (job.command == "") == (job.runner == "thread"), job.name

    def test_embedded_mode_does_what_only_timers_do_in_production(self) -> None:
        def done() -> set[str]:
            return {job.name for job in JOBS if job.thread_interval()}

        with override_settings(EMBEDDED=True):
            embedded = done()
        with override_settings(EMBEDDED=False):
            assert embedded - done() == {"execute-deletions", "collect-metrics"}


def times(job: Job, *moments: float) -> int:
    """Return how often the thread does a job when it looks at these moments."""
    work = Mock()
    watched = Job(job.name, job.interval, job.runner, work, job.command, job.embedded_interval)
    with patch.object(scheduler, "JOBS", (watched,)), patch("ibanse.scheduler.time") as clock:
        runner = JobThread()
        for clock.monotonic.return_value in moments:
            runner.run_due()
    return work.call_count


def named(name: str) -> Job:
    """Return a job of the table."""
    return next(job for job in JOBS if job.name == name)


@pytest.mark.claim("retention")
class TestTheThread:
    @pytest.fixture(autouse=True)
    def no_database(self) -> Iterator[None]:
        """Nothing here meets one."""
        with patch("ibanse.scheduler.close_old_connections"):
            yield

    def test_a_worker_prunes_everything_when_it_begins_and_then_once_an_hour(self) -> None:
        assert times(named("prune-hourly"), 10.0, 70.0, 3_609.0, 3_610.0, 3_700.0) == 2

    def test_it_leaves_the_rest_to_others_when_the_process_ends(self) -> None:
        tables = iter([("checks", 1), ("sessions", 1)])
        with patch("ibanse.scheduler.prune", return_value=tables):
            work = named("prune-hourly").run
            assert work is not None
            work(lambda: True)

        assert list(tables) == [("sessions", 1)]

    def test_embedded_metrics_are_collected_at_the_start_and_every_five_minutes(self) -> None:
        assert times(named("collect-metrics"), 10.0, 12.0, 309.0, 310.0, 400.0) == 2

    @override_settings(EMBEDDED=False)
    def test_production_leaves_a_timers_job_to_the_timer(self) -> None:
        assert times(named("collect-metrics"), 10.0, 310.0) == 0

    def test_a_job_that_fails_stops_no_other(self, caplog: pytest.LogCaptureFixture) -> None:
        work = Mock()
        jobs = (
            Job("broken", timedelta(0), "thread", Mock(side_effect=OSError("an address"))),
            Job("whole", timedelta(0), "thread", work),
        )
        with patch.object(scheduler, "JOBS", jobs):
            JobThread().run_due()

        assert work.call_count == 1
        assert "broken (OSError)" in caplog.text
        assert "an address" not in caplog.text


class TestEnding:
    def test_what_was_counted_is_written_also_when_connections_have_died(self) -> None:
        runner = scheduler.JobThread()
        dead = OperationalError("server closed the connection unexpectedly")
        with (
            patch.object(runner, "_thread"),
            patch.object(reconnect, "PAUSE_SECONDS", 0.0),
            patch("accounts.counters.flush", side_effect=[dead, dead, None]) as flush,
            patch.object(reconnect, "connections"),
        ):
            runner.stop()

        assert flush.call_count == 3

    def test_owners_whose_passwords_were_guessed_at_are_still_mailed(self) -> None:
        runner = scheduler.JobThread()
        with (
            patch.object(runner, "_thread"),
            patch("accounts.counters.flush"),
            patch("accounts.auth.wrong_passwords.mail_owners") as mail_owners,
        ):
            runner.stop()

        mail_owners.assert_called_once_with()
