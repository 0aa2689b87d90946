"""Keys: what owners may do with them, and what is stored of them."""

import io
import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection, connections
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import client_log
from accounts.errors import Refusal
from accounts.guard import revisions
from accounts.models import Client, User
from apikeys import keys, messages, networks, scopes, tokens
from apikeys.models import AllowedNetwork, ApiKey
from privacy import vault
from tests.base import PASSWORD, BaseTest


class KeyTest(BaseTest):
    def key(self, **draft: Any) -> ApiKey:
        """Return a new key of Alice's."""
        return self.found(self.alice.key(**draft))

    def found(self, text: str) -> ApiKey:
        return ApiKey.objects.select_related("client").get(identifier=tokens.split(text).identifier)

    def draft(self, **changed: Any) -> keys.Draft:
        draft = {"name": "Shop", "scopes": ("validate",), "expires_at": timezone.now() + timedelta(days=90), **changed}
        return keys.Draft(**draft)

    def trail(self) -> list[str]:
        return [entry.tag for entry in client_log.entries(self.alice.client).order_by("number")]

    def details(self, tag: str) -> dict[str, str]:
        return client_log.open_entries(self.alice.client, client_log.entries(self.alice.client, tag=tag))[0].details

    def assert_refused(self, code: str, action: Callable[..., object], *arguments: Any, **options: Any) -> Refusal:
        with self.assertRaises(Refusal) as caught:
            action(*arguments, **options)
        self.assertEqual(caught.exception.code, code)
        self.assertTrue(messages.refusal(caught.exception))
        return caught.exception


class CreateKeyTests(KeyTest):
    def test_a_key_is_what_was_requested(self) -> None:
        text = self.alice.key(
            name="Accounting", scopes=("usage", "validate", "usage"), rate_per_minute=60, is_test=True,
            networks=["192.0.2.7/24", "2001:DB8::1", "192.0.2.0/24"],
        )  # fmt: skip

        key = self.found(text)
        self.assertTrue(text.startswith(f"{key.prefix}_"))
        self.assertTrue(key.is_test)
        self.assertEqual(keys.name(key), "Accounting")
        self.assertEqual(key.scopes, ["validate", "usage"])
        self.assertEqual(key.rate_per_minute, 60)
        self.assertEqual(key.created_by, self.alice.user)
        self.assertFalse(key.any_address)
        self.assertEqual([entry.network for entry in key.networks.all()], ["192.0.2.0/24", "2001:db8::1/128"])
        self.assertEqual(self.trail(), ["keys.created"])
        self.assertEqual(
            self.details("keys.created"), {"key": key.prefix, "name": "Accounting", "scopes": "validate, usage"}
        )

    @pytest.mark.claim("hashed_keys")
    def test_the_text_is_stored_under_the_newest_pepper(self) -> None:
        peppers = {1: bytes(32), 3: bytes(range(32)), 2: bytes(32)}
        with override_settings(PEPPERS=peppers):
            text = self.alice.key()

        key = self.found(text)
        self.assertEqual(key.pepper, 3)
        self.assertTrue(tokens.fits(text, peppers[3], bytes(key.digest)))

    def test_a_key_of_no_scope_or_an_unknown_one_is_a_mistake_of_ours(self) -> None:
        for wrong in ((), ("root",), ("validate", "Validate")):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                keys.create(self.alice.client, self.draft(scopes=wrong), by=self.alice.actor)
        self.assertFalse(ApiKey.objects.exists())

    def test_one_wrong_network_makes_no_key(self) -> None:
        for wrong in ("::/0", "office", "192.0.2.7:80"):
            with self.assertRaises(Refusal):
                keys.create(self.alice.client, self.draft(networks=("192.0.2.7", wrong)), by=self.alice.actor)
        self.assertFalse(ApiKey.objects.exists())
        self.assertEqual(self.trail(), [])

    def test_the_same_form_makes_one_key_and_each_client_has_its_own(self) -> None:
        attempt = uuid.uuid4()
        key, _ = keys.create(self.alice.client, self.draft(), by=self.alice.actor, attempt=attempt)

        again = self.assert_refused(
            "already_made", keys.create, self.alice.client, self.draft(), by=self.alice.actor, attempt=attempt
        )
        self.assertEqual(again.values["pk"], key.pk)
        for tried in (attempt, key.pk):
            made, _ = keys.create(self.mallory.client, self.draft(), by=self.mallory.actor, attempt=tried)
            self.assertNotEqual(made.pk, key.pk)

    def test_a_client_has_at_most_fifty_keys_in_use(self) -> None:
        first = self.key()
        for number in range(1, keys.MOST_KEYS):
            ApiKey.objects.create(
                client=self.alice.client, identifier=f"{number:010}", pepper=1, scopes=["validate"],
                expires_at=timezone.now() + timedelta(days=1),
            )  # fmt: skip
        self.mallory.key()

        refused = self.assert_refused("key_limit_reached", self.key)
        self.assertIn("50", messages.refusal(refused))
        for overlap in keys.OVERLAPS[1:]:
            self.assert_refused("key_limit_reached", keys.rotate, first, overlap, by=self.alice.actor)
        second, _ = keys.rotate(first, timedelta(0), by=self.alice.actor)
        ApiKey.objects.filter(pk=second.pk).update(expires_at=timezone.now())
        self.key()
        self.assert_refused("key_limit_reached", self.key)


