"""What people write to the operator: kept sealed, mailed, and forgotten after 30 days. Knows no client and no address.

A message is kept first and mailed in the background (scheduler.py), so a mail server in trouble neither loses it nor
lets anybody wait. Nothing is ever mailed to whoever wrote it: an address that nobody has confirmed may be anybody's.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q

from accounts import batch, mail
from privacy import vault
from privacy.models import ContactMessage

log = logging.getLogger(__name__)

RETENTION: Final = timedelta(days=30)
MOST_CHARACTERS: Final = 4_000
MOST_PER_HOUR: Final = 5
"""From one address."""
TRIED_AGAIN_AFTER: Final = timedelta(minutes=10)

OWNER: Final = UUID("6f1c0f5e-6f0b-4a5c-9d0e-5a3c1f7e2b94")
"""Owns the data key that seals messages: the operator's, nobody's account."""
_PURPOSE: Final = "contact"


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote."""

    name: str
    email: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message, opened."""

    row: ContactMessage
    words: Words

    @property
    def reference(self) -> str:
        """What the sender and the operator call it."""
        return reference(self.row.pk)


def reference(pk: UUID) -> str:
    """Return the short name of a message, such as `3F2A-9C1D`."""
    return f"{pk.hex[:4]}-{pk.hex[4:8]}".upper()


def receive(pk: UUID, subject: str, words: Words) -> UUID:
    """Keep a message under the number that its form was made with, and return that number: a second click adds nothing.

    Somebody who goes back and writes something else with the same form gets a new number.
    """
    envelope = vault.seal(OWNER, json.dumps(asdict(words), ensure_ascii=False), purpose=_PURPOSE, record=str(pk))
    _row, is_new = ContactMessage.objects.get_or_create(pk=pk, defaults={"subject": subject, "sealed": envelope})
    return pk if is_new or is_same(pk, subject, words) else receive(uuid4(), subject, words)


def is_kept(pk: UUID) -> bool:
    """Return whether there is a message of this number."""
    return ContactMessage.objects.filter(pk=pk).exists()


def is_same(pk: UUID, subject: str, words: Words) -> bool:
    """Return whether the message of this number says just that."""
    row = ContactMessage.objects.filter(pk=pk, subject=subject).first()
    return row is not None and _opened(row) == words


def mail_waiting(now: datetime, *, at_once: bool = False) -> int:
    """Mail to the operator what is not mailed yet, and return how many the mail server took.

    What failed is tried again after ten minutes, or now if `at_once`. Stops at the first that fails: the next one would
    fail as well. Each is taken by one statement, so two workers never mail the same.
    """
    if not settings.CONTACT_ADDRESS:
        return 0
    is_due = Q(tried_at=None) if not at_once else Q()
    is_due |= Q(tried_at__lt=now - TRIED_AGAIN_AFTER)
    due = ContactMessage.objects.filter(is_due, mailed_at=None)
    mailed = 0
    for row in due.order_by("received_at", "pk")[:100]:
        if not due.filter(pk=row.pk, tried_at=row.tried_at).update(tried_at=now):
            continue
        if not _mail(row):
            break
        ContactMessage.objects.filter(pk=row.pk).update(mailed_at=now)
        mailed += 1
    return mailed


def waiting() -> int:
    """Return how many are not mailed yet."""
    return ContactMessage.objects.filter(mailed_at=None).count()


def every() -> Iterator[Message]:
    """Yield all messages, oldest first, opened. Raises vault.VaultError for one that does not open."""
    for row in ContactMessage.objects.all():
        yield Message(row, _opened(row))


def delete(named: str) -> int:
    """Delete what has this reference, such as `3F2A-9C1D`, and return how many."""
    pks = [row.pk for row in ContactMessage.objects.only("pk") if reference(row.pk) == named.strip().upper()]
    return ContactMessage.objects.filter(pk__in=pks).delete()[0]


def forget_old(now: datetime) -> int:
    """Delete what is older than 30 days, mailed or not; return how many."""
    return batch.delete(ContactMessage.objects.filter(received_at__lt=now - RETENTION))


def _mail(row: ContactMessage) -> bool:
    try:
        message = Message(row, _opened(row))
    except vault.VaultError as error:
        log.error("A message of the contact form does not open: %s", type(error).__name__)
        return False
    return mail.send_plain(
        "contact_message",
        to=settings.CONTACT_ADDRESS,
        reply_to=message.words.email,
        context={"message": message, "days": RETENTION.days},
    )


def _opened(row: ContactMessage) -> Words:
    return Words(**json.loads(vault.unseal_text(OWNER, row.sealed, purpose=_PURPOSE, record=str(row.pk))))
