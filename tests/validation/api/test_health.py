"""Whether the service lives and can work, as monitoring sees it."""

import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import OperationalError, connections
from django.test import override_settings

from tests.base import BaseTest, CallResponse

ALL_OK = {"database": "ok", "keyring": "ok", "spool": "ok", "disk": "ok"}


class HealthTests(BaseTest):
    def probe(self, path: str, **sent: Any) -> CallResponse:
        """Return the response to monitoring, which has no key and may come without encryption."""
        with override_settings(EMBEDDED=False, CLIENT_ADDRESS_META_KEY="HTTP_X_REAL_IP"):
            return self.calls(None, path, method="GET", **sent)

    def assert_failed(self, *parts: str) -> None:
        response = self.probe("/health/ready")
        checks = {**ALL_OK, **dict.fromkeys(parts, "failed")}
        self.assertEqual(response.json(), {"ready": False, "checks": checks})
        self.assertEqual(response.status_code, 503)
        self.assertEqual(response["Content-Type"], "application/json")

    def test_a_process_is_live_without_its_database(self) -> None:
        with patch.object(connections["default"], "cursor", side_effect=OperationalError):
            response = self.probe("/health/live")

        self.assertEqual((response.status_code, response.json()), (200, {"live": True}))
        self.assertEqual(response["Cache-Control"], "no-store")

    def test_live_makes_no_query(self) -> None:
        with self.assertNumQueries(0):
            self.probe("/health/live")

    def test_ready_when_every_part_is(self) -> None:
        response = self.probe("/health/ready")

        self.assertEqual((response.status_code, response.json()), (200, {"ready": True, "checks": ALL_OK}))

    def test_a_database_that_is_away_is_named(self) -> None:
        for alias, part in (("default", "database"), ("keyring", "keyring")):
            with (
                self.subTest(part=part),
                patch.object(connections[alias], "cursor", side_effect=OperationalError("host=secret")),
            ):
                self.assert_failed(part)
                self.assertNotIn("secret", self.probe("/health/ready").content.decode())

    def test_an_unwritable_spool_is_named(self) -> None:
        with patch("validation.api.health.os.access", return_value=False):
            self.assert_failed("spool")

    def test_a_missing_spool_folder_is_named_with_its_disk(self) -> None:
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

    def test_ready_again_when_the_part_is(self) -> None:
        with patch.object(connections["default"], "cursor", side_effect=OperationalError):
            self.assert_failed("database")

        self.assertEqual(self.probe("/health/ready").status_code, 200)

    def test_query_and_key_are_ignored(self) -> None:
        response = self.probe("/health/live", QUERY_STRING="x=1", HTTP_AUTHORIZATION="Bearer nonsense")

        self.assertEqual(response.json(), {"live": True})
