"""`python -m tests`: every test on PostgreSQL; beside it those that use a database on SQLite, then those in Chromium.

`python -m tests deploy`: those of what production is made of (nginx, systemd, backups), on PostgreSQL and Redis.
`python -m tests long`: repetitions at scale, an older Debian and Debians made afresh; `make test` leaves these out.
`python -m tests look`: every page in every state, size, scheme and language, with contact sheets to look at.
Arguments go to pytest in each run. The last line printed is `N passed, N failed`, added up over the runs.
What could not be tested is named at the end, and fails.
"""

import os
import shutil
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
from tests.support import debian, progress, services

# Everything, on production's database.
ON_POSTGRESQL = ("-n", "2", "-m", "not browser and not deploy and not long")
# The other database runs only the tests that use one, which tests/conftest.py marks.
ON_SQLITE = ("-n", "2", "-m", "database and not browser and not deploy and not long")
# A file stays with one worker, whose tests share what its site holds.
IN_A_BROWSER = ("-n", "2", "--dist", "loadfile", "-m", "browser and not deploy and not long")
# A file stays with one worker: the tests of an installed machine build on each other.
AS_DEPLOYED = ("-n", "2", "--dist", "loadfile", "-m", "deploy and not long")
LONG = ("-n", "2", "--dist", "loadfile", "-m", "long")
ON_AN_OLDER_DEBIAN = ("-m", "deploy", "tests/deploy/test_install.py")
# One language each, side by side.
LOOK = ("-n", "3", "tests/look")
# Debian packages that production is made of; the tests run each of them.
DEPLOYED_PACKAGES = (
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
    """Run pytest once with data of its own below `folder`, and count its results.

    Its progress is printed while it runs, its log in one piece at the end, since other runs go on beside it.
    """
    say(f"Running the tests: {name}")
    report = reports(folder) / f"{name}.xml"
    environment = services.environment(
        IBANSE_DATA_DIR=str(folder / name), PYTHONPYCACHEPREFIX=str(COMPILED), **settings
    )
    # Each run starts Python hundreds of times: what is compiled once need not be compiled again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started_at = time.monotonic()
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.progress", f"--junitxml={report}", *options]
    with log.open("wb") as output:
        status = _wait(command, environment | {progress.NAME_VARIABLE: name}, output)
    say(f"\n--- {name} ---\n{log.read_text(encoding='utf-8', errors='replace')}")
    result = Run(name, time.monotonic() - started_at)
    if report.exists():
        for case in ET.parse(report).iter("testcase"):
            _count(case, result)
    if status not in (ALL_PASSED, NOTHING_SELECTED):
        # pytest may also fail as a whole: a wrong option, a test file that cannot be imported.
        result.failed = result.failed or 1
    return result


def reports(folder: Path) -> Path:
    """Return where the JUnit reports go: `make release` takes the results of the claims from them."""
    return Path(os.environ.get("IBANSE_TEST_REPORTS", folder))


def _wait(command: list[str], environment: dict[str, str], output: IO[bytes]) -> int:
    terminal = os.dup(sys.stdout.fileno())
    environment |= {progress.OUTPUT_VARIABLE: str(terminal)}
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, pass_fds=[terminal])
    os.close(terminal)
    _running.append(process)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal has sent the signal to pytest as well; a second one would stop its clean-up.
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        raise
    finally:
        services.stop(process, signal.SIGINT)


def _count(case: ET.Element, result: Run) -> None:
    if case.find("failure") is not None or case.find("error") is not None:
        result.failed += 1
    elif case.find("skipped") is not None:
        result.skipped += 1
    else:
        result.passed += 1


def database() -> AbstractContextManager[str]:
    """Open the PostgreSQL to test on: the caller's, or one of our own."""
    url = os.environ.get("DATABASE_URL")
    return nullcontext(url) if url else services.postgresql()


def install(packages: Sequence[str]) -> list[str]:
    """Install Debian packages, where this user may; return a line for each still missing."""
    # The binaries of PostgreSQL may come from a wheel as well, so only the start decides whether it is missing.
    return services.install(packages, optional=[] if "DATABASE_URL" in os.environ else ["postgresql"])


def database_urls(url: str) -> dict[str, str]:
    """Return the settings of a run on PostgreSQL; Django makes the keyring's database for the tests."""
    parts = urlsplit(url)
    return {"DATABASE_URL": url, "KEYRING_DATABASE_URL": parts._replace(path=f"{parts.path}_keyring").geturl()}


