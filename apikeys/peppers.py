"""Exchanges the pepper: a key's HMAC is renewed at the key's next use, the only moment at which its text is known.

Not before the operator says so, by `rotate_pepper`: a worker that was not restarted yet does not have the new pepper,
and would refuse every key whose HMAC another one has renewed.
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
    """How many keys in use hang on one pepper."""

    pepper: int
    is_given: bool
    keys: int


class Unrenewed(NamedTuple):
    """A key in use that still hangs on an older pepper: it was not used since the exchange began, or it never did."""

    prefix: str
    client: str
    pepper: int
    last_used_on: date | None


def newest() -> int:
    """Return the number of the pepper that new keys are kept under."""
    return max(settings.PEPPERS)


def begin() -> int:
    """Let every key in use that hangs on an older pepper be renewed at its next use; return how many.

    Every worker must have the newest pepper before. Doing it again asks all workers to look again.
    """
    with transaction.atomic():
        asked = _in_use().filter(pepper__lt=newest()).update(next_pepper=newest())
        revisions.bump()
    return asked


def renew(row: ApiKey, text: str) -> None:
    """Keep the key under the pepper that takes the place of its own, if the text is the key's; change the row alike.

    One statement, so a kill leaves the key under the one or the other pepper. Of workers that do it at once the first
    one's counts, and all have computed the same.
    """
    old, new = settings.PEPPERS.get(row.pepper), settings.PEPPERS.get(row.next_pepper or 0)
    if old is None or new is None or not tokens.fits(text, old, bytes(row.digest)):
        return
    digest = tokens.digest(text, new)
    unchanged = ApiKey.objects.filter(pk=row.pk, pepper=row.pepper, next_pepper=row.next_pepper)
    try:
        unchanged.update(pepper=row.next_pepper, digest=digest, next_pepper=None)
    except Error as error:
        # The call itself need not fail for it: the old HMAC still stands, and the next load tries again.
        log.warning("A key could not be renewed under pepper %s: %s", row.next_pepper, type(error).__name__)
        return
    row.pepper, row.digest = row.next_pepper or row.pepper, digest


def standings() -> list[PepperStatus]:
    """Return how many keys in use hang on each pepper that is given or needed, by number."""
    counts = dict(_in_use().values_list("pepper").annotate(Count("pk")))
    numbers = sorted({*settings.PEPPERS, *counts})
    return [PepperStatus(number, number in settings.PEPPERS, counts.get(number, 0)) for number in numbers]


def unrenewed() -> list[Unrenewed]:
    """Return the keys in use that hang on an older pepper, those that were never or not lately used first."""
    rows = list(_in_use().exclude(pepper=newest()))
    found = [Unrenewed(row.prefix, str(row.client_id), row.pepper, row.last_used_on) for row in rows]
    return sorted(found, key=lambda key: (key.last_used_on or date.min, key.prefix))


def _in_use() -> QuerySet[ApiKey]:
    """Keys that work or could again: neither revoked nor expired, whatever their client's state."""
    return ApiKey.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
