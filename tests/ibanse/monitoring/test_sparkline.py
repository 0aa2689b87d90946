"""What is reckoned and drawn of readings: pure numbers, no database."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ibanse.monitoring import sparkline
from ibanse.monitoring.metrics import KINDS, Shell
from ibanse.monitoring.series import DAY, HOUR, PERIODS, STALE_AFTER, counted, running, standing
from ibanse.monitoring.thresholds import Level, Limits, judge

HOURS = [datetime(2026, 11, 26, hour, tzinfo=UTC) for hour in range(6)]
GROWS, RUNS_OUT = Limits(watch=5, act=20), Limits(watch=20, act=10)


def points(path: str) -> list[list[tuple[float, float]]]:
    """Return the strokes of a path as places."""
    strokes = [stroke for stroke in path.split("M") if stroke]
    return [[(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", stroke)] for stroke in strokes]


class TestTheDrawing:
    def test_it_runs_from_the_first_value_to_the_last_and_zero_is_at_the_bottom(self) -> None:
        drawn = sparkline.draw([0, 5, 10])

        assert drawn is not None
        assert points(drawn.line) == [[(0, sparkline.HEIGHT), (sparkline.WIDTH / 2, 25), (sparkline.WIDTH, 2)]]
        assert (drawn.lowest, drawn.highest) == (0, 10)

    def test_what_nobody_has_measured_is_a_gap_and_no_zero(self) -> None:
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


class TestTheReckoning:
    def test_what_stands_is_told_as_it_was_and_what_is_missing_is_unknown(self) -> None:
        assert standing({HOURS[0]: 7, HOURS[2]: 9}, HOURS[:3], HOUR) == [7, None, 9]

    def test_of_a_day_that_nobody_saw_the_end_of_noon_is_told(self) -> None:
        first, second = (HOURS[0].replace(hour=23) + index * DAY for index in (0, 1))

        assert standing({first: 5, first.replace(hour=11): 4, second.replace(hour=11): 6}, [first, second], DAY) == [
            5,
            6,
        ]

    def test_a_total_of_the_day_is_told_by_its_differences_and_never_falls_below_nothing(self) -> None:
        totals = {HOURS[0]: 5, HOURS[1]: 8, HOURS[2]: 6, HOURS[4]: 9}

        assert running(totals, HOURS[:5], HOUR) == [5, 3, 0, None, None]
        assert running({HOURS[0].replace(hour=23): 40}, [HOURS[0].replace(hour=23)], DAY) == [40]

    def test_what_is_counted_is_added_up_by_the_day(self) -> None:
        later = HOURS[0] + DAY

        assert counted({HOURS[0]: 1, HOURS[5]: 2, later: 4}, [HOURS[0].replace(hour=23), later], DAY) == [3, 4]

    @pytest.mark.parametrize("days", PERIODS)
    def test_a_period_ends_with_the_hour_under_way_and_has_no_gap(self, days: int) -> None:
        now = datetime(2026, 11, 26, 14, 33, tzinfo=UTC)
        steps = PERIODS[days].steps(now)

        assert steps[-1] == now.replace(minute=0)
        assert len(steps) == len(set(steps)) == (days * 24 if PERIODS[days].step == HOUR else days)
        assert all(later - earlier <= PERIODS[days].step for earlier, later in pairwise(steps))


class TestTheLevels:
    @pytest.mark.parametrize(
        ("limits", "value", "level"),
        [
            (GROWS, 4, Level.CALM), (GROWS, 5, Level.WATCH), (GROWS, 20, Level.ACT),
            (RUNS_OUT, 21, Level.CALM), (RUNS_OUT, 20, Level.WATCH), (RUNS_OUT, 0, Level.ACT),
            (Limits(watch=1, act=1), 1, Level.ACT), (Limits(watch=1, act=1), 0, Level.CALM),
            (None, 10**12, Level.PLAIN),
        ],
    )  # fmt: skip
    def test_a_fresh_value_is_judged_by_its_limits(self, limits: Limits | None, value: int, level: Level) -> None:
        assert judge(value, timedelta(minutes=5), limits) is level

    def test_an_old_value_and_a_missing_one_are_never_calm(self) -> None:
        assert judge(0, STALE_AFTER, GROWS) is Level.CALM
        assert judge(0, STALE_AFTER + timedelta(seconds=1), GROWS) is Level.STALE
        assert judge(None, timedelta(0), GROWS) is Level.UNKNOWN
        assert judge(None, timedelta(0), None) is Level.PLAIN
        assert judge(0, None, None) is Level.UNKNOWN
        assert all(level.wants_somebody for level in (Level.STALE, Level.UNKNOWN, Level.WATCH, Level.ACT))


class TestTheTable:
    def test_each_reading_is_told_once_and_has_a_place_to_act(self) -> None:
        assert len({kind.key for kind in KINDS}) == len(KINDS)
        for kind in KINDS:
            assert not isinstance(kind.place, Shell) or (kind.place.command and kind.place.section)
