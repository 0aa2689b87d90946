"""Documents issued to a client: complete, its own, unchanged, in three languages."""

import io
import json
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils import translation
from pypdf import PdfReader

from accounts.audit import client_log
from accounts.profile import details
from ibanse.config import subprocessors
from privacy import legal, vault
from privacy.inventory import registry
from privacy.legal import agreement, pdf
from privacy.legal.parties import Party
from privacy.models import ClientDocument
from privacy.security_page import evidence
from privacy.security_page.claims import SUBJECTS
from tests.base import BaseTest, Person

if TYPE_CHECKING:
    from tests.base import PageResponse

PATH: Final = "/account/settings/documents/"
COMPANY: Final = "Łódź & Søn <b>Österlen</b> AB"
CONTACT: Final = details.Contact(
    company=COMPANY,
    person="Zoë Çelik",
    street="Östra Ågatan 5",
    postcode="753 22",
    city="Uppsala",
    country="SE",
    organisation_number="556677-8899",
)
OPERATOR: Final[dict[str, Any]] = {
    "OPERATOR_NAME": "Nordkoll AB",
    "OPERATOR_NUMBER": "556000-4615",
    "OPERATOR_ADDRESS": "Storgatan 1, 222 22 Lund",
    "SUBPROCESSORS": subprocessors.parse("Värd GmbH | Germany | runs the servers"),
}
TITLES: Final = {
    "sv": ("Personuppgiftsbiträdesavtal", "Tekniska och organisatoriska åtgärder"),
    "en": ("Data-processing agreement", "Technical and organisational measures"),
    "de": ("Vertrag zur Auftragsverarbeitung", "Technische und organisatorische Maßnahmen"),
}
# The fingerprint of the English text of the agreement. Another text needs another version: update both here.
WORDS: Final = {"2026-12": "d5458d66d1faf25e"}


