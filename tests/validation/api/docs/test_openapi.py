"""The OpenAPI document: valid, complete, and true of every response."""

import io
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from unittest import mock

import jsonschema_rs  # comes with schemathesis
from schemathesis.specs.openapi.definitions import OPENAPI_31

from accounts.guard import blocks, revisions
from apikeys import tokens
from apikeys.problems import KINDS
from tests.base import BaseTest
from validation.api import routes, schemas
from validation.api.contract import Route
from validation.api.docs import examples, openapi
from validation.api.pipeline import ApiRequest, respond
from validation.api.responses import ApiResponse
from validation.api.routes import ROUTES

ADDRESS = "192.0.2.7"
ELSEWHERE = "198.51.100.7"
OF_PATHS_AND_METHODS = ("method_not_allowed",)
"""What no call meets by itself."""

IBANS = (
    "SE45 5000 0000 0583 9825 7466",
    "DE89 3704 0044 0532 0310 00",
    "GB33BUKB20201555555555",
    "XK051212012345678906",
    "JE12",
    "ZZ00",
    "SE45 5000 0000 0583 9825 746ı",
    "",
    "9" * 200,
)


class OpenApiTest(BaseTest):
    """A test with the document at hand."""

    def setUp(self) -> None:
        super().setUp()
        self.document = openapi.document(ROUTES)

    def examples_of(self, media: dict[str, Any]) -> Iterator[Any]:
        if "example" in media:
            yield media["example"]
        for code in media.get("examples", {}):
            yield self.document["components"]["examples"][code]["value"]

    def fitting(self, schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator({**schema, "components": self.document["components"]})

    def call(self, path: str, method: str = "GET", *, key: str = "", body: bytes = b"", **changes: Any) -> ApiResponse:
        headers = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        if key:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        request = {"ip_address": ADDRESS, "is_secure": True, "headers": headers | changes.pop("headers", {}), **changes}
        return respond(ApiRequest(method, path, body=io.BytesIO(body), **request))


class OpenApiDocumentTests(OpenApiTest):
    def test_it_is_valid(self) -> None:
        jsonschema_rs.validator_for(OPENAPI_31).validate(self.document)
        for name in self.document["components"]["schemas"]:
            self.fitting({"$ref": f"#/components/schemas/{name}"})

    def test_it_describes_every_call(self) -> None:
        described = {(method.upper(), path) for path, methods in self.document["paths"].items() for method in methods}
        health = {("GET", "/health/live"), ("GET", "/health/ready")}

        self.assertEqual(described, {(route.method, route.path) for route in ROUTES} | health)
        for route in ROUTES:
            self.assertEqual(routes.find_route(route.method, examples.path(route))[0], route)

    def test_the_call_returns_it(self) -> None:
        response = self.call("/api/v1/openapi.json")

        self.assertEqual(response.status, 200)
        self.assertEqual(json.loads(response.body), json.loads(json.dumps(self.document)))

    def test_a_new_field_changes_it(self) -> None:
        class IbanRequest(schemas.IbanRequest):
            currency: str = ""

        class VerdictAnswer(schemas.VerdictAnswer):
            currency: str = ""

        validate, *others = ROUTES
        changed = openapi.document([validate._replace(body_type=IbanRequest, response_type=VerdictAnswer), *others[4:]])

        for name in ("IbanRequest", "VerdictAnswer"):
            self.assertIn("currency", changed["components"]["schemas"][name]["properties"])
            self.assertNotIn("currency", self.document["components"]["schemas"][name]["properties"])

    def test_every_call_has_a_summary_a_tag_and_a_name_of_its_own(self) -> None:
        tags = {tag["name"] for tag in self.document["tags"]}
        calls = [call for methods in self.document["paths"].values() for call in methods.values()]

        self.assertEqual(len({call["operationId"] for call in calls}), len(calls))
        for call in calls:
            self.assertTrue(call["summary"])
            self.assertLessEqual(set(call["tags"]), tags)

    def test_every_field_is_described(self) -> None:
        undescribed = [
            f"{name}.{field}"
            for name, schema in self.document["components"]["schemas"].items()
            for field, about in schema["properties"].items()
            if not about.get("description")
        ]

        self.assertEqual(undescribed, [])

    def test_its_examples_match(self) -> None:
        tried = 0
        for path, methods in self.document["paths"].items():
            for method, call in methods.items():
                bodies = [call["requestBody"], *call["responses"].values()] if "requestBody" in call else []
                for body in bodies or call["responses"].values():
                    for media in body["content"].values():
                        for example in self.examples_of(media):
                            with self.subTest(path=path, method=method):
                                self.fitting(media["schema"]).validate(example)
                                tried += 1
        self.assertGreater(tried, 100)

    def test_every_problem_is_named_by_some_call(self) -> None:
        named = {code for route in ROUTES for code in openapi.problems_of(route)}

        self.assertEqual(named, KINDS.keys() - set(OF_PATHS_AND_METHODS))


class OpenApiResponseTests(OpenApiTest):
    """Every response of every call matches the document."""

    def test_responses_match(self) -> None:
        for route in ROUTES:
            for body in self.bodies(route):
                with self.subTest(route=route.path, body=body[:80]):
                    response = self.send(route, body=body)
                    self.assert_matches(route, response, 200)

    def test_verdicts_match(self) -> None:
        bodies = ({"iban": text} for text in IBANS)

        for body in map(json.dumps, bodies):
            with self.subTest(body=body[:80]):
                self.assert_matches(ROUTES[0], self.send(ROUTES[0], body=body.encode()), 200)

    def test_every_problem_occurs_and_matches(self) -> None:
        self.alice.client.monthly_quota = 0
        self.alice.client.save()

        for route in ROUTES:
            for code in openapi.problems_of(route):
                with self.subTest(route=route.path, code=code):
                    response = getattr(self, f"provoke_{code}")(route)
                    self.assertEqual(json.loads(response.body)["code"], code)
                    self.assert_matches(route, response, KINDS[code].status)

    def test_health_matches(self) -> None:
        for path in ("/health/live", "/health/ready"):
            self.assert_health_matches(path, 200)
        with mock.patch("validation.api.health.shutil.disk_usage", return_value=mock.Mock(free=1)):
            self.assert_health_matches("/health/ready", 503)

    def assert_health_matches(self, path: str, status: int) -> None:
        response = self.calls(None, path, method="GET")
        plain = ApiResponse(response.status_code, dict(response.items()), response.content)
        self.assert_response_matches(self.document["paths"][path]["get"], plain, status)

    def bodies(self, route: Route) -> list[bytes]:
        example = examples.body(route)
        if example is None:
            return [b""]
        if route.body_type is schemas.BatchRequest:
            return [json.dumps({"ibans": list(IBANS)}).encode(), json.dumps(example).encode()]
        if route.body_type is schemas.ExtractRequest:
            return [json.dumps({"text": text}).encode() for text in (*IBANS, " und ".join(IBANS))]
        return [json.dumps(example).encode()]

    @cached_property
    def key(self) -> str:
        return self.alice.key()

    @cached_property
    def key_of_one_office(self) -> str:
        return self.alice.key(networks=[ADDRESS])

    @cached_property
    def key_of_another_scope(self) -> str:
        return self.alice.key(scopes=("bulk",))

    def send(self, route: Route, **changes: Any) -> ApiResponse:
        """Make the call as it should be, but for `changes`."""
        right = {"key": self.key, "body": self.bodies(route)[0], "path": examples.path(route)}
        return self.call(method=route.method, **(right | changes))

    def provoke_invalid_request(self, route: Route) -> ApiResponse:
        return self.send(route, headers={"QUERY_STRING": "iban=1"})

    def provoke_key_missing(self, route: Route) -> ApiResponse:
        return self.send(route, key="")

    def provoke_key_malformed(self, route: Route) -> ApiResponse:
        return self.send(route, key="ibanse_live_x")

    def provoke_key_unknown(self, route: Route) -> ApiResponse:
        return self.send(route, key=tokens.mint(is_test=False).text)

    def provoke_address_blocked(self, route: Route) -> ApiResponse:
        blocks.block(ELSEWHERE)
        revisions.forget()
        return self.send(route, ip_address=ELSEWHERE)

    def provoke_address_not_allowed(self, route: Route) -> ApiResponse:
        return self.send(route, key=self.key_of_one_office, ip_address="198.51.100.8")

    def provoke_https_required(self, route: Route) -> ApiResponse:
        return self.send(route, is_secure=False)

    def provoke_scope_missing(self, route: Route) -> ApiResponse:
        return self.send(route, key=self.key_of_another_scope)

    def provoke_not_found(self, route: Route) -> ApiResponse:
        return self.send(route, path=f"{examples.path(route)}/none")

    def provoke_too_large(self, route: Route) -> ApiResponse:
        return self.send(route, headers={"CONTENT_LENGTH": "10000000"})

    def provoke_unsupported_media_type(self, route: Route) -> ApiResponse:
        return self.send(route, headers={"CONTENT_TYPE": "text/plain"})

    def provoke_rate_limited(self, route: Route) -> ApiResponse:
        key = self.alice.key(rate_per_minute=1)
        self.send(route, key=key)
        return self.send(route, key=key)

    def provoke_quota_exhausted(self, route: Route) -> ApiResponse:
        return self.send(route)

    def provoke_unavailable(self, route: Route) -> ApiResponse:
        with mock.patch("accounts.guard.blocks.is_blocked", side_effect=revisions.Unreadable):
            return self.send(route)

    def assert_matches(self, route: Route, response: ApiResponse, status: int) -> None:
        self.assert_response_matches(self.document["paths"][route.path][route.method.lower()], response, status)

    def assert_response_matches(self, call: dict[str, Any], response: ApiResponse, status: int) -> None:
        self.assertEqual(response.status, status, response.body[:300])
        described = call["responses"][str(status)]
        self.fitting(described["content"][response.headers["Content-Type"]]["schema"]).validate(
            json.loads(response.body)
        )
        for name in described["headers"]:
            schema = self.document["components"]["headers"][name]["schema"]
            self.fitting(schema).validate(response.headers[name])