class EditKeyTests(KeyTest):
    def test_a_key_is_changed_and_only_what_changed_is_named(self) -> None:
        key = self.key()
        same = self.draft(name="Accounting", scopes=tuple(key.scopes), expires_at=key.expires_at)

        keys.edit(key, same, by=self.alice.actor)
        self.assertEqual(self.trail(), ["keys.created"])
        changed = self.draft(
            name="Shop", scopes=tuple(key.scopes), expires_at=key.expires_at, any_address=False, rate_per_minute=1
        )
        keys.edit(key, changed, by=self.alice.actor)

        key.refresh_from_db()
        self.assertEqual((keys.name(key), key.any_address, key.rate_per_minute), ("Shop", False, 1))
        self.assertEqual(self.details("keys.changed")["fields"], "name, rate_per_minute, any_address")

    def test_editing_never_makes_a_test_key_live(self) -> None:
        key = self.key(is_test=True)

        keys.edit(key, self.draft(is_test=False), by=self.alice.actor)

        self.assertTrue(ApiKey.objects.get().is_test)

    def test_a_key_that_has_ended_stays_as_it_is(self) -> None:
        revoked, expired, replaced = self.key(), self.key(), self.key()
        keys.revoke(revoked, by=self.alice.actor)
        ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        keys.rotate(replaced, timedelta(0), by=self.alice.actor)
        for key, code in ((revoked, "key_over"), (expired, "key_over"), (replaced, "already_replaced")):
            with self.subTest(code=code):
                self.assert_refused(code, keys.edit, key, self.draft(), by=self.alice.actor)
                self.assert_refused(code, keys.rotate, key, timedelta(0), by=self.alice.actor)
                self.assert_refused(code, keys.allow, key, "192.0.2.7", by=self.alice.actor)
                self.assert_refused(code, keys.set_any_address, key, any_address=True, by=self.alice.actor)

    def test_revoking_twice_is_revoking_once(self) -> None:
        key = self.key()
        keys.revoke(key, by=self.alice.actor)
        first = ApiKey.objects.get().revoked_at

        keys.revoke(key, by=self.alice.actor)

        self.assertEqual(ApiKey.objects.get().revoked_at, first)
        self.assertEqual(self.trail(), ["keys.created", "keys.revoked"])

    def test_every_action_tells_the_workers(self) -> None:
        key = self.key()
        actions: list[Callable[[], object]] = [
            self.key,
            lambda: keys.edit(key, self.draft(), by=self.alice.actor),
            lambda: keys.allow(key, "192.0.2.7", by=self.alice.actor),
            lambda: keys.set_any_address(key, any_address=False, by=self.alice.actor),
            lambda: keys.disallow(key.networks.get(), by=self.alice.actor),
            lambda: keys.rotate(key, timedelta(days=7), by=self.alice.actor),
            lambda: keys.revoke(key, by=self.alice.actor),
        ]
        for number, action in enumerate(actions):
            before = revisions.current()
            action()
            with self.subTest(number=number):
                self.assertNotEqual(revisions.current(), before)

    def test_somebody_who_is_no_longer_an_owner_can_do_nothing(self) -> None:
        key = self.key(networks=["192.0.2.7"])
        entry = key.networks.get()
        for user in (self.vera.user, self.mallory.user, self.sten.user, User(email="gone@example.com")):
            actions: tuple[tuple[Any, ...], ...] = (
                (keys.create, self.alice.client, self.draft()),
                (keys.edit, key, self.draft()),
                (keys.rotate, key, timedelta(0)),
                (keys.revoke, key),
                (keys.allow, key, "192.0.2.8"),
                (keys.disallow, entry),
            )
            for action in actions:
                with self.subTest(user=user.email, action=action[0].__name__):
                    self.assert_refused("no_longer_owner", *action, by=Actor(user))
            self.assert_refused("no_longer_owner", keys.set_any_address, key, any_address=True, by=Actor(user))
        self.assertEqual(self.trail(), ["keys.created"])


