"""Deleting a whole account: requested, confirmed, cancelled in time or carried out, and interrupted at every step."""

import re
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core import mail
from django.utils import timezone

from accounts.audit import client_log
from accounts.errors import Refusal
from accounts.models import Client, User
from privacy import vault
from privacy.deletion import erasing, execution, ledger, receipts, requesting
from privacy.export import exports
from privacy.inventory import registry
from privacy.models import DataExport, DeletionRequest
from tests.base import PASSWORD, BaseTest
from tests.support.grown_client import everything_of, grow, traces

pytestmark = pytest.mark.claim("deleted_account")

PAGE = "/account/settings/security-and-privacy/deletion/"


def link(kind: str) -> str:
    """Return the path of the newest mailed link of this kind."""
    text = str(mail.outbox[-1].body)
    found = re.search(rf"https?://[^/\s]+(/\S*{kind}\S*)", text)
    assert found
    return found[1]


class DeletionTest(BaseTest):
    def asks(self, days: int = 7) -> DeletionRequest:
        return requesting.request_deletion(self.alice.client, grace_days=days, by=self.alice.actor)

    def due(self) -> DeletionRequest:
        """Request and confirm a deletion without a grace period."""
        return requesting.confirm(self.asks(days=0))

    def state(self) -> str:
        return Client.objects.get(pk=self.alice.client.pk).state


