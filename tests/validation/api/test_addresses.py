"""The caller's address, end to end: from the one header that nginx overwrites to the list of a key, or refused."""

import http.client
import itertools
import json
from collections.abc import Iterator

import pytest
from django.test import override_settings

from accounts.guard import blocks, revisions
from apikeys import keys, tokens
from apikeys.models import ApiKey
from tests.base import BaseTest, CallResponse
from tests.support.production import Production, Program

VALIDATE = "/api/v1/validate"
IBAN = {"iban": "DE89370400440532013000"}
OFFICE = "203.0.113.0/24"
INSIDE, OUTSIDE = "203.0.113.9", "198.51.100.7"

# What is not one plain address: missing, lists, ports, names, other writings of numbers.
ODD = (
    None,
    "",
    " ",
    "unknown",
    "localhost",
    f"{INSIDE}, {OUTSIDE}",
    f"{INSIDE},{INSIDE}",
    f"{INSIDE} ",
    f" {INSIDE}",
    f"{INSIDE}:443",
    f"[{INSIDE}]",
    f"{INSIDE}/32",
    "203.0.113.09",
    "0313.0.113.9",
    "203.0.113",
    "3405803785",
    "0xcb007109",
    "203.0.113.٩",
    "２０３.0.113.9",
    f"{INSIDE}\x00",
    f"{INSIDE}\n",
    "2001:db8::7%eth0",
    "fe80::1%25eth0",
    "[2001:db8::7]",
    "[2001:db8::7]:443",
    "2001:db8::7::",
    "::ffff:203.0.113.09",
    "::ffff:203.0.113.9%eth0",
    "x" * 8000,
)


class CallerAddressTest(BaseTest):
    def validates(self, token: str, address: str | None, **sent: str) -> CallResponse:
        """Return the response to a call whose IP address the proxy reports, as in production."""
        with override_settings(CLIENT_ADDRESS_META_KEY="HTTP_X_REAL_IP"):
            return self.calls(token, VALIDATE, IBAN, address="", HTTP_X_REAL_IP=address, **sent)

    def assert_accepted(self, token: str, *callers: str) -> None:
        for caller in callers:
            with self.subTest(caller=caller):
                self.assertEqual(self.validates(token, caller).status_code, 200)

    def assert_refused(self, token: str, *callers: str) -> None:
        for caller in callers:
            with self.subTest(caller=caller):
                self.assert_problem(self.validates(token, caller), "address_not_allowed", 403)


@pytest.mark.claim("caller_address")
class ProxyTests(CallerAddressTest):
    def test_anything_but_one_plain_address_is_refused(self) -> None:
        token = self.alice.key()
        for address in ODD:
            with self.subTest(address=(address or "")[:40]):
                problem = self.assert_problem(self.validates(token, address), "invalid_request", 400)

                self.assertIn("address of the caller", problem["detail"])
                if address and len(address) > 1:
                    self.assertNotIn(address, problem["detail"])

    def test_a_wrong_address_is_refused_before_the_key(self) -> None:
        self.assert_problem(self.validates("nonsense", None), "invalid_request", 400)

    def test_the_document_needs_an_address_too(self) -> None:
        with override_settings(CLIENT_ADDRESS_META_KEY="HTTP_X_REAL_IP"):
            response = self.calls(None, "/api/v1/openapi.json", method="GET")

        self.assert_problem(response, "invalid_request", 400)

    def test_no_other_header_opens_the_list(self) -> None:
        token = self.alice.key(networks=[OFFICE])
        forged = {
            "HTTP_X_FORWARDED_FOR": INSIDE,
            "HTTP_FORWARDED": f"for={INSIDE}",
            "HTTP_X_CLIENT_IP": INSIDE,
            "HTTP_CLIENT_IP": INSIDE,
            "HTTP_TRUE_CLIENT_IP": INSIDE,
            "HTTP_CF_CONNECTING_IP": INSIDE,
            "HTTP_X_CLUSTER_CLIENT_IP": INSIDE,
            "REMOTE_HOST": INSIDE,
        }
        for name, value in forged.items():
            with self.subTest(name=name):
                response = self.validates(token, OUTSIDE, **{name: value})
                self.assert_problem(response, "address_not_allowed", 403)

                response = self.validates(token, None, **{name: value})
                self.assert_problem(response, "invalid_request", 400)

    def test_without_a_proxy_no_header_counts(self) -> None:
        token = self.alice.key(networks=[OFFICE])

        outside = self.calls(token, VALIDATE, IBAN, address=OUTSIDE, HTTP_X_REAL_IP=INSIDE, HTTP_X_FORWARDED_FOR=INSIDE)
        inside = self.calls(token, VALIDATE, IBAN, address=INSIDE, HTTP_X_REAL_IP=OUTSIDE)

        problem = self.assert_problem(outside, "address_not_allowed", 403)
        self.assertIn(OUTSIDE, problem["detail"])
        self.assertEqual(inside.status_code, 200)

    def test_behind_the_proxy_the_peer_of_the_socket_does_not_count(self) -> None:
        token = self.alice.key(networks=[OFFICE])
        with override_settings(CLIENT_ADDRESS_META_KEY="HTTP_X_REAL_IP"):
            response = self.calls(token, VALIDATE, IBAN, address=INSIDE)

        self.assert_problem(response, "invalid_request", 400)


