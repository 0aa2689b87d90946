"""Who may call: a key that works, from where it works, for what it may do. All through the gate, as programs come."""

import itertools
import json
import time
import zlib
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from accounts.actor import SYSTEM
from accounts.audit import client_log
from accounts.guard import blocks, revisions
from accounts.guard.models import Revision
from accounts.models import Client
from apikeys import authentication, keys, tokens
from apikeys.limits import rate
from apikeys.models import ApiKey
from apikeys.problems import Problem
from privacy import vault
from tests.accounts.guard.test_revisions import ManualClock
from tests.base import BaseTest
from validation.api import routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.base import CallResponse

VALIDATE = "/api/v1/validate"
IBAN = {"iban": "DE89370400440532013000"}


def with_checksum(body: str) -> str:
    """Return a key's text with the checksum that belongs to it, made here by the rule and not by our own code."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(tokens.CHECKSUM_CHARACTERS):
        number, digit = divmod(number, 62)
        digits = tokens.ALPHABET[digit] + digits
    return body + digits


def with_another_secret(token: str) -> str:
    """Return a key with the same identifier, a secret one character off, and a checksum that fits."""
    body = token[: -tokens.CHECKSUM_CHARACTERS]
    return with_checksum(body[:-1] + ("A" if body[-1] != "A" else "B"))


class CallsTest(BaseTest):
    def validates(self, token: str | None, **sent: Any) -> "CallResponse":
        """Return the answer to the simplest call."""
        return self.calls(token, VALIDATE, IBAN, **sent)

    def assert_works(self, token: str, **sent: Any) -> None:
        response = self.validates(token, **sent)
        self.assertEqual(response.status_code, 200, response.content)

    def assert_refused(self, token: str, code: str = "key_unknown", status: int = 401, **sent: Any) -> None:
        self.assert_problem(self.validates(token, **sent), code, status)

    def row(self, token: str) -> ApiKey:
        """Return the row of a key as it is now."""
        return ApiKey.objects.select_related("client").get(identifier=tokens.split(token).identifier)

    @contextmanager
    def later(self, **passed: float) -> "Iterator[None]":
        """Let time pass for keys, without waiting."""
        then = time.time() + timedelta(**passed).total_seconds()
        with patch("apikeys.authentication.time.time", return_value=then):
            yield


@pytest.mark.claim("valid_keys_only")
class AuthorizationHeaderTests(CallsTest):
    def test_a_key_in_the_header_is_let_in_however_the_scheme_is_written(self) -> None:
        token = self.alice.key()
        for header in (f"Bearer {token}", f"bearer {token}", f"BEARER {token}", f"Bearer   {token} "):
            with self.subTest(header=header[:8]):
                self.assert_works(token, HTTP_AUTHORIZATION=header)

    def test_without_a_key_the_response_says_how_to_send_one(self) -> None:
        for header in (None, ""):
            response = self.validates(None, HTTP_AUTHORIZATION=header)

            problem = self.assert_problem(response, "key_missing", 401)
            self.assertIn("Authorization: Bearer", problem["detail"])
            self.assertEqual(response["WWW-Authenticate"], 'Bearer realm="ibanse"')

    def test_what_is_no_key_is_distinguished_from_a_key_that_does_not_work(self) -> None:
        token = self.alice.key()
        for header in (
            token,
            f"Basic {token}",
            f"Token {token}",
            f"Bearer{token}",
            f"Bearer\t{token}",
            f"Bearer {token}x",
            f"Bearer {token[:-1]}",
            f"Bearer {token}\n",
            f"Bearer {token} {token}",
            f"Bearer {token.upper()}",
            f"Bearer {token.replace('_', '-')}",
            "Bearer",
            "Bearer ",
            "Bearer ibanse_live_",
            f"Bearer {'x' * 8000}",
            f"Bearer {token[:-1]}\xe9",
            f"Bearer {token[:12]}١{token[13:]}",
            # Two headers, as the server joins them: which of the keys is meant is ambiguous.
            f"Bearer {token},Bearer {token}",
            f"Bearer {token}, Basic x",
        ):
            with self.subTest(header=header[:30]):
                response = self.validates(None, HTTP_AUTHORIZATION=header)

                self.assert_problem(response, "key_malformed", 401)
                self.assertNotIn(token, response.content.decode())
                self.assertIn("WWW-Authenticate", response)

    def test_a_key_elsewhere_than_in_the_header_is_no_key(self) -> None:
        token = self.alice.key()

        response = self.calls(None, VALIDATE, IBAN, HTTP_X_API_KEY=token, HTTP_COOKIE=f"api_key={token}")
        self.assert_problem(response, "key_missing", 401)
        response = self.calls(None, VALIDATE, IBAN, QUERY_STRING=f"api_key={token}")
        self.assert_problem(response, "invalid_request", 400)
        self.assertNotIn(token, response.content.decode())

    def test_a_session_of_the_browser_is_no_key(self) -> None:
        response = self.alice.browser.post(VALIDATE, json.dumps(IBAN), content_type="application/json")

        self.assert_problem(response, "key_missing", 401)


class TokenTests(CallsTest):
    def test_every_single_wrong_character_is_a_typing_error(self) -> None:
        """By the checksum alone: 78 places, every character of the alphabet, and some that never belong there."""
        token = tokens.mint(is_test=False).text
        with patch.object(authentication, "_load", side_effect=AssertionError("queried the database")):
            for place, character in itertools.product(range(len(token)), (*tokens.ALPHABET, "_", "-", " ", "\xdf")):
                mistyped = token[:place] + character + token[place + 1 :]
                if mistyped.strip(" ") == token:
                    continue
                with self.assertRaises(Problem) as refused:
                    authentication.authenticate(f"Bearer {mistyped}", ip_address="192.0.2.7", scope=None)
                self.assertEqual(refused.exception.code, "key_malformed", mistyped)

    def test_characters_that_changed_places_are_a_typing_error(self) -> None:
        token = tokens.mint(is_test=True).text
        for place in range(len(token) - 1):
            swapped = token[:place] + token[place + 1] + token[place] + token[place + 2 :]
            if swapped != token:
                with self.assertRaises(tokens.Malformed):
                    tokens.split(swapped)

    def test_a_typing_error_costs_no_query(self) -> None:
        token = self.alice.key()
        self.assert_works(token)
        with self.assertNumQueries(0):
            self.assert_refused(token[:-1] + ("A" if token[-1] != "A" else "B"), "key_malformed")

    def test_a_wrong_secret_does_not_work_though_all_else_is_right(self) -> None:
        token = self.alice.key()

        self.assert_refused(with_another_secret(token))

        self.assert_works(token)

    def test_a_live_key_cannot_be_called_a_test_key_to_save_quota(self) -> None:
        token = self.alice.key()
        renamed = token.replace("ibanse_live_", "ibanse_test_")

        self.assert_refused(renamed, "key_malformed")
        self.assert_refused(with_checksum(renamed[: -tokens.CHECKSUM_CHARACTERS]))

    def test_the_identifier_of_one_key_with_the_secret_of_another_does_not_work(self) -> None:
        mine, hers = self.mallory.key(), self.alice.key()
        head, identifier, _ = hers.rsplit("_", 2)
        own_secret = mine.rsplit("_", 1)[1][: -tokens.CHECKSUM_CHARACTERS]

        self.assert_refused(with_checksum(f"{head}_{identifier}_{own_secret}"))

    def test_an_unknown_identifier_is_compared_like_a_known_one(self) -> None:
        known = with_another_secret(self.alice.key())
        for token in (known, tokens.mint(is_test=False).text):
            with patch.object(tokens, "fits", wraps=tokens.fits) as fits:
                self.assert_refused(token)
            self.assertEqual(fits.call_count, 1)

    def test_a_key_whose_pepper_is_gone_does_not_work_and_no_other_pepper_opens_it(self) -> None:
        token = self.alice.key()
        number = self.row(token).pepper
        with override_settings(PEPPERS={number + 1: bytes(range(32))}):
            revisions.bump()
            self.assert_refused(token)
            # The digest under the dummy pepper of a missing one must not match either.
            ApiKey.objects.update(digest=tokens.digest(token, bytes(32)))
            revisions.bump()
            self.assert_refused(token)

    def test_a_key_of_an_older_pepper_works_beside_a_new_one(self) -> None:
        old = self.alice.key()
        number = self.row(old).pepper
        with override_settings(PEPPERS={**settings.PEPPERS, number + 1: bytes(range(32))}):
            revisions.bump()
            new = self.alice.key()

            self.assertEqual(self.row(new).pepper, number + 1)
            self.assert_works(old)
            self.assert_works(new)


@pytest.mark.claim("valid_keys_only")
class KeyLifeTests(CallsTest):
    def test_a_revoked_key_is_refused_by_the_next_call(self) -> None:
        token = self.alice.key()
        self.assert_works(token)

        keys.revoke(self.row(token), by=self.alice.actor)

        self.assert_refused(token)

    def test_a_key_works_up_to_its_end_and_not_a_moment_longer(self) -> None:
        token = self.alice.key(expires_at=timezone.now() + timedelta(days=1))
        end = self.row(token).expires_at.timestamp()
        for moment, works in ((end - 0.001, True), (end, False), (end + 1, False)):
            with self.subTest(moment=moment - end), patch("apikeys.authentication.time.time", return_value=moment):
                if works:
                    self.assert_works(token)
                else:
                    self.assert_refused(token)

    def test_both_keys_work_during_the_overlap_and_then_only_the_new_one(self) -> None:
        old = self.alice.key()
        self.assert_works(old)

        _key, new = keys.rotate(self.row(old), timedelta(hours=24), by=self.alice.actor)

        self.assert_works(old)
        self.assert_works(new)
        with self.later(hours=23, minutes=59):
            self.assert_works(old)
        with self.later(hours=24):
            self.assert_refused(old)
            self.assert_works(new)

    def test_a_key_that_is_replaced_at_once_is_refused_at_once(self) -> None:
        old = self.alice.key()
        self.assert_works(old)

        _key, new = keys.rotate(self.row(old), timedelta(0), by=self.alice.actor)

        self.assert_refused(old)
        self.assert_works(new)

    def test_only_an_active_clients_keys_work(self) -> None:
        token = self.alice.key()
        client = self.alice.client
        for state in Client.State:
            with self.subTest(state=state):
                client.state = state
                client.save()

                if state == Client.State.ACTIVE:
                    self.assert_works(token)
                else:
                    self.assert_refused(token)
        client.state = Client.State.ACTIVE
        client.save()
        self.assert_works(token)

    def test_a_key_of_a_client_whose_data_key_is_destroyed_is_refused_like_any_other(self) -> None:
        token = self.alice.key(networks=["192.0.2.0/24"])
        client = self.alice.client
        client.state = Client.State.CLOSING
        client.save()
        vault.destroy(client.pk)

        with self.assertLogs("apikeys.authentication", "WARNING"):
            self.assert_refused(token)

    def test_the_next_call_meets_what_an_owner_has_changed(self) -> None:
        token = self.alice.key(name="Accounting")
        row = self.row(token)
        self.assert_works(token)

        keys.edit(row, _like(row, scopes=("usage",)), by=self.alice.actor)
        self.assert_refused(token, "scope_missing", 403)

        keys.edit(row, _like(row, rate_per_minute=1), by=self.alice.actor)
        self.assertEqual(self.validates(token)["RateLimit-Policy"], '"minute";q=1;w=60')

    def test_the_next_call_meets_another_quota(self) -> None:
        token = self.alice.key()
        client = self.alice.client
        client.monthly_quota = 0
        client.save()

        self.assert_refused(token, "quota_exhausted", 429)

        client.monthly_quota = 1
        client.save()
        self.assert_works(token)
        self.assert_refused(token, "quota_exhausted", 429)

    def test_the_next_call_meets_a_block_and_its_end(self) -> None:
        token = self.alice.key()
        self.assert_works(token)

        blocks.block("192.0.2.0/24")
        self.assert_refused(token, "address_blocked", 403)
        self.assert_works(token, address="198.51.100.7")

        blocks.unblock("192.0.2.0/24")
        self.assert_works(token)

    def test_keys_of_one_client_live_and_die_apart(self) -> None:
        one, other, foreign = self.alice.key(), self.alice.key(), self.mallory.key()
        keys.revoke(self.row(one), by=self.alice.actor)

        self.assert_refused(one)
        self.assert_works(other)
        self.assert_works(foreign)

    def test_a_held_key_costs_no_query(self) -> None:
        token = self.alice.key()
        authenticate = authentication.authenticate
        authenticate(f"Bearer {token}", ip_address="192.0.2.7", scope="validate")

        with self.assertNumQueries(0):
            for _ in range(10):
                authenticate(f"Bearer {token}", ip_address="192.0.2.7", scope="validate")


@pytest.mark.claim("silent_refusals")
class SilenceTests(CallsTest):
    """Refusals that do not differ, so that a caller cannot learn which keys there were."""

    def test_unknown_wrong_revoked_and_expired_keys_get_the_same_response_to_the_byte(self) -> None:
        revoked, expired, suspended, far = (self.alice.key() for _ in range(4))
        suspended = self.mallory.key(networks=["203.0.113.0/24"])
        keys.revoke(self.row(revoked), by=self.alice.actor)
        ApiKey.objects.filter(pk=self.row(expired).pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        self.mallory.client.state = Client.State.SUSPENDED
        self.mallory.client.save()
        wrong = with_another_secret(far)

        tried = (tokens.mint(is_test=False).text, tokens.mint(is_test=True).text, wrong, revoked, expired, suspended)
        responses = [self.validates(token, HTTP_X_REQUEST_ID="same") for token in tried]

        self.assert_problem(responses[0], "key_unknown", 401)
        for response in responses:
            self.assertEqual(response.content, responses[0].content)
            self.assertEqual(response.headers, responses[0].headers)

    def test_only_whoever_has_the_secret_learns_that_the_address_is_the_reason(self) -> None:
        token = self.alice.key(networks=["203.0.113.0/24"])

        self.assert_refused(token, "address_not_allowed", 403)
        self.assert_refused(with_another_secret(token), "key_unknown")

    def test_a_key_that_has_ended_does_not_tell_its_networks(self) -> None:
        token = self.alice.key(networks=["203.0.113.0/24"])
        keys.revoke(self.row(token), by=self.alice.actor)

        self.assert_refused(token, "key_unknown")

    def test_the_scope_is_reported_last(self) -> None:
        token = self.alice.key(networks=["203.0.113.0/24"], scopes=("usage",))

        self.assert_refused(token, "address_not_allowed", 403)
        self.assert_refused(token, "scope_missing", 403, address="203.0.113.9")

    def test_nothing_of_a_refused_call_is_counted_or_charged(self) -> None:
        token = self.alice.key(networks=["203.0.113.0/24"])
        self.assert_refused(token, "address_not_allowed", 403)

        usage = self.calls(self.alice.key(), "/api/v1/usage", method="GET").json()
        self.assertEqual((usage["used"], usage["days"]), (0, []))


@pytest.mark.claim("valid_keys_only")
class RequiredScopeTests(CallsTest):
    PATHS = {
        "/api/v1/validate": IBAN,
        "/api/v1/validate/batch": {"ibans": [IBAN["iban"]]},
        "/api/v1/calculate": {"country": "DE", "bank_code": "37040044", "account_number": "532013000"},
        "/api/v1/recover": {"iban": "DE8937040044053201300?"},
        "/api/v1/extract": {"text": "none"},
        "/api/v1/bics/COBADEFFXXX": None,
        "/api/v1/countries": None,
        "/api/v1/countries/DE": None,
        "/api/v1/usage": None,
        "/api/v1/openapi.json": None,
    }

    def test_each_call_takes_keys_of_its_own_scope_and_refuses_all_others(self) -> None:
        held = {scope: self.alice.key(scopes=(scope,)) for scope in ("validate", "tools", "bulk", "usage")}
        for (path, body), (scope, token) in itertools.product(self.PATHS.items(), held.items()):
            method = "POST" if body else "GET"
            needed = routes.find_route(method, path)[0].scope
            with self.subTest(path=path, scope=scope):
                response = self.calls(token, path, body, method=method)

                if needed in (None, scope):
                    self.assertEqual(response.status_code, 200, response.content)
                else:
                    problem = self.assert_problem(response, "scope_missing", 403)
                    self.assertIn(f"“{needed}”", problem["detail"])

    def test_the_table_knows_every_call(self) -> None:
        self.assertEqual(
            {routes.find_route("POST" if body else "GET", path)[0] for path, body in self.PATHS.items()},
            set(routes.ROUTES),
        )

    def test_every_call_but_the_document_needs_a_key(self) -> None:
        for path, body in self.PATHS.items():
            with self.subTest(path=path):
                response = self.calls(None, path, body, method="POST" if body else "GET")

                if path.endswith("openapi.json"):
                    self.assertEqual(response.status_code, 200)
                else:
                    self.assert_problem(response, "key_missing", 401)


@pytest.mark.claim("kept_when_off")
class RefusalAuditTests(CallsTest):
    def refusals(self) -> list[dict[str, str]]:
        """Return the details of the refused calls in the client's history."""
        client = self.alice.client
        return [
            entry.details for entry in client_log.open_entries(client, client_log.entries(client, tag="keys.refused"))
        ]

    def test_the_owners_learn_of_a_held_key_that_was_refused_once_a_day_for_each_key_and_reason(self) -> None:
        bound = self.alice.key(networks=["203.0.113.0/24"])
        ended = self.alice.key()
        keys.revoke(self.row(ended), by=self.alice.actor)

        for _ in range(3):
            for address in ("192.0.2.7", "192.0.2.8"):
                self.assert_refused(bound, "address_not_allowed", 403, address=address)
            self.assert_refused(ended)

        refused = {(detail["key"], detail["reason"]) for detail in self.refusals()}
        self.assertEqual(refused, {(self.row(bound).prefix, "address"), (self.row(ended).prefix, "ended")})
        self.assertEqual(len(self.refusals()), 2)
        self.assert_recorded("keys.refused", client=self.alice.client)

    def test_who_has_not_proven_the_secret_leaves_no_trace_in_anybodys_history(self) -> None:
        token = self.alice.key(networks=["203.0.113.0/24"])
        for tried in (with_another_secret(token), tokens.mint(is_test=False).text, token[:-1], None):
            self.validates(tried)

        self.assertEqual(self.refusals(), [])

    def test_nobody_writes_into_another_clients_history(self) -> None:
        token = self.mallory.key(networks=["203.0.113.0/24"])
        self.assert_refused(token, "address_not_allowed", 403)

        self.assertEqual(self.refusals(), [])
        self.assert_recorded("keys.refused", client=self.mallory.client)


