"""manage.py rotate_master_key: every data key is wrapped by the newest master key, whatever happens meanwhile."""

from io import StringIO
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase, TransactionTestCase, override_settings

from privacy import vault
from privacy.vault import master_keys, rotation
from privacy.vault.models import DataKey
from tests.privacy.vault import test_vault

pytestmark = pytest.mark.claim("exchanged_keys")

FIRST, SECOND = bytes(range(32)), bytes(range(1, 33))
BOTH = {1: FIRST, 2: SECOND}


class RotationTest(TestCase):
    databases = {"default", "keyring"}

    def setUp(self) -> None:
        self.addCleanup(vault.forget)

    def seals(self, times: int, keys: dict[int, bytes] | None = None) -> dict[UUID, bytes]:
        """Seal for this many new owners under master key 1."""
        owners = [uuid4() for _ in range(times)]
        with override_settings(MASTER_KEYS=keys or {1: FIRST}):
            return {owner: vault.seal(owner, "sealed", purpose="test", record="1") for owner in owners}

    def rotates(self, *arguments: str, keys: dict[int, bytes] | None = None) -> str:
        output = StringIO()
        with override_settings(MASTER_KEYS=keys or BOTH):
            call_command("rotate_master_key", *arguments, stdout=output, stderr=output)
        return output.getvalue()

    def assert_open(self, sealed: dict[UUID, bytes], keys: dict[int, bytes]) -> None:
        vault.forget()
        with override_settings(MASTER_KEYS=keys):
            for owner, envelope in sealed.items():
                self.assertEqual(vault.unseal(owner, envelope, purpose="test", record="1"), b"sealed")

    def wrapped_by(self) -> dict[int | None, int]:
        numbers = list(DataKey.objects.values_list("master_key", flat=True))
        return {number: numbers.count(number) for number in set(numbers)}


