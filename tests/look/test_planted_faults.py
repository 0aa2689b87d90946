"""The facts of layout find what they are there for: each fault is planted into pages that are right without it.

Colours are no matter of theirs: white on white is found by axe (tests/support/looks.py).
"""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.look.scenes import Scene
from tests.look.viewer import FACTS, SIZES, Viewer

pytestmark = pytest.mark.browser

PAGES: Final = (Scene("account_login"), Scene("account_signup"), Scene("contact"), Scene("validation:countries"))
FAULTS: Final = {
    # Once broke all pages of signing in and up, and no test saw it.
    "a class that means two things": (
        ".narrow { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; margin: 0.75rem 0 0 }",
        "not in the middle",
    ),
    "a shifted page": ("main { margin-left: 4rem }", "not in the middle"),
    "a card wider than the window": (".card { width: 90rem }", "sideways"),
    "a field out of the window": ("main input { position: relative; left: 80rem }", "stands out of the window"),
    "a heading on its content": ("main h1 { margin-bottom: -4rem }", "not below its heading"),
    "a heading beside its content": ("main h1 { float: left }", "not below its heading"),
    "a heading below the screen": ("main h1 { margin-top: 60rem }", "below the first screen"),
    "no heading": ("main h1 { display: none }", "0 headings"),
    "lines on each other": ("main p { margin-top: -1.5rem }", "on each other"),
    "a cut button": ("button, .button { width: 3rem; white-space: nowrap; overflow: hidden }", "cut"),
    "a cut choice": ("main .field select { width: 3.5rem }", "cut: select"),
    "a header that breaks": (".site-header .bar { max-width: 25rem }", "the header is no row"),
    "a card too low for its content": (".card { height: 4rem }", "flows out"),
    "a narrow column": ("main > * { max-width: 15rem !important }", "too narrow"),
    "links too close": (
        ".site-header ul { display: block } .site-header ul a { padding: 0; line-height: 1 }",
        "hard to hit",
    ),
}
# The Content-Security-Policy lets no style element in; a sheet made by a script is none.
PLANT: Final = """(css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
}"""


@pytest.fixture(scope="module")
def viewer(browser: Browser, live_site: str) -> Iterator[Viewer]:
    """Return a browser of somebody without an account."""
    found = Viewer(browser, live_site, {"sessions": {}, "arguments": {}}, "en")
    yield found
    found.close()


def found_in(viewer: Viewer, css: str = "") -> list[str]:
    """Return what the facts say of the pages with these rules, at each size."""
    said: list[str] = []
    for scene in PAGES:
        page = viewer.open(scene)
        page.evaluate(PLANT, css)
        for viewport in SIZES.values():
            page.set_viewport_size(viewport)
            said += page.evaluate(FACTS)
    return said


def test_nothing_is_found_where_nothing_is_planted(viewer: Viewer) -> None:
    assert found_in(viewer) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(viewer: Viewer, fault: str) -> None:
    css, message = FAULTS[fault]

    said = found_in(viewer, css)

    assert any(message in each for each in said), said


@pytest.mark.parametrize(("files", "message"), [("**/*.woff*", "letters of Inter"), ("**/*.svg", "picture is missing")])
def test_what_does_not_come_is_missed(browser: Browser, live_site: str, files: str, message: str) -> None:
    viewer = Viewer(browser, live_site, {"sessions": {}, "arguments": {}}, "en")
    viewer.page.route(files, lambda route: route.abort())

    said = found_in(viewer)

    viewer.close()
    assert any(message in each for each in said), said
