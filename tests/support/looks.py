"""What every page must pass when it is looked at: axe finds nothing, and nothing scrolls sideways."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Error, Page

ATTEMPTS = 3


def assert_accessible(page: Page, what: str) -> None:
    """Run axe with every rule on, best practices too; on the page that follows if one comes meanwhile."""
    for attempt in range(1, ATTEMPTS + 1):
        page.wait_for_load_state()
        try:
            result = _axe(page)
            break
        except Error:
            # A click has been answered just now: the page that was looked at is gone.
            if attempt == ATTEMPTS:
                raise
    assert result.violations_count == 0, f"{what}\n{result.generate_report()}"


def _axe(page: Page) -> AxeResults:
    """Run axe; it is loaded once into a page, however often and at whatever size and in which colours one looks."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    return AxeResults(page.evaluate("axe.run({ resultTypes: ['violations'] })"))


def look_at(page: Page, what: str) -> None:
    """Fail when axe finds something, or when the page scrolls sideways."""
    assert_accessible(page, what)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{what} scrolls sideways"
