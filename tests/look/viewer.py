"""Opens scenes in Chromium, one after the other, and says what is wrong with how each is laid out."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from django.urls import reverse
from playwright.sync_api import Browser, Error, Page, Response, ViewportSize

from tests.look.scenes import Scene
from tests.support import services

SIZES: Final[dict[str, ViewportSize]] = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
LOCALES: Final = {"en": "en-GB", "sv": "sv-SE", "de": "de-DE"}
FACTS: Final = (Path(__file__).parent / "layout.js").read_text(encoding="utf-8")
# Sent as the browser would without its own checks and without scripts: what the server says is what we look at.
SEND: Final = """(fields) => {
  const form = [...document.forms].find((each) => Object.keys(fields).every((name) => each.elements.namedItem(name)));
  if (!form) return false;
  for (const [name, value] of Object.entries(fields)) {
    const field = form.elements.namedItem(name);
    if (/^(text|email|password|number|search|textarea)/.test(field.type)) { field.value = value; continue; }
    for (const each of form.querySelectorAll(`[name="${name}"]`)) each.removeAttribute("name");
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  HTMLFormElement.prototype.submit.call(form);
  return true;
}"""
JUDGED: Final = ":is(.field-problem, .message.error, #check .verdict)"
UNFOLD: Final = "for (const each of document.querySelectorAll('main details')) each.open = true"

Cast = dict[str, Any]


def gather_cast(environment: dict[str, str], language: str) -> Cast:
    """Make people with content on the live site, who read it in this language."""
    command = [sys.executable, "-m", "tests.look.cast", language]
    settings = environment | {"DJANGO_SETTINGS_MODULE": "ibanse.settings"}
    done = subprocess.run(
        command, cwd=services.ROOT, env=settings, stdout=subprocess.PIPE, text=True, check=True, timeout=300
    )
    cast: Cast = json.loads(done.stdout.splitlines()[-1])
    return cast


class Unreachable(Exception):
    """The scene is not what it should be: another page came, or the form is not there."""


class Viewer:
    """A browser in front of the live site, which reads one language and is whoever a scene names."""

    def __init__(self, browser: Browser, site: str, cast: Cast, language: str) -> None:
        self.site = site
        self.cast = cast
        self.context = browser.new_context(
            base_url=site, locale=LOCALES[language], viewport=SIZES["desk"], reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.who = ""

    def open(self, scene: Scene) -> Page:
        """Open a scene. Raises Unreachable with what came instead."""
        self._become(scene.who)
        arguments = self.cast["arguments"].get(scene.of or scene.page, {})
        path = reverse(scene.page, kwargs=arguments) + scene.query
        response = self.page.goto(path)
        _expect(response, scene.status, path)
        if scene.click:
            self.page.locator(scene.click).first.click()
            self.page.wait_for_load_state()
        if scene.fields is not None:
            with self.page.expect_navigation(timeout=10_000) as sent:
                if not self.page.evaluate(SEND, dict(scene.fields)):
                    message = f"no form of {path} has {', '.join(scene.fields)}"
                    raise Unreachable(message)
            _expect(sent.value, None, path)
            if not self.page.locator(JUDGED).count():
                message = f"nothing was said about what was sent, at {self.page.url}"
                raise Unreachable(message)
        if scene.unfold:
            self.page.evaluate(UNFOLD)
        self.page.evaluate("document.fonts.ready")
        return self.page

    def _become(self, who: str) -> None:
        if who == self.who:
            return
        self.who = who
        self.context.clear_cookies()
        if session := self.cast["sessions"].get(who):
            self.context.add_cookies([{"name": "session", "value": session, "url": self.site}])
        elif who != "stranger":
            message = f"nobody of the cast is {who}"
            raise Unreachable(message)

    def close(self) -> None:
        """Close the browser."""
        self.context.close()


def _expect(response: Response | None, status: int | None, path: str) -> None:
    """Expect the page itself, or after a form was sent any response that is no breakdown."""
    assert response is not None
    right = response.status < 500 and response.status != 429 if status is None else response.status == status
    if not right or (status is not None and not response.url.endswith(path)):
        message = f"was answered {response.status} at {response.url}"
        raise Unreachable(message)


def find_faults(
    viewer: Viewer, scenes: Sequence[Scene], *, picture: Callable[[Scene, str, str, bytes], None] | None = None
) -> dict[str, list[str]]:
    """Return what is wrong with each scene at each size; give its pictures to `picture`, if anybody wants them."""
    wrong: dict[str, list[str]] = {}
    for scene in scenes:
        try:
            page = viewer.open(scene)
        except (Unreachable, Error) as error:
            wrong[str(scene)] = [str(error)]
            continue
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            if found := page.evaluate(FACTS):
                wrong[f"{scene} {size}"] = found
            if picture is None:
                continue
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                picture(scene, size, scheme, page.screenshot(type="jpeg", quality=70))
    return wrong