@pytest.mark.claim("bound_addresses")
class AllowListTests(CallerAddressTest):
    def test_a_key_works_inside_its_networks_and_nowhere_else(self) -> None:
        token = self.alice.key(networks=[OFFICE, "2001:db8:1::/48", "192.0.2.7"])

        self.assert_accepted(token, "203.0.113.0", "203.0.113.255", "192.0.2.7", "2001:db8:1::", "2001:DB8:1:ffff::1")
        self.assert_refused(token, "203.0.112.255", "203.0.114.0", "192.0.2.8", "2001:db8:2::", "::1", "127.0.0.1")

    def test_an_ipv4_mapped_address_is_the_same(self) -> None:
        token = self.alice.key(networks=["::ffff:192.0.2.7", OFFICE])

        self.assert_accepted(token, "192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "::FFFF:203.0.113.9")
        # Those that only hold the digits of one say what the sender wants.
        self.assert_refused(token, "::192.0.2.7", "64:ff9b::192.0.2.7", "2002:c000:207::", "::ffff:0:192.0.2.7")

    def test_an_empty_list_refuses_everybody(self) -> None:
        token = self.alice.key(any_address=False)

        self.assert_refused(token, "192.0.2.7", "::1", "127.0.0.1")

    def test_any_address_means_any(self) -> None:
        token = self.alice.key()

        self.assert_accepted(token, "192.0.2.7", "::1", "127.0.0.1", "2001:db8::7", "::ffff:192.0.2.7")

    def test_the_list_is_ignored_while_any_address_may_call(self) -> None:
        token = self.alice.key(networks=[OFFICE])
        key = ApiKey.objects.get(identifier=tokens.split(token).identifier)
        self.assert_refused(token, OUTSIDE)

        keys.set_any_address(key, any_address=True, by=self.alice.actor)
        self.assert_accepted(token, OUTSIDE)

        keys.set_any_address(key, any_address=False, by=self.alice.actor)
        self.assert_refused(token, OUTSIDE)
        self.assert_accepted(token, INSIDE)

    def test_a_change_applies_to_the_next_call(self) -> None:
        token = self.alice.key(networks=[OFFICE])
        key = ApiKey.objects.get(identifier=tokens.split(token).identifier)
        self.assert_refused(token, OUTSIDE)

        entry = keys.allow(key, OUTSIDE, by=self.alice.actor)
        self.assert_accepted(token, OUTSIDE, INSIDE)

        keys.disallow(entry, by=self.alice.actor)
        self.assert_refused(token, OUTSIDE)

    def test_many_callers_do_not_fill_the_memory(self) -> None:
        token = self.alice.key(networks=[OFFICE], rate_per_minute=1_000_000)
        for third, fourth in itertools.product(range(5), range(250)):
            self.validates(token, f"10.0.{third}.{fourth}")

        self.assert_refused(token, "10.0.0.1", "10.9.9.9")
        self.assert_accepted(token, INSIDE)

    def test_each_key_has_a_list_of_its_own(self) -> None:
        hers, mine = self.alice.key(networks=[OFFICE]), self.mallory.key(networks=["192.0.2.0/24"])

        self.assert_accepted(hers, INSIDE)
        self.assert_refused(mine, INSIDE)
        self.assert_accepted(mine, "192.0.2.7")
        self.assert_refused(hers, "192.0.2.7")


@pytest.mark.claim("blocked_addresses")
class BlockedAddressTests(CallerAddressTest):
    def test_a_blocked_address_is_blocked_in_any_spelling(self) -> None:
        blocks.block("192.0.2.0/24")
        blocks.block("2001:db8::/32")
        token = self.alice.key()

        for caller in ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "2001:db8::1", "2001:0DB8:0::1"):
            with self.subTest(caller=caller):
                self.assert_problem(self.validates(token, caller), "address_blocked", 403)
        self.assert_accepted(token, "192.0.3.7", "2001:db9::1")

    def test_a_list_does_not_open_a_block(self) -> None:
        blocks.block(INSIDE)

        self.assert_problem(self.validates(self.alice.key(networks=[OFFICE]), INSIDE), "address_blocked", 403)

    def test_health_is_open_to_blocked_addresses(self) -> None:
        blocks.block("192.0.2.7")
        revisions.forget()

        self.assertEqual(self.calls(None, "/health/live", method="GET").status_code, 200)