class RequestTests(DeletionTest):
    def test_two_requests_at_once_are_one_and_every_owner_is_mailed_once(self) -> None:
        bo = self.person("bo@example.com", client=self.alice.client, role=User.Role.OWNER)
        with self.captureOnCommitCallbacks(execute=True):
            for person in (self.alice, bo, self.alice):
                self.assertRedirects(person.posts(f"{PAGE}request/", {"days": "7"}), PAGE)

        self.assertEqual(DeletionRequest.objects.count(), 1)
        mailed = [sent.to[0] for sent in mail.outbox if "/confirm/" in str(sent.body)]
        self.assertEqual(sorted(mailed), ["alice@example.com", "bo@example.com"])
        self.assertEqual(self.state(), "active")
        self.assertContains(self.alice.opens(PAGE), "Confirm by e-mail")

    def test_confirmed_by_mail_keys_are_refused_and_every_page_says_so(self) -> None:
        key = self.alice.key()
        with self.captureOnCommitCallbacks(execute=True):
            self.alice.posts(f"{PAGE}request/", {"days": "7"})
        path = link("confirm")
        self.assertEqual(self.calls(key, "/api/v1/validate", {"iban": "SE45"}).status_code, 200)
        self.assertContains(self.visitor.opens(path), "alice@example.com")
        self.assertEqual(self.state(), "active")

        with self.captureOnCommitCallbacks(execute=True):
            self.assertContains(self.visitor.posts(path), "The deletion is confirmed")

        self.assertEqual(self.state(), "closing")
        self.assert_problem(self.calls(key, "/api/v1/validate", {"iban": "SE45"}), "key_unknown", 401)
        due = DeletionRequest.objects.get().due_at
        self.assertContains(self.visitor.posts(path), "The deletion is confirmed")
        self.assertEqual(DeletionRequest.objects.get().due_at, due)
        for page in ("/", "/overview/", "/countries/", "/account/history/"):
            self.assertContains(self.alice.opens(page), "Cancel deletion")
        for page in ("/account/contact/", "/keys/"):
            self.assertContains(self.alice.opens(page), "Your account will be deleted", status_code=403)
        self.assertContains(self.vera.opens("/"), "Your account will be deleted")
        self.assertNotContains(self.vera.opens("/"), "Cancel deletion")
        self.assertNotContains(self.mallory.opens("/"), "Your account will be deleted")
        self.assertIsNone(execution.resume(DeletionRequest.objects.get().pk), "not due yet")

    def test_a_cancellation_restores_everything_and_ends_the_links(self) -> None:
        key = self.alice.key()
        with self.captureOnCommitCallbacks(execute=True):
            request = self.asks()
        confirms, cancels = link("confirm"), link("cancel")
        requesting.confirm(request)

        self.assertContains(self.visitor.opens(cancels), "Cancel the deletion of your account?")
        self.assertEqual(self.state(), "closing")
        self.visitor.posts(cancels)

        self.assertEqual(self.state(), "active")
        self.assertEqual(self.calls(key, "/api/v1/validate", {"iban": "SE45"}).status_code, 200)
        self.assertEqual(self.alice.opens("/account/contact/").status_code, 200)
        for path in (confirms, cancels):
            self.assertEqual(self.visitor.posts(path).status_code, 410)
        self.assertEqual(self.state(), "active")
        self.assert_recorded("deletion.cancelled", self.alice.client)
        self.assertEqual(list(execution.every_due(timezone.now() + timedelta(days=99))), [])

    def test_an_owner_cancels_on_any_page(self) -> None:
        requesting.confirm(self.asks())

        self.alice.posts(f"{PAGE}cancel/")

        self.assertEqual((self.state(), DeletionRequest.objects.count()), ("active", 0))
        self.assertRedirects(self.alice.posts(f"{PAGE}cancel/"), PAGE)

    def test_a_begun_deletion_cannot_be_cancelled(self) -> None:
        request = self.due()
        with patch.object(ledger, "append", side_effect=OSError), self.assertRaises(OSError):
            execution.resume(request.pk)

        with self.assertRaises(Refusal) as refused:
            requesting.cancel(request, by=self.alice.actor)

        self.assertEqual(refused.exception.code, "deletion_begun")
        self.assertIsNone(vault.tombstone(self.alice.client.pk), "nothing is destroyed that the ledger does not have")

    def test_only_an_owner_may_request_it(self) -> None:
        for person in (self.vera, self.mallory, self.sten):
            with self.subTest(person=person.user.email), self.assertRaises(Refusal) as refused:
                requesting.request_deletion(self.alice.client, grace_days=7, by=person.actor)
            self.assertEqual(refused.exception.code, "not_an_owner")
        self.assertEqual(DeletionRequest.objects.count(), 0)

    def test_it_needs_a_recent_login_and_a_valid_grace_period(self) -> None:
        self.assertEqual(self.alice.posts(f"{PAGE}request/", {"days": "31"}).status_code, 422)
        session = self.alice.browser.session
        session["account_authentication_methods"] = []
        session.save()

        response = self.alice.posts(f"{PAGE}request/", {"days": "7"})

        self.assertTrue(response.headers["Location"].startswith("/account/again/"), response.headers)
        self.assertEqual(DeletionRequest.objects.count(), 0)

    def test_an_unconfirmed_request_expires_after_three_days(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            request = self.asks()
        confirms = link("confirm")
        DeletionRequest.objects.update(requested_at=timezone.now() - timedelta(days=3, seconds=1))
        self.assertContains(self.alice.opens(PAGE), "Request deletion")

        self.assertNotEqual(self.asks().pk, request.pk)

        self.assertEqual(self.visitor.posts(confirms).status_code, 410)

    def test_the_page_counts_rows_and_offers_an_export(self) -> None:
        page = self.alice.opens(PAGE)

        self.assertContains(page, "People who can sign in")
        self.assertContains(page, "/export/")


class ExecutionTests(DeletionTest):
    def setUp(self) -> None:
        super().setUp()
        self.key = grow(self.alice, self.vera)
        grow(self.mallory, self.person("max@example.net", client=self.mallory.client, role=User.Role.MEMBER))
        self.users = [self.alice.user, self.vera.user]
        self.others = everything_of(self.mallory.client)
        self.counted = registry.count(self.alice.client)
        self.fingerprint = vault.fingerprint(self.alice.client.pk)
        copy = DataExport.objects.get(client=self.alice.client)
        exports.work(timezone.now())
        self.file = next(exports._folder().glob(f"{copy.pk}.*"))

    def assert_gone(self) -> None:
        """Assert that nothing is left of Alice's client, and everything of Mallory's."""
        self.assertEqual(traces(self.alice.client, self.users), [])
        self.assertFalse(self.file.exists())
        with self.assertRaises(vault.Destroyed):
            vault.seal(self.alice.client.pk, "text", purpose="test", record="1")
        self.assertEqual(everything_of(self.mallory.client), self.others)

    def assert_receipt(self, done: execution.Done) -> None:
        erased = done.receipt["erased"]
        # Added by the request itself: two entries of the audit log and its own row.
        expected = {**self.counted, "history": self.counted["history"] + 2, "deletions": 1}
        self.assertEqual(erased, dict(sorted(expected.items())))
        self.assertEqual(done.receipt["key"]["fingerprint"], self.fingerprint)

    def test_everything_is_deleted_and_the_receipt_counts_it(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            self.due()
        receipt_url = link("receipts")
        self.assertEqual(self.visitor.opens(receipt_url).status_code, 410)
        mail.outbox.clear()

        with self.captureOnCommitCallbacks(execute=True):
            [done] = execution.every_due(timezone.now())

        assert isinstance(done, execution.Done)
        self.assert_gone()
        self.assert_receipt(done)
        self.assertEqual([sent.to for sent in mail.outbox], [["alice@example.com"]])
        self.assertIn(receipt_url, str(mail.outbox[0].body))
        page = self.visitor.opens(receipt_url)
        self.assertContains(page, self.fingerprint)
        self.assertContains(page, "People who can sign in")
        for name in ("alice", "vera", "Grown", str(self.alice.client.pk)):
            self.assertNotContains(page, name)
            self.assertNotIn(name, str(done.receipt))
        file = self.visitor.opens(f"{receipt_url}receipt.json")
        self.assertEqual(receipts.verify(file.content.decode()).code, "genuine")
        self.assert_problem(self.calls(self.key, "/api/v1/validate", {"iban": "SE45"}), "key_unknown", 401)
        self.assertEqual(len(ledger.read().entries), 1)

    def test_nobody_can_sign_in_during_a_deletion(self) -> None:
        request = self.due()
        signs_in = {"login": "alice@example.com", "password": PASSWORD}
        with patch.object(ledger, "append", side_effect=OSError), self.assertRaises(OSError):
            execution.resume(request.pk)
        self.assertEqual(self.state(), "gone")
        self.assertContains(self.visitor.posts("/sign-in/", signs_in), "Wrong e-mail address or password.")
        self.assertEqual(self.alice.opens("/overview/").status_code, 403)

        execution.resume(request.pk)

        self.assertContains(self.visitor.posts("/sign-in/", signs_in), "Wrong e-mail address or password.")
        self.assertEqual(self.alice.opens("/overview/").status_code, 302)

    def test_after_any_interruption_it_resumes_and_counts_each_row_once(self) -> None:
        request = self.due()
        steps = 0
        stopped = True
        done = None
        while stopped:
            stopped, done = self.goes_on_until_stopped(request)
            steps += 1
            self.assertLess(steps, 200)

        self.assertGreaterEqual(steps, 20)
        assert done is not None
        self.assert_gone()
        self.assert_receipt(done)
        self.assertEqual(len(ledger.read().entries), 1)

    def goes_on_until_stopped(self, request: DeletionRequest) -> tuple[bool, execution.Done | None]:
        """Run one step that deletes something, then stop as a crash would: in the middle of the next one."""
        erase = erasing.erase

        def one_step(erasure: erasing.ErasureRequest) -> Iterator[dict[str, int]]:
            done = 0
            for gone in erase(erasure):
                if done:
                    raise InterruptedError
                done += len(gone)
                yield gone

        with patch.object(erasing, "erase", one_step):
            try:
                return False, execution.resume(request.pk)
            except InterruptedError:
                return True, None

    def test_two_at_once_do_it_once(self) -> None:
        request = self.due()
        erase = erasing.erase
        inner: list[execution.Done | None] = []

        def meanwhile(erasure: erasing.ErasureRequest) -> Iterator[dict[str, int]]:
            for number, gone in enumerate(erase(erasure)):
                yield gone
                if number == 2 and not inner:
                    inner.append(None)
                    inner.append(execution.resume(request.pk))

        with patch.object(erasing, "erase", meanwhile):
            outer = execution.resume(request.pk)

        self.assertIsNone(outer)
        done = inner[-1]
        assert done is not None
        self.assert_gone()
        self.assert_receipt(done)

    def test_a_failure_does_not_stop_other_deletions(self) -> None:
        self.due()
        requesting.confirm(requesting.request_deletion(self.mallory.client, grace_days=0, by=self.mallory.actor))
        destroy = vault.destroy

        def busy(owner: object) -> None:
            if owner == self.alice.client.pk:
                raise vault.Unfinished
            destroy(self.mallory.client.pk)

        with patch.object(vault, "destroy", busy):
            failed, done = execution.every_due(timezone.now())

        self.assertEqual(failed, execution.Failed("a deletion", "Unfinished"))
        self.assertIsInstance(done, execution.Done)
        self.assertEqual(traces(self.mallory.client, [self.mallory.user]), [])
        [done] = execution.every_due(timezone.now())
        assert isinstance(done, execution.Done)
        self.assert_receipt(done)

    def test_the_audit_log_is_complete_until_it_is_deleted(self) -> None:
        self.due()

        self.assertTrue(client_log.verify(self.alice.client).ok)
