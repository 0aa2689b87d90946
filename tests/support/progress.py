"""A pytest plugin that tells how a run gets on: a line now and then, and each failure at once.

The runner loads it with `-p tests.support.progress`. Pytest's own output goes to a file, which is printed at the end.
"""

import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import pytest

NAME_VARIABLE: Final = "TESTS_RUN_NAME"
OUTPUT_VARIABLE: Final = "TESTS_PROGRESS_FD"
SECONDS_BETWEEN_LINES: Final = 30


class Progress:
    """The counts of one run, written to the file descriptor of the runner's terminal."""

    def __init__(self, name: str, output: int) -> None:
        self.name = name
        self.output = output
        self.total = 0
        self.finished = 0
        self.failed: set[str] = set()
        self._started_at = time.monotonic()
        self._has_ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def pytest_sessionstart(self) -> None:
        """Begin to print; the time counts from here."""
        self._ticker.start()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn how many tests there are, in a run of one process."""
        self.total = max(self.total, len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Learn the same from a worker; each of them collects everything."""
        self.total = max(self.total, len(ids))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Print the files that cannot be imported."""
        if report.failed:
            self._print_failure(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test when it is over, and print its first failure."""
        if report.failed:
            self._print_failure(report)
        if report.when == "teardown":
            self.finished += 1

    def pytest_sessionfinish(self) -> None:
        """Print a last line."""
        self._has_ended.set()
        self._ticker.join()
        self._print(self.line())

    def line(self) -> str:
        """Return how far the run is."""
        minutes, seconds = divmod(int(time.monotonic() - self._started_at), 60)
        tests = f"{self.finished:5}/{self.total:<5}" if self.total else "collecting "
        return f"{tests} {len(self.failed)} failed  {minutes}:{seconds:02}"

    def _tick(self) -> None:
        while not self._has_ended.wait(SECONDS_BETWEEN_LINES):
            self._print(self.line())

    def _print_failure(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.nodeid not in self.failed:
            self.failed.add(report.nodeid)
            self._print(f"FAILED {report.nodeid}: {failure_reason(report)}")

    def _print(self, text: str) -> None:
        # One write, so that the lines of runs side by side do not mix.
        os.write(self.output, f"{self.name:12}{text}\n".encode(errors="replace"))


def failure_reason(report: pytest.CollectReport | pytest.TestReport) -> str:
    """Return the first line of the message of a failure."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    return (text.strip().splitlines() or ["no reason given"])[0][:200]


def pytest_configure(config: pytest.Config) -> None:
    """Take part only where the runner asks for it, and not in xdist's workers, whose reports come to the first."""
    if OUTPUT_VARIABLE in os.environ and not hasattr(config, "workerinput"):
        progress = Progress(os.environ.get(NAME_VARIABLE, ""), int(os.environ[OUTPUT_VARIABLE]))
        config.pluginmanager.register(progress, "progress")
