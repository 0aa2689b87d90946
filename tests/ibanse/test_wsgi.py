"""The entry of the server: what Django would stumble over before any middleware."""

import io
from collections.abc import Callable
from typing import Any

from django.test import RequestFactory

from tests.base import BaseTest, connections_stay_open


def status_of(environ: dict[str, Any]) -> str:
    """Return the status line of the answer, read to its end as a server does."""
    # WhiteNoise warns of a folder that is missing, and a fixture makes it only now.
    from ibanse.wsgi import application

    statuses: list[str] = []

    def start_response(status: str, *_: Any) -> Callable[[bytes], object]:
        statuses.append(status)
        return io.BytesIO().write

    with connections_stay_open():
        b"".join(application(environ, start_response))
    return statuses[0]


class WsgiTests(BaseTest):
    def test_a_content_type_that_is_nonsense_is_no_error_of_ours(self) -> None:
        for odd in ("text/plain; charset*=bogus'en'%41", "text/plain; charset*=''", ";;;=", "multipart/form-data"):
            with self.subTest(content_type=odd):
                environ = RequestFactory().get("/").environ | {"CONTENT_TYPE": odd, "wsgi.input": io.BytesIO()}
                assert status_of(environ).startswith("200")

    def test_a_page_and_a_call_of_the_api_enter_by_the_same_entry(self) -> None:
        page = RequestFactory().get("/countries/").environ
        call = RequestFactory().get("/api/v1/openapi.json").environ

        assert status_of(page) == status_of(call) == "200 OK"
