"""The engine's speed beside two libraries that do the same: schwifty and python-stdnum."""

import gc
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from statistics import median

import schwifty
import stdnum.exceptions
import stdnum.iban
from schwifty.exceptions import NationalChecksumNotVerified, SchwiftyException

from validation import engine
from validation.engine import national
from validation.engine.banks import BANKS, DIRECTORIES
from validation.engine.registry import COUNTRIES, Country

NUMBERS = 20_000
ROUNDS = 7
MISTYPED_SHARE = 0.15
GROUPED_SHARE = 0.1
_ALPHABETS = {"n": "0123456789", "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_CODES = {code: [bank.code for key, bank in BANKS.items() if key.startswith(code)] for code in DIRECTORIES}


def run() -> None:
    """Print the time per IBAN of all three, what a suggestion costs, and what the tables cost at start."""
    on_one_core()
    random = Random(20_261_123)
    valid = [valid_iban(random, country) for country in random.choices(list(COUNTRIES.values()), k=NUMBERS)]
    mixed = [mistyped(random, iban) if random.random() < MISTYPED_SHARE else iban for iban in valid]
    mixed = [grouped(iban) if random.random() < GROUPED_SHARE else iban for iban in mixed]
    share = sum(engine.check(text).valid for text in mixed) / NUMBERS
    compare(f"{NUMBERS:,} numbers of {len(COUNTRIES)} countries, {share:.0%} valid, one in ten grouped", mixed)
    compare(f"{NUMBERS:,} valid numbers", valid)
    suggest([text for text in mixed if not engine.check(text).valid][:300])
    start()


def on_one_core() -> None:
    """Keep this process and its children on one core, so that the kernel moves nothing between measurements."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def valid_iban(random: Random, country: Country) -> str:
    """Return an IBAN that passes every check, of a bank in the directory where the country has one."""
    bank_code = random.choice(_CODES[country.code]) if country.code in DIRECTORIES else None
    while True:
        bban = "".join(random.choice(_ALPHABETS[kind]) for kind in country.classes[4:])
        if bank_code:
            bban = bban[: country.bank_key.start] + bank_code + bban[country.bank_key.end :]
        iban = with_check_digits(country.code, bban)
        for reason in engine.check(iban).reasons:
            if isinstance(reason.expected, str) and reason.position:
                at = reason.position - 1
                repaired = iban[:at] + reason.expected + iban[at + len(reason.expected) :]
                iban = with_check_digits(country.code, repaired[4:])
        if engine.check(iban).valid:
            return iban


def with_check_digits(code: str, bban: str) -> str:
    """Return the IBAN of a BBAN."""
    return code + national.mod_97_10(bban + code + "00") + bban


def mistyped(random: Random, iban: str) -> str:
    """Return the IBAN with one mistake: a character replaced, swapped with the next, left out or added."""
    at = random.randrange(2, len(iban) - 1)
    character = random.choice(_ALPHABETS["n"])
    return random.choice(
        [
            iban[:at] + character + iban[at + 1 :],
            iban[:at] + iban[at + 1] + iban[at] + iban[at + 2 :],
            iban[:at] + iban[at + 1 :],
            iban[:at] + character + iban[at:],
        ]
    )


def grouped(iban: str) -> str:
    """Return the IBAN as people write it."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def ours(numbers: Sequence[str]) -> None:
    """Check every IBAN: the whole verdict with national check digits, bank and BIC."""
    for text in numbers:
        engine.check(text)


def by_schwifty(numbers: Sequence[str]) -> None:
    """Let schwifty do the same."""
    for text in numbers:
        with suppress(SchwiftyException):
            iban = schwifty.IBAN(text, validate_bban=True)
            _ = iban.bank_name, iban.bic


def by_stdnum(numbers: Sequence[str]) -> None:
    """Let python-stdnum validate; it knows some national check digits and no banks."""
    for text in numbers:
        with suppress(stdnum.exceptions.ValidationError):
            stdnum.iban.validate(text)


def nanoseconds(checker: Callable[[Sequence[str]], None], numbers: Sequence[str]) -> float:
    """Return the processor time per IBAN of one pass."""
    began = time.process_time_ns()
    checker(numbers)
    return (time.process_time_ns() - began) / len(numbers)


def compare(title: str, numbers: Sequence[str]) -> None:
    """Time the three in turn, so that a slow moment of the machine strikes all; the ratio is taken within a round."""
    checkers = {"ibanse": ours, "schwifty": by_schwifty, "python-stdnum": by_stdnum}
    times: dict[str, list[float]] = {name: [] for name in checkers}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NationalChecksumNotVerified)
        for checker in checkers.values():
            checker(numbers)  # Each loads its tables at first use.
        for _ in range(ROUNDS):
            for name, checker in checkers.items():
                gc.collect()
                times[name].append(nanoseconds(checker, numbers))
    print(f"  {title}")
    for name, measured in times.items():
        ratio = median(their / our for their, our in zip(measured, times["ibanse"], strict=True))
        print(f"    {name:14}{median(measured):8,.0f} ns per IBAN{ratio:8.1f} x")


def suggest(numbers: Sequence[str]) -> None:
    """Time a single check of a wrong IBAN with its suggestions."""
    times = []
    for text in numbers:
        began = time.perf_counter_ns()
        engine.with_suggestions(engine.check(text))
        times.append((time.perf_counter_ns() - began) / 1000)
    slowest = sorted(times)[int(len(times) * 0.99)]
    print(f"  A wrong IBAN with its suggestions: {median(times):,.0f} µs, 99 of 100 within {slowest:,.0f} µs")


_TIME = """
import time
began = time.perf_counter()
import validation.engine
print((time.perf_counter() - began) * 1000)
"""
_WEIGH = """
import tracemalloc
tracemalloc.start()
import validation.engine
print(*(size / 2**20 for size in tracemalloc.get_traced_memory()))
"""


def start() -> None:
    """Time the import that builds the tables, and weigh what it keeps; each time in a new process."""
    milliseconds = median(in_new_process(_TIME)[0] for _ in range(5))
    retained, peak = in_new_process(_WEIGH)
    print(f"  Importing the engine: {milliseconds:,.0f} ms, retains {retained:,.1f} MiB (peak {peak:,.1f} MiB)")


def in_new_process(code: str) -> list[float]:
    """Return the figures that the code prints."""
    response = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [float(figure) for figure in response.stdout.split()]
