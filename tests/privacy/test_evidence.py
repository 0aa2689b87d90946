"""The claims to the public: complete, shown as far as their tests are recorded, hidden when the record does not fit."""

import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from html import escape
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import translation
from django.utils.functional import Promise

from ibanse import hosting
from privacy import evidence, kept
from privacy.claims import SUBJECTS, Claim
from tests import evidence as evidence_run
from tests.house import HouseTest

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = evidence.claims()
RENEW = "Run: make evidence"


def told(sentence: Promise, language: str = "en") -> str:
    """Return a sentence as a page has it."""
    with translation.override(language):
        return escape(str(sentence))


class TestTheTable:
    def test_names_are_given_once(self) -> None:
        names = [claim.name for claim in CLAIMS] + [subject.name for subject in SUBJECTS]

        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z_]+", claim.name) for claim in CLAIMS)

    @pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
    def test_each_claim_names_files_that_are_here_and_tests_that_exist(self, claim: Claim) -> None:
        assert claim.files
        assert claim.tests
        assert [name for name in evidence.sources(claim) if not (ROOT / name).exists()] == []
        assert [node for node in claim.tests if not evidence_run.exists(node)] == []

    @pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
    def test_each_claim_is_recorded_for_the_files_as_they_are(self, claim: Claim) -> None:
        assert claim.name in evidence.holding(evidence.RECORD, ROOT), RENEW

    def test_the_record_holds_no_claim_that_is_no_more(self) -> None:
        assert set(json.loads(evidence.RECORD.read_bytes())) <= {claim.name for claim in CLAIMS}, RENEW

    def test_a_test_that_does_not_exist_is_found(self) -> None:
        here = "tests/privacy/test_evidence.py"

        assert evidence_run.exists(here)
        assert evidence_run.exists(f"{here}::TestTheTable::test_names_are_given_once")
        for node in (f"{here}::TestTheTable::test_nothing", f"{here}::TestNothing", "tests/nowhere.py"):
            assert not evidence_run.exists(node)


class TestTheRecord:
    """A small copy of the project, with a record of all claims that fits it."""

    @pytest.fixture
    def record(self, tmp_path: Path) -> Path:
        for name in {name for claim in CLAIMS for name in evidence.sources(claim)}:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(f"of {name}")
        record = tmp_path / "evidence.json"
        fitting = {
            claim.name: {"fingerprint": str(evidence.fingerprint(claim, tmp_path)), "passed_on": "2026-11-26"}
            for claim in CLAIMS
        }
        evidence.write(fitting, record)
        return record

    def test_all_that_fits_holds_with_its_day(self, record: Path) -> None:
        assert evidence.holding(record, record.parent) == dict.fromkeys(
            (claim.name for claim in CLAIMS), date(2026, 11, 26)
        )

    @pytest.mark.parametrize("deed", ["changed", "gone"])
    def test_a_file_that_is_another_hides_the_claims_that_rest_on_it_and_only_these(
        self, record: Path, deed: str
    ) -> None:
        for name in ("tests/faults/test_canary.py", "apikeys/tokens.py"):
            resting = {claim.name for claim in CLAIMS if name in evidence.sources(claim)}
            before, file = evidence.holding(record, record.parent), record.parent / name
            content = file.read_text()
            if deed == "changed":
                file.write_text(content + " ")
            else:
                file.unlink()

            hidden = set(before) - set(evidence.holding(record, record.parent))

            file.write_text(content)
            assert hidden == resting
            assert 0 < len(hidden) < len(CLAIMS)

    def test_a_folder_stands_for_every_file_in_it(self, tmp_path: Path) -> None:
        claim = dataclasses.replace(CLAIMS[0], files=("units",), tests=("test.py",))
        (tmp_path / "test.py").touch()
        assert evidence.fingerprint(claim, tmp_path) is None
        (tmp_path / "units").mkdir()
        prints = set()
        for name, content in (("a", "x"), ("b", ""), ("b", "x"), ("c", "")):
            (tmp_path / "units" / name).write_text(content)
            prints.add(evidence.fingerprint(claim, tmp_path))

        assert None not in prints
        assert len(prints) == 4

    def test_an_entry_that_was_edited_or_taken_out_hides_its_claim_and_only_it(self, record: Path) -> None:
        entries = json.loads(record.read_bytes())
        entries["own_key"]["fingerprint"] = "0" * 64
        del entries["roles"]
        record.write_text(json.dumps(entries))

        held = evidence.holding(record, record.parent)

        assert {claim.name for claim in CLAIMS} - set(held) == {"own_key", "roles"}

    @pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"own_key": []}', '{"own_key": {"passed_on": 1}}'])
    def test_a_record_that_cannot_be_read_proves_nothing(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "evidence.json").write_text(content)

        assert evidence.holding(tmp_path / "evidence.json", settings.BASE_DIR) == {}
        assert evidence.holding(tmp_path / "nowhere.json", settings.BASE_DIR) == {}


