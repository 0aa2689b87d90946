"""What many tests do in a site: run its commands, make a client with a key."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO

from django.core.management import call_command
from django.utils import timezone

from accounts.actor import SYSTEM
from accounts.models import Client
from apikeys import keys
from apikeys.models import ApiKey
from privacy import vault


def migrate() -> None:
    """Make the tables of both databases."""
    for database in ("default", "keyring"):
        call_command("migrate", database=database, verbosity=0)


def collect_static() -> None:
    """Collect the static files, without which no page can be rendered in production."""
    call_command("collectstatic", interactive=False, verbosity=0)


def run_command(name: str) -> str:
    """Run a command of manage.py and return its output."""
    output = StringIO()
    call_command(name, stdout=output)
    return output.getvalue()


def create_client_with_key(quota: int, rate: int, networks: Sequence[str]) -> list[str]:
    """Make a client with a key; return both ids and the key's text."""
    client = Client.objects.create(monthly_quota=quota)
    draft = keys.Draft(
        "Tests", ("validate",), timezone.now() + timedelta(days=1), any_address=not networks, networks=tuple(networks)
    )
    key, token = keys.create(client, draft, by=SYSTEM)
    ApiKey.objects.filter(pk=key.pk).update(rate_per_minute=rate)
    return [str(client.pk), str(key.pk), token]


def create_data_key() -> None:
    """Seal something, which makes a data key."""
    vault.seal(uuid.uuid4(), "x", purpose="test", record="1")
