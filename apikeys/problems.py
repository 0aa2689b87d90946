"""Every way in which the API says no, as one table: code → status, title, sentence. The only builder of such answers.

The answers are those of RFC 9457: `application/problem+json` with `type`, `title`, `status`, `code`, `detail` and
`request_id`. Codes are English and eternal; titles and sentences follow the caller's language.
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


class Kind(NamedTuple):
    """One kind of refusal. `detail` may have places for values, such as `%(seconds)s`."""

    status: int
    title: Promise
    detail: Promise


KINDS: Final[dict[str, Kind]] = {
    "invalid_request": Kind(
        400,
        gettext_lazy("The request is not right"),
        gettext_lazy("The request could not be read. The documentation shows what is expected."),
    ),
    "key_missing": Kind(
        401,
        gettext_lazy("The key is missing"),
        gettext_lazy("Send your API key in the header “Authorization: Bearer ibanse_live_…”."),
    ),
    "key_malformed": Kind(
        401,
        gettext_lazy("The key is mistyped"),
        gettext_lazy("What came in the header “Authorization” is no API key of ours: a character is wrong or missing."),
    ),
    "key_unknown": Kind(
        401,
        gettext_lazy("The key does not work"),
        gettext_lazy(
            "No key that is in use fits this one. It may have been revoked or replaced, have expired, or belong to an "
            "account that is suspended or being deleted."
        ),
    ),
    "address_blocked": Kind(
        403,
        gettext_lazy("The address is blocked"),
        gettext_lazy("We do not serve the address that you call from. If this is a mistake, tell us."),
    ),
    "address_not_allowed": Kind(
        403,
        gettext_lazy("The key does not work from this address"),
        gettext_lazy(
            "The key works only from the addresses in its list, and %(address)s is not one of them. "
            "An owner can add it in the client area."
        ),
    ),
    "https_required": Kind(
        403,
        gettext_lazy("HTTPS is required"),
        gettext_lazy("The call came without encryption. Replace the key, since it may have been read on its way."),
    ),
    "scope_missing": Kind(
        403,
        gettext_lazy("The key may not do this"),
        gettext_lazy("This call needs a key with the scope “%(scope)s”."),
    ),
    "not_found": Kind(
        404,
        gettext_lazy("There is nothing here"),
        gettext_lazy("No call of the API has this path. Paths have no slash at their end."),
    ),
    "method_not_allowed": Kind(
        405,
        gettext_lazy("The method is wrong"),
        gettext_lazy("This path takes %(allowed)s."),
    ),
    "too_large": Kind(
        413,
        gettext_lazy("The request is too large"),
        gettext_lazy("A request may have at most %(bytes)s bytes."),
    ),
    "unsupported_media_type": Kind(
        415,
        gettext_lazy("The content type is wrong"),
        gettext_lazy("Send JSON in UTF-8, with the header “Content-Type: application/json” and no Content-Encoding."),
    ),
    "rate_limited": Kind(
        429,
        gettext_lazy("Too many calls"),
        gettext_lazy("The key may make %(limit)s calls a minute. Wait %(seconds)s seconds, then call again."),
    ),
    "quota_exhausted": Kind(
        429,
        gettext_lazy("The month's quota does not suffice"),
        gettext_lazy(
            "The call costs %(units)s of the month's quota of %(quota)s, of which less is left. "
            "The next month begins on %(next)s (UTC)."
        ),
    ),
    "unavailable": Kind(
        503,
        gettext_lazy("The service is not available"),
        gettext_lazy("The call could not be answered now, and cost nothing. Try again in a moment."),
    ),
}


class ProblemAnswer(msgspec.Struct):
    """The body of every refusal (RFC 9457)."""

    type: Annotated[str, Meta(description=gettext_noop("Where the documentation tells of this problem."))]
    title: Annotated[str, Meta(description=gettext_noop("What is wrong, in a few words."))]
    status: Annotated[int, Meta(description=gettext_noop("The status of the answer."))]
    code: Annotated[str, Meta(description=gettext_noop("The kind of problem. Codes never change."))]
    detail: Annotated[
        str, Meta(description=gettext_noop("What is wrong with this call and what to do, in the caller's language."))
    ]
    request_id: Annotated[str, Meta(description=gettext_noop("The name of the call, as in the header X-Request-Id."))]


class Problem(Exception):
    """A call is refused; nothing was done and it costs nothing.

    `detail` says more precisely what is wrong than the kind's own sentence; `values` fill its places. `headers` go
    into the answer. Raises KeyError for a code that is not in KINDS.
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
    """Return the body of a refusal, its sentences in the given language."""
    with translation.override(language):
        told = ProblemAnswer(
            type=f"{settings.SITE_URL}/api/docs/#{problem.code}",
            title=str(problem.kind.title),
            status=problem.kind.status,
            code=problem.code,
            detail=str(problem.detail) % problem.values if problem.values else str(problem.detail),
            request_id=request_id,
        )
    return msgspec.json.encode(told)
