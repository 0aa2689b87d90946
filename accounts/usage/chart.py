"""The geometry of the chart of checks per day; the SVG is in templates/accounts/usage/chart.html."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from accounts.usage.counts import DayCounts

WIDTH: Final = 600
HEIGHT: Final = 160
_GAP: Final = 0.25
"""The share of a day's width that stays empty."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day. Coordinates are strings with a decimal point, since templates localise numbers."""

    day: date
    valid: int
    invalid: int
    x: str
    width: str
    valid_y: str
    valid_height: str
    invalid_y: str
    invalid_height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A stacked bar per day, scaled to a round number at the top."""

    bars: list[Bar]
    top: int
    middle: int
    first: date
    last: date
    width: int = WIDTH
    height: int = HEIGHT


def draw(days: list[DayCounts]) -> Chart:
    """Return the chart of these days, oldest first; there must be at least one."""
    top = _round_up(max(day.total for day in days))
    slot = WIDTH / len(days)
    bars = [_bar(day, index * slot, slot, top) for index, day in enumerate(days)]
    return Chart(bars, top, top // 2, days[0].day, days[-1].day)


def _bar(day: DayCounts, left: float, slot: float, top: int) -> Bar:
    valid, invalid = day.valid * HEIGHT / top, day.invalid * HEIGHT / top
    return Bar(
        day=day.day,
        valid=day.valid,
        invalid=day.invalid,
        x=_coordinate(left + slot * _GAP / 2),
        width=_coordinate(slot * (1 - _GAP)),
        valid_y=_coordinate(HEIGHT - valid),
        valid_height=_coordinate(valid),
        invalid_y=_coordinate(HEIGHT - valid - invalid),
        invalid_height=_coordinate(invalid),
    )


def _coordinate(value: float) -> str:
    return f"{value:.2f}"


def _round_up(most: int) -> int:
    """Return the next of 10, 20, 40, 60, 80, 100, 200 …, whose halves are whole numbers too."""
    step = 10
    while most > step * 10:
        step *= 10
    for factor in (1, 2, 4, 6, 8):
        if most <= step * factor:
            return step * factor
    return step * 10
