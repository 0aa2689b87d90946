"""What we use of allauth's internal packages, which may change without notice; a test checks names and signatures.

No other module imports from `allauth.*.internal`.
"""

from allauth.account.internal.flows.login import record_authentication
from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.conf import settings
from django.http import HttpRequest

__all__ = ["consume_failed_sign_in", "record_authentication"]


def consume_failed_sign_in(request: HttpRequest, *, key: str, with_address: bool) -> RateLimitUsage | None:
    """Count one try to sign in by password, under `key` and optionally the caller's IP address; None at a limit.

    allauth's public `consume` returns no usage to roll back, and its adapter always counts both.
    """
    rates: str = settings.ACCOUNT_RATE_LIMITS["login_failed"]
    if not with_address:
        rates = ",".join(rate for rate in rates.split(",") if not rate.endswith("/ip"))
    return ratelimit.consume(
        request, app="allauth.account", action="login_failed", config={"login_failed": rates}, key=key
    )
