"""A client with a key and a signed-in owner, for the search for a canary."""

from datetime import timedelta
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Client, User
from apikeys import keys
from privacy.models import PrivacySettings
from validation.models import ValidationRecord


def create_client(mode: str) -> list[str]:
    """Make a client with this mode of check logging; return its id, a key and the session of its owner."""
    client = Client.objects.create()
    PrivacySettings.objects.create(client=client, mode=mode)
    owner = User.objects.create_user(
        f"{client.pk}@example.com", "a password that nobody types", client=client, role=User.Role.OWNER
    )
    draft = keys.Draft("Canary", ("validate", "tools"), timezone.now() + timedelta(days=1))
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(owner.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = owner.get_session_auth_hash()
    session.save()
    return [str(client.pk), keys.create(client, draft, by=Actor(owner))[1], session.session_key]


def count_records(client_id: str) -> int:
    """Return how many check records a client has."""
    return ValidationRecord.objects.filter(client=UUID(client_id)).count()
