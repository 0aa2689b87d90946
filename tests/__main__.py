"""`python -m tests`: every test on PostgreSQL; beside it, on SQLite what meets a database, then those in Chromium.

`python -m tests deploy`: those that meet what production is made of (nginx, systemd, backups), on PostgreSQL and Redis.
`python -m tests look`: every page in every state, size, scheme and language, with contact sheets to look at.
Arguments go to pytest in each run. The last line printed is `N passed, N failed`, added up over the runs.
With CI=true whatever could not be had is a failure.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from ibanse import catalogues
from tests.support import services

CI = os.environ.get("CI") == "true"
# Everything, on the database of production.
ON_A_DATABASE = ("-n", "2", "-m", "not browser and not deploy")
# What meets a database, on the other kind too; what knows none behaves the same: tests/conftest.py decides.
ON_ANOTHER_DATABASE = ("-n", "2", "-m", "database and not browser and not deploy")
# A file stays with one site: its tests may share what the site has.
IN_A_BROWSER = ("-n", "2", "--dist", "loadfile", "-m", "browser and not deploy")
# A file stays with one worker: the life of a machine is a chain.
AS_DEPLOYED = ("-n", "2", "--dist", "loadfile", "-m", "deploy")
# One language each, side by side.
LOOKED_AT = ("-n", "3", "tests/look")
# Debian's packages that production is made of, each met for real by a test.
DEPLOYED = (
    "debootstrap",
    "git",
    "nginx",
    "openssh-client",
    "openssh-server",
    "redis-server",
    "restic",
    "shellcheck",
    "systemd",
    "systemd-container",
)
COMPILED = services.ROOT / ".cache" / "compiled"
SOMETHING_IS_MISSING = re.compile("missing|not installed|could not import", re.IGNORECASE)
ALL_PASSED, NOTHING_SELECTED = 0, 5
_running: list[subprocess.Popen[bytes]] = []


@dataclass
class Run:
    """One run of pytest: how long it took and what it counted."""

    name: str
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        """Return its line of the closing table."""
        return f"{self.name:12}{counts([self]):40}{self.seconds:8.1f}"


def counts(runs: Sequence[Run]) -> str:
    """Return `N passed, N failed` over all `runs`, with the skipped ones if there are any."""
    passed, failed, skipped = (sum(getattr(run, name) for run in runs) for name in ("passed", "failed", "skipped"))
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def run(name: str, options: Sequence[str], folder: Path, **settings: str) -> Run:
    """Run pytest once with data of its own below `folder`, and count its results."""
    say(f"Running the tests: {name}")
    report = reports(folder) / f"{name}.xml"
    environment = services.environment(
        IBANSE_DATA_DIR=str(folder / name), PYTHONPYCACHEPREFIX=str(COMPILED), **settings
    )
    # Each run starts Python hundreds of times: what is compiled once need not be compiled again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.monotonic()
    said = folder / f"{name}.log"
    with said.open("wb") as written:
        status = _wait([sys.executable, "-m", "pytest", f"--junitxml={report}", *options], environment, written)
    # In one piece, since others run beside it.
    say(f"\n--- {name} ---\n{said.read_text(encoding='utf-8', errors='replace')}")
    counted = Run(name, time.monotonic() - begun)
    if report.exists():
        for case in ET.parse(report).iter("testcase"):
            _count(case, counted)
    if status not in (ALL_PASSED, NOTHING_SELECTED):
        # pytest may also fail as a whole: a wrong option, a test file that cannot be imported.
        counted.failed = counted.failed or 1
    return counted


def reports(folder: Path) -> Path:
    """Return where the JUnit reports go: `make release` takes the results of the claims from them."""
    return Path(os.environ.get("IBANSE_TEST_REPORTS", folder))


def _wait(command: list[str], environment: dict[str, str], written: IO[bytes]) -> int:
    process = subprocess.Popen(command, env=environment, stdout=written, stderr=subprocess.STDOUT)
    _running.append(process)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal has told pytest as well; told twice it would leave its own clean-up.
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        raise
    finally:
        services.stop(process, signal.SIGINT)


def _count(case: ET.Element, counted: Run) -> None:
    skip = case.find("skipped")
    if case.find("failure") is not None or case.find("error") is not None:
        counted.failed += 1
    elif skip is None:
        counted.passed += 1
    elif CI and SOMETHING_IS_MISSING.search(skip.get("message", "")):
        say(f"Skipped, which fails here: {case.get('name')} ({skip.get('message')})")
        counted.failed += 1
    else:
        counted.skipped += 1


def database() -> AbstractContextManager[str]:
    """Open the PostgreSQL to test on: the caller's, or one of our own."""
    url = os.environ.get("DATABASE_URL")
    if url:
        return nullcontext(url)
    # Not having Debian's is no loss as long as the wheel's binaries are here, so only the start decides.
    services.install(["postgresql"])
    return services.postgresql()


