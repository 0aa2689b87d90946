"""What each call returns and what it costs."""

import itertools
from typing import Any, get_args

import pytest

from tests.base import BaseTest, CallResponse
from validation.engine.reasons import ReasonCode, WarningCode
from validation.engine.registry import COUNTRIES

VALIDATE = "/api/v1/validate"
BATCH = "/api/v1/validate/batch"
CALCULATE = "/api/v1/calculate"
RECOVER = "/api/v1/recover"
EXTRACT = "/api/v1/extract"
USAGE = "/api/v1/usage"
SWEDISH, GERMAN = "SE4550000000058398257466", "DE89370400440532013000"
UNKNOWN_BANK = "DE44999999990532013000"

# https://www.iban.com/testibans, with the reasons that hold without Pay.UK's tables; None: valid.
PUBLIC_TEST_IBANS = {
    "GB33BUKB20201555555555": None,
    "GB94BARC10201530093459": None,
    "GB94BARC20201530093459": "checksum",
    "GB96BARC202015300934591": "length",
    "GB02BARC20201530093451": None,
    "GB68CITI18500483515538": None,
    "GB24BARC20201630093459": None,
    "GB12BARC20201530093A59": "structure",
    "GB78BARCO0201530093459": "structure",
    "GB2LABBY09012857201707": "structure",
    "GB01BARC20714583608387": "checksum",
    "GB00HLFX11016111455365": "checksum",
    "US64SVBKUS6S3300958879": "country",
}

# Every reason and warning there is → an input that has it.
FINDINGS = {
    "characters": "DE89 3704 0044 0532 0130 0!",
    "country": "US64SVBKUS6S3300958879",
    "length": "DE8937040044053201300",
    "structure": "GB12BARC20201530093A59",
    "checksum": "DE88370400440532013000",
    "national_check_digits": "DE39370400440533013000",
    "bank_unknown": UNKNOWN_BANK,
    "territory_prefix": "",
    "aspirational_country": "",
    "normalised": "de89 3704 0044 0532 0130 00",
}


class ApiCallTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.key = self.alice.key(rate_per_minute=1_000_000)

    def call(self, path: str, body: object = None, **sent: Any) -> CallResponse:
        """Return the response to a call with a key for everything."""
        return self.calls(self.key, path, body, method="GET" if body is None else "POST", **sent)

    def result(self, path: str, body: object = None, **sent: Any) -> Any:
        """Return the content of the response to a right call."""
        response = self.call(path, body, **sent)
        self.assertEqual(response.status_code, 200, response.content)
        self.assertEqual(response["Content-Type"], "application/json")
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertEqual(response["Content-Length"], str(len(response.content)))
        return response.json()

    def verdict(self, text: str) -> Any:
        """Return the verdict on one input."""
        return self.result(VALIDATE, {"iban": text})

    def used(self) -> int:
        """Return how many units of the quota are used."""
        used: int = self.result(USAGE)["used"]
        return used


