"""When a reading wants somebody: calm, watch or act. Knows numbers and ages, and not what they measure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ibanse.monitoring.series import STALE_AFTER


class Level(StrEnum):
    """What a reading asks of whoever looks at it, the most urgent last."""

    PLAIN = "plain"
    """There is nothing to judge: it is neither good nor bad."""
    CALM = "calm"
    STALE = "stale"
    UNKNOWN = "unknown"
    """Nobody has measured it: never taken for calm."""
    WATCH = "watch"
    ACT = "act"

    @property
    def urgency(self) -> int:
        """The place among the levels, from 0."""
        return list(Level).index(self)

    @property
    def wants_somebody(self) -> bool:
        """Whether a person should look."""
        return self.urgency > Level.CALM.urgency


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a reading is to be watched, and from where on something must be done.

    What gets worse as it grows has `watch` at or below `act`; what runs out (a disk, a certificate) above it.
    """

    watch: float
    act: float

    def level(self, value: float) -> Level:
        """Return the level of a value; a limit that is just reached counts."""
        grows = self.act >= self.watch
        for limit, level in ((self.act, Level.ACT), (self.watch, Level.WATCH)):
            if value >= limit if grows else value <= limit:
                return level
        return Level.CALM


def judge(value: float | None, age: timedelta | None, limits: Limits | None) -> Level:
    """Return the level of a reading that was taken so long ago; without an age it never was.

    An old reading is stale whatever it said: what was calm need not be calm now. Without a value it cannot be judged:
    of what is told by the hour, none is over yet.
    """
    if age is None:
        return Level.UNKNOWN
    if age > STALE_AFTER:
        return Level.STALE
    if limits is None:
        return Level.PLAIN
    return Level.UNKNOWN if value is None else limits.level(value)