@pytest.mark.claim("prompt_changes")
class KeyCacheTests(CallsTest):
    """What another process has changed: its rows and its mark come without any word in this one."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = ManualClock()
        patcher = patch("accounts.guard.revisions.time.monotonic", self.clock)
        patcher.start()
        self.addCleanup(patcher.stop)
        revisions.forget()
        self.addCleanup(revisions.forget)
        self.token = self.alice.key(networks=["192.0.2.0/24"])
        self.assert_works(self.token)

    def elsewhere(self, change: Any) -> None:
        """Do what another process does: the change and the mark, but nothing in this one's memory."""
        with patch.object(revisions, "forget"):
            change()
        self.assertEqual(Revision.objects.count(), 1)

    def assert_refused_within_two_seconds(self, code: str, status: int) -> None:
        self.clock.now += revisions.TRUSTED_FOR_SECONDS
        self.assert_refused(self.token, code, status)

    def test_a_key_that_another_worker_revoked_is_refused_within_two_seconds(self) -> None:
        self.elsewhere(lambda: keys.revoke(self.row(self.token), by=SYSTEM))
        self.assert_works(self.token)  # So it is a change that this process has not heard of.

        self.assert_refused_within_two_seconds("key_unknown", 401)

    def test_an_address_that_another_worker_took_from_the_list_is_refused_within_two_seconds(self) -> None:
        self.elsewhere(lambda: keys.disallow(self.row(self.token).networks.get(), by=SYSTEM))

        self.assert_refused_within_two_seconds("address_not_allowed", 403)

    def test_a_client_that_another_worker_suspended_is_refused_within_two_seconds(self) -> None:
        def suspend() -> None:
            self.alice.client.state = Client.State.SUSPENDED
            self.alice.client.save()

        self.elsewhere(suspend)

        self.assert_refused_within_two_seconds("key_unknown", 401)

    @pytest.mark.claim("blocked_addresses")
    def test_an_address_that_another_worker_blocked_is_refused_within_two_seconds(self) -> None:
        self.elsewhere(lambda: blocks.block("192.0.2.7"))

        self.assert_refused_within_two_seconds("address_blocked", 403)

    def test_a_quota_that_another_worker_lowered_holds_within_two_seconds(self) -> None:
        def lower() -> None:
            self.alice.client.monthly_quota = 0
            self.alice.client.save()

        self.elsewhere(lower)
        # What this worker has borrowed already may be spent; a batch is more than that.
        self.clock.now += revisions.TRUSTED_FOR_SECONDS

        response = self.calls(self.token, "/api/v1/validate/batch", {"ibans": ["x"] * 1000})
        self.assert_problem(response, "quota_exhausted", 429)

    def test_nothing_is_trusted_once_the_database_was_silent_for_two_seconds(self) -> None:
        with patch.object(Revision.objects, "values_list", side_effect=OperationalError("connection refused")):
            self.clock.now += 1.9
            with self.assertLogs("accounts.guard.revisions", "WARNING"):
                self.assert_works(self.token)
            self.clock.now += 0.1
            with self.assertLogs("accounts.guard.revisions", "WARNING"), self.assertLogs("validation.api.pipeline"):
                response = self.validates(self.token)
            self.assert_problem(response, "unavailable", 503)
            self.assertGreater(int(response["Retry-After"]), 0)

        self.assert_works(self.token)  # It answers again, and so do we.


