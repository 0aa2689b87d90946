"""TLS by Mozilla's "intermediate" profile, verified by sslyze, which is in a virtual environment of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import services
from tests.support.proxy import HOST, Proxy, proxy

pytestmark = [pytest.mark.deploy, pytest.mark.claim("modern_tls")]

LOCK = services.ROOT / "deploy" / "requirements" / "sslyze.txt"
NOT_INTERMEDIATE = {"ECDHE-ECDSA-AES128-GCM-SHA256:": "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:"}


@pytest.fixture(scope="module")
def sslyze() -> Path:
    """Install sslyze from its lock, once; its dependencies are independent of ours."""
    environment = services.ROOT / ".cache" / "sslyze"
    program, stamp = environment / "bin" / "sslyze", environment / "installed"
    if not (program.exists() and stamp.exists() and stamp.read_bytes() == LOCK.read_bytes()):
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True, timeout=120)
        python = str(environment / "bin" / "python")
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "-r", str(LOCK)]
        subprocess.run([python, "-m", "pip", "install", *options], check=True, timeout=600)
        stamp.write_bytes(LOCK.read_bytes())
    return program


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run nginx alone, which terminates TLS."""
    folder = tmp_path_factory.mktemp("tls")
    with proxy(folder, [folder / "nobody.sock"]) as running:
        yield running


def analyse(sslyze: Path, site: Proxy) -> "subprocess.CompletedProcess[str]":
    """Run sslyze on a site."""
    target = f"{HOST}:{site.https}{{127.0.0.1}}"
    command = [str(sslyze), "--mozilla_config=intermediate", f"--certinfo_ca_file={site.authority}", target]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_profile_is_intermediate(sslyze: Path, site: Proxy) -> None:
    report = analyse(sslyze, site)

    assert f"{HOST}:{site.https}: OK - Compliant." in report.stdout
    assert report.returncode == 0
    assert "X25519, secp256r1, secp384r1" in report.stdout


def test_weaker_profile_is_noticed(sslyze: Path, tmp_path: Path) -> None:
    with proxy(tmp_path, [tmp_path / "nobody.sock"], changed=NOT_INTERMEDIATE) as weaker:
        report = analyse(sslyze, weaker)

    assert "FAILED - Not compliant." in report.stdout
    assert report.returncode != 0


def test_lock_is_renewed_with_the_others() -> None:
    assert "deploy/requirements/sslyze.txt" in (services.ROOT / "Makefile").read_text()