class RotateKeyTests(KeyTest):
    def test_the_new_key_is_like_the_old_one_but_for_its_text(self) -> None:
        old = self.key(scopes=("tools", "usage"), rate_per_minute=77, networks=["192.0.2.7"], is_test=True)
        keys.allow(old, "198.51.100.0/24", "Warehouse", by=self.alice.actor)

        new, text = keys.rotate(old, timedelta(days=7), by=self.alice.actor)

        new, old = self.found(text), ApiKey.objects.get(pk=old.pk)
        self.assertNotEqual(new.identifier, old.identifier)
        for field in ("scopes", "rate_per_minute", "is_test", "any_address", "client_id"):
            self.assertEqual(getattr(new, field), getattr(old, field), field)
        self.assertEqual(keys.name(new), keys.name(old))
        self.assertEqual(
            [(entry.network, keys.note(entry)) for entry in new.networks.order_by("pk")],
            [("192.0.2.7/32", ""), ("198.51.100.0/24", "Warehouse")],
        )
        self.assertEqual(old.replaced_by, new)
        self.assertEqual(self.details("keys.rotated")["new"], new.prefix)

    def test_the_old_key_ends_after_the_overlap_or_earlier(self) -> None:
        for overlap in keys.OVERLAPS[1:]:
            old = self.key()
            keys.rotate(old, overlap, by=self.alice.actor)
            old.refresh_from_db()
            self.assertIsNone(old.revoked_at)
            self.assertAlmostEqual(old.expires_at, timezone.now() + overlap, delta=timedelta(seconds=10))
        short = self.key(expires_at=timezone.now() + timedelta(hours=2))
        keys.rotate(short, timedelta(days=7), by=self.alice.actor)
        short.refresh_from_db()
        self.assertLess(short.expires_at, timezone.now() + timedelta(hours=3))

    def test_without_an_overlap_the_old_key_is_revoked_at_once(self) -> None:
        old = self.key()

        keys.rotate(old, timedelta(0), by=self.alice.actor)

        old.refresh_from_db()
        self.assertIsNotNone(old.revoked_at)

    def test_the_new_key_lives_as_long_as_the_old_one_was_meant_to(self) -> None:
        for age, left, wanted in ((60, 30, 90), (0, 1, 1), (700, 500, 3 * 365)):
            old = self.key()
            now = timezone.now()
            ApiKey.objects.filter(pk=old.pk).update(
                created_at=now - timedelta(days=age), expires_at=now + timedelta(days=left)
            )
            new, _ = keys.rotate(old, timedelta(0), by=self.alice.actor)
            self.assertAlmostEqual(new.expires_at, now + timedelta(days=wanted), delta=timedelta(minutes=1))

    def test_a_key_is_replaced_once(self) -> None:
        old = self.key()
        keys.rotate(old, timedelta(days=7), by=self.alice.actor)

        self.assert_refused("already_replaced", keys.rotate, old, timedelta(days=7), by=self.alice.actor)
        self.assert_refused("already_replaced", keys.edit, old, self.draft(), by=self.alice.actor)
        keys.allow(old, "192.0.2.7", by=self.alice.actor)  # As long as it works, its office may move.
        self.assertEqual(ApiKey.objects.count(), 2)

    def test_only_overlaps_that_are_offered_are_taken(self) -> None:
        key = self.key()
        for overlap in (timedelta(days=8), timedelta(seconds=-1), timedelta(days=3650)):
            with self.assertRaises(ValueError):
                keys.rotate(key, overlap, by=self.alice.actor)


