"""Names of browsers, as they stand in the list of sessions."""

import pytest

from accounts.auth import browsers

MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


class TestNames:
    @pytest.mark.parametrize(
        ("user_agent", "name"),
        [
            (f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Windows"),
            (f"{MOZILLA} (X11; Linux x86_64) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Linux"),
            (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.0 Safari/605.1.15", "Safari · macOS"),
            (f"{MOZILLA} (Linux; Android 15) {WEBKIT} Chrome/140.0 Mobile Safari/537.36", "Chrome · Android"),
            (
                f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {WEBKIT} CriOS/140.0 Mobile Safari",
                "Chrome · iPhone",
            ),
            ("curl/8.14.1", "curl/8.14.1"),
            ("<script>alert(1)</script> x", "<script>alert(1)</script>"),
            ("x" * 500, "x" * 40),
            ("", ""),
        ],
    )
    def test_a_browser_is_called_what_people_call_it(self, user_agent: str, name: str) -> None:
        assert browsers.name(user_agent) == name
