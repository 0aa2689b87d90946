"""The pages about countries, as a visitor reads them."""

import pytest

from tests.base import BaseTest, Visitor
from tests.validation.site.test_check_page import words
from validation.engine.registry import COUNTRIES
from validation.site.countries import matching


class CountryPagesTests(BaseTest):
    def test_every_country_has_a_page_in_every_language(self) -> None:
        for language in ("sv", "en", "de"):
            visitor = Visitor(language=language)
            for code in COUNTRIES:
                with self.subTest(code=code, language=language):
                    self.assertEqual(visitor.opens(f"/countries/{code.lower()}/").status_code, 200)

    def test_a_country_is_drawn_position_by_position(self) -> None:
        text = words(self.visitor.opens("/countries/pl/"))

        self.assertIn("An IBAN has 28 characters here.", text)
        self.assertIn("Bank code 5–11 7 digits 1090101", text)
        self.assertIn("National check digits 12 1 digit 4", text)
        self.assertIn("Account number 13–28 16 digits", text)

    def test_a_country_shows_checks_and_directory_date(self) -> None:
        text = words(self.visitor.opens("/countries/de/"))

        self.assertIn("Deutsche Bundesbank, Bankleitzahlendatei, October 2026", text)
        self.assertRegex(text, r"[23],\d{3} bank codes")
        self.assertIn("We have no bank list for this country.", words(self.visitor.opens("/countries/br/")))
        self.assertIn("Our bank list for this country is incomplete", words(self.visitor.opens("/countries/es/")))

    def test_sepa_follows_the_payments_council(self) -> None:
        for code, expected in (("al", "Yes, the"), ("rs", "Yes, the"), ("nc", "No, the"), ("br", "No, the")):
            self.assertIn(f"SEPA payments {expected}", words(self.visitor.opens(f"/countries/{code}/")))

    def test_a_territory_names_its_parent(self) -> None:
        self.assertIn("France (FR)", words(self.visitor.opens("/countries/gp/")))

    def test_capitals_redirect(self) -> None:
        response = self.visitor.opens("/countries/SE/")

        self.assertRedirects(response, "/countries/se/", status_code=301)

    def test_an_unknown_country_is_a_kind_404(self) -> None:
        for code in ("zz", "s", "sverige", "%00", "..."):
            response = self.visitor.opens(f"/countries/{code}/")
            self.assertEqual(response.status_code, 404)
            self.assertIn("Page not found", words(response))

    def test_the_list_is_sorted_as_its_language_sorts(self) -> None:
        text = words(Visitor(language="sv").opens("/countries/"))

        self.assertLess(text.index("Ungern"), text.index("Åland"))
        self.assertLess(text.index("Åland"), text.index("Österrike"))

    def test_the_list_finds_by_name_and_by_code_whatever_the_accents(self) -> None:
        for question, code in (("swe", "SE"), ("SE", "SE"), ("turkiye", "TR"), ("cote", "CI")):
            response = self.visitor.opens(f"/countries/?q={question}")
            self.assertContains(response, f'href="/countries/{code.lower()}/"')

    def test_a_search_without_a_hit_offers_the_whole_list(self) -> None:
        response = self.visitor.opens("/countries/?q=%3Cb%3Eatlantis")

        self.assertContains(response, "&lt;b&gt;atlantis")
        self.assertIn("Show all", words(response))

    def test_the_list_holds_every_country_once(self) -> None:
        self.assertEqual(sorted(page.code for page in matching("")), sorted(COUNTRIES))


@pytest.mark.parametrize("code", sorted(COUNTRIES))
def test_the_parts_of_every_country_cover_its_number_without_gap_or_overlap(code: str) -> None:
    country = COUNTRIES[code]
    places = [place for part in country.parts for place in range(part.start, part.end)]

    assert places == list(range(country.length - 4))
