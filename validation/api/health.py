"""Whether the service lives, and whether it can do its work: ordinary views for monitoring, without a key."""

import os
import shutil
from collections.abc import Callable
from functools import wraps
from typing import Final

import msgspec
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from apikeys.problems import Problem
from validation.api import responses
from validation.api.contract import READ_METHODS, refuse_other_methods
from validation.api.responses import ApiResponse
from validation.api.schemas import Checkup, LiveAnswer, Ready, ReadyAnswer

MIN_FREE_BYTES: Final = 100 * 1024 * 1024

Probe = Callable[[], tuple[int, msgspec.Struct]]
View = Callable[[HttpRequest], HttpResponse]


def _view(probe: Probe) -> View:
    """Turn a probe into a view for GET and HEAD, whose responses look like those of the API."""

    @csrf_exempt
    @login_not_required
    @wraps(probe)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            # Not request.method, which Django has put into capitals.
            refuse_other_methods(request.META["REQUEST_METHOD"], READ_METHODS)
        except Problem as problem:
            return _refuse(request, problem)
        status, content = probe()
        request_id = responses.choose_request_id(request.META)
        return _to_django(request, responses.success(content, request_id=request_id, headers={}, status=status))

    return view


@_view
def live() -> tuple[int, LiveAnswer]:
    """Tell that the process answers."""
    return 200, LiveAnswer(live=True)


@_view
def ready() -> tuple[int, ReadyAnswer]:
    """Try each part that the service needs, and tell which of them work."""
    checks = Checkup(
        database=_try(lambda: _can_query("default")),
        keyring=_try(lambda: _can_query("keyring")),
        spool=_try(_can_spool),
        disk=_try(lambda: shutil.disk_usage(settings.SPOOL_DIR).free >= MIN_FREE_BYTES),
    )
    is_ready = all(part == "ok" for part in (checks.database, checks.keyring, checks.spool, checks.disk))
    return (200 if is_ready else 503), ReadyAnswer(ready=is_ready, checks=checks)


@csrf_exempt
@login_not_required
def unknown(request: HttpRequest) -> HttpResponse:
    """Refuse any other path below /health as the API refuses an unknown one."""
    return _refuse(request, Problem("not_found"))


def _refuse(request: HttpRequest, problem: Problem) -> HttpResponse:
    request_id = responses.choose_request_id(request.META)
    language = responses.choose_language(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    return _to_django(request, responses.refusal(problem, request_id=request_id, language=language, headers={}))


def _to_django(request: HttpRequest, response: ApiResponse) -> HttpResponse:
    body = b"" if request.method == "HEAD" else response.body
    return HttpResponse(body, status=response.status, headers=response.headers)


def _try(part: Callable[[], bool]) -> Ready:
    try:
        return "ok" if part() else "failed"
    except (Error, OSError):
        return "failed"


def _can_query(database: str) -> bool:
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def _can_spool() -> bool:
    settings.SPOOL_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.access(settings.SPOOL_DIR, os.R_OK | os.W_OK | os.X_OK)
