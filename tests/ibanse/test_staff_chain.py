"""The page on which security and lead see whether the staff's history is whole, and take along where it ends."""

import re
from html import unescape

from accounts import history, staff_history
from accounts.models import StaffEntry
from tests.house import HouseTest

PATH = "/admin/staff/history/"


class StaffChainTests(HouseTest):
    def setUp(self) -> None:
        super().setUp()
        self.guard = self.staff("security")
        for _look in range(3):
            staff_history.record("office.viewed", by=self.sten.user)

    def stated(self) -> str:
        [found] = re.findall(r"<span>(\{.+?\})</span>", self.guard.opens(PATH).content.decode())
        return unescape(found)

    def test_a_whole_chain_is_said_to_be_whole_and_compared_with_an_earlier_end(self) -> None:
        kept = self.stated()

        self.assertContains(self.guard.posts(PATH), "The chain is whole")
        self.assertContains(self.guard.posts(PATH, {"checkpoint": kept}), "nothing was cut off")

    def test_an_edited_entry_is_named(self) -> None:
        StaffEntry.objects.filter(number=2).update(actor=None)

        self.assertContains(self.guard.posts(PATH), "Entry 2 is not as it was written")

    def test_a_cut_tail_is_found_by_an_earlier_end(self) -> None:
        kept = self.stated()
        StaffEntry.objects.filter(number__gte=2).delete()

        self.assertContains(self.guard.posts(PATH, {"checkpoint": kept}), "have been cut off")

    def test_what_is_no_statement_of_ours_is_refused_with_words(self) -> None:
        foreign = history.checkpoint(self.alice.client)
        for text, said, status in (
            ("nothing of ours", "This is not a statement of ours", 422),
            (str(foreign).replace("'", '"'), "not a checkpoint that we have signed", 200),
        ):
            self.assertContains(self.guard.posts(PATH, {"checkpoint": text}), said, status_code=status)
