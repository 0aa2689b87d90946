"""Facts of layout hold on every page, on a phone and a desk.

By itself that is done in English. LOOK_SHEETS names a folder for contact sheets: then every language is looked at, in
light and dark (`make look`). It does not begin with IBANSE_, since such variables are removed for the tests.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.look import viewer
from tests.look.scenes import SCENES, Scene
from tests.look.sheets import Sheets

pytestmark = pytest.mark.browser

FOLDER = os.environ.get("LOOK_SHEETS", "")
LANGUAGES = tuple(viewer.LOCALES) if FOLDER else ("en",)


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """Return each language that is looked at."""
    return str(request.param)


@pytest.fixture
def looking(
    browser: Browser, live_site: str, live_environment: dict[str, str], language: str
) -> Iterator[viewer.Viewer]:
    """Return a browser with the cast of a language."""
    cast = viewer.gather_cast(live_environment, language)
    found = viewer.Viewer(browser, live_site, cast, language)
    yield found
    found.close()


def test_every_page_is_laid_out_as_it_should_be(looking: viewer.Viewer, language: str) -> None:
    sheets = Sheets()

    def picture(scene: Scene, size: str, scheme: str, taken: bytes) -> None:
        sheets.add(size, scheme, language, title=str(scene), picture=taken)

    wrong = viewer.find_faults(looking, SCENES, picture=picture if FOLDER else None)

    if FOLDER:
        sheets.write(Path(FOLDER))
    assert wrong == {}, "\n".join(f"{where}\n    " + "\n    ".join(found) for where, found in wrong.items())