class ValidateCallTests(ApiCallTest):
    def test_a_verdict_is_as_documented(self) -> None:
        result = self.verdict("se45 5000 0000 0583 9825 7466")

        bank = result["bank"]
        self.assertEqual(
            result,
            {
                "input": "se45 5000 0000 0583 9825 7466",
                "iban": SWEDISH,
                "formatted": "SE45 5000 0000 0583 9825 7466",
                "valid": True,
                "checks": {
                    "characters": "passed",
                    "country": "passed",
                    "length": "passed",
                    "structure": "passed",
                    "checksum": "passed",
                    "national_check_digits": result["checks"]["national_check_digits"],
                    "bank": "known",
                },
                "reasons": [],
                "warnings": result["warnings"],
                "country": {"code": "SE", "name": "Sweden", "sepa": True, "registry": "official"},
                "bank": {
                    "code": "500",
                    "branch_code": None,
                    "name": bank["name"],
                    "bic": "ESSESESS",
                    "candidates": ["ESSESESS"],
                    "source": bank["source"],
                    "as_of": bank["as_of"],
                },
                "account": {"bban": SWEDISH[4:], "number": result["account"]["number"]},
                "suggestions": [],
                "data_version": result["data_version"],
            },
        )
        self.assertEqual(list(result)[:4], ["input", "iban", "formatted", "valid"])
        self.assertTrue(bank["name"])
        self.assertRegex(bank["as_of"], r"\A\d{4}-\d\d\Z")
        self.assertEqual([warning["code"] for warning in result["warnings"]], ["normalised"])
        self.assertNotIn("position", result["warnings"][0])

    def test_public_test_ibans_get_their_published_verdict(self) -> None:
        batch = self.result(BATCH, {"ibans": list(PUBLIC_TEST_IBANS)})["results"]
        for (text, reason), in_batch in zip(PUBLIC_TEST_IBANS.items(), batch, strict=True):
            with self.subTest(iban=text):
                alone = self.verdict(text)

                self.assertEqual(alone["valid"], reason is None)
                self.assertEqual([found["code"] for found in alone["reasons"]][:1], [reason] if reason else [])
                self.assertEqual({**alone, "suggestions": []}, in_batch)

    def test_an_unknown_bank_is_not_invalid(self) -> None:
        result = self.verdict(UNKNOWN_BANK)

        self.assertTrue(result["valid"])
        self.assertEqual(result["checks"]["bank"], "unknown")
        self.assertIsNone(result["bank"])
        self.assertIn("bank_unknown", [warning["code"] for warning in result["warnings"]])

    def test_every_reason_and_warning_has_a_message(self) -> None:
        unregistered = {country.status: country.example for country in COUNTRIES.values()}
        inputs = {
            **FINDINGS,
            "territory_prefix": unregistered["territory"],
            "aspirational_country": unregistered["aspirational"],
        }
        self.assertEqual(set(inputs), {*get_args(ReasonCode), *get_args(WarningCode)})
        for code, text in inputs.items():
            with self.subTest(code=code):
                result = self.verdict(text)

                found = {finding["code"]: finding for finding in (*result["reasons"], *result["warnings"])}
                self.assertIn(code, found)
                for finding in found.values():
                    self.assertTrue(finding["message"].endswith("."), finding)
                    self.assertNotIn("%(", finding["message"])

    def test_reasons_have_position_and_expectation(self) -> None:
        for text, reason in (
            ("DE88370400440532013000", {"code": "checksum", "position": 3, "expected": "89"}),
            ("DE8937040044053201300", {"code": "length", "expected": 22}),
            ("GB12BARC20201530093A59", {"code": "structure", "position": 20, "expected": "n"}),
            ("DE89 3704 0044 0532 0130 0!", {"code": "characters", "position": 22}),
        ):
            with self.subTest(text=text):
                [first, *_others] = self.verdict(text)["reasons"]

                self.assertEqual({name: first.get(name) for name in reason}, reason)

    def test_empty_and_long_texts_have_the_wrong_length(self) -> None:
        for text in ("", " ", "IBAN", "IBAN:", "-", "1" * 129, GERMAN + " " * 129, "x" * 100_000):
            with self.subTest(text=text[:30]):
                result = self.verdict(text)

                self.assertFalse(result["valid"])
                self.assertEqual(result["reasons"][0]["code"], "length")
                self.assertLessEqual(len(result["input"]), 128)
        self.assertTrue(self.verdict(GERMAN + " " * (128 - len(GERMAN)))["valid"])

    def test_lookalike_characters_are_wrong(self) -> None:
        for text in ("DE８9370400440532013000", "ıE89", "DE89\u200b370400440532013000", "\ufeffDE89", "DE89\x00", "😀"):
            with self.subTest(text=text):
                self.assertEqual(self.verdict(text)["reasons"][0]["code"], "characters")

    def test_only_a_single_check_suggests_repairs(self) -> None:
        wrong = "DE89370400440532031000"

        self.assertIn(GERMAN, self.verdict(wrong)["suggestions"])
        [in_batch] = self.result(BATCH, {"ibans": [wrong]})["results"]
        self.assertEqual(in_batch["suggestions"], [])

    def test_the_input_is_returned_without_markup(self) -> None:
        hostile = '</script><script>alert(1)</script>"\\\u2028'
        response = self.call(VALIDATE, {"iban": hostile})

        self.assertEqual(response.json()["input"], hostile)
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")


