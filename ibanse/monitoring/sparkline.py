"""A row of values as a line to look at: where it runs. Knows numbers, and neither what they mean nor any HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

WIDTH: Final = 300
HEIGHT: Final = 48
_ROOM: Final = 2
"""Above the highest value, so that the line's own width is not cut off."""

Value = float | None
"""None: nobody has measured it."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A line and what lies under it, as the `d` of SVG paths. Where a value is missing the line has a gap."""

    line: str
    area: str
    lowest: float
    highest: float
    width: int = WIDTH
    height: int = HEIGHT


def draw(values: Sequence[Value], *, top: float | None = None) -> Trend | None:
    """Return the drawing of these values, oldest first, from zero up to `top` or else to the highest of them.

    None when there is nothing to draw: not one value is known.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    scale = top or max(known) or 1
    step = WIDTH / max(1, len(values) - 1)
    places = [(index * step, _height(value, scale)) for index, value in enumerate(values) if value is not None]
    indexes = [index for index, value in enumerate(values) if value is not None]
    # Neighbours have the same distance to their place among those that are known.
    runs = [
        [place for _offset, place in run]
        for _key, run in groupby(
            zip((index - count for count, index in enumerate(indexes)), places, strict=True), lambda pair: pair[0]
        )
    ]
    lines = [_line(run, step) for run in runs]
    return Trend(
        line="".join(f"M{_path(line)}" for line in lines),
        area="".join(f"M{_point(line[0][0])} {HEIGHT}L{_path(line)}L{_point(line[-1][0])} {HEIGHT}Z" for line in lines),
        lowest=min(known),
        highest=max(known),
    )


Place = tuple[float, float]


def _height(value: float, scale: float) -> float:
    return HEIGHT - min(value, scale) / scale * (HEIGHT - _ROOM)


def _line(run: list[Place], step: float) -> list[Place]:
    """Return the run; one value alone between two gaps becomes a short stroke, since a point has no length."""
    if len(run) > 1:
        return run
    (across, down), half = run[0], min(step / 2, WIDTH / 20)
    return [(max(0.0, across - half), down), (min(float(WIDTH), across + half), down)]


def _path(places: list[Place]) -> str:
    return "L".join(f"{_point(across)} {_point(down)}" for across, down in places)


def _point(number: float) -> str:
    # With a point, since a page would write numbers as its language does.
    return f"{number:.1f}"
