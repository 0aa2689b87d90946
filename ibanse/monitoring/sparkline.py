"""Draws values as a line, in the path syntax of SVG. Knows numbers, and neither what they mean nor any HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

WIDTH: Final = 300
HEIGHT: Final = 48
_MARGIN: Final = 2
"""Above the highest value, so that the width of the line is not cut off."""

Value = float | None
"""None: not measured."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A line and the area under it, as the `d` of SVG paths. A missing value is a gap."""

    line: str
    area: str
    lowest: float
    highest: float
    width: int = WIDTH
    height: int = HEIGHT


def draw(values: Sequence[Value], *, top: float | None = None) -> Trend | None:
    """Return the drawing of these values, oldest first, from zero up to `top` or else to the highest of them.

    None when not one value is known.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    scale = top or max(known) or 1
    step = WIDTH / max(1, len(values) - 1)
    lines = []
    for is_gap, run in groupby(enumerate(values), lambda pair: pair[1] is None):
        if not is_gap:
            points = [
                (index * step, HEIGHT - min(value, scale) / scale * (HEIGHT - _MARGIN))
                for index, value in run
                if value is not None
            ]
            lines.append(_line(points, step))
    return Trend(
        line="".join(f"M{_path(line)}" for line in lines),
        area="".join(
            f"M{_decimal(line[0][0])} {HEIGHT}L{_path(line)}L{_decimal(line[-1][0])} {HEIGHT}Z" for line in lines
        ),
        lowest=min(known),
        highest=max(known),
    )


Point = tuple[float, float]


def _line(run: list[Point], step: float) -> list[Point]:
    """Return the run; one value alone between two gaps becomes a short stroke, since a point has no length."""
    if len(run) > 1:
        return run
    (x, y), half = run[0], min(step / 2, WIDTH / 20)
    return [(max(0.0, x - half), y), (min(float(WIDTH), x + half), y)]


def _path(points: list[Point]) -> str:
    return "L".join(f"{_decimal(x)} {_decimal(y)}" for x, y in points)


def _decimal(value: float) -> str:
    # Formatted here: a template would write the decimal separator of the page's language.
    return f"{value:.1f}"
