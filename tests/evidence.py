"""`python -m tests.evidence`: run the tests behind the claims of /security/ and record which of them hold.

Only what is new or changed since it was recorded is run: each test on PostgreSQL, in a browser or on what production is
made of, as its marker says, and on SQLite what is skipped there; `--all` runs everything anew, names of claims just
these. A claim whose tests fail, are skipped because something is missing here, or do not exist loses its entry in
privacy/evidence.json and with it its place on the page.
"""

import ast
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import django

from tests import services
from tests.__main__ import (
    AS_DEPLOYED,
    DEPLOYED,
    IN_A_BROWSER,
    ON_A_DATABASE,
    SOMETHING_IS_MISSING,
    beside,
    database,
    run,
    say,
)

if TYPE_CHECKING:
    from privacy.claims import Claim

ROOT: Final = Path(__file__).resolve().parent.parent


def exists(node: str) -> bool:
    """Return whether a file has the class or the test that a node id names; pytest would refuse to run at all."""
    path, *names = node.split("::")
    if not (ROOT / path).is_file():
        return False
    found: list[ast.stmt] = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    for name in names:
        inside = [each.body for each in found if isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name == name]
        if not inside:
            return False
        [found] = inside
    return True


def dotted(node: str) -> str:
    """Return a node id as JUnit's reports name it: `tests.accounts.test_history.HistoryTests`."""
    path, *names = node.split("::")
    return ".".join([path.removesuffix(".py").replace("/", "."), *names])


def outcomes(folder: Path) -> dict[str, Counter[str]]:
    """Return how often each test passed and failed over all reports in a folder, by its dotted name."""
    found: dict[str, Counter[str]] = {}
    for report in sorted(folder.glob("*.xml")):
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by our own pytest
            name = f"{case.get('classname')}.{case.get('name', '').partition('[')[0]}"
            found.setdefault(name, Counter())[_outcome(case)] += 1
    return found


def _outcome(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skip = case.find("skipped")
    if skip is None:
        return "passed"
    # What another database has no need of proves nothing against it; a missing component proves nothing at all.
    return "failed" if SOMETHING_IS_MISSING.search(skip.get("message", "")) else "skipped"


def of(node: str, seen: dict[str, Counter[str]]) -> list[Counter[str]]:
    """Return what became of each test that a node id stands for."""
    name = dotted(node)
    return [count for test, count in seen.items() if test == name or test.startswith(f"{name}.")]


def holds(claim: "Claim", seen: dict[str, Counter[str]]) -> bool:
    """Return whether each of a claim's tests passed somewhere and failed nowhere."""
    for node in claim.tests:
        counted = of(node, seen)
        if not any(count["passed"] for count in counted) or any(count["failed"] for count in counted):
            say(f"{claim.name}: {node} did not pass.")
            return False
    return True


def seen_now(nodes: Sequence[str]) -> dict[str, Counter[str]]:
    """Run the tests, each as its marker says, and return what became of them."""
    lacking = services.install(["curl", *services.BROWSER, *DEPLOYED])
    for sentence in lacking:
        say(f"Not tested: {sentence}.")
    with tempfile.TemporaryDirectory(prefix="ibanse-evidence-") as name:
        folder = Path(name)
        with database() as url:
            urls = {"DATABASE_URL": url, "KEYRING_DATABASE_URL": beside(url)}
            run("PostgreSQL", [*ON_A_DATABASE, *nodes], folder, **urls)
            run("Deployed", [*AS_DEPLOYED, *nodes], folder, **urls)
        run("Browser", [*IN_A_BROWSER, *nodes], folder)
        if skipped := [node for node in nodes if any(count["skipped"] for count in of(node, outcomes(folder)))]:
            run("SQLite", [*ON_A_DATABASE, *skipped], folder)
        return outcomes(folder)


def main(arguments: Sequence[str]) -> int:
    """Run what is not recorded, write the record, and return 1 when a claim does not hold."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
    django.setup()
    from privacy import evidence  # noqa: PLC0415 - Django must be set up first

    recorded = evidence.holding(evidence.RECORD, ROOT)
    named = {argument for argument in arguments if argument != "--all"}
    if unknown := named - {claim.name for claim in evidence.claims()}:
        say(f"There is no claim of the name {', '.join(sorted(unknown))}.")
        return 2
    wanted = [
        claim
        for claim in evidence.claims()
        if (claim.name in named if named else claim.name not in recorded or "--all" in arguments)
    ]
    lost = [f"{claim.name}: there is no {node}." for claim in wanted for node in claim.tests if not exists(node)]
    for sentence in lost:
        say(sentence)
    nodes = sorted({node for claim in wanted for node in claim.tests if exists(node)})
    before = {claim.name: evidence.fingerprint(claim, ROOT) for claim in wanted}
    seen = seen_now(nodes) if nodes else {}

    kept = json.loads(evidence.RECORD.read_bytes()) if recorded else {}
    passed = {name: kept[name] for name in recorded if name not in before}
    for claim in wanted:
        # What was edited while its tests ran has not been tested.
        if holds(claim, seen) and before[claim.name] == evidence.fingerprint(claim, ROOT):
            day = datetime.now(UTC).date().isoformat()
            passed[claim.name] = {"fingerprint": before[claim.name] or "", "passed_on": day}
    evidence.write(passed)
    total = len(evidence.claims())
    say(f"{len(passed)} of {total} claims hold; {len(wanted)} were run anew.")
    return 0 if len(passed) == total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
