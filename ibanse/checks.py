"""System checks: what would make a promise untrue is found at start, with an id and a remedy."""

import stat
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.caches)
def limits_hold_across_workers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001 - Django's signature
    """Refuse a cache that each worker has for itself, since every limit would count once per worker."""
    backend = settings.CACHES["default"]["BACKEND"]
    if settings.EMBEDDED or backend.endswith(("RedisCache", "ValkeyCache")):
        return []
    return [
        Error(
            f"Production uses {backend}, which does not count for all workers together.",
            hint="Set REDIS_URL to a Redis or Valkey server, such as unix:///run/valkey/valkey.sock.",
            id="ibanse.E001",
        )
    ]


@register(Tags.security)
def the_proxy_names_the_caller(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001 - Django's signature
    """Refuse production without the header that nginx overwrites: every caller would look like nginx."""
    if settings.EMBEDDED or settings.CLIENT_ADDRESS_META_KEY == "HTTP_X_REAL_IP":
        return []
    return [
        Error(
            "Production does not take the caller's address from X-Real-IP.",
            hint="Leave CLIENT_ADDRESS_META_KEY at HTTP_X_REAL_IP and let nginx overwrite that header.",
            id="ibanse.E002",
        )
    ]


@register(Tags.security)
def secrets_are_private(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001 - Django's signature
    """Warn when a secret of the embedded mode can be read by other users of the machine."""
    secret = settings.DATA_DIR / "secret_key"
    if not settings.EMBEDDED or not secret.exists() or not secret.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return []
    return [
        Warning(
            f"{secret} can be read by other users of this machine.",
            hint=f"Run: chmod 600 {secret}",
            id="ibanse.W001",
        )
    ]
