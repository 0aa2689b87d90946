"""Encryption as Mozilla's "intermediate" asks for, in the eyes of sslyze, which lives in an environment of its own."""

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
    """Install sslyze by its lock, once: its versions must not decide ours, nor ours its."""
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
    """Run nginx alone: encryption is its own matter."""
    folder = tmp_path_factory.mktemp("tls")
    with proxy(folder, [folder / "nobody.sock"]) as running:
        yield running


def judged(sslyze: Path, site: Proxy) -> "subprocess.CompletedProcess[str]":
    """Return what sslyze says of a site."""
    place = f"{HOST}:{site.https}{{127.0.0.1}}"
    command = [str(sslyze), "--mozilla_config=intermediate", f"--certinfo_ca_file={site.authority}", place]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_it_is_mozillas_intermediate(sslyze: Path, site: Proxy) -> None:
    judgement = judged(sslyze, site)

    assert f"{HOST}:{site.https}: OK - Compliant." in judgement.stdout
    assert judgement.returncode == 0
    assert "X25519, secp256r1, secp384r1" in judgement.stdout


def test_a_weaker_one_would_be_noticed(sslyze: Path, tmp_path: Path) -> None:
    with proxy(tmp_path, [tmp_path / "nobody.sock"], changed=NOT_INTERMEDIATE) as weaker:
        judgement = judged(sslyze, weaker)

    assert "FAILED - Not compliant." in judgement.stdout
    assert judgement.returncode != 0


def test_its_lock_is_renewed_with_the_others() -> None:
    assert "deploy/requirements/sslyze.txt" in (services.ROOT / "Makefile").read_text()
