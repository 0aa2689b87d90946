"""What is done in the background: also that everything that has reached its end goes by itself."""

from unittest.mock import patch

import pytest
from django.db import OperationalError

from accounts import reconnect
from ibanse import scheduler

pytestmark = pytest.mark.claim("retention")


class TestRetention:
    def test_a_worker_prunes_everything_when_it_begins_and_then_once_an_hour(self) -> None:
        runner = scheduler.Runner()
        with (
            patch("ibanse.scheduler.prune", return_value=iter([])) as prune,
            patch("ibanse.scheduler.time") as clock,
        ):
            for clock.monotonic.return_value in (10.0, 70.0, 3_609.0, 3_610.0, 3_700.0):
                runner._prune_everything()  # noqa: SLF001 - without its thread

        assert prune.call_count == 2

    def test_it_leaves_the_rest_to_others_when_the_process_ends(self) -> None:
        runner = scheduler.Runner()
        runner._stop.set()  # noqa: SLF001 - as above
        tables = iter([("checks", 1), ("sessions", 1)])
        with patch("ibanse.scheduler.prune", return_value=tables):
            runner._prune_everything()  # noqa: SLF001 - as above

        assert list(tables) == [("sessions", 1)]


class TestEnding:
    def test_what_was_counted_is_written_also_when_connections_have_died(self) -> None:
        runner = scheduler.Runner()
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
        runner = scheduler.Runner()
        with (
            patch.object(runner, "_thread"),
            patch("accounts.counters.flush"),
            patch("accounts.auth.wrong_passwords.mail_owners") as mail_owners,
        ):
            runner.stop()

        mail_owners.assert_called_once_with()
