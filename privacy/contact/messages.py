"""Messages to the operator: stored sealed, mailed, and deleted after RETENTION. Knows no client and no IP address.

A message is stored first and mailed in the background (ibanse/scheduler.py), so that a failing mail server neither
loses it nor makes anybody wait. Its sender is never mailed: an unconfirmed e-mail address may be anybody's.
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
"""From one IP address."""
TRIED_AGAIN_AFTER: Final = timedelta(minutes=10)

OWNER: Final = UUID("6f1c0f5e-6f0b-4a5c-9d0e-5a3c1f7e2b94")
"""Owns the data key that seals messages: the operator's, no account."""
_PURPOSE: Final = "contact"


@dataclass(frozen=True, slots=True)
class Words:
    """The sealed part of a message."""

    name: str
    email: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message, decrypted."""

    row: ContactMessage
    words: Words

    @property
    def reference(self) -> str:
        """The reference that the sender and the operator see."""
        return reference(self.row.pk)


def reference(pk: UUID) -> str:
    """Return the reference of a message, such as `3F2A-9C1D`."""
    return f"{pk.hex[:4]}-{pk.hex[4:8]}".upper()


def receive(pk: UUID, subject: str, words: Words) -> UUID:
    """Store a message under the ID of its form, and return that ID: a second click stores nothing.

    Another text sent with the same form gets a new ID.
    """
    envelope = vault.seal(OWNER, json.dumps(asdict(words), ensure_ascii=False), purpose=_PURPOSE, record=str(pk))
    _row, is_new = ContactMessage.objects.get_or_create(pk=pk, defaults={"subject": subject, "sealed": envelope})
    return pk if is_new or is_same(pk, subject, words) else receive(uuid4(), subject, words)


def is_stored(pk: UUID) -> bool:
    """Return whether there is a message with this ID."""
    return ContactMessage.objects.filter(pk=pk).exists()


def is_same(pk: UUID, subject: str, words: Words) -> bool:
    """Return whether the message with this ID has exactly this content."""
    row = ContactMessage.objects.filter(pk=pk, subject=subject).first()
    return row is not None and _opened(row) == words


def mail_waiting(now: datetime, *, at_once: bool = False) -> int:
    """Mail to the operator what is not mailed yet; return how many messages the mail server accepted.

    A failed one is retried after TRIED_AGAIN_AFTER, or now if `at_once`. Stops at the first failure: the next one would
    fail as well. Each is claimed by one statement, so that two workers never mail the same message.
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


def unmailed() -> int:
    """Return how many messages are not mailed yet."""
    return ContactMessage.objects.filter(mailed_at=None).count()


def every() -> Iterator[Message]:
    """Yield all messages, oldest first, decrypted. Raises vault.VaultError for one that cannot be decrypted."""
    for row in ContactMessage.objects.all():
        yield Message(row, _opened(row))


def delete(wanted: str) -> int:
    """Delete the messages with this reference, such as `3F2A-9C1D`; return how many."""
    pks = [row.pk for row in ContactMessage.objects.only("pk") if reference(row.pk) == wanted.strip().upper()]
    return ContactMessage.objects.filter(pk__in=pks).delete()[0]


def forget_old(now: datetime) -> int:
    """Delete messages older than RETENTION, mailed or not; return how many."""
    return batch.delete(ContactMessage.objects.filter(received_at__lt=now - RETENTION))


def _mail(row: ContactMessage) -> bool:
    try:
        message = Message(row, _opened(row))
    except vault.VaultError as error:
        log.error("A message of the contact form cannot be decrypted: %s", type(error).__name__)
        return False
    return mail.send_plain(
        "contact_message",
        to=settings.CONTACT_ADDRESS,
        reply_to=message.words.email,
        context={"message": message, "days": RETENTION.days},
    )


def _opened(row: ContactMessage) -> Words:
    return Words(**json.loads(vault.unseal_text(OWNER, row.sealed, purpose=_PURPOSE, record=str(row.pk))))