class AllowedNetworkTests(KeyTest):
    def test_a_key_has_at_most_a_hundred_addresses(self) -> None:
        key = self.key(networks=[f"192.0.2.{number}" for number in range(keys.MOST_NETWORKS)])

        self.assert_refused("network_limit_reached", keys.allow, key, "192.0.2.200", by=self.alice.actor)
        many = [f"192.0.2.{number}" for number in range(keys.MOST_NETWORKS + 1)]
        self.assert_refused("network_limit_reached", self.alice.key, networks=many)

    def test_every_reason_to_refuse_a_network_has_a_message(self) -> None:
        key = self.key()
        for typed in (
            "x",
            "::/0",
            "::1%1",
            "::ffff:0:0/97",
            "1.1.1.1 2.2.2.2",
            "1.1.1.*",
            "1.1.1.1:1",
            "01.1.1.1",
            "::",
        ):
            with self.assertRaises(networks.NetworkError) as wrong:
                networks.parse(typed)
            self.assert_refused(f"network_{wrong.exception.code}", keys.allow, key, typed, by=self.alice.actor)

    def test_loopback_is_for_trying_out_only(self) -> None:
        key = self.key()
        with override_settings(EMBEDDED=False):
            self.assert_refused("network_loopback", keys.allow, key, "::1", by=self.alice.actor)
        keys.allow(key, "::1", by=self.alice.actor)

    def test_an_entry_is_recorded_when_it_comes_and_when_it_goes(self) -> None:
        key = self.key()
        entry = keys.allow(key, "192.0.2.7", "Head office", by=self.alice.actor)
        keys.disallow(entry, by=self.alice.actor)
        keys.disallow(entry, by=self.alice.actor)

        self.assertEqual(self.trail(), ["keys.created", "keys.network_added", "keys.network_removed"])
        for tag in ("keys.network_added", "keys.network_removed"):
            self.assertEqual(self.details(tag)["network"], "192.0.2.7/32")


@pytest.mark.claim("hashed_keys")
class SecrecyTests(KeyTest):
    def test_names_and_notes_are_sealed_and_cannot_be_moved(self) -> None:
        key, other = self.key(name="Räksmörgås"), self.key(name="Other")
        entry = keys.allow(key, "192.0.2.7", "Huvudkontoret", by=self.alice.actor)
        for sealed, clear in ((key.sealed_name, "Räksmörgås"), (entry.sealed_note, "Huvudkontoret")):
            self.assertNotIn(clear.encode(), bytes(sealed))

        other.sealed_name = key.sealed_name
        with self.assertRaises(vault.Broken):
            keys.name(other)

    def test_the_text_of_a_key_is_in_no_row_no_mail_and_no_log(self) -> None:
        written = io.StringIO()
        handler = logging.StreamHandler(written)
        logging.getLogger().addHandler(handler)
        self.addCleanup(logging.getLogger().removeHandler, handler)
        with self.captureOnCommitCallbacks(execute=True):
            first = self.alice.key(networks=["192.0.2.7"])
            _new, second = keys.rotate(self.found(first), timedelta(days=7), by=self.alice.actor)
            keys.revoke(self.found(second), by=self.alice.actor)

        rows = "".join(self.rows_of("default")) + "".join(self.rows_of("keyring"))
        entries = client_log.open_entries(self.alice.client, client_log.entries(self.alice.client))
        mails = "\n".join(str(message.message()) for message in mail.outbox)
        for text in (first, second):
            self.assertIn(self.found(text).identifier, rows)
            for place in (rows, repr(entries), mails, written.getvalue(), repr(self.found(text).__dict__)):
                self.assertNotIn(text[23:66], place)
        self.assertEqual(len(mail.outbox), 3)

    def rows_of(self, database: str) -> Iterator[str]:
        """Yield each row of each table as somebody who reads it would see it: bytes as text and as hexadecimal."""
        with connections[database].cursor() as cursor:
            for table in connections[database].introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                for row in cursor.fetchall():
                    for value in row:
                        is_bytes = isinstance(value, bytes | memoryview)
                        yield bytes(value).decode("latin-1") + bytes(value).hex() if is_bytes else str(value)


