"""manage.py keyring_status: the contents of the keyring, and whether the master keys unwrap them."""

import base64
from io import StringIO
from uuid import uuid4

from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from privacy import vault

FIRST, SECOND, FOREIGN = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))


class KeyringStatusTests(TestCase):
    databases = {"keyring"}

    def printed(self, keys: dict[int, bytes]) -> str:
        output = StringIO()
        with override_settings(MASTER_KEYS=keys):
            call_command("keyring_status", stdout=output)
        return output.getvalue()

    def seals(self, keys: dict[int, bytes], times: int = 1) -> None:
        with override_settings(MASTER_KEYS=keys):
            for _ in range(times):
                vault.seal(uuid4(), "something", purpose="test", record="1")

    def test_it_counts_data_keys_by_the_master_key_that_wraps_them(self) -> None:
        self.seals({1: FIRST}, times=2)
        self.seals({1: FIRST, 2: SECOND})

        printed = self.printed({1: FIRST, 2: SECOND})

        self.assertRegex(
            printed, r"Master key 1: given, opens; 2 data keys, from 20\d\d-\d\d-\d\d to 20\d\d-\d\d-\d\d\n"
        )
        self.assertRegex(printed, r"Master key 2: given, opens; 1 data key, .*, wraps new ones\n")
        self.assertIn("Data keys in use: 3\n", printed)
        self.assertIn("Data keys destroyed: 0\n", printed)

    def test_destroyed_keys_are_counted_apart(self) -> None:
        self.seals({1: FIRST})
        vault.destroy(uuid4())

        self.assertRegex(self.printed({1: FIRST}), r"in use: 1\nData keys destroyed: 1, last on 20\d\d-\d\d-\d\d\n")

    def test_a_missing_master_key_fails_by_its_number(self) -> None:
        self.seals({1: FIRST})

        with self.assertRaisesRegex(CommandError, "Master key 1 wraps a data key, but it is not in IBANSE_MASTER_KEYS"):
            self.printed({2: SECOND})

    def test_a_wrong_master_key_fails_by_its_number_without_showing_it(self) -> None:
        self.seals({1: FIRST})

        with self.assertRaises(CommandError) as failure:
            self.printed({1: FOREIGN})

        self.assertIn("Master key 1 does not open a data key", str(failure.exception))
        self.assertNotIn(base64.b64encode(FOREIGN).decode(), str(failure.exception))

    def test_an_empty_keyring_is_in_order(self) -> None:
        self.assertIn("Master key 1: given, wraps nothing, wraps new ones\n", self.printed({1: FIRST}))
