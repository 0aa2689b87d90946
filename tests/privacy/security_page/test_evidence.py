"""The public claims: each has tests, and the page shows those proven in a release, with their results."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from html import escape
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import translation
from django.utils.functional import Promise

from ibanse.config import hosting
from privacy.inventory import registry
from privacy.security_page import evidence
from privacy.security_page.claims import SUBJECTS
from privacy.security_page.evidence import ClaimResult, Evidence
from tests.base import BaseTest

TESTS = Path(__file__).resolve().parents[2]
CLAIMS = evidence.claims()
SLUGS = {claim.slug for claim in CLAIMS}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILE = {
    "version": "1.2.3",
    "commit": COMMIT,
    "date": "2026-11-26",
    "claims": {"own_key": {"result": "passed", "tests": 3}},
}

MALFORMED = {
    "empty": b"",
    "cut off": b"{",
    "a list": b"[]",
    "null": b"null",
    "not UTF-8": b"\xff",
    "nested too deep": b"[" * 100_000,
    "unknown field": json.dumps({**FILE, "more": 1}).encode(),
    "wrong commit": json.dumps({**FILE, "commit": "<b>"}).encode(),
    "wrong date": json.dumps({**FILE, "date": "yesterday"}).encode(),
    "wrong version": json.dumps({**FILE, "version": "1\n"}).encode(),
    "unknown result": json.dumps({**FILE, "claims": {"own_key": {"result": "fine", "tests": 3}}}).encode(),
    "fewer than no tests": json.dumps({**FILE, "claims": {"own_key": {"result": "passed", "tests": -1}}}).encode(),
    "no result": json.dumps({**FILE, "claims": {"own_key": True}}).encode(),
}


def translated(text: str | Promise, language: str = "en") -> str:
    """Return a text as a page shows it."""
    with translation.override(language):
        return escape(str(text))


def marked(source: str) -> list[str]:
    """Return the slugs of the claim markers on the tests, test classes and `pytestmark` of a test file."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name.startswith("test"):
                found += node.decorator_list
            case ast.ClassDef() if any(isinstance(each, ast.FunctionDef) for each in node.body):
                found += node.decorator_list
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=ast.List(elts=marks)):
                found += marks
            case ast.Assign(targets=[ast.Name(id="pytestmark")]):
                found.append(node.value)
    calls = [each for each in found if isinstance(each, ast.Call) and ast.unparse(each.func) == "pytest.mark.claim"]
    return [ast.literal_eval(slug) for call in calls for slug in call.args]


@pytest.fixture(scope="module")
def files() -> dict[str, set[str]]:
    """Return the test files that have the marker of a slug."""
    found = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for slug in marked(path.read_text(encoding="utf-8")):
            found[slug].add(str(path.relative_to(TESTS)))
    return found


class TestMarkers:
    def test_each_claim_has_a_test(self, files: dict[str, set[str]]) -> None:
        assert SLUGS - set(files) == set(), "Put @pytest.mark.claim(...) onto the tests that prove these."

    def test_each_marker_names_a_claim(self, files: dict[str, set[str]]) -> None:
        assert {slug: files[slug] for slug in set(files) - SLUGS} == {}

    @pytest.mark.claim("own_key")
    def test_the_report_names_the_claims(self, request: pytest.FixtureRequest) -> None:
        assert request.node.user_properties == [("claim", "own_key")]

    def test_slugs_are_unique(self) -> None:
        slugs = [claim.slug for claim in CLAIMS] + [subject.slug for subject in SUBJECTS]

        assert len(slugs) == len(set(slugs))
        assert all(re.fullmatch(r"[a-z_]+", claim.slug) for claim in CLAIMS)


