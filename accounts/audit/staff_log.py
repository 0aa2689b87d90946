"""The staff audit log: what staff viewed and did, chained so that a change shows. record() is its only writer.

One chain for the whole operator, built like the clients' (hash_chain.py). It names a client by its id alone, so an
entry outlives the client; details are sealed under a key of the operator, and those that concern a client are erased
with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import batch, mail
from accounts.actor import Actor
from accounts.audit import hash_chain
from accounts.audit.events import STAFF_EVENTS, StaffEvent, staff_event_text
from accounts.audit.hash_chain import Chain, ChainVerification, Checkpoint
from accounts.models import StaffDetail, StaffEntry, StaffLogLock, User

OWNER: Final = UUID("2a8d1f64-93b7-4c0e-8f52-7d6e0b9c41a3")
"""Owns the data key that seals the details: the operator's, of no account."""
ALARMED_GROUP: Final = "security"
ALARMED_AGAIN_AFTER: Final = timedelta(minutes=10)
DETAILS_RETENTION: Final = timedelta(days=760)
"""25 months."""


def record(
    event: StaffEvent, *, by: Actor, client: UUID | None = None, detail: dict[str, str] | None = None
) -> StaffEntry:
    """Append one event to the staff audit log and mail the group *security* if its description says so.

    `client` is the id of the client it concerned. `detail` holds short texts (they are encrypted). Appends take turns:
    whatever else a transaction locks, a client above all, it locks before, or two of them could wait for each other.
    """
    entry = StaffEntry(client=client, tag=event.value, actor=by.pk)
    with transaction.atomic():
        StaffLogLock.objects.select_for_update().get_or_create(pk=1)
        is_alarming = STAFF_EVENTS[event].alarm and not _has_alarmed(entry)
        chain().append(entry, detail=detail, address=by.ip_address)
        if is_alarming:
            _alarm(event, entry, by)
    return entry


def chain() -> Chain[StaffEntry]:
    """Return the chain of the staff's entries."""
    return Chain(
        owner=OWNER,
        rows=StaffEntry.objects.all(),
        details=StaffDetail.objects,
        name="staff history",
        stated_as="staff",
        more=lambda entry: entry.client.bytes if entry.client else b"",
    )


def entries(
    *,
    tag: str = "",
    actor: UUID | None = None,
    client: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[StaffEntry]:
    """Return the entries, newest first, with their details; the filters narrow them."""
    found = StaffEntry.objects.select_related("detail").order_by("-number")
    found = found.filter(tag=tag) if tag else found
    found = found.filter(actor=actor) if actor else found
    found = found.filter(client=client) if client else found
    found = found.filter(at__gte=since) if since else found
    return found.filter(at__lt=until) if until else found


@dataclass(frozen=True, slots=True)
class StaffLogRow:
    """An entry as *security* and *lead* read it. `who` and `address` are empty when not known, or no longer."""

    number: int
    tag: str
    description: str
    when: datetime
    who: str
    client: UUID | None
    network: str
    address: str
    details: dict[str, str]


def open_entries(found: Iterable[StaffEntry]) -> list[StaffLogRow]:
    """Open the entries, with the e-mail addresses of staff who are still there."""
    rows, log_chain = list(found), chain()
    actors = {entry.actor for entry in rows if entry.actor}
    # Only staff: the e-mail address of a client's user is never shown here.
    people = dict(User.objects.filter(pk__in=actors, client=None).values_list("pk", "email"))
    return [
        StaffLogRow(
            number=entry.number,
            tag=entry.tag,
            description=staff_event_text(entry.tag),
            when=entry.at,
            who=people.get(entry.actor, "") if entry.actor else "",
            client=entry.client,
            network=entry.network,
            address=log_chain.address(entry),
            details=log_chain.details_of(entry),
        )
        for entry in rows
    ]


def verify() -> ChainVerification:
    """Read the whole chain and say whether an entry was edited, removed or put in; erased details do no harm."""
    return chain().verify()


def checkpoint() -> Checkpoint:
    """Return a signed statement of where the chain ends now: it proves later that no tail was cut off."""
    return chain().checkpoint()


def verify_checkpoint(stated: Checkpoint) -> ChainVerification:
    """Read the chain, then compare it with a checkpoint that was stored elsewhere."""
    return chain().verify_checkpoint(stated)


def forget_old(now: datetime) -> int:
    """Erase full addresses older than seven days, and details older than 25 months; return how many.

    The entries themselves stay: the chain is whole for ever.
    """
    addresses = StaffDetail.objects.filter(entry__at__lt=now - hash_chain.FULL_IP_ADDRESS_RETENTION).exclude(
        sealed_address=b""
    )
    details = StaffDetail.objects.filter(entry__at__lt=now - DETAILS_RETENTION).exclude(sealed=b"")
    return batch.update(addresses, sealed_address=b"") + batch.update(details, sealed=b"", sealed_address=b"")


def forget_client(client: UUID) -> Iterator[int]:
    """Erase the details of what concerned a client; yield how many, at most 1,000 at a time."""
    theirs = StaffDetail.objects.filter(entry__client=client).exclude(sealed=b"", sealed_address=b"")
    while erased := batch.one(theirs, {"sealed": b"", "sealed_address": b""}, waits=True):
        yield erased


def forget_user(user: User) -> Iterator[int]:
    """Erase the details of what concerned a user's client and names the user; yield how many, 1,000 at a time.

    Raises vault.VaultError when the details cannot be opened.
    """
    log_chain, last = chain(), 0
    sealed = StaffEntry.objects.filter(client=user.client_id).exclude(detail__sealed=b"").select_related("detail")
    while found := list(sealed.filter(number__gt=last).order_by("number")[: batch.ROWS]):
        last = found[-1].number
        theirs = [entry.pk for entry in found if user.email in " ".join(log_chain.details_of(entry).values()).lower()]
        if theirs:
            yield StaffDetail.objects.filter(pk__in=theirs).update(sealed=b"", sealed_address=b"")


def _has_alarmed(entry: StaffEntry) -> bool:
    """Return whether the same event of the same person was mailed just now: a thousand tries are one mail."""
    since = timezone.now() - ALARMED_AGAIN_AFTER
    return StaffEntry.objects.filter(tag=entry.tag, actor=entry.actor, at__gt=since).exists()


def _alarm(event: StaffEvent, entry: StaffEntry, by: Actor) -> None:
    context = {
        "event": STAFF_EVENTS[event].text,
        "at": entry.at,
        "number": entry.number,
        "network": entry.network,
        "who": by.email,
        "minutes": ALARMED_AGAIN_AFTER.seconds // 60,
    }
    watch = User.objects.filter(is_active=True, is_staff=True, groups__name=ALARMED_GROUP)
    for person in watch.order_by("email"):
        mail.send_on_commit("staff_alarm", to=person.email, language=person.language, context=context)