class RewrappingTests(RotationTest):
    def test_afterwards_the_old_master_key_is_not_needed(self) -> None:
        sealed = self.seals(2 * rotation.CHUNK_ROWS + 1)

        printed = self.rotates()

        self.assertIn("Rewrapped: 201 data keys in ", printed)
        self.assertIn("Master key 1 wraps nothing. Once every worker runs with master key 2, take it out", printed)
        self.assertEqual(self.wrapped_by(), {2: 201})
        self.assert_open(sealed, {2: SECOND})

    def test_a_second_run_has_nothing_to_do(self) -> None:
        self.seals(3)
        self.rotates()
        before = list(DataKey.objects.order_by("pk").values())

        self.assertIn("Rewrapped: 0 data keys", self.rotates())
        self.assertEqual(list(DataKey.objects.order_by("pk").values()), before)
        self.assertIn(
            "Master key 2 wraps every data key, and no other one is configured.", self.rotates(keys={2: SECOND})
        )

    def test_a_dry_run_unwraps_all_and_writes_nothing(self) -> None:
        self.seals(3)
        before = list(DataKey.objects.order_by("pk").values())

        printed = self.rotates("--dry-run")

        self.assertIn("Dry run: 3 data keys opened, nothing was written.", printed)
        self.assertIn("Master key 1 still wraps 3 data keys: it must stay.", printed)
        self.assertEqual(list(DataKey.objects.order_by("pk").values()), before)

    def test_it_prints_its_progress(self) -> None:
        self.seals(rotation.CHUNK_ROWS + 1)
        with mock.patch("privacy.management.commands.rotate_master_key._PROGRESS_EVERY_SECONDS", 0):
            printed = self.rotates()

        self.assertRegex(printed, r"100 of 101 data keys, [\d,]+ a second\n101 of 101 data keys, ")

    def test_a_key_that_is_destroyed_between_reading_and_writing_stays_destroyed(self) -> None:
        sealed = self.seals(5)
        dead = sorted(sealed)[2]
        wrap = master_keys.wrap

        def destroys(owner: UUID, number: int, key: bytes) -> tuple[int, bytes]:
            if owner == dead:
                vault.destroy(owner)
            return wrap(owner, number, key)

        with mock.patch.object(master_keys, "wrap", destroys):
            printed = self.rotates()

        self.assertIn("Rewrapped: 4 data keys", printed)
        self.assertIsNone(DataKey.objects.get(owner=dead).wrapped)
        self.assertEqual(self.wrapped_by(), {2: 4, None: 1})
        with self.assertRaises(vault.Destroyed):
            self.assert_open({dead: sealed.pop(dead)}, BOTH)
        self.assert_open(sealed, {2: SECOND})

    def test_two_at_once_wrap_each_key_once(self) -> None:
        sealed = self.seals(5)
        wrap = master_keys.wrap
        inner: list[str] = []

        def another_one(owner: UUID, number: int, key: bytes) -> tuple[int, bytes]:
            with mock.patch.object(master_keys, "wrap", wrap):
                if not inner:
                    inner.append(self.rotates())
            return wrap(owner, number, key)

        with mock.patch.object(master_keys, "wrap", another_one):
            outer = self.rotates()

        self.assertIn("Rewrapped: 5 data keys", inner[0])
        self.assertIn("Rewrapped: 0 data keys", outer)
        self.assert_open(sealed, {2: SECOND})

    def test_a_key_that_cannot_be_unwrapped_is_counted_and_stops_no_other(self) -> None:
        sealed = self.seals(2 * rotation.CHUNK_ROWS)
        torn = DataKey.objects.order_by("pk")[:3]
        for row in torn:
            DataKey.objects.filter(pk=row.pk).update(wrapped=bytes(60))
            del sealed[row.pk]
        output = StringIO()

        with override_settings(MASTER_KEYS=BOTH), self.assertRaisesRegex(CommandError, "Not every data key"):
            call_command("rotate_master_key", stdout=output, stderr=output)

        self.assertIn("3 data keys left as they were: Master key 1 does not open a data key", output.getvalue())
        self.assertIn("Master key 1 still wraps 3 data keys: it must stay.", output.getvalue())
        self.assertEqual(self.wrapped_by(), {1: 3, 2: 197})
        self.assert_open(sealed, {2: SECOND})

    def test_a_key_with_another_fingerprint_replaces_nothing(self) -> None:
        self.seals(1)
        DataKey.objects.update(fingerprint="0" * 32)

        with self.assertRaises(CommandError):
            self.rotates()

        self.assertEqual(self.wrapped_by(), {1: 1})

    def test_a_missing_old_master_key_is_named_and_nothing_is_lost(self) -> None:
        sealed = self.seals(2)

        with self.assertRaisesRegex(CommandError, "Not every data key could be opened"):
            self.rotates(keys={2: SECOND})

        self.assert_open(sealed, {1: FIRST})

    def test_a_process_without_the_newest_master_key_undoes_nothing(self) -> None:
        sealed = self.seals(2, keys={3: SECOND})

        with self.assertRaises(CommandError):
            self.rotates(keys={1: FIRST})

        self.assert_open(sealed, {3: SECOND})

    def test_keys_created_meanwhile_need_a_second_run(self) -> None:
        self.seals(2)
        wrap = master_keys.wrap
        late: dict[UUID, bytes] = {}

        def a_worker_with_old_settings(owner: UUID, number: int, key: bytes) -> tuple[int, bytes]:
            # For an owner whose ID this run has passed.
            passed = mock.patch("tests.privacy.vault.test_rotation.uuid4", return_value=UUID(int=1))
            with mock.patch.object(master_keys, "wrap", wrap), passed:
                late.update(late or self.seals(1))
            return wrap(owner, number, key)

        slow = mock.patch.object(master_keys, "wrap", a_worker_with_old_settings)
        with slow, self.assertRaisesRegex(CommandError, "Run this again"):
            self.rotates()

        self.assertIn("Rewrapped: 1 data key in", self.rotates())
        self.assert_open(late, {2: SECOND})


