"""Every page on a phone and a desk, light and dark: facts of layout hold, and sheets of small pictures are written.

The sheets are for a person: a look at four pictures is a look at every page. LAYOUT_SHEETS names a folder for them; it
does not begin with IBANSE_, since the tests are told nothing that does.
"""

import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, ViewportSize

from tests.support import services

pytestmark = pytest.mark.browser

SIZES: Final[dict[str, ViewportSize]] = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
THUMBS: Final = {"phone": (195, 422, 16), "desk": (320, 200, 8)}
FACTS: Final = (Path(__file__).parent / "layout.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cast(live_site: str, live_environment: dict[str, str]) -> dict[str, Any]:
    """Make people with content on the live site, and return their sessions and which pages they may open."""
    told = live_environment | {"DJANGO_SETTINGS_MODULE": "ibanse.settings"}
    command = [sys.executable, "-m", "tests.browser.cast"]
    done = subprocess.run(
        command, cwd=services.ROOT, env=told, stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def sheet(pictures: list[tuple[str, bytes]], size: str) -> Image.Image:
    """Put small pictures of all pages beside each other, each with its address."""
    wide, high, across = THUMBS[size]
    rows = math.ceil(len(pictures) / across)
    made = Image.new("RGB", (across * (wide + 6), rows * (high + 20)), "#777")
    draw = ImageDraw.Draw(made)
    for number, (path, picture) in enumerate(pictures):
        left, top = number % across * (wide + 6), number // across * (high + 20)
        small = Image.open(io.BytesIO(picture)).resize((wide, high))
        made.paste(small, (left, top + 14))
        draw.text((left + 2, top + 1), path[: wide // 6], fill="#fff")
    return made


def test_every_page_is_laid_out_as_it_should_be(browser: Browser, live_site: str, cast: dict[str, Any]) -> None:
    wrong: dict[str, list[str]] = {}
    sheets: dict[tuple[str, str], list[tuple[str, bytes]]] = {}
    for who, paths in cast["pages"].items():
        context = browser.new_context(
            base_url=live_site, locale="en-GB", viewport=SIZES["desk"], reduced_motion="reduce"
        )
        if session := cast["sessions"].get(who):
            context.add_cookies([{"name": "session", "value": session, "url": live_site}])
        page = context.new_page()
        for path in paths:
            response = page.goto(path)
            assert response is not None
            if response.status != (404 if path == "/no-such-page/" else 200) or not page.url.endswith(path):
                wrong[f"{who} {path}"] = [f"was answered {response.status} at {page.url}"]
                continue
            page.evaluate("document.fonts.ready")
            for size, viewport in SIZES.items():
                page.set_viewport_size(viewport)
                if found := page.evaluate(FACTS):
                    wrong[f"{who} {path} {size}"] = found
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    sheets.setdefault((size, scheme), []).append((path, page.screenshot(type="jpeg", quality=70)))
        context.close()
    if folder := os.environ.get("LAYOUT_SHEETS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        for (size, scheme), pictures in sheets.items():
            sheet(pictures, size).save(Path(folder) / f"{size}-{scheme}.png")
    assert wrong == {}, "\n".join(f"{where}\n    " + "\n    ".join(found) for where, found in wrong.items())
