"""What the tests of the site as it is deployed share."""

from pathlib import Path

import pytest

from tests.support.production import Production


@pytest.fixture(scope="session")
def static(production: Production) -> Path:
    """Collect the static files, without which no page can be made, and return their folder."""
    production.does(
        "from django.core.management import call_command; call_command('collectstatic', interactive=False, verbosity=0)"
    )
    return Path(production.environment["IBANSE_DATA_DIR"]) / "static"
