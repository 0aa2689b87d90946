"""The demo client of the embedded mode: an owner, a member, two API keys and a month of sample usage.

Passwords and keys are created on this machine, and stored beside its database in files that only their owner can read.
"""

import random
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import SYSTEM, Actor
from accounts.audit.events import AuditEvent
from accounts.models import Client, UsageDay, User
from accounts.profile import details
from accounts.usage import counts
from apikeys import keys, scopes, tokens
from apikeys.models import ApiKey

_DAYS: Final = 30
_KEY_LIFE: Final = timedelta(days=365)
_KEY_NAMES: Final = {"live": "Demo program", "test": "Demo program, on trial"}


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """How to sign in as one of the demo's users."""

    role: str
    email: str
    password: str


class DemoUnavailable(Exception):
    """There is a demo in the embedded mode only."""


def logins() -> list[DemoLogin]:
    """Return the demo's logins, after creating the demo client if there is none. Raises DemoUnavailable."""
    if not settings.EMBEDDED:
        raise DemoUnavailable
    path = settings.DATA_DIR / "demo_logins"
    if not (path.exists() and Client.objects.filter(is_demo=True).exists()):
        _write(path, [(login.role, login.email, login.password) for login in _create_client()])
    return [DemoLogin(*fields) for fields in _read(path)]


def api_keys() -> dict[str, str]:
    """Return the text of each key, `live` and `test`, after creating those that are missing, revoked or expire soon.

    They work from any IP address. Call it after logins(). Raises DemoUnavailable.
    """
    if not settings.EMBEDDED:
        raise DemoUnavailable
    client = Client.objects.get(is_demo=True)
    path = settings.DATA_DIR / "demo_keys"
    stored = dict(_read(path))
    texts = {
        kind: stored[kind] if _works(client, stored.get(kind, "")) else _create_key(client, kind, name)
        for kind, name in _KEY_NAMES.items()
    }
    if texts != stored:
        _write(path, texts.items())
    return texts


def _create_client() -> list[DemoLogin]:
    owner_login = DemoLogin("owner", "owner@demo.example", secrets.token_urlsafe(12))
    member_login = DemoLogin("member", "colleague@demo.example", secrets.token_urlsafe(12))
    with transaction.atomic():
        Client.objects.filter(is_demo=True).delete()
        client = Client.objects.create(is_demo=True)
        owner = _create_user(client, owner_login, User.Role.OWNER, "Demo Owner")
        _create_user(client, member_login, User.Role.MEMBER, "Demo Colleague")
        audit.record(AuditEvent.CLIENT_CREATED, client=client, by=Actor(owner))
        contact = details.Contact(company="Demo AB", person="Demo Owner", city="Stockholm", country="SE")
        details.save_contact(client, contact, by=Actor(owner))
        UsageDay.objects.bulk_create(_sample_usage(client))
    return [owner_login, member_login]


def _create_user(client: Client, login: DemoLogin, role: str, name: str) -> User:
    user = User.objects.create_user(login.email, login.password, client=client, role=role)
    EmailAddress.objects.create(user=user, email=login.email, verified=True, primary=True)
    details.save_name(user, name)
    return user


def _sample_usage(client: Client) -> list[UsageDay]:
    """Return a month of an office: busy on weekdays, and few IBANs that are invalid."""
    dice = random.Random(7)
    days = [counts.today() - timedelta(days=back) for back in range(_DAYS)]
    return [
        UsageDay(
            client=client,
            day=day,
            source=UsageDay.Source.PAGE,
            valid=dice.randint(60, 140) if day.weekday() < 5 else dice.randint(0, 8),
            invalid=dice.randint(4, 18) if day.weekday() < 5 else dice.randint(0, 2),
        )
        for day in days
    ]


def _works(client: Client, text: str) -> bool:
    try:
        identifier = tokens.split(text).identifier
    except tokens.Malformed:
        return False
    soon = timezone.now() + timedelta(days=max(keys.WARNINGS_DAYS))
    return ApiKey.objects.filter(
        client=client, identifier=identifier, revoked_at=None, replaced_by=None, expires_at__gt=soon
    ).exists()


def _create_key(client: Client, kind: str, name: str) -> str:
    draft = keys.Draft(
        name=name,
        scopes=tuple(scopes.SCOPES),
        expires_at=timezone.now() + _KEY_LIFE,
        is_test=kind == "test",
    )
    _key, text = keys.create(client, draft, by=SYSTEM)
    return text


def _read(path: Path) -> list[list[str]]:
    """Return the lines of a file, split at tabs; none when there is no file."""
    if not path.exists():
        return []
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def _write(path: Path, lines: Iterable[tuple[str, ...]]) -> None:
    path.touch(mode=0o600)
    path.write_text("\n".join("\t".join(fields) for fields in lines), encoding="utf-8")
