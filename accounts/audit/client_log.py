"""A client's audit log: who did what and when, chained so that a change shows. record() is its only writer.

How the entries are log_chain is in hash_chain.py. Signed checkpoints leave the database with every export.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from accounts import batch, mail
from accounts.actor import Actor
from accounts.audit import hash_chain
from accounts.audit.events import CLIENT_EVENTS, AuditEvent, client_event_text
from accounts.audit.hash_chain import Chain, ChainVerification, Checkpoint
from accounts.models import Client, HistoryDetail, HistoryEntry, User


def record(event: AuditEvent, *, client: Client, by: Actor, detail: dict[str, str] | None = None) -> HistoryEntry:
    """Append one event to the client's audit log and mail the owners if its description says so.

    `detail` holds short texts (they are encrypted). Appends take turns on the client's row, so the chain never forks.
    """
    description = CLIENT_EVENTS[event]
    entry = HistoryEntry(client=client, tag=event.value, actor=by.pk)
    with transaction.atomic():
        Client.objects.lock(client)
        chain(client).append(entry, detail=detail, address=by.ip_address)
        if description.mail and not client.is_demo:  # Nobody reads mail at the demo's addresses.
            # The words of a reason stay in the log: a mail is not encrypted.
            context = {
                "event": description.text,
                "at": entry.at,
                "network": entry.network,
                "meaning": description.meaning,
                "by_operator": description.by_operator,
                "ticket": (detail or {}).get("ticket", ""),
            }
            mail.send_to_owners_on_commit(client, "action", context=context)
    return entry


def chain(client: Client) -> Chain[HistoryEntry]:
    """Return the chain of the client's entries."""
    return Chain(
        owner=client.pk,
        rows=HistoryEntry.objects.filter(client=client),
        details=HistoryDetail.objects,
        name="history",
        stated_as="client",
    )


def entries(
    client: Client,
    *,
    tag: str = "",
    actor: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[HistoryEntry]:
    """Return the client's entries, newest first, with their details; the filters narrow them."""
    found = HistoryEntry.objects.filter(client=client).select_related("detail").order_by("-number")
    found = found.filter(tag=tag) if tag else found
    found = found.filter(actor=actor) if actor else found
    found = found.filter(at__gte=since) if since else found
    return found.filter(at__lt=until) if until else found


@dataclass(frozen=True, slots=True)
class ClientLogRow:
    """An entry as owners read it. `who` and `address` are empty when not known, or no longer."""

    number: int
    tag: str
    description: str
    when: datetime
    who: str
    network: str
    address: str
    details: dict[str, str]


def open_entries(client: Client, found: Iterable[HistoryEntry]) -> list[ClientLogRow]:
    """Open the entries, with the e-mail addresses of users who are still there."""
    people = dict(User.objects.filter(client=client).values_list("pk", "email"))
    log_chain = chain(client)
    return [
        ClientLogRow(
            number=entry.number,
            tag=entry.tag,
            description=client_event_text(entry.tag),
            when=entry.at,
            who=_who(entry, people),
            network=entry.network,
            address=log_chain.address(entry),
            details=log_chain.details_of(entry),
        )
        for entry in found
    ]


def _who(entry: HistoryEntry, people: dict[UUID, str]) -> str:
    if CLIENT_EVENTS[AuditEvent(entry.tag)].by_operator:
        return str(gettext_lazy("the operator"))
    return people.get(entry.actor, "") if entry.actor else ""


def forget_addresses(now: datetime) -> int:
    """Erase full addresses older than seven days; return how many. The shortened ones stay in the chain."""
    old = HistoryDetail.objects.filter(entry__at__lt=now - hash_chain.FULL_IP_ADDRESS_RETENTION).exclude(
        sealed_address=b""
    )
    return batch.update(old, sealed_address=b"")


def forget_user(user: User) -> Iterator[int]:
    """Erase the details of a user's actions and of entries that name them; yield how many, 1,000 at a time.

    The chain stays whole. Raises vault.VaultError when the details cannot be opened.
    """
    if user.client is None:
        return
    last, log_chain = 0, chain(user.client)
    sealed = HistoryEntry.objects.filter(client=user.client).exclude(detail__sealed=b"").select_related("detail")
    while found := list(sealed.filter(number__gt=last).order_by("number")[: batch.ROWS]):
        last = found[-1].number
        theirs = [
            entry.pk
            for entry in found
            if entry.actor == user.pk or user.email in " ".join(log_chain.details_of(entry).values()).lower()
        ]
        if theirs:
            yield HistoryDetail.objects.filter(pk__in=theirs).update(sealed=b"", sealed_address=b"")


def verify(client: Client) -> ChainVerification:
    """Read the whole chain and say whether an entry was edited, removed or put in; erased details do no harm."""
    return chain(client).verify()


def checkpoint(client: Client) -> Checkpoint:
    """Return a signed statement of where the chain ends now: it proves later that no tail was cut off."""
    return chain(client).checkpoint()


def verify_checkpoint(client: Client, stated: Checkpoint) -> ChainVerification:
    """Read the chain, then compare it with a checkpoint that was stored elsewhere."""
    return chain(client).verify_checkpoint(stated)
