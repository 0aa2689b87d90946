"""A client to look around with: an owner, a sub-user and a month of sample usage. Never in production."""

import random
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.models import Client, UsageDay, User
from accounts.profile import details
from accounts.usage import counts

_DAYS: Final = 30
_OWNER: Final = "owner@demo.example"
_SUB_USER: Final = "colleague@demo.example"


@dataclass(frozen=True, slots=True)
class Login:
    """How to come in as one of the demo's users."""

    role: str
    email: str
    password: str


class NotHere(Exception):
    """The demo is for the embedded mode only."""


def logins() -> list[Login]:
    """Return the demo's logins, after making the demo client if there is none yet.

    The passwords are made for this machine and kept beside its database in a file that only its owner can read. Raises
    NotHere in production.
    """
    if not settings.EMBEDDED:
        raise NotHere
    path = settings.DATA_DIR / "demo_logins"
    if not (path.exists() and Client.objects.filter(is_demo=True).exists()):
        _make(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Login(*line.split("\t")) for line in lines]


def _make(path: Path) -> None:
    made = [
        Login("owner", _OWNER, secrets.token_urlsafe(12)),
        Login("sub-user", _SUB_USER, secrets.token_urlsafe(12)),
    ]
    with transaction.atomic():
        Client.objects.filter(is_demo=True).delete()
        client = Client.objects.create(is_demo=True)
        owner = _user(client, made[0], User.Role.OWNER, "Demo Owner")
        _user(client, made[1], User.Role.MEMBER, "Demo Colleague")
        audit.record(AuditEvent.CLIENT_CREATED, client=client, by=Actor(owner))
        company = details.Contact(company="Demo AB", person="Demo Owner", city="Stockholm", country="SE")
        details.save_contact(client, company, by=Actor(owner))
        UsageDay.objects.bulk_create(_sample(client))
    path.touch(mode=0o600)
    path.write_text("\n".join(f"{login.role}\t{login.email}\t{login.password}" for login in made), encoding="utf-8")


def _user(client: Client, login: Login, role: str, name: str) -> User:
    user = User.objects.create_user(login.email, login.password, client=client, role=role)
    EmailAddress.objects.create(user=user, email=login.email, verified=True, primary=True)
    details.save_name(user, name)
    return user


def _sample(client: Client) -> list[UsageDay]:
    """Make a month as an office has it: busy on weekdays, a few slips among many good numbers."""
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
