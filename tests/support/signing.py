"""Keys that sign releases in tests."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import services


def make_key(folder: Path, name: str = "key") -> Path:
    """Make a key to sign with; its public half lies beside it."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip(services.missing("openssh-client"))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    return folder / name


def allow(key: Path, signers: Path, options: str = 'namespaces="ibanse-release"') -> Path:
    """Write a file of allowed signers that has one key."""
    signers.write_text(f"release@ibanse.example {options} {key.with_suffix('.pub').read_text()}")
    return signers
