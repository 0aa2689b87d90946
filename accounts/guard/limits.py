"""Rate limits for every worker together. Knows addresses and clocks, never clients."""

from datetime import timedelta

from django.http import HttpRequest
from django_ratelimit.core import get_usage
from redis import RedisError


class Uncounted(Exception):
    """The shared counters do not answer, so nobody can tell whether the limit is reached: refuse."""


def wait_for(request: HttpRequest, *, action: str, per_minute: int = 0, per_hour: int = 0, of: str = "") -> timedelta:
    """Count one `deed` and return how long the next must wait: zero if it need not.

    Counted are the deeds of the caller's address, or of whoever the opaque name `of` stands for. An IPv6 caller is
    counted with its /64, which one household or server holds whole. The counting is django-ratelimit's: windows of one
    minute or one hour, whichever is given, kept in the shared cache. Raises Uncounted.
    """
    rate = f"{per_hour}/h" if per_hour else f"{per_minute}/m"
    try:
        # django-ratelimit carries no types; this is the one place that calls it.
        usage: dict[str, int] | None = get_usage(  # type: ignore[no-untyped-call]
            request, group=action, key=(lambda *_: of) if of else "ip", rate=rate, increment=True
        )
    except RedisError as error:
        raise Uncounted from error
    if usage is None or not usage["should_limit"]:
        return timedelta()
    return timedelta(seconds=max(1, usage["time_left"]))
