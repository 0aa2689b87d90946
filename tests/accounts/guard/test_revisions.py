"""The mark of changes: read once a second, trusted for two, and changed by whatever workers hold."""

import time
from threading import Thread
from unittest.mock import patch

from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase

from accounts.guard import revisions
from accounts.guard.models import Revision
from accounts.models import Client
from tests.base import BaseTest


class ManualClock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class RevisionTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.clock = ManualClock()
        patcher = patch("accounts.guard.revisions.time.monotonic", self.clock)
        patcher.start()
        self.addCleanup(patcher.stop)
        revisions.forget()
        self.addCleanup(revisions.forget)


class MarkTests(RevisionTest):
    def test_every_change_gives_a_mark_never_seen_before(self) -> None:
        seen = {revisions.current()}
        for _ in range(5):
            revisions.bump()
            seen.add(revisions.current())

        self.assertEqual(len(seen), 6)
        self.assertEqual(Revision.objects.count(), 1)

    def test_a_client_that_changes_is_a_change(self) -> None:
        before = revisions.current()
        self.alice.client.save()

        self.assertNotEqual(revisions.current(), before)

    def test_the_database_is_read_once_a_second(self) -> None:
        revisions.bump()
        revisions.current()

        with self.assertNumQueries(0):
            self.clock.now += 0.99
            revisions.current()
        with self.assertNumQueries(1):
            self.clock.now += 0.01
            for _ in range(10):
                revisions.current()

    def test_another_workers_change_is_seen_after_a_second(self) -> None:
        revisions.bump()
        before = revisions.current()
        Revision.objects.update(mark="12345678-1234-5678-1234-567812345678")  # As another process would.

        self.clock.now += 1.0

        self.assertNotEqual(revisions.current(), before)

    def test_what_is_held_is_trusted_two_seconds_without_the_database_and_no_longer(self) -> None:
        revisions.bump()
        mark = revisions.current()
        with patch.object(Revision.objects, "values_list", side_effect=DatabaseError("secret")):
            self.clock.now += 1.9
            with self.assertLogs("accounts.guard.revisions", "WARNING") as logged:
                self.assertEqual(revisions.current(), mark)
            self.assertNotIn("secret", "".join(logged.output))
            self.clock.now += 0.1
            with self.assertLogs("accounts.guard.revisions", "WARNING"), self.assertRaises(revisions.Unreadable):
                revisions.current()
        self.assertEqual(revisions.current(), mark)  # The database is back.


class CommitTests(TransactionTestCase):
    databases = {"default", "keyring"}

    def test_a_change_that_is_undone_leaves_the_mark(self) -> None:
        revisions.bump()
        before = revisions.current()
        with transaction.atomic():
            revisions.bump()
            transaction.set_rollback(True)
        revisions.forget()

        self.assertEqual(revisions.current(), before)

    def test_a_thread_that_read_before_the_commit_learns_of_it(self) -> None:
        """Reads between the change and its commit see the old mark; after the commit the new one."""
        revisions.bump()
        before = revisions.current()
        with transaction.atomic():
            Client.objects.create()
            self.assertNotEqual(revisions.current(), before)

        self.assertNotEqual(revisions.current(), before)

    def test_many_threads_get_a_mark_without_waiting_for_each_other(self) -> None:
        revisions.bump()
        revisions.forget()
        marks: list[object] = []

        def ask() -> None:
            marks.append(revisions.current())
            connection.close()

        threads = [Thread(target=ask) for _ in range(8)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(len(set(marks)), 1)
        self.assertEqual(len(marks), 8)
        self.assertLess(time.monotonic() - began, 2)
