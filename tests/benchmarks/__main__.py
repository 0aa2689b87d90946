"""Run the measurements by name, or all of them: `python -m tests.benchmarks engine`."""

import os
import platform
import sys
from pathlib import Path

from tests.benchmarks import engine

BENCHMARKS = {
    "engine": engine.run,
}


def machine() -> str:
    """Return what the figures were measured on: processor, cores, Python."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def main(names: list[str]) -> int:
    """Run the named measurements in the given order; tell which names there are if one is unknown."""
    if unknown := set(names) - set(BENCHMARKS):
        print(f"Unknown: {', '.join(sorted(unknown))}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print(machine())
    for name in names or BENCHMARKS:
        print(f"\n{name}")
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