class TestFile:
    def test_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "evidence.json"
        path.write_text(json.dumps(FILE))

        assert evidence.read(path) == Evidence(
            "1.2.3", COMMIT, date(2026, 11, 26), {"own_key": ClaimResult("passed", 3)}
        )

    def test_a_missing_file_is_no_error(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        assert evidence.read(tmp_path / "evidence.json") is None
        assert caplog.messages == []

    @pytest.mark.parametrize("name", MALFORMED)
    def test_a_malformed_one_counts_as_absent(
        self, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "evidence.json").write_bytes(MALFORMED[name])

        assert evidence.read(tmp_path / "evidence.json") is None
        assert "evidence.json is not used" in caplog.text

    def test_a_folder_counts_as_absent(self, tmp_path: Path) -> None:
        assert evidence.read(tmp_path) is None


class SecurityPageTests(BaseTest):
    def test_every_claim_that_holds_is_shown_in_every_language(self) -> None:
        pages = {}
        for language in ("sv", "en", "de"):
            with self.results(SLUGS):
                pages[language] = self.visitor.opens("/security/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
            for claim in CLAIMS:
                assert f'id="{claim.slug}"' in pages[language]
            for subject in SUBJECTS:
                assert f'href="#{subject.slug}"' in pages[language]
        for claim in CLAIMS:
            for text in (claim.says, claim.how, claim.check):
                expected = {language: translated(text, language) for language in pages}
                assert len(set(expected.values())) == 3, text
                for language, words in expected.items():
                    assert words in pages[language]

    def test_a_release_shows_results_with_their_date(self) -> None:
        with self.results(SLUGS):
            page = self.visitor.opens("/security/")

        self.assertContains(page, "3 tests passed on 26 November 2026", count=len(CLAIMS))
        self.assertContains(page, "The tests ran on 26 November 2026 for version 1.2.3 (commit 0123456789ab).")

    def test_a_claim_that_did_not_pass_is_left_out(self) -> None:
        for result in (ClaimResult("failed", 3), ClaimResult("not run", 3), ClaimResult("passed", 0), None):
            with self.results(SLUGS - {"own_key"}, **({"own_key": result} if result else {})):
                page = self.visitor.opens("/security/").content.decode()

            assert 'id="own_key"' not in page
            assert 'id="keys_apart"' in page
            assert f"{len(CLAIMS) - 1} statements" in page

    def test_a_subject_without_claims_is_left_out(self) -> None:
        with self.results({"keys_apart"}):
            page = self.visitor.opens("/security/").content.decode()

        assert "1 statement," in page
        assert 'id="api"' not in page

    def test_a_working_copy_shows_all_claims_without_results(self) -> None:
        messages = {
            "en": "Test results belong to a signed release",
            "sv": "Testresultat hör till en signerad version",
            "de": "Testergebnisse gehören zu einem signierten Release",
        }
        for language, text in messages.items():
            with self.evidence(None):
                page = self.visitor.opens("/security/", HTTP_ACCEPT_LANGUAGE=language).content.decode()

            assert text in page
            assert 'class="passed"' not in page
            for claim in CLAIMS:
                assert f'id="{claim.slug}"' in page
                assert translated(claim.check, language) in page

    def test_claims_about_production_are_shown_there_only(self) -> None:
        with self.results(SLUGS), override_settings(EMBEDDED=True, LOG_KEYS=[]):
            page = self.visitor.opens("/security/").content.decode()

        hidden = {claim.slug for claim in CLAIMS if f'id="{claim.slug}"' not in page}
        assert hidden == {claim.slug for claim in CLAIMS if claim.requires}
        assert {"own_name_only", "sealed_log"} < hidden

    def test_a_release_that_proved_nothing_says_so(self) -> None:
        with self.results(set()):
            page = self.visitor.opens("/security/")

        self.assertContains(page, "could not be verified in this version")
        self.assertContains(page, 'id="limits"')

    def test_the_operators_statement_about_hosting_is_shown_as_such(self) -> None:
        self.assertNotContains(self.visitor.opens("/security/"), 'id="hosting"')
        expected = hosting.Hosting(
            "Servers <b>& more", "Finland", ["ISO 27001"], hosting.documents("Agreement https://host.example/dpa.pdf")
        )
        with override_settings(HOSTING=expected):
            page = self.visitor.opens("/security/")

        for text in ("Servers &lt;b&gt;&amp; more", "Finland", "ISO 27001", "our tests cannot prove it"):
            self.assertContains(page, text)
        self.assertContains(page, '<a href="https://host.example/dpa.pdf" rel="noreferrer">Agreement</a>', html=True)

    def test_every_page_links_to_it(self) -> None:
        for path in ("/", "/countries/", "/sign-in/", "/no-such-page/"):
            self.assertContains(
                self.visitor.opens(path), 'href="/security/"', status_code=404 if "no-" in path else 200
            )

    def results(self, slugs: set[str], **others: ClaimResult) -> AbstractContextManager[None]:
        """Act as if the tests of these claims had passed."""
        claims = {**{slug: ClaimResult("passed", 3) for slug in slugs}, **others}
        return self.evidence(Evidence("1.2.3", COMMIT, date(2026, 11, 26), claims))

    @contextmanager
    def evidence(self, found: Evidence | None) -> Iterator[None]:
        """Serve a release with these results, in production."""
        production = override_settings(EMBEDDED=False, LOG_KEYS=["some"])
        with patch("privacy.security_page.evidence.evidence", return_value=found), production:
            yield


class SecurityTxtTests(BaseTest):
    @override_settings(SECURITY_CONTACTS=["mailto:security@ibanse.example", "https://ibanse.example/weakness"])
    def test_it_follows_rfc_9116(self) -> None:
        response = self.visitor.opens("/.well-known/security.txt")

        self.assertEqual(response.headers["Content-Type"], "text/plain; charset=utf-8")
        lines = [line.split(": ", 1) for line in response.content.decode().splitlines()]
        fields = [(name, value) for name, value in lines if name != "Expires"]
        self.assertEqual(
            fields,
            [
                ("Contact", "mailto:security@ibanse.example"),
                ("Contact", "https://ibanse.example/weakness"),
                ("Preferred-Languages", "sv, en, de"),
                ("Canonical", f"{settings.SITE_URL}/.well-known/security.txt"),
                ("Policy", f"{settings.SITE_URL}/security/#report"),
            ],
        )
        [expires] = [datetime.fromisoformat(value) for name, value in lines if name == "Expires"]
        self.assertLess(timedelta(days=30), expires - datetime.now(UTC))
        self.assertLess(expires - datetime.now(UTC), timedelta(days=365))
        self.assertContains(self.visitor.opens("/security/"), 'href="mailto:security@ibanse.example"')

    def test_without_a_contact_there_is_none(self) -> None:
        self.assertEqual(self.visitor.opens("/.well-known/security.txt").status_code, 404)
        self.assertNotContains(self.visitor.opens("/security/"), "Write to:")


class NoticeTests(BaseTest):
    def test_the_notice_lists_what_the_settings_page_lists(self) -> None:
        page = self.visitor.opens("/privacy/").content.decode()

        for line in registry.summaries():
            self.assertIn(translated(line.what), page)
            self.assertIn(translated(line.until), page)
