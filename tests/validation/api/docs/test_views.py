"""The page that explains the API: complete, true, and with samples that run."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import playwright
import pytest
from django.utils.html import escape

from apikeys import tokens
from apikeys.problems import KINDS
from apikeys.scopes import SCOPES
from tests.base import BaseTest
from tests.support import services
from tests.validation.api.conftest import run
from validation.api.contract import Route
from validation.api.docs import examples, messages, openapi, views
from validation.api.docs.views import Sample
from validation.api.routes import ROUTES
from validation.engine import reasons

PAGE = "/api/docs/"
# Playwright brings a node of its own.
NODE = Path(playwright.__file__).parent / "driver" / "node"
COMMANDS = {
    "curl": ("sample.sh", ["sh", "-e"]),
    "python": ("sample.py", [sys.executable, "-W", "error"]),
    "javascript": ("sample.mjs", [str(NODE)]),
}
WITHOUT_A_KEY = tuple(route for route in ROUTES if not route.needs_key)


class ApiDocsPageTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.page = self.visitor.opens(PAGE).content.decode()

    def test_everybody_may_read_it_and_nobody_posts_to_it(self) -> None:
        for person in (self.visitor, self.alice, self.vera, self.sten):
            self.assertIn(person.opens(PAGE).status_code, (200, 302))
        self.assertEqual(self.visitor.browser.head(PAGE).status_code, 200)
        self.assertEqual(self.visitor.posts(PAGE).status_code, 405)

    def test_every_problem_has_its_place_where_its_type_leads(self) -> None:
        for code, kind in KINDS.items():
            self.assertEqual(self.page.count(f'id="{code}"'), 1)
            self.assertIn(escape(str(kind.title)), self.page)
        self.assertNotIn("%(", self.page)

    def test_every_call_has_its_place_with_its_fields_and_samples(self) -> None:
        schemas = openapi.document(ROUTES)["components"]["schemas"]

        for route in ROUTES:
            self.assertIn(f'id="{route.handler.__name__}"', self.page)
            self.assertIn(route.path, self.page)
        for shape in ("IbanRequest", "CalculateRequest", "VerdictAnswer", "BicAnswer", "UsageAnswer", "ProblemAnswer"):
            for field in schemas[shape]["properties"]:
                self.assertIn(f"<code>{field}</code>", self.page)
        self.assertEqual(self.page.count('class="sample curl"'), len(ROUTES))

    def test_every_code_is_explained(self) -> None:
        self.assertEqual(set(messages.CALLS), {route.handler.__name__ for route in ROUTES})
        self.assertEqual(set(messages.EXPECTED), set(get_args(reasons.ReasonCode)))
        self.assertEqual(set(messages.WARNINGS), set(get_args(reasons.WarningCode)))
        results = {*get_args(reasons.CheckResult), *get_args(reasons.BankResult)}
        self.assertEqual(set(messages.RESULTS), results)
        for code in (*reasons.Checks._fields, *messages.WARNINGS, *results, *SCOPES):
            self.assertIn(f"<code>{code}</code>", self.page)

    def test_every_link_within_the_page_leads_somewhere(self) -> None:
        places = re.findall(r'id="([^"]+)"', self.page)

        self.assertEqual(len(places), len(set(places)))
        self.assertLessEqual(set(re.findall(r'href="#([^"]+)"', self.page)), set(places))

    def test_the_pattern_for_scanners_is_there_and_no_key(self) -> None:
        self.assertIn(tokens.PATTERN, self.page)
        self.assertIsNone(re.search(tokens.PATTERN, self.page))

    def test_the_responses_that_it_shows_are_those_that_come(self) -> None:
        key = self.alice.key()

        for route in ROUTES:
            shown = examples.response(route, "en")
            if shown is None or route.handler.__name__ == "show_usage":
                continue
            with self.subTest(route=route.path):
                response = self.calls(key, examples.path(route), examples.body(route), method=route.method)
                self.assertEqual(cut(json.loads(response.content)), shown)

    def test_it_speaks_the_readers_language(self) -> None:
        for language, country in {"en": "Sweden", "sv": "Sverige", "de": "Schweden"}.items():
            page = self.visitor.browser.get(PAGE, headers={"Accept-Language": language}).content.decode()
            self.assertIn(f'<html lang="{language}"', page)
            self.assertIn(f"&quot;name&quot;: &quot;{country}&quot;", page)

    def test_only_whoever_is_signed_in_gets_the_box_to_try(self) -> None:
        self.assertNotIn("try-form", self.page)
        self.assertIn(f'href="/sign-in/?next={PAGE}%23try"', self.page)

        page = self.vera.opens(PAGE).content.decode()

        fields = re.findall(r"<input id=\"try-[^>]+>", page)
        self.assertEqual(len(fields), 2)
        for field in fields:
            # Without a name nothing is sent by the browser itself, with or without JavaScript.
            self.assertNotIn("name=", field)
            self.assertIn('autocomplete="off"', field)


def cut(response: dict[str, object]) -> dict[str, object]:
    """Return the response as it is shown: of the countries the first only."""
    countries = response.get("countries")
    return {**response, "countries": countries[:1]} if isinstance(countries, list) else response


def execute(sample: Sample, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a sample as a reader does who has copied it into a file."""
    if sample.language == "curl" and not services.PRESENT["curl"]():
        pytest.skip(services.missing("curl"))
    name, command = COMMANDS[sample.language]
    file = folder / name
    file.write_text(sample.code, encoding="utf-8")
    return run([*command, str(file)], folder, environment)


@pytest.mark.browser
class TestSamples:
    @pytest.mark.parametrize("language", views.SAMPLES)
    @pytest.mark.parametrize("route", ROUTES, ids=[route.handler.__name__ for route in ROUTES])
    def test_every_sample_prints_what_is_shown(
        self, route: Route, language: str, api_environment: dict[str, str], tmp_path: Path
    ) -> None:
        [sample] = [sample for sample in views.samples(route) if sample.language == language]

        done = execute(sample, tmp_path, api_environment)

        assert done.returncode == 0, done.stderr
        response = json.loads(done.stdout)
        if route in WITHOUT_A_KEY:
            assert response["openapi"] == "3.1.0"
        elif route.handler.__name__ == "show_usage":
            assert response["quota"] == response["used"] + response["remaining"]
        else:
            assert cut(response) == examples.response(route, "en")

    @pytest.mark.parametrize("sample", views.patient_samples(), ids=lambda sample: sample.language)
    def test_the_patient_program_ends_with_what_is_wrong(
        self, sample: Sample, api_environment: dict[str, str], tmp_path: Path
    ) -> None:
        done = execute(sample, tmp_path, api_environment)
        refused = execute(sample, tmp_path, {**api_environment, "IBANSE_KEY": "ibanse_live_x"})

        assert (done.returncode, done.stdout.strip()) == (0, "valid"), done.stderr
        assert refused.returncode != 0
        assert "key_malformed: " in refused.stderr