class TestTheRun:
    def test_a_claim_holds_when_each_of_its_tests_passed_and_none_failed(self, tmp_path: Path) -> None:
        [claim] = [claim for claim in CLAIMS if claim.name == "off_everywhere"]
        [node] = claim.tests
        module, test = evidence_run.dotted(node).rsplit(".", 1)
        for inside, held in (
            ("", True),
            ("<failure/>", False),
            ("<error/>", False),
            ('<skipped message="missing component: redis-server"/>', False),
            ('<skipped message="only on PostgreSQL"/>', False),
        ):
            (tmp_path / "run.xml").write_text(
                f'<t><testcase classname="{module}" name="{test}[one]">{inside}</testcase></t>'
            )
            assert evidence_run.holds(claim, evidence_run.outcomes(tmp_path)) is held, inside

        assert not evidence_run.holds(claim, {})


class SecurityPageTests(HouseTest):
    def test_every_claim_that_holds_is_on_the_page_in_every_language(self) -> None:
        days = {claim.name: date(2026, 11, 26) for claim in CLAIMS}
        pages = {}
        for language in ("sv", "en", "de"):
            with self.shown(days):
                pages[language] = self.visitor.opens("/security/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
            for claim in CLAIMS:
                self.assertIn(f'id="{claim.name}"', pages[language])
            for subject in SUBJECTS:
                self.assertIn(f'href="#{subject.name}"', pages[language])
        for claim in CLAIMS:
            for sentence in (claim.says, claim.how, claim.check):
                said = {language: told(sentence, language) for language in pages}
                self.assertEqual(len(set(said.values())), 3, sentence)
                for language, words in said.items():
                    self.assertIn(words, pages[language])

    def test_a_claim_that_does_not_hold_is_left_out_with_its_subject_when_it_was_the_last(self) -> None:
        days = {claim.name: date(2026, 11, 26) for claim in CLAIMS if claim.name not in ("own_key", "roles")}
        with self.shown(days):
            page = self.visitor.opens("/security/").content.decode()

        self.assertNotIn('id="own_key"', page)
        self.assertIn('id="keys_apart"', page)
        self.assertIn(f"{len(days)} statements", page)

        with self.shown({"keys_apart": date(2026, 11, 26)}):
            page = self.visitor.opens("/security/").content.decode()

        self.assertIn("1 statement,", page)
        self.assertNotIn('id="api"', page)

    def test_what_only_production_has_is_claimed_there_only(self) -> None:
        days = {claim.name: date(2026, 11, 26) for claim in CLAIMS}
        with self.shown(days), override_settings(EMBEDDED=True, LOG_KEYS=[]):
            page = self.visitor.opens("/security/").content.decode()

        hidden = {claim.name for claim in CLAIMS if f'id="{claim.name}"' not in page}
        self.assertEqual(hidden, {claim.name for claim in CLAIMS if claim.only_with})
        self.assertLess({"own_name_only", "sealed_log"}, hidden)

    def test_without_any_the_page_says_so_and_still_says_what_is_not_promised(self) -> None:
        with self.shown({}):
            page = self.visitor.opens("/security/")

        self.assertContains(page, "could not be verified in this version")
        self.assertContains(page, 'id="limits"')

    def test_what_the_operator_says_of_the_hosting_is_shown_as_that_and_only_when_it_is_said(self) -> None:
        self.assertNotContains(self.visitor.opens("/security/"), 'id="hosting"')
        said = hosting.Hosting(
            "Servers <b>& more", "Finland", ["ISO 27001"], hosting.documents("Agreement https://host.example/dpa.pdf")
        )
        with override_settings(HOSTING=said):
            page = self.visitor.opens("/security/")

        for text in ("Servers &lt;b&gt;&amp; more", "Finland", "ISO 27001", "our tests cannot prove it"):
            self.assertContains(page, text)
        self.assertContains(page, '<a href="https://host.example/dpa.pdf" rel="noreferrer">Agreement</a>', html=True)

    def test_every_page_leads_to_it(self) -> None:
        for path in ("/", "/countries/", "/sign-in/", "/no-such-page/"):
            self.assertContains(
                self.visitor.opens(path), 'href="/security/"', status_code=404 if "no-" in path else 200
            )

    @contextmanager
    def shown(self, days: dict[str, date]) -> Iterator[None]:
        """Let just these claims hold, in production."""
        evidence.sections.cache_clear()
        with patch("privacy.evidence.holding", return_value=days), override_settings(EMBEDDED=False, LOG_KEYS=["some"]):
            yield
        evidence.sections.cache_clear()


class SecurityTxtTests(HouseTest):
    @override_settings(SECURITY_CONTACTS=["mailto:security@ibanse.example", "https://ibanse.example/weakness"])
    def test_it_is_as_rfc_9116_wants_it(self) -> None:
        answer = self.visitor.opens("/.well-known/security.txt")

        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
        lines = [line.split(": ", 1) for line in answer.content.decode().splitlines()]
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

    def test_without_anybody_to_tell_there_is_none(self) -> None:
        self.assertEqual(self.visitor.opens("/.well-known/security.txt").status_code, 404)
        self.assertNotContains(self.visitor.opens("/security/"), "Write to:")


class NoticeTests(HouseTest):
    def test_the_notice_lists_what_is_kept_from_the_same_source_as_the_settings(self) -> None:
        page = self.visitor.opens("/privacy/").content.decode()

        for line in kept.LINES.values():
            self.assertIn(told(line.what), page)
            self.assertIn(told(line.until), page)
