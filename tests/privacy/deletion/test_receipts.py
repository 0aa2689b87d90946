"""Receipts: ours and unaltered, or refused with the reason; by command, by page, with an old signing key."""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from accounts.audit import signatures
from accounts.profile import details
from privacy.deletion import execution, receipts, requesting
from privacy.deletion.erasing import Scope
from privacy.models import ErasureReceipt
from tests.base import BaseTest

pytestmark = pytest.mark.claim("deleted_account")

PAGE = "/receipts/verify/"


class ReceiptTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        details.save_contact(self.alice.client, details.Contact(company="Kept AB"), by=self.alice.actor)
        begun = requesting.start_erasure(self.alice.client, Scope.CONTACT, by=self.alice.actor)
        done = execution.resume(begun.pk)
        assert done
        self.done = done
        self.document = ErasureReceipt.objects.get().document

    def changed(self, **values: Any) -> str:
        return json.dumps({**json.loads(self.document), **values})

    def assert_said(self, text: str, code: str) -> None:
        """Assert that page and command give the same result."""
        self.assertEqual(receipts.verify(text).code, code)
        page = self.visitor.posts(PAGE, {"pasted": text})
        self.assertContains(page, f'data-verdict="{code}"')
        with TemporaryDirectory() as folder:
            file = Path(folder) / "receipt.json"
            file.write_text(text, encoding="utf-8", errors="surrogatepass")
            out = io.StringIO()
            if code == "genuine":
                call_command("verify_receipt", str(file), stdout=out)
                self.assertIn("        1 contact", out.getvalue())
            else:
                with self.assertRaises(SystemExit) as ended:
                    call_command("verify_receipt", str(file), stdout=out)
                self.assertEqual(ended.exception.code, 1)

    def test_a_genuine_receipt_verifies_in_any_formatting(self) -> None:
        parsed = json.loads(self.document)
        for text in (
            self.document,
            json.dumps(parsed, sort_keys=True),
            "\ufeff" + json.dumps(parsed, ensure_ascii=False),
        ):
            self.assertEqual(receipts.verify(text).code, "genuine")
        self.assert_said(self.document, "genuine")
        sent = SimpleUploadedFile("receipt.json", self.document.encode(), "application/json")
        page = self.visitor.posts(PAGE, {"file": sent, "pasted": ""})
        self.assertContains(page, "This deletion receipt is genuine")
        self.assertContains(page, "The contact details")

    def test_any_change_is_detected(self) -> None:
        parsed = json.loads(self.document)
        for name in parsed:
            if name in ("signature", "format", "issuer"):
                continue
            with self.subTest(name=name):
                self.assertEqual(receipts.verify(self.changed(**{name: "x"})).code, "not_ours")
                del (left := dict(parsed))[name]
                self.assertEqual(receipts.verify(json.dumps(left)).code, "not_ours")
        self.assertEqual(receipts.verify(self.changed(added=1)).code, "not_ours")
        self.assert_said(self.changed(erased={"contact": 2}), "not_ours")

    def test_other_texts_are_refused_with_the_reason(self) -> None:
        number, _, signature = json.loads(self.document)["signature"].partition(":")
        other_purpose = signatures.sign("{}", purpose="history checkpoint")
        self.assert_said(self.changed(issuer="https://other.example"), "foreign")
        cases = {
            "not_ours": [
                self.changed(signature=f"{int(number) + 1}:{signature}"),
                self.changed(signature=f"{number}:"),
                self.changed(signature=other_purpose),
            ],
            "no_receipt": ["{}", self.changed(format="receipt"), self.changed(signature=1), '{"signature": "1:x"}'],
            "unreadable": [
                "", "receipt", "[]", "1", "null", self.document[:-3], '{"a": NaN}', "[" * 30_000,
                self.document.replace('"scope"', '"scope": "log", "scope"'), '{"a": "\\ud800"}', "9" * 5_000,
            ],
        }  # fmt: skip
        for code, texts in cases.items():
            for text in texts:
                with self.subTest(text=text[:40]):
                    self.assertEqual(receipts.verify(text).code, code)

    def test_an_old_signing_key_still_verifies_and_a_lost_one_does_not(self) -> None:
        newer = {**settings.SIGNING_KEYS, max(settings.SIGNING_KEYS) + 1: bytes(range(32))}
        with override_settings(SIGNING_KEYS=newer):
            self.assertEqual(receipts.verify(self.document).code, "genuine")
        with override_settings(SIGNING_KEYS={1: bytes(32)}):
            self.assertEqual(receipts.verify(self.document).code, "not_ours")

    def test_it_states_the_last_dates_and_identifies_nobody(self) -> None:
        content = self.done.receipt
        completed = datetime.fromisoformat(content["completed_at"])
        self.assertEqual(datetime.fromisoformat(content["last_trace_gone_from"]), completed + timedelta(days=35))
        self.assertEqual((content["key"], content["unreadable_everywhere_from"]), (None, None))
        for name in ("alice", "Kept", str(self.alice.client.pk), self.alice.client.pk.hex, str(self.alice.user.pk)):
            self.assertNotIn(name, self.document)

    def test_its_link_expires_after_thirty_days_and_cannot_be_guessed(self) -> None:
        path = f"/receipts/{self.done.token}/"
        for language in ("sv", "en", "de"):
            page = self.visitor.opens(path, HTTP_ACCEPT_LANGUAGE=language)
            self.assertContains(page, self.done.receipt["number"])
        self.assertNotIn(self.done.token, str(ErasureReceipt.objects.values()))
        self.assertEqual(self.visitor.opens(f"/receipts/{self.done.receipt['number']}/").status_code, 410)
        ErasureReceipt.objects.update(made_at=timezone.now() - timedelta(days=30, seconds=1))

        for end in ("", "receipt.json"):
            self.assertEqual(self.visitor.opens(path + end).status_code, 410)
        self.assertEqual(receipts.forget_old(timezone.now()), 1)
        self.assertEqual(receipts.verify(self.document).code, "genuine")

    def test_the_page_requires_input_and_limits_attempts(self) -> None:
        self.assertEqual(self.visitor.posts(PAGE, {"pasted": ""}).status_code, 422)
        large = SimpleUploadedFile("receipt.json", b" " * (receipts.MOST_BYTES + 1))
        self.assertContains(
            self.visitor.posts(PAGE, {"file": large}), "too large to be a deletion receipt", status_code=422
        )
        odd = SimpleUploadedFile("receipt.json", b"\xff\xfe\x00")
        self.assertContains(self.visitor.posts(PAGE, {"file": odd}), 'data-verdict="unreadable"')
        # Twice as many, since a new minute may start in between.
        responses = [self.visitor.posts(PAGE, {"pasted": "x"}) for _ in range(2 * 20)]
        refused = [response for response in responses if response.status_code == 429]
        self.assertTrue(refused and int(refused[0]["Retry-After"]))


def test_a_missing_or_oversized_file_is_named(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(b" " * (receipts.MOST_BYTES + 1))
    for file, parsed in ((tmp_path / "none", "cannot be read"), (large, "larger than a receipt")):
        with pytest.raises(CommandError, match=parsed):
            call_command("verify_receipt", str(file))