def say(text: str) -> None:
    """Print at once: the runs write to the same terminal."""
    print(text, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; return the exit status."""
    catalogues.compile_changed()  # Before runs that begin side by side read them.
    modes = {"deploy": test_deployed, "long": test_long, "look": look}
    if arguments and arguments[0] in modes:
        return modes[arguments[0]](arguments[1:])
    return test_everything(arguments)


def test_everything(arguments: Sequence[str]) -> int:
    """Run the tests of `make test`, print what could not be tested and the counts; return the exit status."""
    not_tested = install(["curl", "gettext", "redis-server", *services.BROWSER])
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="ibanse-tests-") as name:
        folder = Path(name)
        # Side by side, since each waits a good part of its time: for servers, pages and the clock.
        second_lane = [partial(run, "SQLite", [*ON_SQLITE, *arguments], folder)]
        if all(services.PRESENT[package]() for package in services.BROWSER):
            second_lane.append(partial(run, "Browser", [*IN_A_BROWSER, *arguments], folder))
        with one_after_the_other() as lane:
            others = [lane.submit(each) for each in second_lane]
            try:
                with database() as url:
                    runs.append(run("PostgreSQL", [*ON_POSTGRESQL, *arguments], folder, **database_urls(url)))
            except services.ServiceError as error:
                not_tested.append(str(error))
                # Without it everything runs on the database that is always there.
                runs.append(run("Everything", [*ON_POSTGRESQL, *arguments], folder))
            runs += [other.result() for other in others]
        not_tested += never_ran(reports(folder))
    return conclude(runs, not_tested)


def test_deployed(arguments: Sequence[str]) -> int:
    """Run the tests of `make test-deploy`; return the exit status."""
    not_tested = install(DEPLOYED_PACKAGES)
    return conclude(*on_postgresql([("Deployed", [*AS_DEPLOYED, *arguments], {})], not_tested))


def test_long(arguments: Sequence[str]) -> int:
    """Run the tests of `make test-long`; return the exit status."""
    not_tested = install(DEPLOYED_PACKAGES)
    # A broken debootstrap or mirror is noticed here, a week before the stored Debian has aged.
    shutil.rmtree(debian.cache_folder(), ignore_errors=True)
    lanes = [
        ("Long", [*LONG, *arguments], {}),
        ("OlderDebian", [*ON_AN_OLDER_DEBIAN, *arguments], {debian.SUITE_VARIABLE: debian.SUITES[-1]}),
    ]
    return conclude(*on_postgresql(lanes, not_tested))


def look(arguments: Sequence[str]) -> int:
    """Look at every page and write the contact sheets, into LOOK_SHEETS if that names a folder."""
    not_tested = services.install(services.BROWSER)
    sheets = Path(os.environ.get("LOOK_SHEETS") or services.ROOT / ".cache" / "look").resolve()
    with tempfile.TemporaryDirectory(prefix="ibanse-tests-") as name:
        runs = [run("Look", [*LOOK, *arguments], Path(name), LOOK_SHEETS=str(sheets))]
    for sheet in sorted(sheets.glob("*.png")):
        say(f"Look at {sheet}")
    return conclude(runs, not_tested)


def on_postgresql(
    lanes: Sequence[tuple[str, Sequence[str], dict[str, str]]], not_tested: list[str]
) -> tuple[list[Run], list[str]]:
    """Run lanes (name, options, settings) one after the other on one PostgreSQL."""
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="ibanse-tests-") as name:
        folder = Path(name)
        try:
            with database() as url:
                runs += [run(lane, options, folder, **database_urls(url), **more) for lane, options, more in lanes]
        except services.ServiceError as error:
            not_tested.append(str(error))
        return runs, not_tested + never_ran(reports(folder))


@contextmanager
def one_after_the_other() -> Iterator[ThreadPoolExecutor]:
    """Yield a second thread for runs; an interruption of this one ends them too, and no more begin."""
    with ThreadPoolExecutor(1) as lane:
        try:
            yield lane
        except KeyboardInterrupt:
            lane.shutdown(wait=False, cancel_futures=True)
            for process in _running:
                services.stop(process, signal.SIGINT)
            raise


def never_ran(folder: Path) -> list[str]:
    """Return the tests that were skipped in each run they were in, with the last reason.

    No rule about which test runs where may lose one, and a missing component must not pass unnoticed.
    """
    ran: set[str] = set()
    skipped: dict[str, str] = {}
    for report in folder.glob("*.xml"):
        for case in ET.parse(report).iter("testcase"):
            test = f"{case.get('classname')}.{case.get('name')}"
            skip = case.find("skipped")
            if skip is None:
                ran.add(test)
            else:
                skipped[test] = skip.get("message", "")
    return [f"{test} ({reason})" for test, reason in sorted(skipped.items()) if test not in ran]


def conclude(runs: Sequence[Run], not_tested: Sequence[str]) -> int:
    """Print the closing table and what could not be tested; return the exit status."""
    say(f"\n{'Run':12}{'Result':40}{'Seconds':>8}")
    for each in runs:
        say(str(each))
    for line in not_tested:
        say(f"Not tested: {line}.")
    ran = any(each.passed or each.failed or each.skipped for each in runs)
    if not ran:
        say("No test matches.")
    say(counts(runs))
    return 0 if ran and not not_tested and not any(each.failed for each in runs) else 1


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # SIGTERM is handled like Ctrl-C: the database is stopped and removed on the way out.
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
