"""The vault: what it seals opens only where it belongs, and never again once the owner's key is destroyed."""

import base64
import itertools
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connections, router, transaction
from django.test import TestCase, TransactionTestCase, override_settings
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from ibanse import checks
from privacy import vault
from privacy.crypto import cipher
from privacy.vault import opened
from privacy.vault.models import DataKey
from tests.support import services

ROOT = Path(__file__).resolve().parent.parent.parent.parent
BOTH = {"default", "keyring"}
FIRST, SECOND = cipher.new_key(), cipher.new_key()


class VaultTest(TestCase):
    databases = BOTH

    def setUp(self) -> None:
        self.owner = uuid4()

    def seal(self, data: bytes | str = "SE4550000000058398257466", *, record: str = "7") -> bytes:
        return vault.seal(self.owner, data, purpose="check.iban", record=record)

    def unseal(self, envelope: bytes, *, record: str = "7") -> str:
        return vault.unseal_text(self.owner, envelope, purpose="check.iban", record=record)


@pytest.mark.claim("own_key")
class SealingTests(VaultTest):
    def test_a_record_opens_where_it_belongs(self) -> None:
        self.assertEqual(self.unseal(self.seal()), "SE4550000000058398257466")

    def test_a_record_moved_to_another_owner_purpose_or_row_does_not_open(self) -> None:
        other = uuid4()
        vault.seal(other, "so that the other has a key", purpose="check.iban", record="7")
        envelope = self.seal()
        places = ((other, "check.iban", "7"), (self.owner, "check.bank", "7"), (self.owner, "check.iban", "8"))

        for owner, purpose, record in places:
            with self.subTest(purpose=purpose, record=record), self.assertRaises(vault.Broken):
                vault.unseal(owner, envelope, purpose=purpose, record=record)

    def test_the_owner_is_bound_even_where_two_owners_had_the_same_key(self) -> None:
        other = uuid4()
        with mock.patch.object(cipher, "new_key", return_value=FIRST):
            envelope = self.seal()
            vault.seal(other, "x", purpose="check.iban", record="7")

        with self.assertRaises(vault.Broken):
            vault.unseal(other, envelope, purpose="check.iban", record="7")

    def test_no_boundary_between_parts_can_be_moved(self) -> None:
        envelope = vault.seal(self.owner, "x", purpose="ab", record="c")

        with self.assertRaises(vault.Broken):
            vault.unseal(self.owner, envelope, purpose="a", record="bc")

    def test_a_flipped_bit_anywhere_is_refused(self) -> None:
        envelope = self.seal()
        for bit in range(len(envelope) * 8):
            changed = bytearray(envelope)
            changed[bit // 8] ^= 1 << bit % 8
            with self.assertRaises(vault.Broken):
                self.unseal(bytes(changed))

    def test_a_truncated_or_extended_envelope_is_refused(self) -> None:
        envelope = self.seal()
        for changed in (*(envelope[:length] for length in range(len(envelope))), envelope + b"\0"):
            with self.assertRaises(vault.Broken):
                self.unseal(changed)

    def test_every_refusal_reads_the_same(self) -> None:
        envelope = self.seal()
        output = set()
        for changed, record in ((b"", "7"), (b"\2" + envelope[1:], "7"), (envelope[:-1], "7"), (envelope, "8")):
            with self.assertRaises(vault.Broken) as refused:
                self.unseal(changed, record=record)
            output.add(str(refused.exception))

        self.assertEqual(output, {"This envelope does not open."})

    def test_the_layout_is_the_documented_one(self) -> None:
        envelope = self.seal("four")

        self.assertEqual(envelope[:2], b"\x01\x01")
        self.assertEqual(len(envelope), 2 + 12 + 4 + 16)

    def test_a_memoryview_opens_too(self) -> None:
        envelope = memoryview(self.seal(b"\0\xff"))

        self.assertEqual(vault.unseal(self.owner, envelope, purpose="check.iban", record="7"), b"\0\xff")

    def test_a_purpose_or_a_record_without_a_name_is_refused(self) -> None:
        for purpose, record in (("", "7"), ("check.iban", "")):
            with self.assertRaises(ValueError):
                vault.seal(self.owner, "x", purpose=purpose, record=record)

    def test_unsealing_never_creates_a_key(self) -> None:
        envelope = self.seal()
        with self.assertRaises(vault.NoKey):
            vault.unseal(uuid4(), envelope, purpose="check.iban", record="7")
        with self.assertRaises(vault.NoKey):
            vault.fingerprint(uuid4())

        self.assertEqual(DataKey.objects.count(), 1)

    @pytest.mark.claim("keys_apart")
    def test_only_the_wrapped_key_is_stored(self) -> None:
        key = cipher.new_key()
        with mock.patch.object(cipher, "new_key", return_value=key):
            self.seal()
        row = DataKey.objects.get()

        self.assertNotIn(key, bytes(row.wrapped or b""))
        self.assertEqual(row.fingerprint, cipher.fingerprint(key))
        self.assertEqual(vault.fingerprint(self.owner), row.fingerprint)


class RoundTripTests(HypothesisTestCase):
    databases = BOTH

    @given(data=st.binary(), purpose=st.text("abc.", min_size=1), record=st.text("0123-", min_size=1))
    def test_any_bytes_come_back(self, data: bytes, purpose: str, record: str) -> None:
        owner = uuid4()
        envelope = vault.seal(owner, data, purpose=purpose, record=record)

        self.assertEqual(vault.unseal(owner, envelope, purpose=purpose, record=record), data)

    @given(text=st.text(st.characters(exclude_categories=["Cs"])))
    def test_any_text_comes_back_from_a_named_envelope(self, text: str) -> None:
        named = vault.seal_named(uuid4(), text, purpose="second factor")

        self.assertEqual(vault.unseal_named(named, purpose="second factor"), text)


@pytest.mark.claim("own_key")
class NamedEnvelopeTests(VaultTest):
    def test_it_names_its_owner(self) -> None:
        named = vault.seal_named(self.owner, "JBSWY3DPEHPK3PXP", purpose="second factor")

        self.assertRegex(named, r"\Av1\.[A-Za-z0-9_-]+\Z")
        self.assertEqual(vault.unseal_named(named, purpose="second factor"), "JBSWY3DPEHPK3PXP")

    def test_it_opens_for_its_purpose_only(self) -> None:
        named = vault.seal_named(self.owner, "JBSWY3DPEHPK3PXP", purpose="second factor")

        with self.assertRaises(vault.Broken):
            vault.unseal_named(named, purpose="recovery codes")

    def test_a_change_anywhere_is_refused(self) -> None:
        named = vault.seal_named(self.owner, "JBSWY3DPEHPK3PXP", purpose="second factor")
        for place, letter in itertools.product(range(len(named)), "A_=\n é"):
            changed = f"{named[:place]}{letter}{named[place + 1 :]}"
            if changed != named:
                with self.assertRaises(vault.VaultError):
                    vault.unseal_named(changed, purpose="second factor")

    def test_every_other_spelling_of_the_same_bytes_is_refused(self) -> None:
        named = vault.seal_named(self.owner, "JBSWY3DPEHPK3PXP", purpose="second factor")
        padded = named + "=" * (-(len(named) - 3) % 4)
        with_spaces = f"{named[:9]}\n{named[9:]}"

        for spelling in (padded, with_spaces, named + "=", named.replace("v1.", "v1.v1."), "", "v1.", "JBSWY3DP"):
            if spelling != named:
                with self.assertRaises(vault.Broken):
                    vault.unseal_named(spelling, purpose="second factor")

    def test_it_does_not_open_for_another_owner(self) -> None:
        other = uuid4()
        vault.seal_named(other, "so that the other has a key", purpose="second factor")
        named = vault.seal_named(self.owner, "JBSWY3DPEHPK3PXP", purpose="second factor")
        inside = base64.urlsafe_b64decode(named[3:] + "==")
        moved = "v1." + base64.urlsafe_b64encode(other.bytes + inside[16:]).decode().rstrip("=")

        with self.assertRaises(vault.Broken):
            vault.unseal_named(moved, purpose="second factor")

    def test_it_cannot_pass_for_an_envelope_of_a_record(self) -> None:
        named = vault.seal_named(self.owner, "JBSWY3DPEHPK3PXP", purpose="second factor")
        inside = base64.urlsafe_b64decode(named[3:] + "==")[16:]

        for record in ("7", "named"):
            with self.assertRaises(vault.Broken):
                vault.unseal(self.owner, inside, purpose="second factor", record=record)


@pytest.mark.claim("blind_index")
class BlindIndexTests(VaultTest):
    def test_an_equal_text_is_found_again_by_the_same_owner_and_for_the_same_purpose_only(self) -> None:
        index = vault.blind_index(self.owner, "SE45", purpose="check.iban")
        vault.forget()

        self.assertEqual(vault.blind_index(self.owner, "SE45", purpose="check.iban"), index)
        self.assertEqual(len(index), 32)
        others = (
            vault.blind_index(self.owner, "SE46", purpose="check.iban"),
            vault.blind_index(self.owner, "SE45", purpose="check.reference"),
            vault.blind_index(uuid4(), "SE45", purpose="check.iban"),
        )
        self.assertNotIn(index, others)

    def test_a_destroyed_owner_has_no_index(self) -> None:
        vault.destroy(self.owner)

        with self.assertRaises(vault.Destroyed):
            vault.blind_index(self.owner, "SE45", purpose="check.iban")


@pytest.mark.claim("destroyed_keys")
class DestructionTests(VaultTest):
    def test_afterwards_nothing_opens_and_nothing_is_sealed(self) -> None:
        envelope, named = self.seal(), vault.seal_named(self.owner, "x", purpose="second factor")
        vault.destroy(self.owner)

        for _ in ("from what this worker held", "from the keyring"):
            with self.assertRaises(vault.Destroyed):
                self.unseal(envelope)
            with self.assertRaises(vault.Destroyed):
                vault.unseal_named(named, purpose="second factor")
            with self.assertRaises(vault.Destroyed):
                self.seal()
            vault.forget()

    def test_it_leaves_a_tombstone_without_the_key(self) -> None:
        self.seal()
        fingerprint = vault.fingerprint(self.owner)
        vault.destroy(self.owner)
        tombstone = DataKey.objects.get(owner=self.owner)

        self.assertEqual(vault.fingerprint(self.owner), fingerprint)
        self.assertIsNone(tombstone.wrapped)
        self.assertIsNone(tombstone.master_key)
        self.assertIsNotNone(tombstone.destroyed_at)

    def test_a_second_call_changes_nothing(self) -> None:
        self.seal()
        vault.destroy(self.owner)
        once = DataKey.objects.values().get(owner=self.owner)
        vault.destroy(self.owner)

        self.assertEqual(DataKey.objects.values().get(owner=self.owner), once)

    def test_an_owner_that_never_had_a_key_gets_none_later(self) -> None:
        vault.destroy(self.owner)

        with self.assertRaises(vault.Destroyed):
            self.seal()
        with self.assertRaises(vault.NoKey):
            vault.fingerprint(self.owner)

    def test_other_owners_keep_theirs(self) -> None:
        other = uuid4()
        envelope = vault.seal(other, "still here", purpose="check.iban", record="7")
        self.seal()
        vault.destroy(self.owner)

        self.assertEqual(vault.unseal_text(other, envelope, purpose="check.iban", record="7"), "still here")

    def test_it_needs_no_master_key(self) -> None:
        self.seal()
        with override_settings(MASTER_KEYS={}):
            vault.destroy(self.owner)

        with self.assertRaises(vault.Destroyed):
            self.seal()

    def test_a_row_is_a_key_or_a_tombstone_and_nothing_between(self) -> None:
        self.seal()

        with self.assertRaises(IntegrityError), transaction.atomic(using="keyring"):
            DataKey.objects.update(wrapped=None)


@pytest.mark.claim("keys_apart")
class MasterKeyTests(VaultTest):
    def test_the_newest_wraps_and_the_older_ones_still_open(self) -> None:
        new_owner = uuid4()
        with override_settings(MASTER_KEYS={1: FIRST}):
            envelope = self.seal()
        vault.forget()
        with override_settings(MASTER_KEYS={2: SECOND, 1: FIRST}):
            self.assertEqual(self.unseal(envelope), "SE4550000000058398257466")
            vault.seal(new_owner, "x", purpose="check.iban", record="7")

        wrapped_by = dict(DataKey.objects.values_list("owner", "master_key"))
        self.assertEqual(wrapped_by, {self.owner: 1, new_owner: 2})

    def test_one_that_is_missing_is_named_by_its_number(self) -> None:
        with override_settings(MASTER_KEYS={1: FIRST}):
            envelope = self.seal()
        vault.forget()

        with override_settings(MASTER_KEYS={2: SECOND}), self.assertRaises(vault.NoMasterKey) as missing:
            self.unseal(envelope)
        self.assertIn("Master key 1 ", str(missing.exception))
        self.assertIn("IBANSE_MASTER_KEYS", str(missing.exception))

    def test_one_that_was_exchanged_under_its_number_is_named(self) -> None:
        with override_settings(MASTER_KEYS={1: FIRST}):
            self.seal()
        vault.forget()

        with override_settings(MASTER_KEYS={1: SECOND}), self.assertRaises(vault.NoMasterKey) as exchanged:
            self.seal()
        self.assertIn("Master key 1 ", str(exchanged.exception))

    def test_a_wrapped_key_cannot_be_moved_to_another_owner(self) -> None:
        other = uuid4()
        self.seal()
        vault.seal(other, "x", purpose="check.iban", record="7")
        DataKey.objects.filter(owner=other).update(wrapped=DataKey.objects.get(owner=self.owner).wrapped)
        vault.forget()

        with self.assertRaises(vault.VaultError):
            vault.seal(other, "x", purpose="check.iban", record="7")

    def test_without_any_nothing_is_sealed_and_no_row_is_left(self) -> None:
        with override_settings(MASTER_KEYS={}), self.assertRaises(vault.NoMasterKey):
            self.seal()

        self.assertFalse(DataKey.objects.exists())

    def test_the_check_names_those_that_do_not_open_what_they_wrapped(self) -> None:
        with override_settings(MASTER_KEYS={1: FIRST}):
            self.seal()
        with override_settings(MASTER_KEYS={2: SECOND}):
            [error] = checks.check_master_keys(None, databases=["keyring"])
            unasked = checks.check_master_keys(None)
        with override_settings(MASTER_KEYS={1: FIRST, 2: SECOND}):
            complete = checks.check_master_keys(None, databases=["keyring"])

        self.assertEqual(error.id, "ibanse.E003")
        self.assertIn("Master key 1 ", str(error.msg))
        self.assertEqual((unasked, complete), ([], []))

    def test_the_check_refuses_none_at_all_and_short_ones(self) -> None:
        for master_keys in ({}, {1: FIRST, 2: b"short"}):
            with override_settings(MASTER_KEYS=master_keys):
                [error] = checks.check_master_keys(None)

            self.assertEqual(error.id, "ibanse.E003")


@pytest.mark.claim("destroyed_keys")
class OpenedKeyTests(VaultTest):
    def at(self, seconds: float) -> "mock._patch[mock.Mock]":
        return mock.patch("privacy.vault.opened.time.monotonic", return_value=seconds)

    def test_an_unwrapped_key_is_cached_for_a_minute_at_most(self) -> None:
        with self.at(1000):
            envelope = self.seal()
        for seconds, queries in ((1000, 0), (1030, 0), (1059.9, 0), (1060, 1), (1061, 0)):
            with self.subTest(seconds), self.at(seconds), self.assertNumQueries(queries, using="keyring"):
                self.unseal(envelope)

    def test_a_key_destroyed_by_another_worker_is_useless_here_after_a_minute(self) -> None:
        with self.at(1000):
            envelope = self.seal()
        DataKey.objects.update(wrapped=None, master_key=None, destroyed_at="2026-01-01T00:00:00Z")

        with self.at(1060), self.assertRaises(vault.Destroyed):
            self.unseal(envelope)

    def test_expired_keys_of_others_are_dropped_too(self) -> None:
        held = opened.OpenedKeys()
        with self.at(1000):
            held.put(uuid4(), opened.OpenedKey(1, FIRST), held.ticket())
        with self.at(1060):
            held.get(uuid4())

        self.assertEqual(len(held), 0)

    def test_the_cache_is_limited_and_drops_the_oldest(self) -> None:
        held = opened.OpenedKeys()
        owners = [uuid4() for _ in range(opened.MOST_HELD + 1)]
        for owner in owners:
            held.put(owner, opened.OpenedKey(1, FIRST), held.ticket())

        self.assertEqual(len(held), opened.MOST_HELD)
        self.assertIsNone(held.get(owners[0]))
        self.assertIsNotNone(held.get(owners[1]))

    def test_a_key_read_before_its_destruction_is_not_cached(self) -> None:
        held = opened.OpenedKeys()
        ticket = held.ticket()
        held.drop(self.owner)
        held.put(self.owner, opened.OpenedKey(1, FIRST), ticket)

        self.assertIsNone(held.get(self.owner))


@pytest.mark.claim("keys_apart")
class RoutingTests(VaultTest):
    def test_the_vaults_table_is_in_the_keyring_and_nowhere_else(self) -> None:
        tables = {alias: set(connections[alias].introspection.table_names()) for alias in BOTH}

        self.assertEqual(tables["keyring"], {"django_migrations", "vault_datakey"})
        self.assertNotIn("vault_datakey", tables["default"])

    def test_every_model_is_in_one_database(self) -> None:
        for model in apps.get_models(include_auto_created=True):
            home = "keyring" if model is DataKey else "default"
            self.assertEqual((router.db_for_read(model), router.db_for_write(model)), (home, home), model)
            self.assertEqual({alias for alias in BOTH if router.allow_migrate_model(alias, model)}, {home}, model)

    def test_no_relation_may_lead_into_the_vault(self) -> None:
        user = get_user_model()(email="alice@example.com")

        self.assertFalse(router.allow_relation(user, DataKey()))
        self.assertTrue(router.allow_relation(user, user))


class TransactionTests(TransactionTestCase):
    databases = BOTH

    def test_no_key_is_created_that_a_rollback_could_lose(self) -> None:
        owner = uuid4()
        with transaction.atomic(using="keyring"), self.assertRaises(RuntimeError):
            vault.seal(owner, "x", purpose="check.iban", record="7")

        self.assertFalse(DataKey.objects.exists())

    def test_a_rollback_of_the_site_takes_no_key_back(self) -> None:
        owner = uuid4()
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            envelope = vault.seal(owner, "x", purpose="check.iban", record="7")
            _ = 1 / 0
        vault.forget()

        self.assertEqual(vault.unseal(owner, envelope, purpose="check.iban", record="7"), b"x")


# What a separate process does with the keyring; it prints its result at the end.
MIGRATE = """
from django.core.management import call_command
call_command("migrate", "vault", database="keyring", verbosity=0)
"""
SEAL = """
envelope = vault.seal(owner, "sealed elsewhere", purpose="check.iban", record="7")
print(envelope.hex(), vault.fingerprint(owner))
"""
SEAL_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.db import connections
start = Barrier(4)
def seal(record):
    start.wait()
    try:
        return vault.seal(owner, "sealed at once", purpose="check.iban", record=record).hex()
    finally:
        connections.close_all()
with ThreadPoolExecutor(4) as pool:
    print(*pool.map(seal, "0123"))
"""
UNSEAL = """
try:
    print(*[vault.unseal_text(owner, bytes.fromhex(each), purpose="check.iban", record=record).replace(" ", "_")
            for record, each in (pair.split("=") for pair in sys.argv[2:])])
except vault.VaultError as error:
    print(type(error).__name__)
"""
SEAL_AGAIN = """
try:
    vault.seal(owner, "too late", purpose="check.iban", record="8")
except vault.VaultError as error:
    print(type(error).__name__)
"""
DESTROY = "vault.destroy(owner)"


class WorkersTest(unittest.TestCase):
    """Separate processes that share a data folder, and in it a SQLite keyring."""

    def setUp(self) -> None:
        self.owner = uuid4()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.environment = services.environment(
            DJANGO_SETTINGS_MODULE="ibanse.settings", IBANSE_DATA_DIR=folder, **self.elsewhere()
        )

    def elsewhere(self) -> dict[str, str]:
        """Return the settings for another keyring."""
        return {}

    def start(self, code: str, *arguments: str) -> "subprocess.Popen[str]":
        beginning = (
            "import sys, uuid, django; django.setup(); from privacy import vault; owner = uuid.UUID(sys.argv[1])"
        )
        command = [sys.executable, "-c", f"{beginning}\n{code}", str(self.owner), *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)

    def run_code(self, code: str, *arguments: str) -> list[str]:
        """Return the words that the code printed in a separate process."""
        with self.start(code, *arguments) as process:
            output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        return output.split()


@pytest.mark.claim("destroyed_keys")
class OtherWorkersTests(WorkersTest, TransactionTestCase):
    """Several workers on one keyring: a SQLite file, or the PostgreSQL that the suite runs on."""

    databases = BOTH

    def elsewhere(self) -> dict[str, str]:
        place = connections["keyring"].settings_dict
        if connections["keyring"].vendor == "sqlite":
            return {}
        password = quote(str(place["PASSWORD"]), safe="")
        return {
            "KEYRING_DATABASE_URL": f"postgres://{place['USER']}:{password}@{place['HOST']}:{place['PORT']}/{place['NAME']}"
        }

    def test_what_one_process_sealed_another_one_opens(self) -> None:
        envelope, _ = self.run_code(MIGRATE + SEAL)

        self.assertEqual(self.run_code(UNSEAL, f"7={envelope}"), ["sealed_elsewhere"])

    def test_what_one_process_destroyed_no_other_one_opens_or_seals(self) -> None:
        envelope, _ = self.run_code(MIGRATE + SEAL)
        self.run_code(DESTROY)

        self.assertEqual(self.run_code(UNSEAL, f"7={envelope}"), ["Destroyed"])
        self.assertEqual(self.run_code(SEAL_AGAIN), ["Destroyed"])

    def test_all_who_seal_first_at_once_end_with_one_key(self) -> None:
        self.run_code(MIGRATE)
        processes = [self.start(SEAL_AT_ONCE) for _ in range(3)]
        sealed = [process.communicate(timeout=60)[0].split() for process in processes]

        self.assertEqual([process.returncode for process in processes], [0, 0, 0])
        for envelopes in sealed:
            opened_again = self.run_code(UNSEAL, *(f"{record}={each}" for record, each in enumerate(envelopes)))
            self.assertEqual(opened_again, ["sealed_at_once"] * 4)


# Runs on a keyring file of its own: seals for many owners, destroys some and prints which files contain which bytes.
FILES = """
from django.conf import settings
from privacy.crypto import cipher
from privacy.vault.models import DataKey
made = []
new_key = cipher.new_key
cipher.new_key = lambda: made.append(new_key()) or made[-1]
owners = [uuid.uuid4() for _ in range(200)]
for each in owners:
    vault.seal(each, "x", purpose="check.iban", record="7")
wrapped = {row.owner: bytes(row.wrapped) for row in DataKey.objects.all()}
files = sorted(settings.DATA_DIR.glob("keyring.sqlite3*"))
def found(searched):
    return sum(any(each in file.read_bytes() for file in files) for each in searched)
assert [file.name[7:] for file in files] == [".sqlite3", ".sqlite3-shm", ".sqlite3-wal"], files
print(found(wrapped.values()), found(made))
dead = owners[::2]
for each in dead:
    vault.destroy(each)
print(found(wrapped[each] for each in dead), found(wrapped[each] for each in owners[1::2]), found(made))
"""
BUSY = """
import sqlite3
from django.conf import settings
from django.db import connections
vault.seal(owner, "x", purpose="check.iban", record="7")
connections["keyring"].cursor().execute("PRAGMA busy_timeout=50")
reader = sqlite3.connect(settings.DATA_DIR / "keyring.sqlite3", isolation_level=None)
reader.execute("BEGIN")
reader.execute("SELECT * FROM vault_datakey").fetchall()
try:
    vault.destroy(owner)
except vault.Unfinished:
    print("unfinished")
try:
    vault.seal(owner, "x", purpose="check.iban", record="8")
except vault.Destroyed:
    print("destroyed")
reader.execute("COMMIT")
vault.destroy(owner)
print((settings.DATA_DIR / "keyring.sqlite3-wal").stat().st_size)
"""


@pytest.mark.claim("destroyed_keys")
class KeyringFileTests(WorkersTest):
    """SQLite's keyring, byte by byte."""

    def test_no_file_contains_a_byte_of_a_destroyed_key(self) -> None:
        output = self.run_code(MIGRATE + FILES)

        # Before: every wrapped key is found, so the search works, and never a key in clear. After: only existing keys.
        self.assertEqual(output, ["200", "0", "0", "100", "0"])

    def test_a_busy_log_is_reported_and_truncated_later(self) -> None:
        self.assertEqual(self.run_code(MIGRATE + BUSY), ["unfinished", "destroyed", "0"])

    def test_a_committed_key_survives_a_power_cut(self) -> None:
        output = self.run_code(
            "from django.db import connections\ncursor = connections['keyring'].cursor()\n"
            "for name in ('journal_mode', 'synchronous', 'secure_delete'):\n"
            "    print(*cursor.execute(f'PRAGMA {name}').fetchone())"
        )

        # 2 is FULL: the log reaches the disk before a commit returns.
        self.assertEqual(output, ["wal", "2", "1"])
