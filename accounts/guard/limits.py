"""Rate limits shared by all workers, per IP address or opaque name."""

from datetime import timedelta

from django.http import HttpRequest
from django_ratelimit.core import get_usage
from redis import RedisError


class Uncounted(Exception):
    """The shared counters are unavailable, so the limit cannot be checked: refuse."""


def wait_for(request: HttpRequest, *, action: str, per_minute: int = 0, per_hour: int = 0, of: str = "") -> timedelta:
    """Count one `action` and return how long the next must wait: zero if it need not.

    Counts per IP address of the caller, or per opaque name `of`. An IPv6 caller is counted with its /64, which one
    household or server holds entirely. django-ratelimit counts in windows of one minute or one hour, in the shared
    cache. Raises Uncounted.
    """
    rate = f"{per_hour}/h" if per_hour else f"{per_minute}/m"
    try:
        # django-ratelimit has no type hints; this is the only place that calls it.
        usage: dict[str, int] | None = get_usage(  # type: ignore[no-untyped-call]
            request, group=action, key=(lambda *_: of) if of else "ip", rate=rate, increment=True
        )
    except RedisError as error:
        raise Uncounted from error
    if usage is None or not usage["should_limit"]:
        return timedelta()
    return timedelta(seconds=max(1, usage["time_left"]))
