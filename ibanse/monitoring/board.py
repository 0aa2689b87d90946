"""The overview of the back-office: of each reading that somebody may see the value now, its level and its trend."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from django.conf import settings
from django.db.models import Sum
from django.urls import reverse

from accounts.counters import hour_of
from accounts.models import Metric, User
from ibanse.monitoring import sparkline, thresholds
from ibanse.monitoring.messages import LEVELS, told
from ibanse.monitoring.metrics import KINDS, SECTIONS, Kind, Page, Shell, Unit
from ibanse.monitoring.series import HOUR, Period, counted, noon
from ibanse.monitoring.sparkline import Trend
from ibanse.monitoring.thresholds import Level


class Row(NamedTuple):
    """A line of the table beside a drawing: from when on, and what the values were until the next."""

    begins: datetime
    lowest: str
    highest: str
    last: str


@dataclass(frozen=True, slots=True)
class Card:
    """One reading, of one machine where there are several."""

    kind: Kind
    node: str
    """Empty where there is nothing to tell apart."""
    value: str
    """Now, or in the last hour that is over; empty when unknown."""
    beside: str
    so_far: str
    """Of what is told by the hour: how much of it there is in the hour under way."""
    taken_at: datetime | None
    level: Level
    trend: Trend | None
    lowest: str
    highest: str
    rows: list[Row]
    link: str
    """Where something can be done about it, for who may open that; else empty."""

    @property
    def key(self) -> str:
        """What it is called in an address."""
        return f"{self.kind.key}-{self.node}" if self.node else self.kind.key

    @property
    def word(self) -> str:
        """The level as a word; a plain reading has none."""
        return str(LEVELS.get(self.level, ""))

    @property
    def is_stale(self) -> bool:
        """Whether it is too old to tell of now: then not what it measures wants help, but what measures it."""
        return self.level is Level.STALE

    @property
    def shows_shell(self) -> bool:
        """Whether the command that helps stands in sight, and not folded away."""
        return self.level.wants_somebody and not self.is_stale

    @property
    def shell(self) -> Shell | None:
        """The command that helps, where a page does not."""
        return self.kind.place if isinstance(self.kind.place, Shell) else None


class Section(NamedTuple):
    """Cards that belong together."""

    title: str
    cards: list[Card]


class StoredValues(NamedTuple):
    """What is kept of one reading on one machine: the values by the hour, and when the last was taken."""

    hours: dict[datetime, int]
    taken_at: datetime | None


Place = tuple[str, str, str]
"""Name, part, node."""


def kinds_for(user: User) -> list[Kind]:
    """Return the readings that this member of staff may see, in the order of the table."""
    here = [kind for kind in KINDS if not (kind.only_in_production and settings.EMBEDDED)]
    return [kind for kind in here if user.has_perm(f"accounts.{kind.permission}")]


def sections(user: User, period: Period, now: datetime) -> list[Section]:
    """Return the cards of the readings that somebody may see, section by section.

    Two queries beside those for the permissions, however many readings there are.
    """
    kinds = kinds_for(user)
    kept = _kept(kinds, period, now) if kinds else {}
    return [
        Section(str(SECTIONS[name]), [card for kind in group for card in _cards(kind, kept, _View(user, period, now))])
        for name, group in groupby(kinds, lambda kind: kind.section)
    ]


def newest(shown: Sequence[Section]) -> datetime | None:
    """Return when the newest reading of what is shown was taken; None when there never was one."""
    return max((card.taken_at for section in shown for card in section.cards if card.taken_at), default=None)


def has_stopped(shown: Sequence[Section]) -> bool:
    """Return whether all readings that were ever taken are old: whatever takes them has stopped."""
    taken = [card for section in shown for card in section.cards if card.taken_at]
    return bool(taken) and all(card.is_stale for card in taken)


def wanting(shown: Sequence[Section]) -> list[Card]:
    """Return the cards that want somebody, the most urgent first; old ones only where others are not."""
    is_told = has_stopped(shown)
    cards = [card for section in shown for card in section.cards if card.level.wants_somebody]
    found = [card for card in cards if not (is_told and card.is_stale)]
    return sorted(found, key=lambda card: -card.level.urgency)


_LATEST_HOURS: Final = 3


def _kept(kinds: Sequence[Kind], period: Period, now: datetime) -> Mapping[Place, StoredValues]:
    steps = period.steps(now)
    latest = [hour_of(now) - index * HOUR for index in range(_LATEST_HOURS)]
    by_hour = period.step == HOUR
    # One hour before the first step, from which the first difference is taken.
    besides = [steps[0] - HOUR] if by_hour else map(noon, steps)
    moments = {*steps, *latest, *besides}
    names = {kind.name for kind in kinds} | {kind.beside[0] for kind in kinds if kind.beside}
    found: defaultdict[Place, dict[datetime, int]] = defaultdict(dict)
    taken: dict[Place, datetime] = {}
    rows = Metric.objects.filter(name__in=names, at__in=moments).order_by("at")
    for name, part, node, at, value, taken_at in rows.values_list("name", "part", "node", "at", "value", "taken_at"):
        found[name, part, node][at] = value
        taken[name, part, node] = taken_at
    kept = {place: StoredValues(hours, taken[place]) for place, hours in found.items()}
    return kept | _all_parts(kinds, steps[0].replace(hour=0) if not by_hour else steps[0], taken)


def _all_parts(kinds: Sequence[Kind], since: datetime, taken: Mapping[Place, datetime]) -> dict[Place, StoredValues]:
    """Return what is counted by parts, added up; when somebody looked, the part without a name tells."""
    names = [kind.name for kind in kinds if kind.reckoned is counted]
    sums: defaultdict[str, dict[datetime, int]] = defaultdict(dict)
    rows = Metric.objects.filter(name__in=names, at__gte=since).order_by()
    for name, at, value in rows.values_list("name", "at").annotate(Sum("value")) if names else ():
        sums[name][at] = value
    return {(name, "", ""): StoredValues(hours, taken.get((name, "", ""))) for name, hours in sums.items()}


class _View(NamedTuple):
    """Who looks, how far back, and when."""

    user: User
    period: Period
    now: datetime

    def link_to(self, place: Page | Shell) -> str:
        """Return the address of a page that this user may open."""
        if not isinstance(place, Page) or not self.user.has_perm(place.permission):
            return ""
        return reverse(place.url) + place.query


def _cards(kind: Kind, kept: Mapping[Place, StoredValues], view: _View) -> Iterator[Card]:
    nodes = sorted(node for name, part, node in kept if (name, part) == (kind.name, kind.part))
    for node in nodes or [""]:
        yield _card(kind, node if len(nodes) > 1 else "", _of(kind, node, kept), view)


class _Found(NamedTuple):
    main: StoredValues
    beside: StoredValues


_NOTHING: Final = StoredValues({}, None)


def _of(kind: Kind, node: str, kept: Mapping[Place, StoredValues]) -> _Found:
    beside = kept.get((kind.beside[0], kind.part, node), _NOTHING) if kind.beside else _NOTHING
    return _Found(kept.get((kind.name, kind.part, node), _NOTHING), beside)


def _card(kind: Kind, node: str, found: _Found, view: _View) -> Card:
    period, now = view.period, view.now
    hours, taken_at = found.main
    steps = period.steps(now)
    values = kind.reckoned(hours, steps, period.step)
    present, so_far = _now(kind, hours, now)
    worst = max((value for value in (present, so_far) if value is not None), default=None)
    if kind.is_per_hour and period.step == HOUR:
        values[-1] = None  # The hour under way is not over: it would look like a fall.
    drawn = sparkline.draw(values, top=100 if kind.unit is Unit.PERCENT else None)
    return Card(
        kind=kind,
        node=node,
        value=_told(present, kind.unit),
        beside=_told(_last(found.beside.hours), kind.beside[1]) if kind.beside else "",
        so_far=_told(so_far, kind.unit),
        taken_at=taken_at,
        level=thresholds.judge(worst, now - taken_at if taken_at else None, kind.limits),
        trend=drawn,
        lowest=_told(drawn.lowest, kind.unit) if drawn else "",
        highest=_told(drawn.highest, kind.unit) if drawn else "",
        rows=list(_rows(kind, list(zip(steps, values, strict=True)), period)),
        link=view.link_to(kind.place),
    )


def _now(kind: Kind, hours: Mapping[datetime, int], now: datetime) -> tuple[int | None, int | None]:
    """Return the value of now, or of the last hour that is over; and of the hour under way, if it tells of one."""
    if not kind.is_per_hour:
        return _last(hours), None
    hour = hour_of(now)
    over, under_way = kind.reckoned(hours, [hour - HOUR, hour], HOUR)
    return over, under_way


def _last(hours: Mapping[datetime, int]) -> int | None:
    return hours[max(hours)] if hours else None


def _told(value: float | None, unit: Unit) -> str:
    return "" if value is None else told(value, unit)


def _rows(kind: Kind, values: list[tuple[datetime, int | None]], period: Period) -> Iterator[Row]:
    """Yield the table, newest first; rows of which nothing is known are left out."""
    size = period.row_steps
    for end in range(len(values), 0, -size):
        chunk = values[max(0, end - size) : end]
        known = [value for _at, value in chunk if value is not None]
        if known:
            yield Row(chunk[0][0], *(told(value, kind.unit) for value in (min(known), max(known), known[-1])))
