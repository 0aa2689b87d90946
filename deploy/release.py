"""`make release`: tests a commit, records the result of each claim, and builds the signed dist/ibanse-VERSION.tar.gz.

RELEASE_KEY names the SSH key that signs: a private key file, or the public key file of a key in an agent.
deploy/verify is the counterpart: install and upgrade refuse an archive that it does not accept.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec

from ibanse import catalogues
from privacy.security_page import evidence
from privacy.security_page.evidence import ClaimResult, Evidence

ROOT: Final = Path(__file__).resolve().parents[1]
NAMESPACE: Final = "ibanse-release"
"""The purpose of a signature: ssh-keygen refuses one that was made for another."""
SUITES: Final = ("check", "test", "test-deploy")
SUMS: Final = "SHA256SUMS"
REQUIREMENT: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+?)(?P<marker> ;.*?)?(?: \\)?$")


class ReleaseError(Exception):
    """No release can be made; the message says why."""


def main() -> None:
    """Release the commit that is checked out."""
    key = os.environ.get("RELEASE_KEY", "")
    if not key or not Path(key).is_file():
        raise ReleaseError("Name the key that signs: make release RELEASE_KEY=~/.ssh/release (ssh-keygen creates one).")
    sign(b"Can this key sign?", Path(key))
    commit = clean_commit()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    with tempfile.TemporaryDirectory(prefix="ibanse-release-") as name:
        reports, folder = Path(name) / "reports", Path(name) / f"ibanse-{version}"
        reports.mkdir()
        run_suites(reports)
        if clean_commit() != commit:
            raise ReleaseError("The commit changed while it was tested.")
        recorded = Evidence(version, commit, datetime.now(UTC).date(), results(reports))
        export(commit, folder)
        add_generated(folder, recorded)
        sign_folder(folder, Path(key))
        archive = pack(folder, ROOT / "dist" / f"{folder.name}.tar.gz")
    passed = sum(evidence.passed(claim, recorded) for claim in evidence.claims())
    lines = [f"{slug}: {result.result}" for slug, result in recorded.claims.items() if result.result != "passed"]
    lines.append(f"{archive.relative_to(ROOT)}: {passed} of {len(evidence.claims())} claims passed.")
    sys.stdout.write("\n".join(lines) + "\n")


def clean_commit() -> str:
    """Return the commit that is checked out. Raises ReleaseError when a file differs from it."""
    if _git("status", "--porcelain"):
        raise ReleaseError("A release is made from a commit: commit or remove what `git status` shows.")
    return _git("rev-parse", "HEAD")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


# --- Results ---------------------------------------------------------------------------------------------------------


def run_suites(reports: Path) -> None:
    """Run every check and test, which write their JUnit reports to the folder. Raises ReleaseError."""
    environment = {**os.environ, "IBANSE_TEST_REPORTS": str(reports)}
    for suite in SUITES:
        if subprocess.run(["make", suite], cwd=ROOT, env=environment, check=False).returncode:
            raise ReleaseError(f"No release: `make {suite}` failed.")


def results(reports: Path) -> dict[str, ClaimResult]:
    """Return the result of each claim.

    A test may run several times, once per database. A claim has passed when each of its tests passed at least once and
    never failed; a test that was skipped in every run has not passed.
    """
    outcomes: dict[str, dict[str, set[str]]] = {claim.slug: defaultdict(set) for claim in evidence.claims()}
    for report in sorted(reports.glob("*.xml")):
        for case in ET.parse(report).iter("testcase"):
            for slug in {each.get("value", "") for each in case.iter("property") if each.get("name") == "claim"}:
                outcomes[slug][f"{case.get('classname')}.{case.get('name')}"].add(_outcome(case))
    return {slug: ClaimResult(_together(tests.values()), len(tests)) for slug, tests in outcomes.items()}


def _outcome(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"


def _together(tests: Iterable[set[str]]) -> Any:
    tests = list(tests)
    if any("failed" in outcomes for outcomes in tests):
        return "failed"
    return "passed" if tests and all("passed" in outcomes for outcomes in tests) else "not run"


# --- The archive -----------------------------------------------------------------------------------------------------


def export(commit: str, folder: Path) -> None:
    """Write the files of a commit into a folder."""
    folder.mkdir()
    exported = subprocess.run(["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-C", folder, "-xf", "-"], input=exported.stdout, check=True)


def add_generated(folder: Path, recorded: Evidence) -> None:
    """Add what is not in git: test results, compiled translations, the list of stored data, the list of libraries."""
    encoded = msgspec.json.format(msgspec.json.encode(recorded), indent=2)
    (folder / "evidence.json").write_bytes(encoded + b"\n")
    catalogues.compile_changed(folder / "ibanse" / "locale")
    subprocess.run([sys.executable, "manage.py", "describe_data", "--verbosity=0"], cwd=ROOT, check=True)
    shutil.copy(ROOT / "deploy" / "data.md", folder / "deploy")
    bill = json.dumps(bill_of_materials(folder / "deploy" / "requirements" / "run.txt", recorded), indent=2)
    (folder / "sbom.cdx.json").write_text(bill + "\n", encoding="utf-8")


def bill_of_materials(lock: Path, recorded: Evidence) -> dict[str, Any]:
    """Return the libraries of a lock file as a CycloneDX document."""
    application = {"type": "application", "name": "ibanse", "version": recorded.version, "bom-ref": "ibanse"}
    libraries = list(_libraries(lock.read_text(encoding="utf-8")))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"ibanse:{recorded.commit}").urn,
        "version": 1,
        "metadata": {"timestamp": f"{recorded.date}T00:00:00Z", "component": application},
        "components": libraries,
        "dependencies": [{"ref": "ibanse", "dependsOn": [library["bom-ref"] for library in libraries]}],
    }


def _libraries(lock: str) -> Iterator[dict[str, Any]]:
    for block in re.split(r"\n(?=\S)", lock.strip()):
        first, *others = block.splitlines()
        found = REQUIREMENT.match(first)
        if found is None:
            raise ReleaseError(f"The lock file has a line that is not a requirement: {first}")
        reference = f"pkg:pypi/{found['name'].lower()}@{found['version']}"
        library: dict[str, Any] = {
            "type": "library",
            "name": found["name"],
            "version": found["version"],
            "purl": reference,
            "bom-ref": reference,
            # Some are only for other operating systems or versions of Python.
            "scope": "optional" if found["marker"] else "required",
            "hashes": [{"alg": "SHA-256", "content": line.partition("sha256:")[2].rstrip(" \\")} for line in others],
        }
        if expression := _licence(found["name"]):
            library["licenses"] = [{"expression": expression}]
        yield library


def _licence(name: str) -> str | None:
    """Return the SPDX expression of an installed library."""
    try:
        expressions = metadata.metadata(name).get_all("License-Expression", [])
    except metadata.PackageNotFoundError:
        return None
    return expressions[0] if expressions else None


def sign_folder(folder: Path, key: Path) -> None:
    """Write the checksums of all files of a folder and their signature, replacing earlier ones."""
    for name in (SUMS, f"{SUMS}.sig"):
        (folder / name).unlink(missing_ok=True)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in files]
    sums = "".join(lines).encode()
    (folder / SUMS).write_bytes(sums)
    (folder / f"{SUMS}.sig").write_bytes(sign(sums, key))


def sign(content: bytes, key: Path) -> bytes:
    """Return a detached signature. Raises ReleaseError."""
    command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE]
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        raise ReleaseError(f"{key} cannot sign: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def pack(folder: Path, archive: Path) -> Path:
    """Write a folder as an archive without the users and times of this machine."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = 0
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    archive.parent.mkdir(exist_ok=True)
    with (
        archive.open("wb") as written,
        gzip.GzipFile("", "wb", fileobj=written, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        tar.add(folder, folder.name, filter=plain)
    return archive


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
    try:
        main()
    except ReleaseError as reason:
        sys.exit(str(reason))
