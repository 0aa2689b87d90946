"""The settings: strict about the environment, strict towards browsers, complete in production."""

import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils import translation
from django.utils.formats import date_format

from ibanse import checks
from ibanse.config import env
from privacy.security_page import evidence
from tests.base import BaseTest

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "IBANSE_MODE": "production",
    "IBANSE_HOSTS": "ibanse.example",
    "IBANSE_SECRET_KEY": "only-for-the-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
    "IBANSE_SIGNING_KEYS": "1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "IBANSE_PEPPERS": "1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "IBANSE_MASTER_KEYS": "1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "IBANSE_LOG_KEY": "1:x25519:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "DATABASE_URL": "postgres://ibanse@localhost/ibanse",
    "KEYRING_DATABASE_URL": "sqlite:////var/lib/ibanse/keyring.sqlite3",
    "REDIS_URL": "unix:///run/valkey/valkey.sock",
    "EMAIL_URL": "smtp+tls://localhost",
    "IBANSE_MAIL_FROM": "ibanse@ibanse.example",
}


def production(*command: str, without: str = "", **changed: str) -> subprocess.CompletedProcess[str]:
    """Run a management command with the settings of production."""
    values = {name: value for name, value in {**PRODUCTION, **changed}.items() if name != without}
    outside = {name: value for name, value in os.environ.items() if name not in PRODUCTION}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={**outside, **values},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.claim("complete_start")
