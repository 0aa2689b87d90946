"""What is calculated and drawn of metrics: pure numbers, no database."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ibanse.monitoring import sparkline
from ibanse.monitoring.metrics import KINDS, HelpCommand
from ibanse.monitoring.series import DAY, HOUR, PERIODS, STALE_AFTER, counter, daily_total, gauge
from ibanse.monitoring.thresholds import Level, Thresholds, judge

HOURS = [datetime(2026, 11, 26, hour, tzinfo=UTC) for hour in range(6)]
GROWS, RUNS_OUT = Thresholds(attention=5, critical=20), Thresholds(attention=20, critical=10)
AT_ONE = Thresholds(attention=1, critical=1)


def points(path: str) -> list[list[tuple[float, float]]]:
    """Return the strokes of a path as points."""
    strokes = [stroke for stroke in path.split("M") if stroke]
    return [[(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", stroke)] for stroke in strokes]


class TestDrawing:
    def test_it_runs_from_the_first_value_to_the_last_and_zero_is_at_the_bottom(self) -> None:
        drawn = sparkline.draw([0, 5, 10])

        assert drawn is not None
        assert points(drawn.line) == [[(0, sparkline.HEIGHT), (sparkline.WIDTH / 2, 25), (sparkline.WIDTH, 2)]]
        assert (drawn.lowest, drawn.highest) == (0, 10)

    def test_a_missing_value_is_a_gap_and_not_a_zero(self) -> None:
        drawn = sparkline.draw([4, 4, None, None, 4, None, 4])

        assert drawn is not None
        strokes = points(drawn.line)
        assert len(strokes) == 3
        assert all(y < sparkline.HEIGHT for stroke in strokes for _x, y in stroke)
        # One value alone is a short stroke that stays within the drawing.
        assert all(0 <= stroke[0][0] < stroke[-1][0] <= sparkline.WIDTH for stroke in strokes)

    @pytest.mark.parametrize("values", [[], [None, None]])
    def test_without_values_there_is_none(self, values: list[None]) -> None:
        assert sparkline.draw(values) is None

    def test_nothing_but_zeros_lies_on_the_bottom_and_a_percentage_is_drawn_of_a_hundred(self) -> None:
        flat, half = sparkline.draw([0, 0]), sparkline.draw([50, 50], top=100)

        assert flat is not None
        assert half is not None
        assert points(flat.line) == [[(0, sparkline.HEIGHT), (sparkline.WIDTH, sparkline.HEIGHT)]]
        assert points(half.line)[0][0][1] == 25


class TestAggregation:
    def test_a_gauge_shows_each_hour_and_what_is_missing_is_unknown(self) -> None:
        assert gauge({HOURS[0]: 7, HOURS[2]: 9}, HOURS[:3], HOUR) == [7, None, 9]

    def test_a_gauge_shows_noon_of_a_day_whose_end_was_not_measured(self) -> None:
        first, second = (HOURS[0].replace(hour=23) + index * DAY for index in (0, 1))

        assert gauge({first: 5, first.replace(hour=11): 4, second.replace(hour=11): 6}, [first, second], DAY) == [
            5,
            6,
        ]

    def test_a_daily_total_shows_its_differences_which_are_never_negative(self) -> None:
        totals = {HOURS[0]: 5, HOURS[1]: 8, HOURS[2]: 6, HOURS[4]: 9}

        assert daily_total(totals, HOURS[:5], HOUR) == [5, 3, 0, None, None]
        assert daily_total({HOURS[0].replace(hour=23): 40}, [HOURS[0].replace(hour=23)], DAY) == [40]

    def test_a_counter_is_summed_by_the_day(self) -> None:
        later = HOURS[0] + DAY

        assert counter({HOURS[0]: 1, HOURS[5]: 2, later: 4}, [HOURS[0].replace(hour=23), later], DAY) == [3, 4]

    @pytest.mark.parametrize("days", PERIODS)
    def test_a_period_ends_with_the_current_hour_and_has_no_gap(self, days: int) -> None:
        now = datetime(2026, 11, 26, 14, 33, tzinfo=UTC)
        steps = PERIODS[days].steps(now)

        assert steps[-1] == now.replace(minute=0)
        assert len(steps) == len(set(steps)) == (days * 24 if PERIODS[days].step == HOUR else days)
        assert all(later - earlier <= PERIODS[days].step for earlier, later in pairwise(steps))


class TestLevels:
    @pytest.mark.parametrize(
        ("thresholds", "value", "level"),
        [
            (GROWS, 4, Level.OK), (GROWS, 5, Level.ATTENTION), (GROWS, 20, Level.CRITICAL),
            (RUNS_OUT, 21, Level.OK), (RUNS_OUT, 20, Level.ATTENTION), (RUNS_OUT, 0, Level.CRITICAL),
            (AT_ONE, 1, Level.CRITICAL), (AT_ONE, 0, Level.OK),
            (None, 10**12, Level.NEUTRAL),
        ],
    )  # fmt: skip
    def test_a_fresh_value_is_judged_by_its_thresholds(
        self, thresholds: Thresholds | None, value: int, level: Level
    ) -> None:
        assert judge(value, timedelta(minutes=5), thresholds) is level

    def test_an_old_value_and_a_missing_one_are_never_ok(self) -> None:
        assert judge(0, STALE_AFTER, GROWS) is Level.OK
        assert judge(0, STALE_AFTER + timedelta(seconds=1), GROWS) is Level.STALE
        assert judge(None, timedelta(0), GROWS) is Level.UNKNOWN
        assert judge(None, timedelta(0), None) is Level.NEUTRAL
        assert judge(0, None, None) is Level.UNKNOWN
        assert all(level.needs_attention for level in (Level.STALE, Level.UNKNOWN, Level.ATTENTION, Level.CRITICAL))


class TestMetricTable:
    def test_each_metric_has_its_own_key_and_something_that_helps(self) -> None:
        assert len({kind.key for kind in KINDS}) == len(KINDS)
        for kind in KINDS:
            assert not isinstance(kind.help, HelpCommand) or (kind.help.command and kind.help.section)
