"""What a running gunicorn logs about errors: everything that helps to find them, and no personal data."""

import contextlib
import http.client
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support import services
from tests.support.canary import found_in

pytestmark = pytest.mark.claim("masked_logs")

IBAN: Final = "SE4550000000058398257466"
WRONG: Final = "SE4450000000058398257466"
KEY: Final = "ibanse_live_0123456789_" + "aB3" * 16 + "z"
EMAIL: Final = "alice@example.org"
GROUPED: Final = "SE45%C2%A05000%200000+0583-9825.7466"

SETTINGS = """
from ibanse.settings import *
ROOT_URLCONF = "failing"
# allauth does not start without its own; the others would query the database, which is empty.
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
"""
# Fails in every way: within Django, before it, in a thread, where it cannot be caught, in logging.
FAILING = f"""
import logging, threading, warnings
from django.http import HttpResponseNotFound, HttpResponseServerError
from django.urls import path

def in_a_view(request, iban=""):
    try:
        int(request.GET["iban"])
    except ValueError as error:
        raise LookupError("{EMAIL} asked with {KEY}") from error

def in_a_thread(request):
    thread = threading.Thread(target=in_a_view, args=(request,))
    thread.start()
    thread.join()
    raise RuntimeError("{WRONG}")

class FailingFinaliser:
    def __del__(self):
        raise ValueError("{IBAN}")

def at_the_end(request):
    FailingFinaliser()
    warnings.warn("{IBAN} is odd")
    raise RuntimeError

def in_the_log(request):
    logging.getLogger("broken").warning("%d", "{IBAN}")
    raise RuntimeError

def nothing(request, iban):
    return HttpResponseNotFound()

# The real page needs collected static files.
def handler500(request):
    return HttpResponseServerError()

urlpatterns = [
    path("nothing/<iban>/", nothing),
    path("view/<iban>/", in_a_view), path("thread/", in_a_thread), path("end/", at_the_end), path("log/", in_the_log)
]

def application(environ, start_response):
    if environ["PATH_INFO"].startswith("/outside/"):
        raise ValueError("{IBAN} is not for " + environ["HTTP_AUTHORIZATION"])
    from ibanse.wsgi import application
    return application(environ, start_response)

from ibanse import wsgi
"""


@pytest.fixture(scope="module")
def run() -> Iterator[Path]:
    """Serve the failing application, request every URL, and yield the folder with everything that was written."""
    with tempfile.TemporaryDirectory(prefix="ibanse-logs-") as name, contextlib.ExitStack() as serving:
        folder, code, port = Path(name, "run"), Path(name, "code"), services.free_port()
        folder.mkdir()
        code.mkdir()
        (code / "failing.py").write_text(FAILING)
        (code / "failing_settings.py").write_text(SETTINGS)
        environment = services.environment(
            IBANSE_DATA_DIR=str(folder), PORT=str(port), DJANGO_SETTINGS_MODULE="failing_settings"
        )
        options = ["-c", "deploy/gunicorn.conf.py", "--pythonpath", str(code), "failing:application"]
        gunicorn = [sys.executable, "-m", "gunicorn", *options]
        serving.enter_context(services.serving(gunicorn, folder, port, environment))
        statuses = [
            request_status(port, path)
            for path in (
                f"/view/{IBAN}/?iban={GROUPED}",
                f"/thread/?iban={IBAN}",
                "/end/",
                "/log/",
                f"/nothing/{IBAN.lower()}/?mail={EMAIL.replace('@', '%40')}",
                f"/outside/{GROUPED}/?key={KEY}&iban={IBAN}",
            )
        ]
        assert statuses == [500, 500, 500, 500, 404, 500]
        # Stops gunicorn, which flushes its buffers.
        serving.close()
        yield folder


def request_status(port: int, path: str) -> int:
    """Return the status of the response."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
        return connection.getresponse().status


class TestErrorLog:
    def test_no_iban_is_in_any_file(self, run: Path) -> None:
        assert found_in(run, [IBAN, WRONG]) == []

    def test_no_key_and_no_email_is_logged(self, run: Path) -> None:
        log = (run / "log").read_text()

        assert KEY[-20:] not in log
        assert "alice" not in log

    @pytest.mark.parametrize(
        "line",
        [
            "ERROR django.request Internal Server Error: /view/[IBAN]/\nTraceback (most recent call last):",
            "\nValueError: invalid literal for int() with base 10: '[IBAN]'\n\nThe above exception was",
            "\nLookupError: [e-mail] asked with [key]\n",
            "CRITICAL ibanse.logging.masking Uncaught exception in the thread Thread-",
            "\nRuntimeError: [IBAN]\n",
            "ERROR ibanse.logging.masking Exception ignored in: <function FailingFinaliser.__del__ at 0x",
            "UserWarning: [IBAN] is odd",
            "WARNING broken A line could not be written: TypeError at ",
            "WARNING django.request Not Found: /nothing/[IBAN]/",
            "[ERROR] Error handling request GET /outside/[IBAN]/?key=[key]&iban=[IBAN]\nTraceback ",
            "\nValueError: [IBAN] is not for Bearer [key]\n",
        ],
    )
    def test_error_is_logged(self, run: Path, line: str) -> None:
        assert line in (run / "log").read_text()

    def test_code_locations_are_logged(self, run: Path) -> None:
        assert (run / "log").read_text().count('/failing.py", line ') >= 7

    def test_planted_leak_is_found(self, run: Path, tmp_path: Path) -> None:
        leaky = (run / "log").read_text().replace("[IBAN]", "SE45 5000 0000 0583 9825 7466", 1)
        (tmp_path / "log").write_text(leaky)

        assert len(found_in(tmp_path, [IBAN])) == 1