class TestProductionSettings:
    @pytest.mark.claim("https_only")
    def test_the_deployment_check_is_clean(self) -> None:
        result = production("check", "--deploy", "--fail-level", "WARNING")

        assert result.returncode == 0, result.stderr

    @pytest.mark.claim("encrypted_calls")
    @pytest.mark.claim("https_only")
    def test_pages_are_sent_to_https_and_stay_there(self) -> None:
        visits = (
            "from django.test import Client\n"
            "visitor = Client(HTTP_HOST='ibanse.example', HTTP_X_REAL_IP='192.0.2.7')\n"
            "plain = visitor.get('/security/', HTTP_X_FORWARDED_PROTO='http')\n"
            "safe = visitor.get('/.well-known/security.txt', HTTP_X_FORWARDED_PROTO='https')\n"
            "print(plain.status_code, plain['Location'])\n"
            "print(safe.status_code, safe['Strict-Transport-Security'])\n"
        )
        result = production("shell", "-c", visits, IBANSE_SECURITY_CONTACT="security@ibanse.example")

        assert result.stdout.splitlines()[-2:] == [
            "301 https://ibanse.example/security/",
            "200 max-age=63072000; includeSubDomains",
        ], result.stderr

    @pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "IBANSE_MODE"])
    def test_a_missing_value_stops_the_start_by_name(self, name: str) -> None:
        result = production("check", without=name)

        assert result.returncode != 0
        assert f"{name} is not set. See deploy/settings.md." in result.stderr

    @pytest.mark.parametrize(
        ("key", "message"),
        [
            ("1:x25519:MDEy", "Key 1 has 3 bytes; x25519 has 32."),
            ("private:1:x25519:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "its public half belongs here."),
        ],
    )
    def test_a_log_key_that_is_none_is_refused_and_not_repeated(self, key: str, message: str) -> None:
        result = production("check", IBANSE_LOG_KEY=key)

        assert result.returncode != 0
        assert "ImproperlyConfigured: IBANSE_LOG_KEY: " in result.stderr
        assert message in result.stderr
        assert key.rpartition(":")[2] not in result.stderr

    def test_an_operator_may_decide_for_a_log_that_is_not_sealed(self) -> None:
        assert production("check", IBANSE_LOG_KEY="plain").returncode == 0

    @pytest.mark.claim("keys_apart")
    def test_data_keys_beside_the_data_are_refused(self) -> None:
        result = production("check", KEYRING_DATABASE_URL=PRODUCTION["DATABASE_URL"])

        assert result.returncode != 0
        assert "ibanse.E004" in result.stderr

    def test_data_keys_on_the_same_server_as_the_data_are_warned_of(self) -> None:
        assert "ibanse.W002" in production("check", KEYRING_DATABASE_URL="postgres://localhost:5432/keyring").stderr

    def test_a_short_secret_is_refused(self) -> None:
        for value in ("short", f"{'new' * 20} short"):
            assert "at least 32 characters" in production("check", IBANSE_SECRET_KEY=value).stderr

    def test_a_mode_we_do_not_have_is_refused_with_those_we_have(self) -> None:
        assert "must be one of embedded, production" in production("check", IBANSE_MODE="staging").stderr


class TestValuesFromOutside:
    def test_a_number_out_of_range_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for value in ("0", "65", "many", "1.5", "-1", "٣"):
            monkeypatch.setenv("IBANSE_TEST", value)
            with pytest.raises(ImproperlyConfigured, match="whole number from 1 to 64"):
                env.number("IBANSE_TEST", 4, least=1, most=64)

    @pytest.mark.parametrize(
        ("value", "otherwise", "found"),
        [
            ("desk@operator.example", "Storgatan 1, other@operator.example", "desk@operator.example"),
            ("", "Storgatan 1, 222 22 Lund, e-post: hej@operator.example.", "hej@operator.example"),
            ("", "Storgatan 1, <hej@operator.example> or a@b.example", "hej@operator.example"),
            ("", "Storgatan 1 @ Lund", ""),
        ],
    )
    def test_a_mail_address_is_named_or_found_in_the_postal_one(
        self, value: str, otherwise: str, found: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IBANSE_CONTACT_ADDRESS", value)

        assert env.mail_address("IBANSE_CONTACT_ADDRESS", otherwise) == found

    def test_several_mail_addresses_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IBANSE_CONTACT_ADDRESS", "a@b.example, c@d.example")

        with pytest.raises(ImproperlyConfigured, match="must be one e-mail address"):
            env.mail_address("IBANSE_CONTACT_ADDRESS", "")

    def test_a_flag_is_one_or_nought(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert env.flag("IBANSE_TEST", default=True)
        monkeypatch.setenv("IBANSE_TEST", "0")
        assert not env.flag("IBANSE_TEST", default=True)
        monkeypatch.setenv("IBANSE_TEST", "yes")
        with pytest.raises(ImproperlyConfigured, match="IBANSE_TEST"):
            env.flag("IBANSE_TEST", default=True)

    def test_a_blank_value_counts_as_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IBANSE_TEST", "  ")
        with pytest.raises(ImproperlyConfigured, match="is not set"):
            env.text("IBANSE_TEST")

    def test_a_secret_is_made_once_for_its_owner_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("IBANSE_TEST_KEY", raising=False)
        folder = tmp_path / "data"

        [first] = env.secret("IBANSE_TEST_KEY", made_in=folder)
        [second] = env.secret("IBANSE_TEST_KEY", made_in=folder)

        assert first == second
        assert len(first) >= 64
        assert stat.S_IMODE((folder / "test_key").stat().st_mode) == 0o600
        assert [path.name for path in folder.iterdir()] == ["test_key"]

    def test_the_secret_that_another_one_replaced_may_stand_behind_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IBANSE_TEST_KEY", f"{'n' * 40} {'o' * 40}")

        assert env.secret("IBANSE_TEST_KEY", made_in=tmp_path) == ["n" * 40, "o" * 40]

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            ("abc", "written as a number"),
            ("0:QUJD", "written as a number"),
            ("1:QUJD", "key 1 does not have 32 bytes"),
            ("1:***", "key 1 is not base64"),
            ("1:ä", "key 1 is not base64"),
            ("1:{key},1:{key}", "number 1 is there twice"),
        ],
    )
    def test_a_bad_key_is_refused_by_its_number_and_not_repeated(
        self, monkeypatch: pytest.MonkeyPatch, value: str, problem: str
    ) -> None:
        key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
        monkeypatch.setenv("IBANSE_TEST_KEYS", value.format(key=key))
        with pytest.raises(ImproperlyConfigured, match=problem) as refused:
            env.numbered_keys("IBANSE_TEST_KEYS", made_in=None)

        assert key not in str(refused.value)

    def test_a_secret_comes_from_a_credential_of_systemd_unless_the_variable_is_set(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("IBANSE_TEST", "IBANSE_TEST_KEYS", "IBANSE_TEST_SECRET"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        (tmp_path / "IBANSE_TEST").write_text("from the credential\n")
        (tmp_path / "IBANSE_TEST_SECRET").write_text("c" * 40 + "\n")
        (tmp_path / "IBANSE_TEST_KEYS").write_text("7:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")

        assert env.text("IBANSE_TEST", "default") == "from the credential"
        # Where secrets are created when missing, one from a credential is not missing.
        assert env.secret("IBANSE_TEST_SECRET", made_in=tmp_path / "data") == ["c" * 40]
        assert list(env.numbered_keys("IBANSE_TEST_KEYS", made_in=tmp_path / "data")) == [7]
        assert not (tmp_path / "data").exists()

        monkeypatch.setenv("IBANSE_TEST", "from the variable")
        assert env.text("IBANSE_TEST") == "from the variable"

        (tmp_path / "IBANSE_TEST").write_bytes(b"\xff")
        monkeypatch.setenv("IBANSE_TEST", " ")
        with pytest.raises(ImproperlyConfigured, match="IBANSE_TEST cannot be read as text"):
            env.text("IBANSE_TEST")
        (tmp_path / "IBANSE_TEST").unlink()
        with pytest.raises(ImproperlyConfigured, match="IBANSE_TEST is not set"):
            env.text("IBANSE_TEST")

    def test_keys_are_made_once_and_read_by_number(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("IBANSE_TEST_KEYS", raising=False)

        first = env.numbered_keys("IBANSE_TEST_KEYS", made_in=tmp_path)

        assert list(first) == [1]
        assert env.numbered_keys("IBANSE_TEST_KEYS", made_in=tmp_path) == first


@pytest.mark.claim("own_code_only")
class SecurityHeaderTests(BaseTest):
    def test_a_browser_is_reported_to_run_and_load_nothing_but_ours(self) -> None:
        policy = self.visitor.opens("/").headers["Content-Security-Policy"]

        self.assertIn("default-src 'none'", policy)
        self.assertIn("script-src 'self'", policy)
        self.assertIn("style-src 'self'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        for loophole in ("unsafe-inline", "unsafe-eval", "http:", "https:", "*", "data:"):
            self.assertNotIn(loophole, policy)

    def test_every_page_carries_the_headers_that_keep_it_to_itself(self) -> None:
        for path in ("/", "/countries/", "/countries/se/", "/no-such-page/"):
            headers = self.visitor.opens(path).headers
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff", path)
            self.assertEqual(headers["X-Frame-Options"], "DENY", path)
            self.assertEqual(headers["Referrer-Policy"], "same-origin", path)
            self.assertEqual(headers["Cross-Origin-Opener-Policy"], "same-origin", path)
            self.assertIn("Content-Security-Policy", headers, path)

    def test_no_page_holds_inline_script_or_style_or_a_foreign_address(self) -> None:
        for path in ("/", "/countries/", "/countries/se/", "/no-such-page/"):
            page = self.visitor.opens(path).content.decode()
            self.assertNotRegex(page, r"<script(?![^>]*\ssrc=)", path)
            self.assertNotRegex(page, r"<style|\sstyle=|\son[a-z]+=", path)
            self.assertNotRegex(page.replace("http://testserver", ""), r"(?:https?:)?//[a-z]", path)


class SystemCheckTests(BaseTest):
    def test_a_cache_for_each_worker_is_refused_in_production(self) -> None:
        with override_settings(EMBEDDED=False):
            [error] = checks.check_cache_is_shared(None)

        self.assertEqual(error.id, "ibanse.E001")
        self.assertIn("REDIS_URL", error.hint or "")
        self.assertEqual(checks.check_cache_is_shared(None), [])

    def test_production_without_the_proxys_header_is_refused(self) -> None:
        with override_settings(EMBEDDED=False, CLIENT_ADDRESS_META_KEY="REMOTE_ADDR"):
            [error] = checks.check_proxy_header(None)

        self.assertEqual(error.id, "ibanse.E002")
        self.assertEqual(checks.check_proxy_header(None), [])

    def test_production_that_names_nobody_for_weaknesses_gets_a_hint(self) -> None:
        with override_settings(EMBEDDED=False):
            [hint] = checks.check_security_contact(None)
        with override_settings(EMBEDDED=False, SECURITY_CONTACTS=["mailto:security@ibanse.example"]):
            self.assertEqual(checks.check_security_contact(None), [])

        self.assertEqual(hint.id, "ibanse.I001")
        self.assertIn("IBANSE_SECURITY_CONTACT", hint.hint or "")
        self.assertEqual(checks.check_security_contact(None), [])

    def test_claims_without_results_get_a_hint(self) -> None:
        with override_settings(EMBEDDED=False), patch("privacy.security_page.evidence.evidence", return_value=None):
            [hint] = checks.check_claims(None)

        self.assertEqual((hint.id, hint.msg), ("ibanse.I002", "/security/ shows no test results."))

    def test_claims_that_are_left_out_get_a_hint_by_name(self) -> None:
        results = evidence.Evidence("1.2.3", "0" * 40, date(2026, 11, 26), {})
        with override_settings(EMBEDDED=False), patch("privacy.security_page.evidence.evidence", return_value=results):
            [hint] = checks.check_claims(None)

        self.assertEqual(hint.id, "ibanse.I002")
        self.assertIn("own_key", hint.msg)

    def test_a_secret_that_others_can_read_is_warned_of(self) -> None:
        secret = settings.DATA_DIR / "secret_key"
        if not secret.exists():
            env.secret("IBANSE_SECRET_KEY", made_in=settings.DATA_DIR)
        self.assertEqual(checks.check_secret_files(None), [])
        try:
            secret.chmod(0o644)
            [warning] = checks.check_secret_files(None)
        finally:
            secret.chmod(0o600)

        self.assertEqual(warning.id, "ibanse.W001")
        self.assertIn("chmod 600", warning.hint or "")


class DateTests(BaseTest):
    def test_english_dates_are_european(self) -> None:
        with translation.override("en"):
            self.assertEqual(date_format(date(2026, 11, 3), "SHORT_DATE_FORMAT"), "3 Nov 2026")
            self.assertEqual(date_format(date(2026, 11, 3)), "3 November 2026")
