"""The OpenAPI 3.1 document, made of the very types that parse requests and render answers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.conf import settings

from apikeys.problems import CONTENT_TYPE, KINDS, ProblemAnswer
from validation.api.schemas import LiveAnswer, ReadyAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from validation.api.routes import Route


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document of these calls."""
    return {"openapi": "3.1.0", "paths": {route.path: {} for route in routes}}
