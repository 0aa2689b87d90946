"""The log page on PostgreSQL: its time at a thousand rows and at a million, by each filter, and what writing costs.

The rows are spread over thirty days and sealed as in mode *full*. A few of a million have the rare values, so that a
filter without an index of its own would read all the others.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Final

from tests.benchmarks import own_database
from tests.benchmarks.engine import MISTYPED_SHARE, mistyped, valid_iban

if TYPE_CHECKING:
    from validation.engine import Verdict
    from validation.engine.registry import Country
    from validation.recording.record import RecordRow

FEW: Final = 1_000
MANY: Final = 1_000_000
ROWS_AT_ONCE: Final = 10_000
NUMBERS: Final = 2_000
"""Of each country."""
RARE: Final = 20
"""So many rows have a rare value, however many there are in all."""
ROUNDS: Final = 21
DAYS: Final = 30
COUNTRIES: Final = ("DE", "SE", "FR", "GB", "NL", "NO", "ES", "IT")
RARE_COUNTRY: Final = "LI"


def run() -> None:
    """Print the page's time at both sizes and their ratio, for each filter."""
    own_database.run("tests.benchmarks.log")


def measure() -> None:
    """Fill a database of this process's settings with two clients' logs, and print what is found."""
    own_database.prepare()
    # Models can be imported only from here on.
    from django.db import connection

    small, large = Log(FEW), Log(MANY)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"  {'page, p50 in ms':44}{FEW:>10,}{MANY:>12,}   ratio")
    pages = {title: partial(Log.page, query=query) for title, query in QUERIES.items()}
    actions: dict[str, Callable[[Log], object]] = {**pages, **COUNTS}
    for title, action in actions.items():
        few, many = small.time(action), large.time(action)
        print(f"  {title:44}{few:10.1f}{many:12.1f}{many / few:8.2f}")
    began = time.perf_counter()
    rows = sum(len(piece) for piece in large.exported())
    print(f"  export of {MANY:,} rows as CSV: {time.perf_counter() - began:,.0f} s, {rows / 2**20:,.0f} MiB")
    began = time.perf_counter()
    calls = large.erase()
    print(f"  erasing the {MANY:,} rows: {time.perf_counter() - began:,.0f} s in {calls} requests")


