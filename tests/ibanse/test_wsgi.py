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


def refuse(_environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Respond without reading the body."""
    start_response("403 Forbidden", [])
    return [b"refused"]


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

    def test_health_does_not_depend_on_the_host(self) -> None:
        for host in ({"HTTP_HOST": "192.0.2.80"}, {"SERVER_NAME": ""}):
            with self.subTest(host=host):
                assert status_of(RequestFactory().get("/health/live").environ | host) == "200 OK"
                assert status_of(RequestFactory().get("/countries/").environ | host).startswith("400")

    def test_a_refused_body_is_read_unless_it_is_longer_than_nginx_lets_through(self) -> None:
        from ibanse.wsgi import MAX_DRAINED_BYTES, draining_the_body

        for length, left in ((5, 0), (MAX_DRAINED_BYTES + 1, 5)):
            body = io.BytesIO(b"hello")
            environ = RequestFactory().post("/").environ | {"CONTENT_LENGTH": str(length), "wsgi.input": body}

            b"".join(draining_the_body(refuse)(environ, lambda *_: None))  # type: ignore[arg-type]

            assert len(body.read()) == left