class BatchCallTests(ApiCallTest):
    def test_a_batch_is_ordered_and_summed_up(self) -> None:
        texts = [GERMAN, "x", SWEDISH, "", GERMAN, "DE88370400440532013000"] * 100
        result = self.result(BATCH, {"ibans": texts})

        self.assertEqual([verdict["input"] for verdict in result["results"]], texts)
        self.assertEqual(
            [verdict["valid"] for verdict in result["results"]][:6], [True, False, True, False, True, False]
        )
        self.assertEqual(result["summary"], {"total": 600, "valid": 300, "invalid": 300})

    def test_a_batch_may_have_a_thousand(self) -> None:
        result = self.result(BATCH, {"ibans": [SWEDISH] * 1000})

        self.assertEqual(result["summary"], {"total": 1000, "valid": 1000, "invalid": 0})

    def test_a_batch_is_charged_whole_or_not_at_all(self) -> None:
        self.alice.client.monthly_quota = 10
        self.alice.client.save()

        self.assert_problem(self.call(BATCH, {"ibans": [GERMAN] * 11}), "quota_exhausted", 429)
        self.assertEqual(self.used(), 0)
        self.result(BATCH, {"ibans": [GERMAN] * 7})
        self.assert_problem(self.call(BATCH, {"ibans": [GERMAN] * 4}), "quota_exhausted", 429)
        self.assertEqual(self.used(), 7)
        self.result(BATCH, {"ibans": [GERMAN] * 3})
        self.assert_problem(self.call(VALIDATE, {"iban": GERMAN}), "quota_exhausted", 429)
        self.assertEqual(self.result(USAGE)["remaining"], 0)


class ToolCallTests(ApiCallTest):
    def test_an_account_number_becomes_an_iban_with_its_verdict(self) -> None:
        result = self.result(CALCULATE, {"country": "DE", "bank_code": "37040044", "account_number": "532013000"})

        self.assertEqual(result["iban"], GERMAN)
        self.assertTrue(result["verdict"]["valid"])
        self.assertEqual(result["verdict"]["iban"], GERMAN)

    def test_a_wrong_account_number_is_refused_with_the_field(self) -> None:
        for changed in ({"bank_code": "3704"}, {"account_number": "53201300012345"}, {"country": "US"}):
            body = {"country": "DE", "bank_code": "37040044", "account_number": "532013000", **changed}

            self.assert_problem(self.call(CALCULATE, body), "invalid_request", 400)

    def test_unreadable_characters_are_recovered(self) -> None:
        result = self.result(RECOVER, {"iban": "SE45 5000 0000 0583 9825 746?"})

        self.assertEqual(result, {"candidates": [SWEDISH], "total": 1, "truncated": False})

    def test_at_most_a_hundred_candidates_are_listed(self) -> None:
        result = self.result(RECOVER, {"iban": "GB??BUKB2020155555555?"})

        self.assertLessEqual(len(result["candidates"]), 100)
        self.assertEqual(result["truncated"], result["total"] > len(result["candidates"]))

    def test_ibans_are_found_in_a_text(self) -> None:
        text = f"😀 Pay {GERMAN} or SE45 5000 0000 0583 9825 7466, please."
        result = self.result(EXTRACT, {"text": text})["ibans"]

        self.assertEqual([found["verdict"]["iban"] for found in result], [GERMAN, SWEDISH])
        for found in result:
            self.assertEqual(text[found["start"] : found["end"]], found["text"])

    def test_a_hostile_text_takes_no_time(self) -> None:
        for text in (
            "DE" * 50_000,
            "DE89 " * 20_000,
            " " * 100_000,
            "1" * 100_000,
            "\u0000" * 100_000,
            "DE89-" * 20_000,
        ):
            with self.subTest(text=text[:10]):
                self.result(EXTRACT, {"text": text})

    def test_a_bic_is_looked_up(self) -> None:
        result = self.result("/api/v1/bics/COBADEFFXXX")
        self.assertEqual((result["valid"], result["known"], result["country"]["code"]), (True, True, "DE"))

        for odd in ("x", "COBADEFFXX", "COBAXXFF", "ſOBADEFF", "😀", "%", "a" * 8000, "COBADEFF ?", "..", "{bic}"):
            with self.subTest(bic=odd[:20]):
                result = self.result(f"/api/v1/bics/{_as_wsgi(odd)}")

                self.assertFalse(result["known"])

    def test_one_country_equals_its_entry_in_the_list(self) -> None:
        result = self.result("/api/v1/countries")["countries"]
        self.assertEqual({country["code"] for country in result}, set(COUNTRIES))
        for country in result[::17]:
            self.assertEqual(self.result(f"/api/v1/countries/{country['code'].lower()}"), country)

        for odd in ("XX", "US", "DEU", "D", "{code}", "ıE", "😀", "a" * 8000, "de\n", " DE", "DE "):
            with self.subTest(code=odd[:20]):
                self.assert_problem(self.call(f"/api/v1/countries/{_as_wsgi(odd)}"), "not_found", 404)