@pytest.fixture(scope="module")
def program(production: Production) -> Program:
    """Make a program that may call from the office."""
    return production.program(networks=[OFFICE])


@pytest.fixture(scope="module")
def port(production: Production) -> Iterator[int]:
    """Serve as in production; yield where."""
    with production.serving(workers=1) as server:
        yield server.port


@pytest.mark.claim("caller_address")
class TestBehindARealServer:
    """gunicorn with the settings of production: it must not make the proxy's header out of another."""

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            pytest.param([("X-Real-IP", INSIDE)], 200, None, id="inside"),
            pytest.param([("x-real-ip", f"::ffff:{INSIDE}")], 200, None, id="mapped"),
            pytest.param([("X-Real-IP", OUTSIDE)], 403, "address_not_allowed", id="outside"),
            pytest.param([], 400, "invalid_request", id="missing"),
            pytest.param([("X_Real_IP", INSIDE)], 400, "invalid_request", id="underscores"),
            pytest.param([("X-Real_IP", INSIDE)], 400, "invalid_request", id="one underscore"),
            pytest.param([("X-Real-IP", OUTSIDE), ("X_Real_IP", INSIDE)], 403, "address_not_allowed", id="both"),
            pytest.param([("X_Real_IP", INSIDE), ("X-Real-IP", OUTSIDE)], 403, "address_not_allowed", id="both, first"),
            pytest.param([("X-Real-IP", OUTSIDE), ("X-Real-IP", INSIDE)], 400, "invalid_request", id="twice"),
            pytest.param([("X-Real-IP", OUTSIDE), ("X-Forwarded-For", INSIDE)], 403, "address_not_allowed", id="chain"),
            pytest.param([("X-Forwarded-For", INSIDE)], 400, "invalid_request", id="chain alone"),
            pytest.param([("Remote-Addr", INSIDE)], 400, "invalid_request", id="peer"),
            pytest.param([("X-Real-IP", f"{INSIDE}%eth0")], 400, "invalid_request", id="zone"),
            pytest.param([("X-Real-IP", f"{INSIDE}:443")], 400, "invalid_request", id="port"),
            pytest.param([("X-Real-IP", "")], 400, "invalid_request", id="empty"),
        ],
    )
    def test_only_the_proxys_header_names_the_caller(
        self, port: int, program: Program, headers: list[tuple[str, str]], status: int, code: str | None
    ) -> None:
        status_code, content = ask(port, program, [*headers, ("X-Forwarded-Proto", "https")])

        assert (status_code, content.get("code")) == (status, code)

    @pytest.mark.parametrize("name", ["X_Forwarded_Proto", "X-Forwarded_Proto"])
    def test_only_the_proxys_header_proves_https(self, port: int, program: Program, name: str) -> None:
        status_code, content = ask(port, program, [("X-Real-IP", INSIDE), (name, "https")])

        assert (status_code, content["code"]) == (403, "https_required")

    @pytest.mark.parametrize("name", ["Script-Name", "Path-Info", "PATH_INFO"])
    def test_no_header_changes_the_route(self, port: int, program: Program, name: str) -> None:
        headers = [("X-Real-IP", OUTSIDE), ("X-Forwarded-Proto", "https"), (name, "/health/live")]
        status_code, content = ask(port, program, headers)

        assert (status_code, content.get("code")) == (403, "address_not_allowed")


def ask(port: int, program: Program, headers: list[tuple[str, str]]) -> tuple[int, dict[str, str]]:
    """Return status and body of the response to a call with exactly these headers beside those of every call."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = json.dumps(IBAN)
    connection.putrequest("POST", VALIDATE)
    for name, value in (
        ("Authorization", f"Bearer {program.token}"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *headers,
    ):
        connection.putheader(name, value)
    connection.endheaders(body.encode())
    response = connection.getresponse()
    content = json.loads(response.read())
    connection.close()
    return response.status, content
