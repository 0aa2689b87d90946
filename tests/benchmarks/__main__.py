"""Run the measurements by name, or all of them: `python -m tests.benchmarks engine`; options: `api --help`."""

import os
import platform
import signal
import sys
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

from tests.benchmarks import api, deletion, engine, log, office, tools

BENCHMARKS: dict[str, Callable[..., None]] = {
    "engine": engine.run,
    "tools": tools.run,
    "api": api.run,
    "log": log.run,
    "deletion": deletion.run,
    "office": office.run,
}


def machine() -> str:
    """Return the machine of the measurement: processor, cores, Python."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def main(arguments: list[str]) -> int:
    """Run the named measurements in this order; print the names that there are if one is unknown.

    Words from the first one with a dash on are options, of the one measurement that takes them.
    """
    names = list(takewhile(lambda word: not word.startswith("-"), arguments))
    options = arguments[len(names) :]
    if options and names not in (["api"], ["deletion"]):
        print(f"Only api and deletion take options, each alone: api {' '.join(options)}", file=sys.stderr)
        return 2
    if unknown := set(names) - set(BENCHMARKS):
        print(f"Unknown: {', '.join(sorted(unknown))}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print(machine())
    # A measurement may restrict itself to one core; the next one has all again.
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
    for name in names or BENCHMARKS:
        print(f"\n{name}")
        if cores:
            os.sched_setaffinity(0, cores)
        BENCHMARKS[name](*options)
    return 0


if __name__ == "__main__":
    # SIGTERM leaves no server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