class CostTests(ApiCallTest):
    def test_each_call_costs_its_price(self) -> None:
        calculated = {"country": "DE", "bank_code": "37040044", "account_number": "532013000"}
        for path, body, units in (
            (VALIDATE, {"iban": GERMAN}, 1),
            (VALIDATE, {"iban": "wrong"}, 1),
            (BATCH, {"ibans": [GERMAN, "wrong", SWEDISH]}, 3),
            (BATCH, {"ibans": ["same"] * 1000}, 1000),
            (CALCULATE, calculated, 1),
            (RECOVER, {"iban": "SE45 5000 0000 0583 9825 746?"}, 1),
            (EXTRACT, {"text": "nothing"}, 1),
            (EXTRACT, {"text": ""}, 1),
            (EXTRACT, {"text": GERMAN}, 1),
            (EXTRACT, {"text": f"{GERMAN} and {SWEDISH} and {GERMAN}"}, 3),
            ("/api/v1/countries", None, 0),
            ("/api/v1/countries/DE", None, 0),
            ("/api/v1/bics/COBADEFFXXX", None, 0),
            ("/api/v1/openapi.json", None, 0),
            (USAGE, None, 0),
        ):
            with self.subTest(path=path, body=str(body)[:40]):
                before = self.used()
                self.result(path, body)

                self.assertEqual(self.used() - before, units)

    @pytest.mark.claim("exact_limits")
    def test_a_refusal_costs_nothing(self) -> None:
        for path, body in (
            (VALIDATE, {}),
            (VALIDATE, b"\xff"),
            (BATCH, {"ibans": []}),
            (BATCH, {"ibans": ["x"] * 1001}),
            (CALCULATE, {"country": "DE", "bank_code": "x", "account_number": "x"}),
            (RECOVER, {"iban": "????"}),
            (EXTRACT, {"text": None}),
            ("/api/v1/countries/XX", None),
            ("/api/v1/nothing", None),
        ):
            with self.subTest(path=path, body=str(body)[:40]):
                self.assertGreaterEqual(self.call(path, body).status_code, 400)

        self.assertEqual(self.used(), 0)

    def test_a_test_key_checks_for_real_and_costs_nothing(self) -> None:
        test_key = self.alice.key(is_test=True)
        self.alice.client.monthly_quota = 0
        self.alice.client.save()
        for body, valid in (({"iban": GERMAN}, True), ({"iban": "wrong"}, False)):
            response = self.calls(test_key, VALIDATE, body)

            self.assertEqual(response.json()["valid"], valid)
        self.calls(test_key, BATCH, {"ibans": [GERMAN] * 1000})
        usage = self.calls(test_key, USAGE, method="GET").json()
        self.assertEqual((usage["used"], usage["days"]), (0, []))

    def test_usage_lists_the_days_of_the_month(self) -> None:
        self.result(BATCH, {"ibans": [GERMAN, "wrong", "wrong"]})
        self.result(VALIDATE, {"iban": GERMAN})

        result = self.result(USAGE)
        self.assertEqual((result["quota"], result["used"], result["remaining"]), (10_000, 4, 9_996))
        [day] = result["days"]
        self.assertEqual((day["valid"], day["invalid"], day["units"]), (2, 2, 4))
        self.assertTrue(result["period"]["start"] <= day["day"] <= result["period"]["end"])
        self.assertTrue(result["period"]["start"].endswith("-01"))

    def test_usage_is_the_clients_own(self) -> None:
        self.result(VALIDATE, {"iban": GERMAN})

        hers = self.calls(self.mallory.key(), USAGE, method="GET").json()
        self.assertEqual((hers["used"], hers["days"]), (0, []))


