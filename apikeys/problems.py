"""The refusals of the API, as one table: code → status, title, detail; and the only builder of their responses.

Responses follow RFC 9457: `application/problem+json` with `type`, `title`, `status`, `code`, `detail` and `request_id`.
Codes are English and never change; titles and details are in the caller's language.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

import msgspec
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, gettext_noop
from msgspec import Meta

CONTENT_TYPE: Final = "application/problem+json"


class ProblemKind(NamedTuple):
    """One kind of refusal. `detail` may have placeholders, such as `%(seconds)s`."""

    status: int
    title: Promise
    detail: Promise


KINDS: Final[dict[str, ProblemKind]] = {
    "invalid_request": ProblemKind(
        400,
        gettext_lazy("Invalid request"),
        gettext_lazy("The request could not be read. See the documentation for what is expected."),
    ),
    "key_missing": ProblemKind(
        401,
        gettext_lazy("Missing key"),
        gettext_lazy("Send your API key in the header “Authorization: Bearer ibanse_live_…”."),
    ),
    "key_malformed": ProblemKind(
        401,
        gettext_lazy("Malformed key"),
        gettext_lazy("The Authorization header does not contain a valid ibanse key: a character is wrong or missing."),
    ),
    "key_unknown": ProblemKind(
        401,
        gettext_lazy("The key does not work"),
        gettext_lazy(
            "No active key matches this one. It may have been revoked or replaced, have expired, or "
            "belong to an account that is suspended or being deleted."
        ),
    ),
    "address_blocked": ProblemKind(
        403,
        gettext_lazy("IP address blocked"),
        gettext_lazy("Calls from your IP address are blocked. If this is a mistake, contact us."),
    ),
    "address_not_allowed": ProblemKind(
        403,
        gettext_lazy("The key does not work from this IP address"),
        gettext_lazy(
            "The key works only from the IP addresses in its list, and %(address)s is not one of them. "
            "An owner can add it in the account."
        ),
    ),
    "https_required": ProblemKind(
        403,
        gettext_lazy("HTTPS required"),
        gettext_lazy("The call was not encrypted. Replace the key, because it may have been read in transit."),
    ),
    "scope_missing": ProblemKind(
        403,
        gettext_lazy("The key is not permitted to do this"),
        gettext_lazy("This call requires a key with the scope “%(scope)s”."),
    ),
    "not_found": ProblemKind(
        404,
        gettext_lazy("Not found"),
        gettext_lazy("No API call has this path. Paths do not end with a slash."),
    ),
    "method_not_allowed": ProblemKind(
        405,
        gettext_lazy("Method not allowed"),
        gettext_lazy("This path accepts %(allowed)s."),
    ),
    "too_large": ProblemKind(
        413,
        gettext_lazy("Request too large"),
        gettext_lazy("A request may not exceed %(bytes)s bytes."),
    ),
    "unsupported_media_type": ProblemKind(
        415,
        gettext_lazy("Unsupported content type"),
        gettext_lazy("Send JSON in UTF-8, with the header “Content-Type: application/json” and no Content-Encoding."),
    ),
    "rate_limited": ProblemKind(
        429,
        gettext_lazy("Too many calls"),
        gettext_lazy("The key allows %(limit)s calls per minute. Wait %(seconds)s seconds, then try again."),
    ),
    "quota_exhausted": ProblemKind(
        429,
        gettext_lazy("Monthly quota not sufficient"),
        gettext_lazy(
            "The call needs %(units)s of the monthly quota of %(quota)s checks, but fewer are left. The "
            "next month begins on %(next)s (UTC)."
        ),
    ),
    "unavailable": ProblemKind(
        503,
        gettext_lazy("Service unavailable"),
        gettext_lazy("The call could not be answered just now and cost nothing. Try again in a moment."),
    ),
}


class ProblemAnswer(msgspec.Struct):
    """The body of every refusal (RFC 9457). The OpenAPI document shows the name of this class."""

    type: Annotated[str, Meta(description=gettext_noop("Link to the documentation of this problem."))]
    title: Annotated[str, Meta(description=gettext_noop("Short description of the problem."))]
    status: Annotated[int, Meta(description=gettext_noop("The HTTP status of the response."))]
    code: Annotated[str, Meta(description=gettext_noop("The type of problem. Codes never change."))]
    detail: Annotated[
        str, Meta(description=gettext_noop("What is wrong with this call and what to do, in the caller's language."))
    ]
    request_id: Annotated[str, Meta(description=gettext_noop("The ID of the call, as in the header X-Request-Id."))]


class Problem(Exception):
    """A call is refused; nothing was done and it costs nothing.

    `detail` replaces that of the kind with a more precise one; `values` fill its placeholders. `headers` go into the
    response. Raises KeyError for a code that is not in KINDS.
    """

    def __init__(
        self,
        code: str,
        detail: Promise | str | None = None,
        *,
        values: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.kind = KINDS[code]
        self.detail = self.kind.detail if detail is None else detail
        self.headers = dict(headers or {})
        self.values = values or {}


def render(problem: Problem, *, request_id: str, language: str) -> bytes:
    """Return the body of a refusal in this language."""
    with translation.override(language):
        body = ProblemAnswer(
            type=f"{settings.SITE_URL}/api/docs/#{problem.code}",
            title=str(problem.kind.title),
            status=problem.kind.status,
            code=problem.code,
            detail=str(problem.detail) % problem.values if problem.values else str(problem.detail),
            request_id=request_id,
        )
    return msgspec.json.encode(body)