class StoreOutageTests(CallsTest):
    def test_a_database_that_does_not_respond_is_reported_as_unavailable(self) -> None:
        token = self.alice.key()
        with (
            patch.object(ApiKey.objects, "select_related", side_effect=OperationalError("host=secret")),
            self.assertLogs("validation.api.pipeline", "ERROR") as logged,
        ):
            response = self.validates(token)

        self.assert_problem(response, "unavailable", 503)
        self.assertEqual(response["Retry-After"], "2")
        self.assertNotIn("secret", "".join(logged.output) + response.content.decode())
        self.assert_works(token)

    def test_a_store_of_limits_that_does_not_respond_stops_no_call_and_hides_no_refusal(self) -> None:
        token, bound = self.alice.key(), self.alice.key(networks=["198.51.100.0/24"])
        away = rate.Rates(rate.FallbackStore(rate.RedisStore("unix:///nowhere/redis.sock")))
        with (
            patch.object(rate, "shared", return_value=away),
            patch("apikeys.limits.rate.threading.Thread"),  # It would go on asking for that store.
            self.assertLogs("apikeys.limits.rate", "ERROR") as logged,
        ):
            for _ in range(3):
                self.assert_works(token)
                self.assert_problem(self.validates(bound), "address_not_allowed", 403)

        self.assertEqual(len(logged.output), 1)
        self.assertNotIn("nowhere", logged.output[0])
        tags = [entry.tag for entry in client_log.entries(self.alice.client)]
        self.assertEqual(tags.count("keys.refused"), 1)


def _like(row: ApiKey, **changed: Any) -> keys.Draft:
    fields = {
        "name": "Accounting",
        "scopes": tuple(row.scopes),
        "expires_at": row.expires_at,
        "rate_per_minute": row.rate_per_minute,
        "any_address": row.any_address,
    }
    return keys.Draft(**{**fields, **changed})