@pytest.mark.claim("strict_bodies")
class RouteTests(ApiCallTest):
    def test_each_path_accepts_its_method_only(self) -> None:
        for path, allowed in (
            *((path, ("POST",)) for path in (VALIDATE, BATCH, CALCULATE, RECOVER, EXTRACT)),
            *((path, ("GET", "HEAD")) for path in ("/api/v1/countries", "/api/v1/countries/DE", USAGE)),
            *((path, ("GET", "HEAD")) for path in ("/api/v1/bics/COBADEFF", "/api/v1/openapi.json")),
            *((path, ("GET", "HEAD")) for path in ("/health/live", "/health/ready")),
        ):
            methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X", "")
            for method in methods:
                with self.subTest(path=path, method=method):
                    response = self.calls(self.key, path, method=method)

                    if method == "HEAD" and method not in allowed:
                        self.assertEqual((response.status_code, response.content), (405, b""))
                        self.assertEqual(response["Allow"], "POST")
                    elif method not in allowed:
                        problem = self.assert_problem(response, "method_not_allowed", 405)
                        self.assertEqual(response["Allow"], ", ".join(allowed))
                        self.assertIn(response["Allow"], problem["detail"])
                    elif method != "POST":
                        self.assertEqual(response.status_code, 200)

    def test_no_response_allows_cross_origin(self) -> None:
        origin = {"HTTP_ORIGIN": "https://evil.example", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST"}
        for method in ("OPTIONS", "POST"):
            response = self.calls(self.key, VALIDATE, {"iban": GERMAN}, method=method, **origin)

            self.assertFalse([name for name in response.headers if name.lower().startswith("access-control")])

    def test_head_has_the_headers_of_get(self) -> None:
        for path in ("/api/v1/countries/DE", "/api/v1/openapi.json", "/health/live"):
            got, head = self.call(path), self.calls(self.key, path, method="HEAD")

            self.assertEqual(head.content, b"")
            self.assertEqual(head["Content-Length"], str(len(got.content)))
            self.assertEqual(set(head.headers), set(got.headers))

    def test_a_refused_head_has_no_body(self) -> None:
        response = self.calls(None, "/api/v1/countries", method="HEAD")

        self.assertEqual((response.status_code, response.content), (401, b""))

    def test_similar_paths_are_not_found(self) -> None:
        for path in (
            "/api",
            "/api/",
            "/api/v1",
            "/api/v1/",
            "/api/v2/validate",
            "/api/validate",
            "/api/v1/validate/",
            "/api/v1//validate",
            "/api//v1/validate",
            "/api/v1/../v1/validate",
            "/api/v1/./validate",
            "/api/v1/validate/batch/",
            "/api/v1/validate%2fbatch",
            "/api/v1/validate\n",
            "/api/v1/validate\x00",
            "/api/v1/validate ",
            "/api/v1/validate;x=1",
            "/api/v1/Validate",
            "/api/v1/validate?x",
            "/api/v1/countries/",
            "/api/v1/countries/DE/",
            "/api/v1/countries/DE/x",
            "/api/v1/bics/",
            "/api/v1/bics/COBADEFF/x",
            "/api/v1/countries/{code}/x",
            "/api/v1/" + "x" * 8000,
            "/api/v1/" + "x/" * 4000,
            "/api/v1/\xff\xfe",
            "/api/docsx",
            "/api/docs.json",
            "/health",
            "/health/",
            "/health/x",
            "/health/live/",
            "/health/../api/v1/validate",
            f"/api/v1/validate/{GERMAN}",
        ):
            with self.subTest(path=path[:40]):
                response = self.calls(self.key, path, {"iban": GERMAN})

                self.assert_problem(response, "not_found", 404)
                self.assertNotIn(GERMAN, response.content.decode())

    def test_paths_outside_the_api_are_pages(self) -> None:
        for path in ("//api/v1/validate", "/apix", "/API/v1/validate", "/ api/v1/validate", "/healthy", "/api%2fv1"):
            with self.subTest(path=path), self.assertLogs("django.request", "WARNING"):
                response = self.calls(self.key, path, {"iban": GERMAN})

                self.assertEqual(response.status_code, 404)
                self.assertTrue(response["Content-Type"].startswith("text/html"))
                self.assertNotIn("RateLimit", response)

    def test_a_query_is_refused_and_not_repeated(self) -> None:
        for path, query in itertools.product(
            (VALIDATE, "/api/v1/countries", "/api/v1/openapi.json"),
            (f"iban={GERMAN}", f"api_key={self.key}", "x", "=", "%"),
        ):
            with self.subTest(path=path, query=query[:10]):
                method = "POST" if path == VALIDATE else "GET"
                response = self.calls(self.key, path, {"iban": GERMAN}, method=method, QUERY_STRING=query)

                problem = self.assert_problem(response, "invalid_request", 400)
                self.assertIn("Nothing may follow the path", problem["detail"])
                self.assertNotIn(GERMAN, response.content.decode())
                self.assertNotIn(self.key, response.content.decode())


def _as_wsgi(text: str) -> str:
    """Return a part of a path as a server hands it on: its bytes, read as Latin-1."""
    return text.encode().decode("latin-1")
