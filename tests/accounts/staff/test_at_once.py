"""Actions at the same time: of two members of staff, or of one and an owner."""

from collections.abc import Callable
from threading import Barrier, Thread
from unittest import skipUnless
from uuid import uuid4

from django.core.cache import cache
from django.db import connection, connections
from django.test import TransactionTestCase

from accounts.actor import Actor
from accounts.audit import client_log, staff_log
from accounts.errors import Refusal
from accounts.models import Client, ClientNote, User
from accounts.staff import limits, notes, suspension
from accounts.staff.justification import Justification
from privacy.deletion import requesting
from tests.base import PASSWORD


@skipUnless(connection.vendor == "postgresql", "SQLite runs one writing transaction after the other")
class TwoAtOnceTests(TransactionTestCase):
    databases = {"default", "keyring"}

    def setUp(self) -> None:
        cache.clear()
        self.client_of_alice = Client.objects.create()
        self.alice = User.objects.create_user(
            "alice@example.com", PASSWORD, client=self.client_of_alice, role=User.Role.OWNER
        )
        sten = User.objects.create_user("sten@operator.example", is_staff=True)
        self.justification = Justification(Actor(sten), "T-1204", "Invoices of two months are unpaid")
        # The vault makes the keys of client and operator with the first that is sealed.
        notes.add(self.client_of_alice, self.justification, attempt=uuid4())

    def at_once(self, *actions: Callable[[], object]) -> list[object]:
        """Do the actions in threads that start together; return what each returned, or the code of its refusal."""
        start, said = Barrier(len(actions)), list[object]()

        def do(action: Callable[[], object]) -> None:
            start.wait()
            try:
                said.append(action())
            except Refusal as refusal:
                said.append(refusal.code)
            finally:
                connections.close_all()

        threads = [Thread(target=do, args=[action]) for action in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(said, key=str)

    def test_two_of_the_staff_do_it_once_and_overwrite_nothing(self) -> None:
        client, justification, attempt = self.client_of_alice, self.justification, uuid4()

        results = {
            "suspended": self.at_once(*[lambda: suspension.suspend(client, justification)] * 3),
            "noted": self.at_once(*[lambda: notes.add(client, justification, attempt=attempt)] * 3),
            "quota": self.at_once(
                lambda: limits.set_quota(client, 500, justification, before=10_000),
                lambda: limits.set_quota(client, 900, justification, before=10_000),
            ),
        }

        self.assertEqual(
            results,
            {"suspended": [False, False, True], "noted": [False, False, True], "quota": [True, "changed_meanwhile"]},
        )
        self.assertEqual(ClientNote.objects.count(), 2)
        tags = ["client.noted", "client.noted", "client.suspended", "quota.changed"]
        self.assertEqual(sorted(entry.tag for entry in client_log.entries(client)), tags)
        self.assertEqual(sorted(entry.tag for entry in staff_log.entries(client=client.pk)), tags)
        self.assertTrue(client_log.verify(client).ok)
        self.assertTrue(staff_log.verify().ok)

    def test_an_owner_who_confirms_the_deletion_at_that_moment_has_their_way(self) -> None:
        client = self.client_of_alice
        deletion = requesting.request_deletion(client, grace_days=7, by=Actor(self.alice))

        results = self.at_once(
            lambda: requesting.confirm(deletion).state, lambda: suspension.suspend(client, self.justification)
        )

        self.assertIn(results, [[True, "confirmed"], ["client_closing", "confirmed"]])
        client.refresh_from_db()
        self.assertEqual(client.state, Client.State.CLOSING)
        requesting.cancel(deletion)
        client.refresh_from_db()
        self.assertEqual(client.state == Client.State.SUSPENDED, True in results)
