"""Whether the service lives and can work, as whoever watches it is told."""

import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import OperationalError, connections
from django.test import override_settings

from tests.base import ApiAnswer, HouseTest

ALL_OK = {"database": "ok", "keyring": "ok", "spool": "ok", "disk": "ok"}


class HealthTests(HouseTest):
    def asks(self, path: str, **sent: Any) -> ApiAnswer:
        """Return what a watcher is told, who has no key and may come without encryption."""
        with override_settings(EMBEDDED=False, CLIENT_ADDRESS_META_KEY="HTTP_X_REAL_IP"):
            return self.calls(None, path, method="GET", **sent)

    def assert_failed(self, *parts: str) -> None:
        answer = self.asks("/health/ready")
        checks = {**ALL_OK, **dict.fromkeys(parts, "failed")}
        self.assertEqual(answer.json(), {"ready": False, "checks": checks})
        self.assertEqual(answer.status_code, 503)
        self.assertEqual(answer["Content-Type"], "application/json")

    def test_a_process_that_answers_lives_whatever_else_is_broken(self) -> None:
        with patch.object(connections["default"], "cursor", side_effect=OperationalError):
            answer = self.asks("/health/live")

        self.assertEqual((answer.status_code, answer.json()), (200, {"live": True}))
        self.assertEqual(answer["Cache-Control"], "no-store")

    def test_asking_whether_it_lives_costs_no_query(self) -> None:
        with self.assertNumQueries(0):
            self.asks("/health/live")

    def test_it_is_ready_when_every_part_is(self) -> None:
        answer = self.asks("/health/ready")

        self.assertEqual((answer.status_code, answer.json()), (200, {"ready": True, "checks": ALL_OK}))

    def test_each_database_that_does_not_answer_is_named(self) -> None:
        for alias, part in (("default", "database"), ("keyring", "keyring")):
            with (
                self.subTest(part=part),
                patch.object(connections[alias], "cursor", side_effect=OperationalError("host=secret")),
            ):
                self.assert_failed(part)
                self.assertNotIn("secret", self.asks("/health/ready").content.decode())

    def test_a_spool_that_cannot_be_written_is_named(self) -> None:
        with patch("validation.api.health.os.access", return_value=False):
            self.assert_failed("spool")

    def test_a_spool_whose_folder_cannot_be_made_is_named_with_its_disk(self) -> None:
        with self.settings(SPOOL_DIR=Path(__file__) / "spool"):
            self.assert_failed("spool", "disk")

    def test_a_full_disk_is_named(self) -> None:
        full = shutil.disk_usage(Path(__file__).parent)._replace(free=1)
        with patch.object(shutil, "disk_usage", return_value=full):
            self.assert_failed("disk")

    def test_several_parts_are_named_together(self) -> None:
        with (
            patch.object(connections["default"], "cursor", side_effect=OperationalError),
            patch.object(shutil, "disk_usage", side_effect=OSError),
        ):
            self.assert_failed("database", "disk")

    def test_it_is_ready_again_when_the_part_is(self) -> None:
        with patch.object(connections["default"], "cursor", side_effect=OperationalError):
            self.assert_failed("database")

        self.assertEqual(self.asks("/health/ready").status_code, 200)

    def test_a_query_or_a_key_changes_nothing(self) -> None:
        answer = self.asks("/health/live", QUERY_STRING="x=1", HTTP_AUTHORIZATION="Bearer nonsense")

        self.assertEqual(answer.json(), {"live": True})
