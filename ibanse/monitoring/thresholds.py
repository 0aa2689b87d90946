"""When a metric needs attention. Knows numbers and ages, and not what they measure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ibanse.monitoring.series import STALE_AFTER


class Level(StrEnum):
    """How a metric is doing, the most urgent last."""

    NEUTRAL = "neutral"
    """It has no thresholds: it is neither good nor bad."""
    OK = "ok"
    STALE = "stale"
    UNKNOWN = "unknown"
    """Not measured: never taken for OK."""
    ATTENTION = "attention"
    CRITICAL = "critical"

    @property
    def urgency(self) -> int:
        """The position among the levels, from 0."""
        return list(Level).index(self)

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look."""
        return self.urgency > Level.OK.urgency


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which value on a metric needs attention, and from which on it is critical.

    Of what gets worse as it grows, `attention` is at or below `critical`; of what runs out (such as a disk), above.
    """

    attention: float
    critical: float

    def level(self, value: float) -> Level:
        """Return the level of a value; a threshold that is just reached counts."""
        grows = self.critical >= self.attention
        for threshold, level in ((self.critical, Level.CRITICAL), (self.attention, Level.ATTENTION)):
            if value >= threshold if grows else value <= threshold:
                return level
        return Level.OK


def judge(value: float | None, age: timedelta | None, thresholds: Thresholds | None) -> Level:
    """Return the level of a value that was measured so long ago; without an age it never was.

    Every old value is stale: what was OK need not be OK now. Without a value there is nothing to judge: of
    an hourly metric no hour is complete yet.
    """
    if age is None:
        return Level.UNKNOWN
    if age > STALE_AFTER:
        return Level.STALE
    if thresholds is None:
        return Level.NEUTRAL
    return Level.UNKNOWN if value is None else thresholds.level(value)
