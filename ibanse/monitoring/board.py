"""The overview of the back-office: of each metric that a user may see the current value, its level and its trend."""

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
from ibanse.monitoring.messages import LEVELS, format_value
from ibanse.monitoring.metrics import KINDS, SECTIONS, HelpCommand, HelpPage, MetricKind, Unit
from ibanse.monitoring.series import HOUR, ChartPeriod, counter, noon
from ibanse.monitoring.sparkline import Trend
from ibanse.monitoring.thresholds import Level


class ChartRow(NamedTuple):
    """A row of the table beside a chart: where it begins, and the values up to the next row."""

    begins: datetime
    lowest: str
    highest: str
    last: str


@dataclass(frozen=True, slots=True)
class MetricCard:
    """One metric; of a single machine, where there are several."""

    kind: MetricKind
    node: str
    """Empty where there is only one."""
    value: str
    """Now, or in the last complete hour; empty when unknown."""
    companion: str
    so_far: str
    """Of an hourly metric: the value of the current hour up to now."""
    taken_at: datetime | None
    level: Level
    trend: Trend | None
    lowest: str
    highest: str
    rows: list[ChartRow]
    link: str
    """The page that helps, for users who may open it; else empty."""

    @property
    def key(self) -> str:
        """Its id in the page."""
        return f"{self.kind.key}-{self.node}" if self.node else self.kind.key

    @property
    def word(self) -> str:
        """The level as a word; a neutral metric has none."""
        return str(LEVELS.get(self.level, ""))

    @property
    def is_stale(self) -> bool:
        """Whether it is too old: then the collection needs attention, and not what it measures."""
        return self.level is Level.STALE

    @property
    def command(self) -> HelpCommand | None:
        """The command that helps, where there is no page."""
        return self.kind.help if isinstance(self.kind.help, HelpCommand) else None

    @property
    def shows_command(self) -> bool:
        """Whether the command is visible instead of folded away."""
        return self.level.needs_attention and not self.is_stale


class MetricSection(NamedTuple):
    """Cards that belong together."""

    title: str
    cards: list[MetricCard]


class StoredSeries(NamedTuple):
    """What is stored of one metric on one machine: the values by the hour, and when the last was measured."""

    hours: dict[datetime, int]
    taken_at: datetime | None


SeriesKey = tuple[str, str, str]
"""Name, part, node."""

_EMPTY: Final = StoredSeries({}, None)
_LATEST_HOURS: Final = 3


class _View(NamedTuple):
    """Who looks, how far back, and when."""

    user: User
    period: ChartPeriod
    now: datetime

    def link_to(self, help_: HelpPage | HelpCommand) -> str:
        """Return the URL of a page that this user may open."""
        if not isinstance(help_, HelpPage) or not self.user.has_perm(help_.permission):
            return ""
        return reverse(help_.url) + help_.query


def sections(user: User, period: ChartPeriod, now: datetime) -> list[MetricSection]:
    """Return the cards of the metrics that a user may see, section by section.

    Two queries besides those for the permissions, however many metrics there are.
    """
    active = [kind for kind in KINDS if not (kind.only_in_production and settings.EMBEDDED)]
    kinds = [kind for kind in active if user.has_perm(f"accounts.{kind.permission}")]
    stored = _stored_series(kinds, period, now) if kinds else {}
    view = _View(user, period, now)
    return [
        MetricSection(str(SECTIONS[name]), [card for kind in group for card in _cards(kind, stored, view)])
        for name, group in groupby(kinds, lambda kind: kind.section)
    ]


def newest(shown: Sequence[MetricSection]) -> datetime | None:
    """Return when the newest value was measured; None when there never was one."""
    return max((card.taken_at for section in shown for card in section.cards if card.taken_at), default=None)


def has_stopped(shown: Sequence[MetricSection]) -> bool:
    """Return whether all metrics that were ever measured are stale: the collection has stopped."""
    measured = [card for section in shown for card in section.cards if card.taken_at]
    return bool(measured) and all(card.is_stale for card in measured)


def needing_attention(shown: Sequence[MetricSection]) -> list[MetricCard]:
    """Return the cards that need attention, the most urgent first; no stale ones when all are stale."""
    omits_stale = has_stopped(shown)
    cards = [card for section in shown for card in section.cards if card.level.needs_attention]
    return sorted((card for card in cards if not (omits_stale and card.is_stale)), key=lambda card: -card.level.urgency)


