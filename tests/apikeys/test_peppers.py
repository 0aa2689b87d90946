"""manage.py rotate_pepper: keys move to the newest pepper as they are used, and the operator sees which have not."""

from datetime import timedelta
from unittest.mock import patch

from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from apikeys import keys, tokens
from apikeys.models import ApiKey
from tests.apikeys.test_authentication import with_another_secret
from tests.base import BaseTest
from tests.support.commands import run_command

OLD, NEW = bytes(32), bytes(range(32))
BOTH = {1: OLD, 2: NEW}


class PepperTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        with override_settings(PEPPERS={1: OLD}):
            self.token = self.alice.key()

    def row(self) -> ApiKey:
        return ApiKey.objects.get(identifier=tokens.split(self.token).identifier)

    def rotates(self, **options: object) -> str:
        with override_settings(PEPPERS=BOTH):
            return run_command("rotate_pepper", **options)

    def status(self, peppers: dict[int, bytes], token: str | None = None) -> int:
        with override_settings(PEPPERS=peppers):
            return self.calls(token or self.token, "/api/v1/usage", method="GET").status_code


class PepperRotationTests(PepperTest):
    def test_a_key_moves_at_its_next_use_and_then_works_without_the_old_pepper(self) -> None:
        self.rotates()
        before = self.row().pepper
        used = self.status(BOTH)
        row = self.row()

        self.assertEqual((before, used), (1, 200))
        self.assertEqual((row.pepper, row.next_pepper), (2, None))
        self.assertTrue(tokens.fits(self.token, NEW, bytes(row.digest)))
        self.assertEqual([self.status(BOTH), self.status({2: NEW})], [200, 200])

    def test_a_worker_that_was_restarted_moves_nothing_before_the_operator_says_that_all_were(self) -> None:
        self.assertEqual(self.status(BOTH), 200)

        self.assertEqual(self.row().pepper, 1)

    def test_a_worker_without_the_new_pepper_goes_on_with_the_old_one(self) -> None:
        self.rotates()

        self.assertEqual(self.status({1: OLD}), 200)
        self.assertEqual(self.row().pepper, 1)

    def test_whoever_does_not_have_the_secret_moves_nothing(self) -> None:
        self.rotates()

        self.assertEqual(self.status(BOTH, with_another_secret(self.token)), 401)
        self.assertEqual(self.row().pepper, 1)
        # The next run has every worker look again.
        self.rotates()
        self.assertEqual([self.status(BOTH), self.row().pepper], [200, 2])

    def test_a_revoked_key_does_not_move_and_is_not_waited_for(self) -> None:
        self.rotates()
        keys.revoke(self.row(), by=self.alice.actor)

        self.assertEqual(self.status(BOTH), 401)
        self.assertEqual(self.row().pepper, 1)
        self.assertIn("Pepper 1: 0 keys in use: take it out of IBANSE_PEPPERS.", self.rotates())

    def test_a_database_that_takes_no_writes_refuses_no_call(self) -> None:
        self.rotates()
        with patch("apikeys.peppers.ApiKey") as table, self.assertLogs("apikeys.peppers", "WARNING") as logged:
            table.objects.filter.return_value.update.side_effect = OperationalError("read-only, key = secret")
            self.assertEqual(self.status(BOTH), 200)

        self.assertNotIn("secret", logged.output[0])
        self.assertEqual(self.row().pepper, 1)

    def test_a_move_does_not_count_as_a_change_of_the_key(self) -> None:
        before = self.row()
        self.rotates()
        self.status(BOTH)
        after = self.row()

        for field in ("expires_at", "scopes", "rate_per_minute", "sealed_name", "revoked_at", "warned_days"):
            self.assertEqual(getattr(after, field), getattr(before, field))


class PepperReportTests(PepperTest):
    def test_it_lists_by_their_beginnings_the_keys_that_have_not_moved(self) -> None:
        with override_settings(PEPPERS=BOTH):
            self.alice.key()
        ApiKey.objects.filter(pk=self.row().pk).update(last_used_on="2026-01-31")
        output = self.rotates()

        self.assertIn("Pepper 1: 1 key in use: it must stay.\nPepper 2: 1 key in use, new ones as well.\n", output)
        self.assertIn(
            f"  {self.row().prefix}… of client {self.alice.client.pk}, pepper 1, last used on 2026-01-31", output
        )
        self.assertNotIn(self.token, output)
        self.status(BOTH)
        self.assertIn("Pepper 1: 0 keys in use: take it out of IBANSE_PEPPERS.", self.rotates())

    def test_a_dry_run_only_tells(self) -> None:
        output = self.rotates(dry_run=True)

        self.assertIn("Pepper 1: 1 key in use: it must stay.", output)
        self.assertIn(", never used", output)
        self.assertEqual(self.status(BOTH), 200)
        self.assertEqual(self.row().pepper, 1)

    def test_a_pepper_that_was_taken_out_too_early_is_named(self) -> None:
        with override_settings(PEPPERS={2: NEW}):
            self.assertIn("Pepper 1: 1 key in use NOT CONFIGURED: they do not work.", run_command("rotate_pepper"))

    def test_an_expired_key_is_not_waited_for(self) -> None:
        ApiKey.objects.update(expires_at=timezone.now() - timedelta(days=1))

        self.assertIn("Pepper 1: 0 keys in use: take it out of IBANSE_PEPPERS.", self.rotates())
