"""The live server against its own OpenAPI document: schemathesis with every check on, right data and wrong."""

import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.validation.api.conftest import LiveApi, run
from validation.api.routes import ROUTES

pytestmark = pytest.mark.browser

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
HEALTH = 2


class TestSchemathesis:
    def test_schemathesis_finds_nothing(
        self, live_api: LiveApi, api_environment: dict[str, str], tmp_path: Path
    ) -> None:
        # From a file: of an address schemathesis leaves out the call that gives the document.
        document = tmp_path / "openapi.json"
        with urlopen(f"{live_api.url}/api/v1/openapi.json") as response:
            document.write_bytes(response.read())
        schemathesis = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)]
        command = [*schemathesis, "run", str(document), "--url", live_api.url, "--checks", "all", "--no-color"]

        done = run(command, tmp_path, api_environment)

        assert done.returncode == 0, done.stdout + done.stderr
        assert f"Tested: {len(ROUTES) + HEALTH}\n" in done.stdout, done.stdout
        print(done.stdout[done.stdout.index("Test cases:") :])
