"""What the operator's staff looked at and did, chained so that a change shows. record() is its only pen.

One chain for the whole operator, of the same make as the clients' (chain.py). A client stands in it by its number
alone, so an entry outlives the client and names nobody; details lie sealed under a key of the operator's, and those
that concern a client are erased with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts import batch, mail
from accounts.audit import hash_chain
from accounts.audit.hash_chain import Chain, Checkpoint, Verification
from accounts.models import StaffDetail, StaffEntry, StaffLogLock, User

OWNER: Final = UUID("2a8d1f64-93b7-4c0e-8f52-7d6e0b9c41a3")
"""Owns the data key that seals the details: the operator's, nobody's account."""
ALARMED_GROUP: Final = "security"
ALARMED_AGAIN_AFTER: Final = timedelta(minutes=10)
DETAILS_RETENTION: Final = timedelta(days=760)
"""25 months."""


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of look or deed: its sentence, and whether the group *security* is mailed."""

    sentence: Promise
    alarm: bool = False


ACTIONS: Final[dict[str, Action]] = {
    "staff.groups_changed": Action(gettext_lazy("A staff member's groups were changed"), alarm=True),
    "staff.shut_out": Action(gettext_lazy("A staff member was locked out"), alarm=True),
    "staff.let_in": Action(gettext_lazy("A staff member's access was restored"), alarm=True),
    "staff.demoted": Action(gettext_lazy("Someone's unrestricted access was removed"), alarm=True),
    "staff.created": Action(gettext_lazy("Someone was added to the staff"), alarm=True),
    "client.unmasked": Action(gettext_lazy("A client's masked details were opened with a stated reason")),
    "client.looked_at": Action(gettext_lazy("A client's masked details were opened with the client's permission")),
    "client.masked": Action(gettext_lazy("A client's details were masked again early")),
    "client.unmasking_refused": Action(
        gettext_lazy("The masked details of too many clients were opened within an hour"), alarm=True
    ),
    "office.viewed": Action(gettext_lazy("A back-office page was opened")),
    "office.changed": Action(gettext_lazy("Something was changed in the back-office")),
    "office.refused": Action(gettext_lazy("Access to a back-office page was refused")),
    "client.suspended": Action(gettext_lazy("A client was suspended")),
    "client.reopened": Action(gettext_lazy("A client was reopened")),
    "client.noted": Action(gettext_lazy("A note about a client was added")),
    "quota.changed": Action(gettext_lazy("A client's monthly quota was changed")),
    "users.limit_changed": Action(gettext_lazy("A client's maximum number of users was changed")),
    "users.invitation_resent_by_operator": Action(gettext_lazy("An invitation was resent")),
    "users.invitation_withdrawn_by_operator": Action(gettext_lazy("An invitation was withdrawn")),
    "users.signed_out_by_operator": Action(gettext_lazy("A user was signed out everywhere")),
    "keys.revoked_by_operator": Action(gettext_lazy("A leaked API key was revoked")),
    "staff.signed_out": Action(gettext_lazy("A staff member was signed out everywhere")),
    "blocks.set": Action(gettext_lazy("An IP address was blocked")),
    "blocks.lifted": Action(gettext_lazy("An IP address was unblocked")),
    "office.misused": Action(gettext_lazy("Something was attempted that no back-office page offers"), alarm=True),
}
"""Every tag that record() takes."""


def record(
    tag: str,
    *,
    by: User | None,
    request: HttpRequest | None = None,
    client: UUID | None = None,
    detail: dict[str, str] | None = None,
) -> StaffEntry:
    """Write one look or deed into the staff's history and mail *security* if its action says so.

    `by` is the member of staff, None for a command; `client` the id of the client it concerned. `detail` holds short
    texts (they are sealed). Raises KeyError for a tag that is not in ACTIONS. Appends take turns: what else a
    transaction locks, a client above all, it locks before, or two of them could wait for each other.
    """
    action = ACTIONS[tag]
    entry = StaffEntry(client=client, tag=tag, actor=by.pk if by else None)
    with transaction.atomic():
        StaffLogLock.objects.select_for_update().get_or_create(pk=1)
        is_alarming = action.alarm and not _has_alarmed(entry)
        trail().append(entry, detail=detail, address=hash_chain.caller(request))
        if is_alarming:
            _alarm(entry, by)
    return entry


def trail() -> Chain[StaffEntry]:
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
    sentence: str
    when: datetime
    who: str
    client: UUID | None
    network: str
    address: str
    details: dict[str, str]


def told(found: Iterable[StaffEntry]) -> list[StaffLogRow]:
    """Open the entries for reading, with the e-mail addresses of staff who are still there."""
    rows, chained = list(found), trail()
    actors = {entry.actor for entry in rows if entry.actor}
    # None but staff: nobody reads a client's address here, whoever once did something as what.
    people = dict(User.objects.filter(pk__in=actors, client=None).values_list("pk", "email"))
    return [
        StaffLogRow(
            number=entry.number,
            tag=entry.tag,
            sentence=str(ACTIONS[entry.tag].sentence) if entry.tag in ACTIONS else entry.tag,
            when=entry.at,
            who=people.get(entry.actor, "") if entry.actor else "",
            client=entry.client,
            network=entry.network,
            address=chained.address(entry),
            details=chained.said(entry),
        )
        for entry in rows
    ]


def verify() -> Verification:
    """Read the whole chain and say whether an entry was edited, removed or put in; erased details do no harm."""
    return trail().verify()


def checkpoint() -> Checkpoint:
    """Return a signed statement of where the chain ends now: it proves later that no tail was cut off."""
    return trail().checkpoint()


def verify_checkpoint(stated: Checkpoint) -> Verification:
    """Read the chain, then compare it with a checkpoint that was kept elsewhere."""
    return trail().verify_checkpoint(stated)


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
    chained, last = trail(), 0
    kept = StaffEntry.objects.filter(client=user.client_id).exclude(detail__sealed=b"").select_related("detail")
    while found := list(kept.filter(number__gt=last).order_by("number")[: batch.ROWS]):
        last = found[-1].number
        theirs = [entry.pk for entry in found if user.email in " ".join(chained.said(entry).values()).lower()]
        if theirs:
            yield StaffDetail.objects.filter(pk__in=theirs).update(sealed=b"", sealed_address=b"")


def _has_alarmed(entry: StaffEntry) -> bool:
    """Return whether the same was mailed of the same person just now: a thousand tries are not a thousand mails."""
    since = timezone.now() - ALARMED_AGAIN_AFTER
    return StaffEntry.objects.filter(tag=entry.tag, actor=entry.actor, at__gt=since).exists()


def _alarm(entry: StaffEntry, by: User | None) -> None:
    context = {
        "sentence": ACTIONS[entry.tag].sentence,
        "at": entry.at,
        "number": entry.number,
        "network": entry.network,
        "who": by.email if by else "",
        "minutes": ALARMED_AGAIN_AFTER.seconds // 60,
    }
    watch = User.objects.filter(is_active=True, is_staff=True, groups__name=ALARMED_GROUP)
    for person in watch.order_by("email"):
        mail.send_on_commit("staff_alarm", to=person.email, language=person.language, context=context)
