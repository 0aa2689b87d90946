"""Prepares a site for a measurement, in its own environment: tables, a client, a key without limits.

The argument is what the client stores of its checks: off, verdict or full.
"""

import os
import sys
from datetime import timedelta

import django

# As many as the columns hold: the limits are counted, and never reached.
NO_LIMIT = 2**31 - 1


def prepare(mode: str) -> str:
    """Return the key of a client with this mode of logging."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
    django.setup()
    # Models can be imported only from here on.
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from accounts.actor import SYSTEM
    from accounts.models import Client
    from apikeys import keys
    from apikeys.models import ApiKey
    from privacy.models import PrivacySettings

    for database in settings.DATABASES:
        call_command("migrate", database=database, verbosity=0)
    client = Client.objects.create(monthly_quota=NO_LIMIT)
    PrivacySettings.objects.create(client=client, mode=mode)
    draft = keys.Draft(name="bench", scopes=("validate",), expires_at=timezone.now() + timedelta(days=1))
    key, token = keys.create(client, draft, by=SYSTEM)
    ApiKey.objects.filter(pk=key.pk).update(rate_per_minute=NO_LIMIT)
    return token


if __name__ == "__main__":
    print(prepare(sys.argv[1]))
