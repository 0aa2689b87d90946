"""Fixtures of the tests of the deployed site."""

from pathlib import Path

import pytest

from tests.support.production import Production
from tests.support.programs import site as site_programs


@pytest.fixture(scope="session")
def static(production: Production) -> Path:
    """Collect the static files, without which no page can be made, and return their folder."""
    production.run(site_programs.collect_static)
    return Path(production.environment["IBANSE_DATA_DIR"]) / "static"
