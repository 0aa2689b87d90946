"""The caller's IP address: from one source, in canonical form, or refused."""

import pytest
from django.test import RequestFactory, override_settings

from accounts.guard import addresses
from tests.base import BaseTest

pytestmark = pytest.mark.claim("caller_address")


class TestAddress:
    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8:0:0:0:0:0:7", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::ffff:c000:207", "192.0.2.7"),
            ("2002:c000:207::", "2002:c000:207::"),
            ("64:ff9b::192.0.2.7", "64:ff9b::c000:207"),
            ("::1", "::1"),
        ],
    )
    def test_a_plain_address_comes_in_its_canonical_form(self, text: str, canonical: str) -> None:
        assert str(addresses.parse(text)) == canonical

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "unknown",
            "192.0.2.7, 198.51.100.1",
            "192.0.2.7:443",
            "[2001:db8::7]",
            "[2001:db8::7]:443",
            "fe80::1%eth0",
            "fe80::1%25eth0",
            "192.0.2.07",
            "0300.0.2.7",
            "192.0.2",
            "3221225991",
            "192.0.2.7/24",
            "192.0.2.7\n",
            "１９２.0.2.7",
            "2001:db8::7\x00",
            "::ffff:192.0.2.07",
        ],
    )
    def test_anything_else_is_refused_without_repeating_it(self, text: str) -> None:
        with pytest.raises(addresses.AddressRefused) as refused:
            addresses.parse(text)

        assert not text.strip() or text not in str(refused.value)


class CallerTests(BaseTest):
    def test_without_a_proxy_the_peer_of_the_socket_is_the_caller(self) -> None:
        request = RequestFactory(headers={"X-Real-IP": "198.51.100.1"}).get("/", REMOTE_ADDR="192.0.2.7")

        self.assertEqual(addresses.caller(request), "192.0.2.7")

    @override_settings(CLIENT_ADDRESS_META_KEY="HTTP_X_REAL_IP")
    def test_behind_the_proxy_only_the_header_it_overwrites_counts(self) -> None:
        request = RequestFactory(
            headers={"X-Real-IP": "192.0.2.7", "X-Forwarded-For": "198.51.100.1", "Forwarded": "for=198.51.100.1"}
        ).get("/", REMOTE_ADDR="")

        self.assertEqual(addresses.caller(request), "192.0.2.7")

    @override_settings(CLIENT_ADDRESS_META_KEY="HTTP_X_REAL_IP")
    def test_behind_the_proxy_a_missing_header_is_refused_with_400(self) -> None:
        with self.assertLogs("django.security", level="ERROR"):
            response = self.visitor.checks("DE89370400440532013000")

        self.assertEqual(response.status_code, 400)
