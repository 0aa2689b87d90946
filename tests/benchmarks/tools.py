"""The engine's tools at their worst: unreadable places, hostile texts; and calculating and looking up, per call."""

import time
from collections.abc import Callable, Sequence
from random import Random
from statistics import median

from tests.benchmarks.engine import in_new_process, on_one_core, valid_iban
from validation.engine import bics
from validation.engine.calculate import calculate
from validation.engine.extract import extract
from validation.engine.recover import recover
from validation.engine.registry import COUNTRIES

ROUNDS = 7
CHARACTERS = 100_000
GERMAN = "DE89370400440532013000"
SPANISH = ("ES", "2100", "0200051332", "0418")
UNREADABLE = {
    "three digits (DE)": "DE89370400440532013???",
    "country and a digit": "??8937040044053201300?",
    "three of letters or digits (LC)": "LC55HEMM000100010012001200023???",
    "the same at the beginning (KW)": "KW81CBKU???0000000001234560101",
    "the same before a key (FR)": "FR14200410100505???13M02606",
    "country, letters or digits (MT)": "M?84MALT011000012345??LCAST001S",
}
HOSTILE = {
    "SE45SE45…": "SE45",
    "GT27 GT27 …": "GT27 ",
    "over line ends": "GT\r\n        27",
    "digits": "7",
    "blanks": " ",
    "separators": "-. /",
    "a a a …": "a ",
    "valid numbers": GERMAN + " ",
    "wrong numbers": "NO6686011117948 ",
}


def run() -> None:
    """Print the time of each tool, and what their tables cost at start."""
    on_one_core()
    for title, text in UNREADABLE.items():
        print(f"  recover {title:34}{milliseconds(recover, text):8.2f} ms, {recover(text).total} candidates")
    for title, unit in HOSTILE.items():
        text = (unit * (CHARACTERS // len(unit) + 1))[:CHARACTERS]
        found = len(extract(text))
        print(f"  extract {title:34}{milliseconds(extract, text):8.1f} ms per {CHARACTERS:,} characters, {found} found")
    print(f"  calculate {'one of each country, verified':34}{calculations(whole_numbers()):8.1f} µs per call")
    print(f"  calculate {'Spanish digits, computed':34}{calculations([SPANISH]):8.1f} µs per call")
    for bic in ("DEUTDEFF", "DABADKKK", "ZZZZDEZZ"):
        total = bics.look_up(bic).total_bank_codes
        print(f"  look up {bic:36}{milliseconds(bics.look_up, bic) * 1000:8.1f} µs, {total} bank codes")
    start()


def milliseconds(action: Callable[[str], object], text: str) -> float:
    """Return the median processor time of one call."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        action(text)
        times.append((time.process_time_ns() - began) / 1_000_000)
    return median(times)


def whole_numbers() -> list[tuple[str, ...]]:
    """Return the domestic account number of a valid IBAN of every country."""
    random = Random(20_261_123)
    return [(country.code, "", valid_iban(random, country)[4:]) for country in COUNTRIES.values()]


def calculations(numbers: Sequence[tuple[str, ...]]) -> float:
    """Return the microseconds of one calculation, on average over the numbers."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for number in numbers:
            calculate(*number)
        times.append((time.process_time_ns() - began) / len(numbers) / 1000)
    return median(times)


_TIME = """
import time
import validation.engine
began = time.perf_counter()
from validation.engine import bics, calculate, extract, recover
print((time.perf_counter() - began) * 1000)
"""
_WEIGH = """
import tracemalloc
import validation.engine
tracemalloc.start()
from validation.engine import bics, calculate, extract, recover
print(tracemalloc.get_traced_memory()[0] / 2**20)
"""


def start() -> None:
    """Time the import of the tools after the engine's, and weigh what they keep."""
    spent = median(in_new_process(_TIME)[0] for _ in range(5))
    print(f"  Importing them after the engine: {spent:,.0f} ms, keeps {in_new_process(_WEIGH)[0]:,.1f} MiB")
