"""Rotates the pepper: a key's HMAC is renewed at its next use, the only moment at which its text is known.

Only after `rotate_pepper`: a worker that was not restarted yet does not have the new pepper, and would refuse every
key whose HMAC another worker has renewed.
"""

import logging
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.db import Error, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.guard import revisions
from apikeys import tokens
from apikeys.models import ApiKey

log = logging.getLogger(__name__)


class PepperStatus(NamedTuple):
    """How many keys in use need a pepper."""

    pepper: int
    is_configured: bool
    keys: int


class UnrenewedKey(NamedTuple):
    """A key in use that still needs an older pepper, since it was not used after `begin`."""

    prefix: str
    client: str
    pepper: int
    last_used_on: date | None


def newest() -> int:
    """Return the version of the pepper of new keys."""
    return max(settings.PEPPERS)


def begin() -> int:
    """Let every key in use with an older pepper be renewed at its next use; return how many.

    Every worker must have the newest pepper before. Doing so again makes all workers load their keys again.
    """
    with transaction.atomic():
        count = _in_use().filter(pepper__lt=newest()).update(next_pepper=newest())
        revisions.bump()
    return count


def renew(row: ApiKey, text: str) -> None:
    """Store the key under its next pepper, if the text is the key's, and change `row` alike.

    One statement, so a kill leaves the key under one of the two peppers. When several workers do so at once the first
    one wins, and all have computed the same.
    """
    old, new = settings.PEPPERS.get(row.pepper), settings.PEPPERS.get(row.next_pepper or 0)
    if old is None or new is None or not tokens.fits(text, old, bytes(row.digest)):
        return
    digest = tokens.digest(text, new)
    unchanged = ApiKey.objects.filter(pk=row.pk, pepper=row.pepper, next_pepper=row.next_pepper)
    try:
        unchanged.update(pepper=row.next_pepper, digest=digest, next_pepper=None)
    except Error as error:
        # The call need not fail: the old HMAC is still valid, and the next load tries again.
        log.warning("A key could not be renewed under pepper %s: %s", row.next_pepper, type(error).__name__)
        return
    row.pepper, row.digest = row.next_pepper or row.pepper, digest


def statuses() -> list[PepperStatus]:
    """Return how many keys in use need each pepper that is configured or needed, by version."""
    counts = dict(_in_use().values_list("pepper").annotate(Count("pk")))
    peppers = sorted({*settings.PEPPERS, *counts})
    return [PepperStatus(pepper, pepper in settings.PEPPERS, counts.get(pepper, 0)) for pepper in peppers]


def unrenewed() -> list[UnrenewedKey]:
    """Return the keys in use with an older pepper, those that were never or not lately used first."""
    rows = list(_in_use().exclude(pepper=newest()))
    found = [UnrenewedKey(row.prefix, str(row.client_id), row.pepper, row.last_used_on) for row in rows]
    return sorted(found, key=lambda key: (key.last_used_on or date.min, key.prefix))


def _in_use() -> QuerySet[ApiKey]:
    """Return the keys that are neither revoked nor expired, in any state of their client."""
    return ApiKey.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
