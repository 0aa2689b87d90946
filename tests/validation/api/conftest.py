"""A live server with keys to call it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import services

_MAKE_KEY = """
import django

django.setup()

from datetime import timedelta

from django.utils import timezone

from accounts.actor import SYSTEM
from accounts.models import Client
from apikeys import keys, scopes

client = Client.objects.create(monthly_quota=100_000_000)
end = timezone.now() + timedelta(days=1)
draft = keys.Draft(name="Tests", scopes=tuple(scopes.SCOPES), expires_at=end, rate_per_minute=10_000_000)
print(keys.create(client, draft, by=SYSTEM)[1])
"""


class LiveApi(NamedTuple):
    """Where the API is, a key with every scope that no limit stops, and the file in which the server complains."""

    url: str
    key: str
    log: Path


@pytest.fixture(scope="session")
def live_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """Start ibanse as `make run` does, with data of its own, and make a key."""
    data = tmp_path_factory.mktemp("live-api")
    with services.site(data, IBANSE_DEMO="0") as url:
        environment = services.environment(IBANSE_DATA_DIR=str(data), DJANGO_SETTINGS_MODULE="ibanse.settings")
        command = [sys.executable, "-c", _MAKE_KEY]
        made = subprocess.run(
            command, cwd=services.ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        yield LiveApi(url, made.stdout.strip(), data / "log")


@pytest.fixture(scope="session")
def api_environment(live_api: LiveApi) -> dict[str, str]:
    """Return the environment in which samples and schemathesis find the API and the key, whatever proxy there is."""
    return services.environment(IBANSE_URL=live_api.url, IBANSE_KEY=live_api.key, NO_PROXY="*", no_proxy="*")


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder and return what it said."""
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
