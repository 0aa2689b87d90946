"""nginx before gunicorn's socket, as in production."""

import http.client
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import services
from tests.production import Production

pytestmark = pytest.mark.deploy


def test_a_call_comes_through_the_proxy(production: Production, tmp_path: Path) -> None:
    listening = tmp_path / "gunicorn.sock"
    told = production.environment | {"IBANSE_SOCKET": str(listening)}
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
    with services.serving(command, tmp_path, listening, told), services.nginx(listening) as url:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=20)
        connection.request("GET", "/health/live", headers={"Host": "ibanse.example"})
        status = connection.getresponse().status
        connection.close()

    assert status == 200
