"""The page that explains the API to people. What can be made of the code is: fields, responses, samples, problems."""

import json
from functools import cache
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.models import MONTHLY_QUOTA
from apikeys import keys, tokens
from apikeys.limits.rate import BURST_PART
from apikeys.models import DEFAULT_RATE
from apikeys.problems import KINDS
from apikeys.scopes import SCOPES
from validation.api.contract import Route
from validation.api.docs import examples, messages, openapi
from validation.api.docs.reference import FieldRow, fields, words
from validation.api.routes import ROUTES
from validation.engine import reasons
from validation.messages import CHECK_MEANINGS, CHECK_NAMES

SAMPLES: Final = {"curl": "curl", "python": "Python", "javascript": "JavaScript"}
"""The languages of samples: each a template, and its name."""


class Sample(NamedTuple):
    """A program that makes a call."""

    language: str
    name: str
    code: str


class ShownCall(NamedTuple):
    """A call as the page shows it."""

    id: str
    title: str
    text: SafeString
    note: SafeString
    route: Route
    body: list[FieldRow]
    response: list[FieldRow]
    samples: list[Sample]
    example: str
    """As JSON; empty where an example says nothing."""


class CodeRow(NamedTuple):
    """A row of a table about codes."""

    code: str
    name: str
    text: SafeString
    more: SafeString


class ShownProblem(NamedTuple):
    """A problem as the page shows it."""

    code: str
    status: int
    title: str
    detail: str


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show how to use the API."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return render(request, "validation/api/docs/page.html", _parts(language))


def samples(route: Route) -> list[Sample]:
    """Return the programs that make a call with its example; URL and key come from their environment."""
    body = examples.body(route)
    context = {
        "method": route.method,
        "path": examples.path(route),
        "body": json.dumps(body, ensure_ascii=False) if body else "",
        "needs_key": route.needs_key,
    }
    return _rendered("call", context)


def patient_samples() -> list[Sample]:
    """Return the programs that honour Retry-After and show other problems."""
    return [sample for sample in _rendered("patient", {}) if sample.code]


def _rendered(name: str, context: dict[str, Any]) -> list[Sample]:
    return [
        Sample(language, shown, render_to_string(f"validation/api/docs/samples/{name}_{language}.txt", context).strip())
        for language, shown in SAMPLES.items()
    ]


@cache
def _parts(language: str) -> dict[str, Any]:
    """Return the parts of the page that stay as they are while the process lives, written once in each language."""
    with translation.override(language):
        facts = _facts(language)
        return {
            "calls": facts["calls"],
            "start": render_to_string("validation/api/docs/start.html", facts),
            "manual": render_to_string("validation/api/docs/manual.html", facts),
        }


def _facts(language: str) -> dict[str, Any]:
    """Return what the page shows, in the active language."""
    schemas = openapi.document(ROUTES)["components"]["schemas"]
    return {
        "environment": f"export IBANSE_URL={settings.SITE_URL}\nexport IBANSE_KEY=ibanse_test_…",
        "calls": [_shown(route, schemas, language) for route in ROUTES],
        "scopes": SCOPES,
        "most_networks": keys.MOST_NETWORKS,
        "pattern": tokens.PATTERN,
        "checks": [
            CodeRow(
                code,
                str(CHECK_NAMES[code]),
                words(str(CHECK_MEANINGS[code])),
                words(str(messages.EXPECTED.get(code, ""))),
            )
            for code in reasons.Checks._fields
        ],
        "results": [CodeRow(code, "", words(str(text)), SafeString()) for code, text in messages.RESULTS.items()],
        "warnings": [CodeRow(code, "", words(str(text)), SafeString()) for code, text in messages.WARNINGS.items()],
        "mistyped": _json(examples.mistyped(language)),
        "problem": _json(examples.problem("key_missing", language)),
        "problem_fields": fields("ProblemAnswer", schemas),
        "refusals": [_refusal(code, language) for code in KINDS],
        "patient": patient_samples(),
        "rate": DEFAULT_RATE,
        "burst": DEFAULT_RATE // BURST_PART,
        "quota": MONTHLY_QUOTA,
        "document": "/api/v1/openapi.json",
        "live": "/health/live",
        "ready": "/health/ready",
    }


def _shown(route: Route, schemas: dict[str, Any], language: str) -> ShownCall:
    name = route.handler.__name__
    title, text, note = messages.CALLS[name]
    example = examples.response(route, language)
    return ShownCall(
        id=name,
        title=str(title),
        text=words(str(text)),
        note=words(str(note or "")),
        route=route,
        body=fields(route.body_type.__name__, schemas) if route.body_type else [],
        response=fields(route.response_type.__name__, schemas) if example else [],
        samples=samples(route),
        example=_json(example) if example else "",
    )


def _refusal(code: str, language: str) -> ShownProblem:
    problem = examples.problem(code, language)
    return ShownProblem(code, problem["status"], problem["title"], problem["detail"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
