"""Processor time of whole process trees, from Linux' /proc."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def seconds(roots: Sequence[int]) -> float:
    """Return the user and system time so far of these processes, their descendants, and those of them that ended."""
    children = defaultdict(list)
    ticks = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name of a program may hold blanks and brackets; after its last bracket come numbers only.
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        process = int(path.parent.name)
        children[int(fields[1])].append(process)
        # utime, stime, and both of the children it has waited for.
        ticks[process] = sum(int(field) for field in fields[11:15])
    total, left = 0, list(roots)
    while left:
        process = left.pop()
        total += ticks.get(process, 0)
        left += children[process]
    return total / _TICK


def of_machine() -> tuple[float, float]:
    """Return the processor time that all programs have used so far, and what the hypervisor gave to other machines."""
    figures = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()[1:]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = (int(figure) for figure in figures[:8])
    return (user + nice + system + interrupts + soft_interrupts) / _TICK, stolen / _TICK


def children_named(name: str) -> list[int]:
    """Return the children of this very process that run the program `name`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            before, _, after = path.read_text(encoding="utf-8", errors="replace").rpartition(") ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if before.partition("(")[2] == name and int(after.split()[1]) == os.getpid():
            found.append(int(path.parent.name))
    return found