def _stored_series(kinds: Sequence[MetricKind], period: ChartPeriod, now: datetime) -> Mapping[SeriesKey, StoredSeries]:
    steps = period.steps(now)
    latest = [hour_of(now) - index * HOUR for index in range(_LATEST_HOURS)]
    by_hour = period.step == HOUR
    # Also the hour before the first step, from which the first difference is taken.
    extra = [steps[0] - HOUR] if by_hour else map(noon, steps)
    names = {kind.name for kind in kinds} | {kind.companion[0] for kind in kinds if kind.companion}
    hours: defaultdict[SeriesKey, dict[datetime, int]] = defaultdict(dict)
    taken: dict[SeriesKey, datetime] = {}
    rows = Metric.objects.filter(name__in=names, at__in={*steps, *latest, *extra}).order_by("at")
    for name, part, node, at, value, taken_at in rows.values_list("name", "part", "node", "at", "value", "taken_at"):
        hours[name, part, node][at] = value
        taken[name, part, node] = taken_at
    stored = {key: StoredSeries(values, taken[key]) for key, values in hours.items()}
    return stored | _counter_sums(kinds, steps[0] if by_hour else steps[0].replace(hour=0), taken)


def _counter_sums(
    kinds: Sequence[MetricKind], since: datetime, taken: Mapping[SeriesKey, datetime]
) -> dict[SeriesKey, StoredSeries]:
    """Return the counters, summed over their parts; the part without a name says when they were last measured."""
    names = [kind.name for kind in kinds if kind.aggregate is counter]
    sums: defaultdict[str, dict[datetime, int]] = defaultdict(dict)
    rows = Metric.objects.filter(name__in=names, at__gte=since).order_by()
    for name, at, value in rows.values_list("name", "at").annotate(Sum("value")) if names else ():
        sums[name][at] = value
    return {(name, "", ""): StoredSeries(hours, taken.get((name, "", ""))) for name, hours in sums.items()}


def _cards(kind: MetricKind, stored: Mapping[SeriesKey, StoredSeries], view: _View) -> Iterator[MetricCard]:
    """Yield a card for each machine that has measured the metric; one without a value when none has."""
    steps = view.period.steps(view.now)
    nodes = sorted(node for name, part, node in stored if (name, part) == (kind.name, kind.part))
    for node in nodes or [""]:
        series = stored.get((kind.name, kind.part, node), _EMPTY)
        companion = stored.get((kind.companion[0], kind.part, node), _EMPTY) if kind.companion else _EMPTY
        values = kind.aggregate(series.hours, steps, view.period.step)
        current, so_far = _current(kind, series.hours, view.now)
        worst = max((value for value in (current, so_far) if value is not None), default=None)
        if kind.is_per_hour and view.period.step == HOUR:
            values[-1] = None  # The current hour is not complete: it would look like a fall.
        trend = sparkline.draw(values, top=100 if kind.unit is Unit.PERCENT else None)
        yield MetricCard(
            kind=kind,
            node=node if len(nodes) > 1 else "",
            value=format_value(current, kind.unit),
            companion=format_value(_last(companion.hours), kind.companion[1]) if kind.companion else "",
            so_far=format_value(so_far, kind.unit),
            taken_at=series.taken_at,
            level=thresholds.judge(worst, view.now - series.taken_at if series.taken_at else None, kind.thresholds),
            trend=trend,
            lowest=format_value(trend.lowest, kind.unit) if trend else "",
            highest=format_value(trend.highest, kind.unit) if trend else "",
            rows=list(_rows(kind, list(zip(steps, values, strict=True)), view.period)),
            link=view.link_to(kind.help),
        )


def _current(kind: MetricKind, hours: Mapping[datetime, int], now: datetime) -> tuple[int | None, int | None]:
    """Return the current value; of an hourly metric that of the last complete hour, and that of the current one."""
    if not kind.is_per_hour:
        return _last(hours), None
    hour = hour_of(now)
    complete, so_far = kind.aggregate(hours, [hour - HOUR, hour], HOUR)
    return complete, so_far


def _last(hours: Mapping[datetime, int]) -> int | None:
    return hours[max(hours)] if hours else None


def _rows(kind: MetricKind, values: list[tuple[datetime, int | None]], period: ChartPeriod) -> Iterator[ChartRow]:
    """Yield the rows of the table, newest first; without those that have no value."""
    size = period.row_steps
    for end in range(len(values), 0, -size):
        chunk = values[max(0, end - size) : end]
        known = [value for _at, value in chunk if value is not None]
        if known:
            lowest, highest, last = (format_value(value, kind.unit) for value in (min(known), max(known), known[-1]))
            yield ChartRow(chunk[0][0], lowest, highest, last)
