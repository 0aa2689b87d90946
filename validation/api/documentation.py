"""The page that explains the API to people. What can be made of the code is: fields, answers, samples, problems."""

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
from apikeys.models import DEFAULT_RATE
from apikeys.problems import KINDS
from apikeys.rates import BURST_PART
from apikeys.scopes import SCOPES
from validation.api import examples, openapi, sentences
from validation.api.reference import Field, fields, words
from validation.api.routes import ROUTES, Route
from validation.engine import reasons
from validation.sentences import CHECK_MEANINGS, CHECK_NAMES

SAMPLES: Final = {"curl": "curl", "python": "Python", "javascript": "JavaScript"}
"""The languages of samples: each a template, and its name."""


class Sample(NamedTuple):
    """A program that makes a call."""

    language: str
    name: str
    code: str


class Shown(NamedTuple):
    """A call as the page shows it."""

    id: str
    title: str
    text: SafeString
    note: SafeString
    route: Route
    takes: list[Field]
    gives: list[Field]
    samples: list[Sample]
    answer: str
    """As JSON; empty where an example says nothing."""


class Row(NamedTuple):
    """A row of a table about codes."""

    code: str
    name: str
    text: SafeString
    more: SafeString


class Refusal(NamedTuple):
    """A problem as the page shows it."""

    code: str
    status: int
    title: str
    detail: str


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show how to use the API."""
    return render(request, "validation/api_docs.html", _parts(translation.get_language() or settings.LANGUAGE_CODE))


def samples(route: Route) -> list[Sample]:
    """Return the programs that make a call with its example. They find the API and the key in their environment."""
    sent = examples.body(route)
    context = {
        "method": route.method,
        "path": examples.path(route),
        "body": json.dumps(sent, ensure_ascii=False) if sent else "",
        "needs_key": route.needs_key,
    }
    return _rendered("call", context)


def patient_samples() -> list[Sample]:
    """Return the programs that wait when they are asked to, and show what else is wrong."""
    return [sample for sample in _rendered("patient", {}) if sample.code]


def _rendered(name: str, context: dict[str, Any]) -> list[Sample]:
    return [
        Sample(language, shown, render_to_string(f"validation/samples/{name}_{language}.txt", context).strip())
        for language, shown in SAMPLES.items()
    ]


@cache
def _parts(language: str) -> dict[str, Any]:
    """Return the parts of the page that stay as they are while the process lives, written once in each language."""
    with translation.override(language):
        facts = _facts(language)
        return {
            "calls": facts["calls"],
            "start": render_to_string("validation/api/start.html", facts),
            "manual": render_to_string("validation/api/manual.html", facts),
        }


def _facts(language: str) -> dict[str, Any]:
    """Return what the page shows, in the active language."""
    shapes = openapi.document(ROUTES)["components"]["schemas"]
    return {
        "environment": f"export IBANSE_URL={settings.SITE_URL}\nexport IBANSE_KEY=ibanse_test_…",
        "calls": [_shown(route, shapes, language) for route in ROUTES],
        "scopes": SCOPES,
        "most_networks": keys.MOST_NETWORKS,
        "pattern": tokens.PATTERN,
        "checks": [
            Row(code, str(CHECK_NAMES[code]), words(str(CHECK_MEANINGS[code])), words(_expected(code)))
            for code in reasons.Checks._fields
        ],
        "results": [Row(code, "", words(str(text)), SafeString()) for code, text in sentences.RESULTS.items()],
        "warnings": [Row(code, "", words(str(text)), SafeString()) for code, text in sentences.WARNINGS.items()],
        "slip": _json(examples.slip(language)),
        "problem": _json(examples.problem("key_missing", language)),
        "problem_fields": fields("ProblemAnswer", shapes),
        "refusals": [_refusal(code, language) for code in KINDS],
        "patient": patient_samples(),
        "rate": DEFAULT_RATE,
        "burst": DEFAULT_RATE // BURST_PART,
        "quota": MONTHLY_QUOTA,
        "document": "/api/v1/openapi.json",
        "live": "/health/live",
        "ready": "/health/ready",
    }


def _shown(route: Route, shapes: dict[str, Any], language: str) -> Shown:
    name = route.handler.__name__
    title, text, note = sentences.CALLS[name]
    answer = examples.answer(route, language)
    return Shown(
        id=name,
        title=str(title),
        text=words(str(text)),
        note=words(str(note or "")),
        route=route,
        takes=fields(route.takes.__name__, shapes) if route.takes else [],
        gives=fields(route.gives.__name__, shapes) if answer else [],
        samples=samples(route),
        answer=_json(answer) if answer else "",
    )


def _expected(code: str) -> str:
    return str(sentences.EXPECTED.get(code, ""))


def _refusal(code: str, language: str) -> Refusal:
    told = examples.problem(code, language)
    return Refusal(code, told["status"], told["title"], told["detail"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