# A process that starts others, which are killed, and raises an AssertionError for anything unexpected.
PLOT = """
import os, signal
from collections import Counter
from io import StringIO
from pathlib import Path
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from privacy.vault.models import DataKey

KEYS = {1: bytes(range(32)), 2: bytes(range(1, 33))}
sealed = {}

def under(*numbers):
    settings.MASTER_KEYS = {number: KEYS[number] for number in numbers}
    vault.forget()

def seal(times):
    for _ in range(times):
        each = uuid.uuid4()
        sealed[each] = vault.seal(each, "sealed", purpose="test", record="1")

def found():
    vault.forget()
    opened = Counter()
    for each, envelope in sealed.items():
        try:
            opened[vault.unseal_text(each, envelope, purpose="test", record="1")] += 1
        except vault.VaultError as error:
            opened[type(error).__name__] += 1
    by = Counter(DataKey.objects.values_list("master_key", flat=True))
    return dict(opened), dict(by)

def let_go():
    for connection in connections.all():
        connection.close()
        getattr(connection, "close_pool", lambda: None)()

def begin(action, *arguments):
    let_go()
    child = os.fork()
    if child:
        return child
    try:
        action(*arguments)
        let_go()
        os._exit(0)
    finally:
        os._exit(1)

def end(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def rotate(word="nothing", number=0, action=None):
    # Runs the action just before the n-th statement that contains the word.
    seen = 0
    def watch(execute, sql, params, many, context):
        nonlocal seen
        seen += word in sql
        if word in sql and seen == number:
            action()
        return execute(sql, params, many, context)
    output = StringIO()
    with connections["keyring"].execute_wrapper(watch):
        call_command("rotate_master_key", stdout=output)
    return output.getvalue()

def die():
    os.kill(os.getpid(), signal.SIGKILL)

call_command("migrate", "vault", database="keyring", verbosity=0)
on_sqlite = connections["keyring"].vendor == "sqlite"
under(1)
"""
KILLED = """
seal(250)
under(1, 2)
# In the transaction of the first chunk, and then twice in that of the second.
for number, rewrapped in ((50, 0), (101, 100), (101, 200)):
    assert end(begin(rotate, "UPDATE", number, die)) == -signal.SIGKILL
    outcome = found()
    by = {1: 250 - rewrapped, 2: rewrapped} if rewrapped else {1: 250}
    assert outcome == ({"sealed": 250}, by), (number, outcome)
if on_sqlite:
    assert end(begin(rotate, "wal_checkpoint", 1, die)) == -signal.SIGKILL
assert "Master key 1 wraps nothing." in rotate()
under(2)
assert found() == ({"sealed": 250}, {2: 250}), found()
"""
DESTROYED_MEANWHILE = """
seal(100)
under(1, 2)
dead = sorted(sealed)[::10]
def destroy():
    for each in dead:
        vault.destroy(each)
def destroys_elsewhere():
    child = os.fork()
    if not child:
        # Inherited connections belong to the parent: this process opens its own.
        os.execv(sys.executable, [sys.executable, "-c", DESTROY, *map(str, dead)])
    assert end(child) == 0
DESTROY = "import sys, uuid, django; django.setup(); from privacy import vault\\n" + (
    "for each in sys.argv[1:]: vault.destroy(uuid.UUID(each))"
)
# Between reading and writing; where SQLite's writers take turns, before that one's turn.
output = rotate("BEGIN" if on_sqlite else "UPDATE", 1, destroys_elsewhere)
assert "Rewrapped: 90 data keys" in output, output
under(2)
assert found() == ({"sealed": 90, "Destroyed": 10}, {2: 90, None: 10}), found()
"""
AT_ONCE = """
seal(300)
under(1, 2)
others = [begin(rotate), begin(rotate)]
seal(50)
for each in sorted(sealed)[::10]:
    vault.destroy(each)
assert [end(child) for child in others] == [0, 0]
rotate()
under(2)
assert found() == ({"sealed": 315, "Destroyed": 35}, {2: 315, None: 35}), found()
"""
FILES = """
seal(250)
def in_files(searched):
    files = [file.read_bytes() for file in settings.DATA_DIR.glob("keyring.sqlite3*")]
    return sum(any(each in file for file in files) for each in searched)
def wrapped():
    return [bytes(each) for each in DataKey.objects.exclude(wrapped=None).values_list("wrapped", flat=True)]
before = wrapped()
assert in_files(before) == 250
under(1, 2)
assert end(begin(rotate, "UPDATE", 150, die)) == -signal.SIGKILL
for each in sorted(sealed)[::10]:
    vault.destroy(each)
rotate()
assert (in_files(before), in_files(wrapped()), len(wrapped())) == (0, 225, 225)
"""


class KilledTests(test_vault.WorkersTest, TransactionTestCase):
    """The command in separate processes, killed at various points, beside others that seal and destroy."""

    databases = {"default", "keyring"}
    elsewhere = test_vault.OtherWorkersTests.elsewhere

    def test_after_a_kill_every_key_opens_and_the_next_run_finishes(self) -> None:
        self.run_code(PLOT + KILLED)

    def test_keys_destroyed_by_others_stay_destroyed(self) -> None:
        self.run_code(PLOT + DESTROYED_MEANWHILE)

    def test_two_runs_beside_seals_and_destructions_lose_nothing(self) -> None:
        self.run_code(PLOT + AT_ONCE)


class RotatedFileTests(test_vault.WorkersTest):
    """SQLite's keyring, byte by byte."""

    def test_no_file_contains_old_wrappings_even_after_a_kill(self) -> None:
        self.run_code(PLOT + FILES)