def beside(url: str) -> str:
    """Return the address of a second database on the same server, for the keyring; Django makes it for the tests."""
    place = urlsplit(url)
    return place._replace(path=f"{place.path}_keyring").geturl()


def say(text: str) -> None:
    """Print at once: pytest writes to the same terminal."""
    print(text, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; return the exit status."""
    catalogues.compile_changed()  # Before runs that begin side by side read them.
    modes = {"deploy": as_deployed, "look": looked_at}
    if arguments and arguments[0] in modes:
        return modes[arguments[0]](arguments[1:])
    return everything(arguments)


def as_deployed(arguments: Sequence[str]) -> int:
    """Run the tests of `deploy/` on what production is made of, say what could not be had and how it went."""
    lacking = services.install(DEPLOYED)
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="ibanse-tests-") as name:
        try:
            with database() as url:
                urls = {"DATABASE_URL": url, "KEYRING_DATABASE_URL": beside(url)}
                runs.append(run("Deployed", [*AS_DEPLOYED, *arguments], Path(name), **urls))
        except services.ServiceError as error:
            lacking.append(str(error))
    return conclude(runs, lacking)


def looked_at(arguments: Sequence[str]) -> int:
    """Look at every page and write the contact sheets, into LOOK_SHEETS if that names a folder."""
    lacking = services.install(services.BROWSER)
    sheets = Path(os.environ.get("LOOK_SHEETS") or services.ROOT / ".cache" / "look").resolve()
    with tempfile.TemporaryDirectory(prefix="ibanse-tests-") as name:
        runs = [run("Look", [*LOOKED_AT, *arguments], Path(name), LOOK_SHEETS=str(sheets))]
    for sheet in sorted(sheets.glob("*.png")):
        say(f"Look at {sheet}")
    return conclude(runs, lacking)


def everything(arguments: Sequence[str]) -> int:
    """Run everything else, say what could not be had and how it went; return the exit status."""
    lacking = services.install(["curl", "gettext", "redis-server", *services.BROWSER])
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="ibanse-tests-") as name:
        folder = Path(name)
        # Side by side, since each waits a good part of its time: for servers, pages and the clock.
        beside_it = [partial(run, "SQLite", [*ON_ANOTHER_DATABASE, *arguments], folder)]
        if all(services.PRESENT[package]() for package in services.BROWSER):
            beside_it.append(partial(run, "Browser", [*IN_A_BROWSER, *arguments], folder))
        with one_after_the_other() as lane:
            others = [lane.submit(each) for each in beside_it]
            try:
                with database() as url:
                    urls = {"DATABASE_URL": url, "KEYRING_DATABASE_URL": beside(url)}
                    runs.append(run("PostgreSQL", [*ON_A_DATABASE, *arguments], folder, **urls))
            except services.ServiceError as error:
                lacking.append(str(error))
                # Without it everything runs on the database that is always there.
                runs.append(run("Everything", [*ON_A_DATABASE, *arguments], folder))
            runs += [other.result() for other in others]
        lacking += [f"{test} was skipped wherever it ran" for test in never_ran(reports(folder))]
    return conclude(runs, lacking)


@contextmanager
def one_after_the_other() -> Iterator[ThreadPoolExecutor]:
    """Carry out something beside this thread; when this one is interrupted, that ends too and nothing more begins."""
    with ThreadPoolExecutor(1) as lane:
        try:
            yield lane
        except KeyboardInterrupt:
            lane.shutdown(wait=False, cancel_futures=True)
            for process in _running:
                services.stop(process, signal.SIGINT)
            raise


def never_ran(folder: Path) -> list[str]:
    """Return the tests that were skipped in each run they were in: no rule of who runs where may lose one."""
    seen: dict[str, bool] = {}
    for report in folder.glob("*.xml"):
        for case in ET.parse(report).iter("testcase"):
            test = f"{case.get('classname')}.{case.get('name')}"
            seen[test] = seen.get(test, False) or case.find("skipped") is None
    return sorted(test for test, ran in seen.items() if not ran)


def conclude(runs: Sequence[Run], lacking: Sequence[str]) -> int:
    """Print the closing table and what could not be had; return the exit status."""
    say(f"\n{'Run':12}{'Result':40}{'Seconds':>8}")
    for each in runs:
        say(str(each))
    for sentence in lacking:
        say(f"Not tested: {sentence}.")
    ran = any(each.passed or each.failed or each.skipped for each in runs)
    if not ran:
        say("No test matches.")
    say(counts(runs))
    return 0 if ran and not any(each.failed for each in runs) and not (CI and lacking) else 1


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # A request to end is met like Ctrl-C: the database is stopped and removed on the way out.
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