class ScopeOrderTests(KeyTest):
    def test_the_words_stay_as_programs_know_them(self) -> None:
        self.assertEqual(list(scopes.SCOPES), ["validate", "tools", "bulk", "usage"])
        self.assertEqual(scopes.in_order({"usage", "validate"}), ["validate", "usage"])
        for scope in scopes.SCOPES.values():
            self.assertTrue(str(scope.name))
            self.assertTrue(str(scope.meaning))


@skipUnless(connection.vendor == "postgresql", "SQLite's writers take turns by themselves")
class ConcurrentKeyTests(TransactionTestCase):
    databases = {"default", "keyring"}

    def setUp(self) -> None:
        cache.clear()
        client = Client.objects.create()
        self.owner = User.objects.create_user("alice@example.com", PASSWORD, client=client, role=User.Role.OWNER)
        # The vault makes the client's data key with the first name that is sealed.
        self.key = self.make()

    def make(self, attempt: uuid.UUID | None = None) -> ApiKey:
        assert self.owner.client is not None
        draft = keys.Draft("Shop", ("validate",), timezone.now() + timedelta(days=90))
        return keys.create(self.owner.client, draft, by=Actor(self.owner), attempt=attempt)[0]

    def at_once(self, *actions: Callable[[], object]) -> list[str]:
        """Do the actions in threads that start together; return the codes of those that were refused."""
        start, refused = Barrier(len(actions)), list[str]()

        def do(action: Callable[[], object]) -> None:
            start.wait()
            try:
                action()
            except Refusal as refusal:
                refused.append(refusal.code)
            finally:
                connections.close_all()

        threads = [Thread(target=do, args=(action,)) for action in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return refused

    def test_two_clicks_cannot_pass_the_limit_together(self) -> None:
        with patch.object(keys, "MOST_KEYS", 3):
            refused = self.at_once(*[self.make] * 6)

        self.assertEqual(refused, ["key_limit_reached"] * 4)
        self.assertEqual(ApiKey.objects.count(), 3)

    def test_one_form_sent_twice_at_once_makes_one_key(self) -> None:
        attempt = uuid.uuid4()

        refused = self.at_once(*[lambda: self.make(attempt)] * 4)

        self.assertEqual(refused, ["already_made"] * 3)

    def test_a_key_is_replaced_once(self) -> None:
        refused = self.at_once(*[lambda: keys.rotate(self.key, timedelta(days=7), by=Actor(self.owner))] * 4)

        self.assertEqual(refused, ["already_replaced"] * 3)
        self.assertEqual(ApiKey.objects.count(), 2)

    def test_an_address_is_added_once(self) -> None:
        refused = self.at_once(*[lambda: keys.allow(self.key, "192.0.2.7", by=Actor(self.owner))] * 4)

        self.assertEqual(refused, ["network_already_there"] * 3)
        self.assertEqual(AllowedNetwork.objects.count(), 1)

    def test_two_timers_warn_once(self) -> None:
        ApiKey.objects.update(expires_at=timezone.now() + timedelta(days=3))

        self.at_once(*[lambda: keys.warn_expiring(timezone.now())] * 4)

        self.assertEqual(len([sent for sent in mail.outbox if self.key.prefix in str(sent.subject)]), 1)
