"""The list of the staff's history, and the page that says whether it is whole and where it ends."""

import re
from datetime import timedelta
from html import unescape

from accounts import audit
from accounts.audit import client_log
from accounts.audit.events import StaffEvent
from accounts.models import StaffEntry
from ibanse.backoffice.lists.staff_log import StaffEventFilter
from tests.base import BaseTest

PATH = "/admin/staff/history/"


class StaffChainTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.guard = self.staff("security")
        for _look in range(3):
            audit.record_staff(StaffEvent.PAGE_VIEWED, by=self.sten.actor)

    def stated(self) -> str:
        [found] = re.findall(r"<span>(\{.+?\})</span>", self.guard.opens(PATH).content.decode())
        return unescape(found)

    def test_a_whole_chain_is_said_to_be_whole_and_compared_with_an_earlier_end(self) -> None:
        checkpoint = self.stated()

        self.assertContains(self.guard.posts(PATH), "The chain is intact")
        self.assertContains(self.guard.posts(PATH, {"checkpoint": checkpoint}), "nothing was removed from the end")

    def test_an_edited_entry_is_named(self) -> None:
        StaffEntry.objects.filter(number=2).update(actor=None)

        self.assertContains(self.guard.posts(PATH), "Entry 2 has been altered")

    def test_a_cut_tail_is_found_by_an_earlier_end(self) -> None:
        checkpoint = self.stated()
        StaffEntry.objects.filter(number__gte=2).delete()

        self.assertContains(self.guard.posts(PATH, {"checkpoint": checkpoint}), "onwards have been removed")

    def test_what_is_no_statement_of_ours_is_refused_with_words(self) -> None:
        foreign = client_log.checkpoint(self.alice.client)
        for text, said, status in (
            ("nothing of ours", "This is not one of our statements", 422),
            (str(foreign).replace("'", '"'), "not a checkpoint we have signed", 200),
        ):
            self.assertContains(self.guard.posts(PATH, {"checkpoint": text}), said, status_code=status)

    def test_every_action_of_staff_is_found_by_its_kind(self) -> None:
        tags = [tag for _words, tags in StaffEventFilter.KINDS.values() for tag in tags]

        self.assertEqual(sorted(tags), sorted(StaffEvent))

    def test_the_list_is_narrowed_by_kind_and_time(self) -> None:
        opened = audit.record_staff(StaffEvent.CLIENT_UNMASKED, by=self.sten.actor, client=self.alice.client.pk)
        long_ago = opened.at - timedelta(days=8)
        StaffEntry.objects.filter(number=1).update(at=long_ago)

        def numbers(query: str) -> list[int]:
            response = self.guard.opens(f"/admin/accounts/staffentry/?{query}")
            return sorted(entry.number for entry in response.context["cl"].result_list)

        self.assertEqual(numbers("kind=unmaskings"), [4])
        self.assertNotIn(1, numbers("within=week"))
        self.assertIn(1, numbers("within=month"))
        self.assertEqual(numbers("kind=unmaskings&within=day"), [4])