class Log:
    """The log of a client, and its owner's browser."""

    def __init__(self, size: int) -> None:
        from django.test import Client as Browser
        from django.utils import timezone

        from accounts.actor import SYSTEM, Actor
        from accounts.models import Client, User
        from apikeys import keys
        from privacy.check_logging import mode as check_logging_mode
        from privacy.models import Mode

        self.client = Client.objects.create()
        self.owner = User.objects.create_user(f"{size}@owners.example", client=self.client, role=User.Role.OWNER)
        check_logging_mode.choose(self.client, check_logging_mode.Choice(Mode.FULL, DAYS), by=Actor(self.owner))
        draft = keys.Draft(name="bench", scopes=("validate",), expires_at=timezone.now() + timedelta(days=1))
        self.keys = [keys.create(self.client, draft, by=SYSTEM)[0].pk for _ in range(3)]
        self.browser = Browser()
        self.browser.force_login(self.owner, backend="accounts.auth.backend.EmailBackend")
        self.fill(size)

    def fill(self, size: int) -> None:
        """Write the rows as the writer does, oldest first, and print what that takes."""
        from django.db import transaction

        from validation.records import store

        made = written = 0.0
        rows = self.rows(size)
        while True:
            began = time.perf_counter()
            batch = [(self.client.pk, row) for _, row in zip(range(ROWS_AT_ONCE), rows, strict=False)]
            made += time.perf_counter() - began
            if not batch:
                break
            began = time.perf_counter()
            with transaction.atomic():
                store.insert_rows(batch)
            written += time.perf_counter() - began
        print(f"  {size:,} rows: checked and sealed in {made * 1e6 / size:.1f} µs each, written in ", end="")
        print(f"{written * 1e6 / size:.1f} µs each")

    def rows(self, size: int) -> "Iterator[RecordRow]":
        """Yield the rows; the rare ones lie in the middle."""
        from privacy.check_logging import mode as check_logging_mode
        from privacy.models import Mode
        from validation.engine import registry
        from validation.recording.record import RecordCaller, RecordRow, build_record

        random = Random(20_261_124)
        verdicts = {
            code: [self.verdict(random, registry.COUNTRIES[code]) for _ in range(NUMBERS)]
            for code in (*COUNTRIES, RARE_COUNTRY)
        }
        self.iban = verdicts[RARE_COUNTRY][0].iban
        begins = datetime.now(UTC) - timedelta(days=DAYS)
        choice = check_logging_mode.Choice(Mode.FULL, DAYS)
        for place in range(size):
            is_rare = abs(place - size // 2) < RARE // 2
            # Germans are checked with the first key, all others with the second: no row is both.
            code = RARE_COUNTRY if is_rare else random.choice(COUNTRIES)
            key = self.keys[2 if is_rare else 0 if code == "DE" else 1]
            caller = RecordCaller(self.client.pk, "page" if is_rare else "api", key, "192.0.2.7")
            verdict = verdicts[code][0 if is_rare else random.randrange(NUMBERS)]
            [row] = build_record(caller, [verdict], choice).rows
            at = int((begins + timedelta(days=DAYS) * place / size).timestamp())
            yield RecordRow(row.id, at, *[getattr(row, name) for name in row.__struct_fields__[2:]])

    def verdict(self, random: Random, country: "Country") -> "Verdict":
        """Return the verdict on an IBAN of a country."""
        from validation import engine

        iban = valid_iban(random, country)
        return engine.check(mistyped(random, iban) if random.random() < MISTYPED_SHARE else iban)

    def page(self, query: "Callable[[Log], str]") -> None:
        """Open the page in the owner's browser."""
        response = self.browser.get(f"/log/?{query(self)}")
        assert response.status_code == 200, response.status_code

    def found(self) -> str:
        """Return the query of a search for an IBAN."""
        response = self.browser.post("/log/find/", {"iban": self.iban})
        return str(response.headers["Location"]).partition("?")[2].partition("#")[0]

    def deep(self) -> str:
        """Return the query of a page in the middle."""
        from validation.records import forms, search

        middle = datetime.now(UTC) - timedelta(days=DAYS / 2)
        [record] = search.fetch_page(self.client, search.RecordFilter(until=middle), size=1).records
        return f"before={forms.format_cursor(search.cursor_of(record))}"

    def count(self, **fields: object) -> int:
        """Count as the page does that asks whether to erase."""
        from validation.records import search

        wanted = search.RecordFilter(**fields)  # type: ignore[arg-type]  # as the callers know
        return search.count_matching(self.client, wanted)

    def exported(self) -> "Iterator[str]":
        """Return the whole log as a file."""
        from validation.records.export import FORMATS
        from validation.records.search import RecordFilter

        return FORMATS["csv"].write(self.client, RecordFilter(), "en")

    def erase(self) -> int:
        """Erase the whole log; return in how many requests."""
        from accounts.actor import Actor
        from validation.records import search, store

        calls = 1
        while not store.erase_records(self.client, search.RecordFilter(), by=Actor(self.owner)).is_complete:
            calls += 1
        return calls

    def time(self, action: "Callable[[Log], object]") -> float:
        """Return the median milliseconds of an action."""
        action(self)
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            action(self)
            times.append((time.perf_counter() - began) * 1000)
        return median(times)


QUERIES: Final[dict[str, Callable[[Log], str]]] = {
    "newest": lambda _log: "",
    "in the middle": lambda log: log.deep(),
    "frequent country": lambda _log: "country=DE",
    "rare country": lambda _log: f"country={RARE_COUNTRY}",
    "rare source": lambda _log: "source=page",
    "rare key": lambda log: f"key={log.keys[2]}",
    "not valid": lambda _log: "verdict=invalid",
    "not valid, rare country": lambda _log: f"verdict=invalid&country={RARE_COUNTRY}",
    "not valid, frequent country, frequent key": lambda log: f"verdict=invalid&country=SE&key={log.keys[1]}",
    "frequent country, frequent key, never both": lambda log: f"country=DE&key={log.keys[1]}",
    "one IBAN": lambda log: log.found(),
}
COUNTS: Final[dict[str, Callable[[Log], object]]] = {
    "count all": lambda log: log.count(),
    "count a rare country": lambda log: log.count(country=RARE_COUNTRY),
    "count what is never both": lambda log: log.count(country="DE", key=log.keys[1]),
}


if __name__ == "__main__":
    measure()
