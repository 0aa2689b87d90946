"""System checks: find at start what would break a promise, with an id and a remedy."""

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import connection

from accounts.models import User
from ibanse.config import env
from privacy import vault
from privacy.crypto import cipher
from privacy.security_page import evidence


@register(Tags.caches)
def check_cache_is_shared(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a cache of each worker's own in production: every limit would count once per worker."""
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
def check_proxy_header(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
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
def check_secret_files(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn when other users of the machine can read a secret of the embedded mode."""
    return [
        Warning(
            f"{secret} can be read by other users of this machine.",
            hint=f"Run: chmod 600 {secret}",
            id="ibanse.W001",
        )
        for secret in env.SECRET_FILES
        if secret.exists() and secret.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]


@register(Tags.security)
def check_master_keys(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Refuse missing master keys, and with `--database keyring` also missing ones that data keys need."""
    problems = []
    if not settings.MASTER_KEYS or any(len(key) != cipher.KEY_BYTES for key in settings.MASTER_KEYS.values()):
        problems.append("IBANSE_MASTER_KEYS holds no key of 32 bytes, or one of another length.")
    elif "keyring" in (databases or ()):
        problems += vault.objections()
    hint = "Set IBANSE_MASTER_KEYS to every master key that has wrapped something: 1:<32 bytes in base64>,2:…"
    return [Error(problem, hint=hint, id="ibanse.E003") for problem in problems]


@register(Tags.security)
def check_keyring_is_apart(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse data keys in the data's database; warn of the same server, whose databases share a log and a backup."""
    site, keyring = _location(settings.DATABASES["default"]), _location(settings.DATABASES["keyring"])
    hint = "Let KEYRING_DATABASE_URL name a SQLite file of its own, or PostgreSQL in a cluster of its own."
    if site == keyring:
        return [Error("The keyring lies in the same database as what it seals.", hint=hint, id="ibanse.E004")]
    if settings.EMBEDDED or site[:2] != keyring[:2] or not all(site[:2]):
        return []
    return [Warning("The keyring lies on the same database server as what it seals.", hint=hint, id="ibanse.W002")]


@register(Tags.security)
def check_security_contact(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hint that nobody is named for reports of weaknesses: there is no /.well-known/security.txt."""
    if settings.EMBEDDED or settings.SECURITY_CONTACTS:
        return []
    hint = "Set IBANSE_SECURITY_CONTACT to an e-mail address, or put one into IBANSE_OPERATOR_ADDRESS."
    return [Info("There is no /.well-known/security.txt: nobody is named in it.", hint=hint, id="ibanse.I001")]


@register(Tags.security)
def check_claims(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hint at claims of /security/ that have no result, or are left out since their tests did not pass."""
    if settings.EMBEDDED:
        return []
    results = evidence.evidence()
    if results is None:
        hint = "Install a signed release; what was installed with --unsigned has no results."
        return [Info("/security/ shows no test results.", hint=hint, id="ibanse.I002")]
    hidden = [claim.slug for claim in evidence.claims() if not evidence.passed(claim, results)]
    if not hidden:
        return []
    hint = "These tests failed or did not run when the release was made."
    return [Info(f"/security/ leaves out {len(hidden)} claims: {', '.join(hidden)}.", hint=hint, id="ibanse.I002")]


@register(Tags.security)
def check_superusers(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Refuse a superuser in production, with `--database default`: staff have the permissions of their groups."""
    if settings.EMBEDDED or "default" not in (databases or ()):
        return []
    # A check also runs before the first migration.
    if User._meta.db_table not in connection.introspection.table_names():
        return []
    hint = "Run: manage.py demote_superusers. What staff may is in the table accounts/staff/groups.py."
    return [
        Error(f"User {user.pk} is a superuser, who may do everything.", hint=hint, id="ibanse.E005")
        for user in User.objects.filter(is_superuser=True).only("pk")
    ]


def _location(database: Mapping[str, object]) -> tuple[str, str, str]:
    """Return server, port and name; a SQLite file has neither server nor port."""
    if str(database["ENGINE"]).endswith("sqlite3"):
        return "", "", str(Path(str(database["NAME"])).resolve())
    return str(database.get("HOST") or "localhost"), str(database.get("PORT") or 5432), str(database["NAME"])
