"""System checks: what would make a promise untrue is found at start, with an id and a remedy."""

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import connection
from django.db.models import Model

from accounts.models import User
from ibanse.config import env
from privacy import vault
from privacy.crypto import cipher
from privacy.security_page import evidence


@register(Tags.caches)
def limits_hold_across_workers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
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
def the_proxy_names_the_caller(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
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
def secrets_are_private(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn when a secret of the embedded mode can be read by other users of the machine."""
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
def master_keys_open_the_data_keys(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Refuse to work without master keys, or (asked with `--database keyring`) without one that wraps data keys."""
    sentences = []
    if not settings.MASTER_KEYS or any(len(key) != cipher.KEY_BYTES for key in settings.MASTER_KEYS.values()):
        sentences.append("IBANSE_MASTER_KEYS holds no key of 32 bytes, or one of another length.")
    elif "keyring" in (databases or ()):
        sentences += vault.objections()
    hint = "Set IBANSE_MASTER_KEYS to every master key that has wrapped something: 1:<32 bytes in base64>,2:…"
    return [Error(sentence, hint=hint, id="ibanse.E003") for sentence in sentences]


@register(Tags.security)
def the_keyring_lies_apart(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse data keys beside the data; warn of the same server, whose databases share one log and one backup."""
    site, keyring = _place(settings.DATABASES["default"]), _place(settings.DATABASES["keyring"])
    hint = "Let KEYRING_DATABASE_URL name a SQLite file of its own, or PostgreSQL in a cluster of its own."
    if site == keyring:
        return [Error("The keyring lies in the same database as what it seals.", hint=hint, id="ibanse.E004")]
    if settings.EMBEDDED or site[:2] != keyring[:2] or not all(site[:2]):
        return []
    return [Warning("The keyring lies on the same database server as what it seals.", hint=hint, id="ibanse.W002")]


@register(Tags.security)
def somebody_is_told_of_weaknesses(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hint at production that tells nobody whom to write to about a weakness: /.well-known/security.txt is absent."""
    if settings.EMBEDDED or settings.SECURITY_CONTACTS:
        return []
    hint = "Set IBANSE_SECURITY_CONTACT to an e-mail address, or put one into IBANSE_OPERATOR_ADDRESS."
    return [Info("There is no /.well-known/security.txt: nobody is named in it.", hint=hint, id="ibanse.I001")]


@register(Tags.security)
def claims_are_shown(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hint at claims of /security/ that are shown without a result, or left out since their tests did not pass."""
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
def nobody_may_do_everything(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Refuse production with a superuser, asked with `--database default`: staff may what their groups may."""
    if settings.EMBEDDED or "default" not in (databases or ()) or not _is_there(User):
        return []
    hint = "Run: manage.py demote_superusers. What staff may is in the table accounts/staff/groups.py."
    return [
        Error(f"User {user.pk} is a superuser, who may do everything.", hint=hint, id="ibanse.E005")
        for user in User.objects.filter(is_superuser=True).only("pk")
    ]


def _is_there(model: type[Model]) -> bool:
    """Return whether a table has been made: a check also runs before the first migration."""
    return model._meta.db_table in connection.introspection.table_names()


def _place(database: Mapping[str, object]) -> tuple[str, str, str]:
    """Return server, port and name; a SQLite file has neither server nor port."""
    if str(database["ENGINE"]).endswith("sqlite3"):
        return "", "", str(Path(str(database["NAME"])).resolve())
    return str(database.get("HOST") or "localhost"), str(database.get("PORT") or 5432), str(database["NAME"])
