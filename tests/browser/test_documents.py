"""The agreement in a real Chromium: what is missing is filled in, the document made, seen in the list and fetched."""

from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect
from pypdf import PdfReader

from tests.browser.test_identity import SIZES, sign_up
from tests.support.looks import look_at

pytestmark = pytest.mark.browser


class TestDocuments:
    @pytest.mark.parametrize("size", SIZES)
    def test_an_owner_fills_in_what_is_missing_and_fetches_the_agreement(
        self, browser: Browser, live_site: str, mailbox: Path, tmp_path: Path, size: str
    ) -> None:
        scheme: Literal["light", "dark"] = "dark" if size == "desktop" else "light"
        context = browser.new_context(
            base_url=live_site, locale="en-GB", viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce"
        )
        page = context.new_page()
        sign_up(page, mailbox, f"{uuid4()}@documents.example")
        page.goto("/account/settings/")
        page.get_by_role("main").get_by_role("link", name="Documents").click()
        page.wait_for_url("**/documents/")
        look_at(page, f"missing {size} {scheme}")
        page.get_by_role("link", name="Fill in contact details").click()
        page.get_by_label("Company").fill("Åkessons Łódź AB")
        page.get_by_label("Organisation number").fill("556677-8899")
        page.get_by_label("Street and number").fill("Östra Ågatan 5")
        page.get_by_label("City").fill("Uppsala")
        page.get_by_role("button", name="Save").click()

        page.goto("/account/settings/documents/")
        look_at(page, f"none {size} {scheme}")
        page.get_by_label("Language of the document").select_option("sv")
        page.get_by_role("button", name="Create document").dblclick()
        expect(page.get_by_role("status")).to_contain_text("The document has been created")
        expect(page.get_by_role("button", name="Download")).to_have_count(1)
        look_at(page, f"made {size} {scheme}")
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Download").click()
        waiting.value.save_as(tmp_path / "agreement.pdf")
        context.close()

        assert waiting.value.suggested_filename.startswith("ibanse-agreement-sv-")
        text = PdfReader(tmp_path / "agreement.pdf").pages[0].extract_text()
        assert "Personuppgiftsbiträdesavtal" in text
        assert "Åkessons Łódź AB" in text
        assert "Nordkoll AB" in text
