"""The checks per day as a drawing: where each bar stands. Knows counts and days, and no HTML."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from accounts.usage.counts import Day

WIDTH: Final = 600
HEIGHT: Final = 160
_GAP: Final = 0.25
"""How much of a day's place stays empty."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day. Coordinates are texts with a point, since a page would write numbers as its language does."""

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


def draw(days: list[Day]) -> Chart:
    """Return the drawing of these days, oldest first; there must be at least one."""
    top = _round_up(max(day.total for day in days))
    place = WIDTH / len(days)
    bars = [_bar(day, index * place, place, top) for index, day in enumerate(days)]
    return Chart(bars, top, top // 2, days[0].day, days[-1].day)


def _bar(day: Day, left: float, place: float, top: int) -> Bar:
    valid, invalid = day.valid * HEIGHT / top, day.invalid * HEIGHT / top
    return Bar(
        day=day.day,
        valid=day.valid,
        invalid=day.invalid,
        x=_point(left + place * _GAP / 2),
        width=_point(place * (1 - _GAP)),
        valid_y=_point(HEIGHT - valid),
        valid_height=_point(valid),
        invalid_y=_point(HEIGHT - valid - invalid),
        invalid_height=_point(invalid),
    )


def _point(number: float) -> str:
    return f"{number:.2f}"


def _round_up(most: int) -> int:
    """Return the next of 10, 20, 40, 60, 80, 100, 200 …: its half is whole, too."""
    step = 10
    while most > step * 10:
        step *= 10
    for factor in (1, 2, 4, 6, 8):
        if most <= step * factor:
            return step * factor
    return step * 10
