"""The language of messages: the caller's choice for one call, and nothing else changes with it."""

from django.utils import translation

from tests.base import BaseTest
from validation import messages
from validation.engine import check

VALIDATE = "/api/v1/validate"
WRONG = {"iban": "de88 3704 0044 0532 0130 00"}


class LanguageChoiceTests(BaseTest):
    def test_the_preferred_language_is_chosen(self) -> None:
        for accepted, chosen in (
            (None, "en"),
            ("", "en"),
            ("sv", "sv"),
            ("de", "de"),
            ("en", "en"),
            ("sv-SE,sv;q=0.9,en;q=0.8", "sv"),
            ("de-AT", "de"),
            ("DE-ch", "de"),
            ("fr,it;q=0.9,de;q=0.1", "de"),
            ("en;q=0.5, sv;q=0.6", "sv"),
            ("fr", "en"),
            ("*", "en"),
            ("sv;q=0", "en"),
            ("sv;q=0, de;q=0.1", "de"),
            ("sv;q=2", "en"),
            ("svenska", "en"),
            ("sv_SE", "en"),
            ("../../etc/passwd", "en"),
            ("sv\x00", "en"),
            ("\xff\xfe", "en"),
            (",;=,;q=", "en"),
            ("de," * 3000, "de"),
            ("x" * 8000, "en"),
        ):
            with self.subTest(accepted=(accepted or "")[:30]):
                response = self.calls(None, VALIDATE, HTTP_ACCEPT_LANGUAGE=accepted)

                self.assert_problem(response, "key_missing", 401)
                self.assertEqual(response["Content-Language"], chosen)

    def test_cookie_and_path_are_ignored(self) -> None:
        response = self.calls(None, VALIDATE, HTTP_COOKIE="language=de", QUERY_STRING="language=sv")

        self.assertEqual(response["Content-Language"], "en")


class MessageLanguageTests(BaseTest):
    def test_only_messages_and_names_differ(self) -> None:
        key = self.alice.key()
        verdicts = {
            language: self.calls(key, VALIDATE, WRONG, HTTP_ACCEPT_LANGUAGE=language).json()
            for language in ("en", "sv", "de")
        }

        self.assertEqual(
            [verdicts[language]["country"]["name"] for language in verdicts], ["Germany", "Tyskland", "Deutschland"]
        )
        self.assertTrue(verdicts["en"]["reasons"][0]["message"].startswith("The check digits are 88"))
        self.assertEqual(len({verdict["reasons"][0]["message"] for verdict in verdicts.values()}), 3)
        self.assertEqual(len({verdict["warnings"][0]["message"] for verdict in verdicts.values()}), 3)
        for verdict in verdicts.values():
            verdict["country"]["name"] = ""
            for finding in (*verdict["reasons"], *verdict["warnings"]):
                finding["message"] = ""
        self.assertEqual(verdicts["en"], verdicts["sv"])
        self.assertEqual(verdicts["en"], verdicts["de"])

    def test_a_batch_has_messages_of_its_own_for_each(self) -> None:
        numbers = [f"SE{digits:02d}50000000058398257466"[:length] for digits in range(2, 99) for length in (23, 24)]
        numbers += [f"DE8937040044053201300{character}" + "0" * more for character in "AZ0" for more in (0, 1, 2)]
        numbers += ["XX00", "YY00", "SE45 5000 0000 0583 9825 7466é", "SE45 5000 0000 0583 9825 746ß", "", "a" * 200]
        for language in ("en", "sv", "de"):
            body = {"ibans": numbers}
            response = self.calls(self.alice.key(), f"{VALIDATE}/batch", body, HTTP_ACCEPT_LANGUAGE=language)
            for number, result in zip(numbers, response.json()["results"], strict=True):
                verdict = check(number)
                with self.subTest(number=number, language=language), translation.override(language):
                    self.assertEqual(
                        [reason["message"] for reason in result["reasons"]],
                        [messages.reason(reason, verdict) for reason in verdict.reasons],
                    )

    def test_countries_are_named_in_the_callers_language(self) -> None:
        key = self.alice.key()
        for language, name in (("en", "Germany"), ("sv", "Tyskland"), ("de", "Deutschland")):
            for path in ("/api/v1/countries/DE", "/api/v1/countries", "/api/v1/bics/COBADEFFXXX"):
                response = self.calls(key, path, method="GET", HTTP_ACCEPT_LANGUAGE=language)

                self.assertIn(f'"name":"{name}"', response.content.decode())

    def test_a_call_activates_no_language(self) -> None:
        key = self.alice.key()
        with translation.override("sv"):
            for language in ("de", "en"):
                self.calls(key, VALIDATE, WRONG, HTTP_ACCEPT_LANGUAGE=language)
                self.calls(key, "/api/v1/validate/batch", {"ibans": [WRONG["iban"]]}, HTTP_ACCEPT_LANGUAGE=language)
                self.calls(key, VALIDATE, {"wrong": 1}, HTTP_ACCEPT_LANGUAGE=language)
                self.assertEqual(translation.get_language(), "sv")

        first = self.calls(key, VALIDATE, WRONG, HTTP_ACCEPT_LANGUAGE="de").json()
        then = self.calls(key, VALIDATE, WRONG).json()
        self.assertNotEqual(first["reasons"][0]["message"], then["reasons"][0]["message"])
        self.assertEqual(then["country"]["name"], "Germany")
