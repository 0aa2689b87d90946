"""The HTTP API beside a bare Django and beside FastAPI with schwifty: requests per second, times, processor time.

All servers run at once, and each round measures one after the other, so that a slow moment of the machine strikes all;
ratios are taken within a round. The load generator needs a part of the same cores, and requests per second suffer from
that in an order of their own: the processor time per request is what judges.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks import cpu, load
from tests.benchmarks.rows import ROOT, ROWS, WORKERS, Row, Site, Spent, Stage
from tests.support import services

PACKAGES: Final = ("nginx", "postgresql", "redis-server", "wrk")
WARM_UP_SECONDS: Final = 2
# The last records of a window are written shortly after its last answer; their cost belongs to it.
SETTLING_SECONDS: Final = 0.5
OURS: Final = ("sqlite", "postgresql", "nginx")
COMPARED: Final = {"hello": "hello", "fastapi": "FastAPI"}


@dataclass(frozen=True)
class LoadSample:
    """One row in one round: what the callers saw, and the processor time per request in microseconds."""

    seen: load.LoadResult
    spent: Spent


def run(*options: str) -> None:
    """Print requests per second, times and processor time of every row, and the ratios to hello and to FastAPI."""
    chosen = _chosen(options)
    # Whether what is still missing matters depends on the rows: their start says it.
    services.install(PACKAGES)
    try:
        with ExitStack() as stack:
            measure(Stage(stack), chosen)
    except (services.ServiceError, load.LoadError) as error:
        sys.exit(f"  Not measured: {error}")


def measure(stage: Stage, chosen: argparse.Namespace) -> None:
    """Start the chosen rows and print what is found."""
    rows = {name: ROWS[name](stage) for name in ROWS if name in chosen.rows}
    for name, row in rows.items():
        warm_up(name, row, stage.folder)
    before = _elsewhere()
    samples = [one_round(rows, number, stage.folder, chosen.seconds) for number in range(chosen.rounds)]
    strangers, stolen = (now - then for now, then in zip(_elsewhere(), before, strict=True))
    show(rows, samples)
    print(f"\n  Meanwhile strangers used {strangers:.1f} s of processor time, and the hypervisor took {stolen:.1f} s")
    single_calls(rows, samples, chosen.seconds)
    if {"postgresql", "nginx"} & set(rows):
        batches(stage.on_postgresql)
    elif "sqlite" in rows:
        batches(stage.on_sqlite)


def _elsewhere() -> tuple[float, float]:
    """Return the processor time of everybody but us, and what the hypervisor took."""
    everybody, stolen = cpu.of_machine()
    return everybody - cpu.seconds([os.getpid()]), stolen


def _chosen(options: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS='api ...'", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each row is measured (7)")
    parser.add_argument("--seconds", type=int, default=3, help="how long each time (3)")
    parser.add_argument(
        "--rows",
        type=lambda text: text.split(","),
        default=list(ROWS),
        help=f"which, with commas between ({','.join(ROWS)})",
    )
    chosen = parser.parse_args(options)
    if unknown := set(chosen.rows) - set(ROWS):
        parser.error(f"unknown rows: {', '.join(sorted(unknown))}")
    return chosen


def warm_up(name: str, row: Row, folder: Path) -> None:
    """Make sure of the answer, and let every worker build what it keeps."""
    (folder / f"{name}.requests").write_bytes(b"\0".join(row.requests))
    for request in row.requests[:20]:
        response = load.ask(row.port, request)
        if not response.startswith(b"HTTP/1.1 200 ") or (name in OURS and b'"valid":' not in response):
            raise load.LoadError(f"{row.title} answers {response.decode(errors='replace')}")
    load.saturate(row.port, folder / f"{name}.requests", WARM_UP_SECONDS)


def one_round(rows: dict[str, Row], number: int, folder: Path, seconds: float) -> dict[str, LoadSample]:
    """Measure every row once; each round begins with another one."""
    names = list(rows)
    names = names[number % len(names) :] + names[: number % len(names)]
    samples = {}
    for name in names:
        row = rows[name]
        before = row.spent()
        seen = load.saturate(row.port, folder / f"{name}.requests", seconds)
        time.sleep(SETTLING_SECONDS)
        samples[name] = LoadSample(seen, row.spent().since(before, seen.requests))
    return samples


def show(rows: dict[str, Row], samples: Sequence[dict[str, LoadSample]]) -> None:
    """Print the medians over the rounds, and the ratios within each."""

    def middle(name: str, figure: Callable[[LoadSample], float]) -> float:
        return median(figure(sample[name]) for sample in samples)

    print(f"  {WORKERS} workers, {load.CONNECTIONS} keep-alive connections, median of {len(samples)} rounds")
    print(f"  {'':34}{'requests':>9}{'p50':>8}{'p99':>8}   CPU per request, µs:         not")
    print(f"  {'':34}{'per s':>9}{'ms':>8}{'ms':>8}{'server':>9}{'PostgreSQL':>12}{'others':>8}{'2xx':>7}")
    for name, row in rows.items():
        wrong = sum(sample[name].seen.refused + sample[name].seen.broken for sample in samples)
        loud = "  <-- INVALID: not all calls were answered" if wrong else ""
        print(
            f"  {row.title:34}{middle(name, lambda one: one.seen.rate):9,.0f}"
            f"{middle(name, lambda one: one.seen.p50):8.2f}{middle(name, lambda one: one.seen.p99):8.2f}"
            f"{middle(name, lambda one: one.spent.server):9.1f}{middle(name, lambda one: one.spent.postgresql):12.1f}"
            f"{middle(name, lambda one: one.spent.others):8.1f}{wrong:7,}{loud}"
        )
    for base, title in COMPARED.items():
        if base not in rows:
            continue
        print(f"\n  As a multiple of {title}, the more the better{'':5}CPU   with PostgreSQL and others   requests/s")
        for name, row in rows.items():
            ratios = [_ratios(sample[name], sample[base]) for sample in samples]
            by_cpu, by_all, by_rate = (median(column) for column in zip(*ratios, strict=True))
            print(f"  {row.title:46}{by_cpu:8.2f}{by_all:29.2f}{by_rate:13.2f}")


def _ratios(one: LoadSample, base: LoadSample) -> tuple[float, float, float]:
    return (
        base.spent.server / one.spent.server,
        base.spent.server / sum(one.spent),
        one.seen.rate / base.seen.rate,
    )


def single_calls(rows: dict[str, Row], samples: Sequence[dict[str, LoadSample]], seconds: float) -> None:
    """Print how long a single call takes at half of what each server can do."""
    names = [name for name in ("hello", *OURS) if name in rows]
    rates = {name: median(sample[name].seen.rate for sample in samples) / 2 for name in names}
    rounds = [
        {name: load.pace(rows[name].port, rows[name].requests, rates[name], seconds) for name in names} for _ in samples
    ]
    print("\n  Single calls at random moments, at half of each server's own rate (paced by Python, not by wrk)")
    print(f"  {'':34}{'requests':>9}{'p50':>8}{'p99':>8}{'not':>8}{'p99 as a':>13}")
    print(f"  {'':34}{'per s':>9}{'ms':>8}{'ms':>8}{'2xx':>8}{'multiple':>13}")
    for name in names:
        ratio = median(one[name].p99 / one[names[0]].p99 for one in rounds)
        print(
            f"  {rows[name].title:34}{rates[name]:9,.0f}{median(one[name].p50 for one in rounds):8.2f}"
            f"{median(one[name].p99 for one in rounds):8.2f}{sum(one[name].refused for one in rounds):8,}{ratio:13.2f}"
        )


def batches(site: Site) -> None:
    """Print how many IBANs of a batch one core checks, through the pipeline of the API and without HTTP."""
    command = [sys.executable, "-m", "tests.benchmarks.batch", site.token]
    subprocess.run(command, env=site.environment, cwd=ROOT, check=True)