def text_of(pages: bytes) -> str:
    """Return the text of a PDF, with single spaces."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pages)).pages).split())


def proved() -> tuple[evidence.ClaimSection, ...]:
    """Every claim there is, as if its tests had just passed."""
    return tuple(
        evidence.ClaimSection(
            subject, tuple(evidence.ShownClaim(claim, date(2026, 11, 26)) for claim in subject.claims)
        )
        for subject in SUBJECTS
    )


@override_settings(**OPERATOR)
class DocumentTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        details.save_contact(self.alice.client, CONTACT, by=self.alice.actor)
        shown = patch("privacy.security_page.evidence.sections", return_value=proved())
        self.sections = shown.start()
        self.addCleanup(shown.stop)

    def asks(self, kind: str = "agreement", language: str = "en", person: Person | None = None) -> "PageResponse":
        return (person or self.alice).posts(f"{PATH}make/", {"kind": kind, "language": language})

    def fetches(self, row: ClientDocument) -> bytes:
        response = self.alice.posts(f"{PATH}{row.pk}/download/")
        self.assertEqual((response.status_code, response["Content-Type"]), (200, "application/pdf"))
        self.assertEqual(response["Cache-Control"], "no-store")
        return response.content

    def test_both_documents_name_the_parties_in_three_languages(self) -> None:
        for language, titles in TITLES.items():
            for kind, title in zip(("agreement", "measures"), titles, strict=True):
                with self.subTest(kind=kind, language=language):
                    self.asks(kind, language)
                    row = ClientDocument.objects.get(kind=kind, language=language)
                    pages = self.fetches(row)
                    text = text_of(pages)
                    place = {"sv": "Sverige", "en": "Sweden", "de": "Schweden"}[language]
                    for words in (title, COMPANY, "556677-8899", "Östra Ågatan 5", place, "Nordkoll AB", row.version):
                        self.assertIn(words, text)
                    self.assertIn(legal.spaced(legal.opened(row).facts.fingerprint), text)
                    reader = PdfReader(io.BytesIO(pages))
                    assert reader.metadata is not None
                    self.assertEqual((reader.metadata.title, reader.metadata.author), (title, "Nordkoll AB"))
                    self.assertEqual(reader.root_object["/Lang"], language)

    def test_the_agreement_has_every_point_of_the_article_and_the_measures_every_claim_that_holds(self) -> None:
        self.asks()
        text = text_of(self.fetches(ClientDocument.objects.get(kind="agreement")))
        for point in "abcdefgh":
            self.assertIn(f"28(3)({point})", text)
        self.assertIn("Värd GmbH, Germany: runs the servers", text)

        self.sections.return_value = proved()[:2]
        self.asks("measures")
        text = text_of(self.fetches(ClientDocument.objects.get(kind="measures")))
        with translation.override("en"):
            for number, subject in enumerate(SUBJECTS):
                for claim in subject.claims:
                    self.assertEqual(" ".join(str(claim.says).split()) in text, number < 2, claim.slug)

    def test_a_document_stays_byte_for_byte_and_is_not_created_twice(self) -> None:
        self.asks()
        first = ClientDocument.objects.get()
        pages = self.fetches(first)
        self.asks()
        self.assertEqual(ClientDocument.objects.count(), 1, "a second click")

        with override_settings(SUBPROCESSORS=()):
            self.asks()
        second = ClientDocument.objects.exclude(pk=first.pk).get()
        self.assertIn("no other processor was engaged", text_of(self.fetches(second)))
        details.save_contact(self.alice.client, details.Contact("Other AB", street="X", city="Y"), by=self.alice.actor)
        self.asks()
        self.assertEqual(ClientDocument.objects.count(), 3)
        self.assertEqual(self.fetches(first), pages)
        listed = self.alice.opens(PATH)
        for document in legal.documents_of(self.alice.client):
            self.assertContains(listed, legal.spaced(document.facts.fingerprint))

    def test_the_same_document_gives_the_same_bytes(self) -> None:
        party = Party("A", "", "B")
        with translation.override("en"):
            paper = agreement.paper(party, party)
        one, other = (pdf.write(paper, pdf.Imprint("en", "A", date(2026, 11, 26), "foot")) for _ in range(2))
        later = pdf.write(paper, pdf.Imprint("en", "A", date(2026, 11, 27), "foot"))

        self.assertEqual(one, other)
        self.assertNotEqual(one, later)

    @override_settings(SUBPROCESSORS=(), SITE_URL="https://ibanse.example")
    def test_another_text_has_another_version(self) -> None:
        party = Party("A", "", "B")
        with translation.override("en"):
            words = json.dumps(str(agreement.paper(party, party)))

        self.assertEqual(WORDS[agreement.VERSION], sha256(words.encode()).hexdigest()[:16], "give it a new VERSION")

    def test_each_is_recorded_and_exported(self) -> None:
        self.asks()
        self.fetches(ClientDocument.objects.get())

        shown = client_log.open_entries(self.alice.client, client_log.entries(self.alice.client)[:2])
        self.assertEqual([entry.details["document"] for entry in shown], ["agreement", "agreement"])
        self.assert_recorded("privacy.document_made", self.alice.client)
        self.assert_recorded("privacy.document_downloaded", self.alice.client)
        self.assertContains(self.alice.opens("/account/history/"), "Data-processing agreement")
        tables = {table.name: list(table.rows) for table in registry.export(self.alice.client)}
        [row] = tables["documents"]
        self.assertEqual((row["company"], row["requested_by"]), (COMPANY, "alice@example.com"))
        self.assertEqual(tables["contact"][0]["organisation_number"], "556677-8899")

    def test_it_opens_for_its_client_only(self) -> None:
        self.asks()
        row = ClientDocument.objects.get()
        for sealed in (row.sealed_facts, row.sealed_pdf):
            self.assertNotIn(b"PDF", bytes(sealed))
            self.assertNotIn(COMPANY.encode(), bytes(sealed))

        self.assertEqual(self.vera.opens(PATH).status_code, 403)
        self.assertEqual(self.vera.posts(f"{PATH}{row.pk}/download/").status_code, 403)
        self.assertEqual(self.asks(person=self.vera).status_code, 403)
        self.assertEqual(self.mallory.posts(f"{PATH}{row.pk}/download/").status_code, 404)
        self.assertNotContains(self.mallory.opens(PATH), "Österlen")
        ClientDocument.objects.filter(pk=row.pk).update(client=self.mallory.client)
        with self.assertRaises(vault.VaultError):
            legal.download(self.mallory.client, row.pk, by=self.mallory.actor)

    def test_missing_details_are_named_and_nothing_is_created(self) -> None:
        page = self.mallory.opens(PATH)
        self.assertContains(page, "Missing there: Company, Street and number, City.")
        self.assertContains(page, 'href="/account/contact/"')
        self.assertEqual(self.asks(person=self.mallory).status_code, 409)

        for missing in ({"OPERATOR_NAME": ""}, {"SUBPROCESSORS": None}):
            with override_settings(**missing):
                self.assertContains(self.alice.opens(PATH), "have not been set up yet")
                self.assertEqual(self.asks().status_code, 409)
        self.sections.return_value = ()
        self.assertContains(self.asks("measures"), "their results are missing", status_code=409)
        self.assertEqual(self.asks("everything").status_code, 422)
        self.assertFalse(ClientDocument.objects.exists())

    def test_unusual_characters_are_printed_or_named(self) -> None:
        details.save_contact(
            self.alice.client, details.Contact("東京 Ελλάδα", street="X", city="Y"), by=self.alice.actor
        )
        page = self.asks()
        self.assertContains(page, "does not support these characters: 東 京.", status_code=409)

        for company in ("Ελλάδα ΑΕ", "Ромашка", "%(title)s {0} \\ ${x} **b** --", "ß ẞ € ½ " + "W" * 80):
            with self.subTest(company=company):
                details.save_contact(
                    self.alice.client, details.Contact(company, street="X", city="Y"), by=self.alice.actor
                )
                self.asks()
                pages = self.fetches(ClientDocument.objects.order_by("-made_at")[0])
                self.assertIn(company.replace(" ", ""), text_of(pages).replace(" ", ""))

    def test_an_owner_can_delete_one_and_the_audit_log_names_it(self) -> None:
        self.asks()
        row = ClientDocument.objects.get()
        path = f"{PATH}{row.pk}/delete/"
        self.assertEqual(self.mallory.posts(path).status_code, 404)
        self.assertContains(self.alice.opens(path), "Delete this document?")
        self.assertEqual(ClientDocument.objects.count(), 1)

        self.assertRedirects(self.alice.posts(path), PATH)
        self.assertFalse(ClientDocument.objects.exists())
        self.assert_recorded("privacy.document_deleted", self.alice.client)
        self.assertEqual(self.alice.posts(path).status_code, 404)

    def test_more_than_twenty_a_day_are_refused(self) -> None:
        with patch("privacy.legal.MOST_PER_DAY", 1):
            self.asks()
            self.assertContains(self.asks(language="sv"), "try again tomorrow", status_code=409)


class TestSubprocessors:
    def test_an_unset_list_is_not_an_empty_one(self) -> None:
        assert subprocessors.parse("") is None
        assert subprocessors.parse("none") == ()

    def test_each_has_a_name_a_country_and_a_purpose(self) -> None:
        one, other = subprocessors.parse("A GmbH|Germany|servers; B AB | Sweden | mail ;") or ()

        assert (one.name, one.country, one.purpose, other.name) == ("A GmbH", "Germany", "servers", "B AB")
        with pytest.raises(ImproperlyConfigured, match="'A GmbH, Germany'"):
            subprocessors.parse("A GmbH, Germany")
