"""The trail of a client's deeds: who did what and when, chained so that a change shows. record() is its only pen.

Each entry holds the hash of the one before it, so an entry that is edited, removed or put in breaks the chain. A tail
that is cut off does not: that is what signed checkpoints are for, which leave the database with every export. What is
personal lies sealed beside the chain and can be erased; the chain keeps only its salted hash.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts import chunks, mail, signatures
from accounts.guard import addresses
from accounts.models import Client, HistoryDetail, HistoryEntry, User
from privacy import vault

FULL_ADDRESS_KEPT: Final = timedelta(days=7)
_GENESIS: Final = bytes(32)
_CHECKPOINT: Final = "history checkpoint"


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of deed: its sentence, and whether the client's owners are mailed."""

    sentence: Promise
    mail: bool = False


ACTIONS: Final[dict[str, Action]] = {
    "client.created": Action(gettext_lazy("The account was created"), mail=True),
    "terms.accepted": Action(gettext_lazy("The terms were accepted and the privacy notice was read")),
    "users.signed_in": Action(gettext_lazy("Signed in")),
    "users.signed_out_everywhere": Action(gettext_lazy("Signed out of all other browsers")),
    "users.password_changed": Action(gettext_lazy("The password was changed")),
    "users.email_changed": Action(gettext_lazy("The e-mail address was changed"), mail=True),
    "users.profile_changed": Action(gettext_lazy("The profile was changed")),
    "users.invited": Action(gettext_lazy("A colleague was invited"), mail=True),
    "users.invitation_resent": Action(gettext_lazy("An invitation was sent again")),
    "users.invitation_withdrawn": Action(gettext_lazy("An invitation was withdrawn")),
    "users.joined": Action(gettext_lazy("A colleague joined"), mail=True),
    "users.deactivated": Action(gettext_lazy("A user was deactivated"), mail=True),
    "users.reactivated": Action(gettext_lazy("A user was activated again"), mail=True),
    "users.removed": Action(gettext_lazy("A user was removed"), mail=True),
    "users.factors_reset": Action(gettext_lazy("A user's second factors were removed"), mail=True),
    "users.ownership_given": Action(gettext_lazy("A user was made an owner"), mail=True),
    "users.ownership_taken": Action(gettext_lazy("An owner was made a sub-user"), mail=True),
    "users.refused": Action(gettext_lazy("A page was refused")),
    "factors.totp_added": Action(gettext_lazy("An authenticator app was added")),
    "factors.totp_removed": Action(gettext_lazy("An authenticator app was removed")),
    "factors.passkey_added": Action(gettext_lazy("A passkey was added")),
    "factors.passkey_removed": Action(gettext_lazy("A passkey was removed")),
    "factors.recovery_codes_made": Action(gettext_lazy("Recovery codes were made")),
    "keys.created": Action(gettext_lazy("An API key was made"), mail=True),
    "keys.changed": Action(gettext_lazy("An API key was changed")),
    "keys.rotated": Action(gettext_lazy("An API key was replaced by a new one"), mail=True),
    "keys.revoked": Action(gettext_lazy("An API key was revoked"), mail=True),
    "keys.network_added": Action(gettext_lazy("An address was added to an API key")),
    "keys.network_removed": Action(gettext_lazy("An address was removed from an API key")),
    "keys.refused": Action(gettext_lazy("A call with an API key was refused")),
    "quota.changed": Action(gettext_lazy("The monthly quota was changed by the operator"), mail=True),
    "contact.changed": Action(gettext_lazy("The contact details were changed")),
    "billing.changed": Action(gettext_lazy("The billing details were changed")),
    "history.exported": Action(gettext_lazy("The history was exported")),
    "privacy.second_factor_required": Action(gettext_lazy("A second factor was required of all users"), mail=True),
    "privacy.second_factor_optional": Action(gettext_lazy("A second factor was made optional"), mail=True),
    "log.erasing": Action(gettext_lazy("Many checks began to be deleted from the log")),
    "log.erased": Action(gettext_lazy("Checks were deleted from the log")),
    "log.exported": Action(gettext_lazy("The log of checks was exported")),
    "privacy.logging_changed": Action(gettext_lazy("What is kept of checks was changed"), mail=True),
    "privacy.export_requested": Action(gettext_lazy("A copy of all data was requested")),
    "privacy.export_downloaded": Action(gettext_lazy("A copy of all data was downloaded")),
    "privacy.document_made": Action(gettext_lazy("A document was made out to the account")),
    "privacy.document_deleted": Action(gettext_lazy("A document was deleted")),
    "privacy.document_downloaded": Action(gettext_lazy("A document was downloaded")),
    "privacy.log_reduced": Action(gettext_lazy("Records of checks were erased or reduced")),
    "deletion.requested": Action(gettext_lazy("The deletion of the account was requested")),
    "deletion.confirmed": Action(gettext_lazy("The deletion of the account was confirmed by mail")),
    "deletion.cancelled": Action(gettext_lazy("The deletion of the account was cancelled"), mail=True),
    "deletion.begun": Action(gettext_lazy("A part of the account began to be deleted"), mail=True),
    "deletion.executed": Action(gettext_lazy("A part of the account was deleted")),
    "owners.recovery_requested": Action(gettext_lazy("A new owner was requested at the operator"), mail=True),
    "owners.recovery_cancelled": Action(gettext_lazy("The request for a new owner was cancelled"), mail=True),
    "owners.recovered": Action(gettext_lazy("A user was made an owner by the operator"), mail=True),
}
"""Every tag that record() takes."""


def record(  # noqa: PLR0913 - all that there is to say of a deed, each by its name
    tag: str,
    *,
    client: Client,
    by: User | None,
    request: HttpRequest | None = None,
    address: str = "",
    detail: dict[str, str] | None = None,
) -> HistoryEntry:
    """Write one deed into the client's trail and mail the owners if its action says so.

    `detail` holds short texts (they are sealed). The caller's address is taken from the request; who has no request
    gives it as `address`, in the canonical form of guard.addresses. Raises KeyError for a tag that is not in ACTIONS.
    Appends take turns on the client's row, so the chain never forks.
    """
    action = ACTIONS[tag]
    address = _address(request) or address
    # Whole seconds: finer times would let a reader of the table line up two clients' deeds.
    at = timezone.now().replace(microsecond=0)
    with transaction.atomic():
        Client.objects.lock(client)
        last = HistoryEntry.objects.filter(client=client).order_by("-number").first()
        said = json.dumps({"salt": secrets.token_hex(16), **(detail or {})}, sort_keys=True, ensure_ascii=False)
        entry = HistoryEntry(
            client=client,
            number=last.number + 1 if last else 1,
            tag=tag,
            at=at,
            actor=by.pk if by else None,
            network=_network(address),
            detail_hash=hashlib.sha256(said.encode()).digest(),
            previous_hash=bytes(last.hash) if last else _GENESIS,
        )
        entry.hash = _hash(entry)
        entry.save()
        HistoryDetail.objects.create(
            entry=entry,
            sealed=_seal(entry, "history.detail", said),
            sealed_address=_seal(entry, "history.address", address) if address else b"",
        )
        if action.mail and not client.is_demo:  # Nobody lives at the demo's addresses.
            _mail_owners(client, entry, action)
    return entry


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
class Told:
    """An entry as its owner reads it. `who` and `address` are empty when not known, or no longer."""

    number: int
    tag: str
    sentence: str
    when: datetime
    who: str
    network: str
    address: str
    details: dict[str, str]


def told(client: Client, found: Iterable[HistoryEntry]) -> list[Told]:
    """Open the entries for reading, with the e-mail addresses of users who are still there."""
    people = dict(User.objects.filter(client=client).values_list("pk", "email"))
    return [
        Told(
            number=entry.number,
            tag=entry.tag,
            sentence=str(ACTIONS[entry.tag].sentence),
            when=entry.at,
            who=people.get(entry.actor, "") if entry.actor else "",
            network=entry.network,
            address=_opened(entry, "history.address", _kept(entry, "sealed_address")),
            details=_details(entry),
        )
        for entry in found
    ]


def forget_addresses(now: datetime) -> int:
    """Erase full addresses older than seven days; return how many. The shortened ones stay in the chain."""
    old = HistoryDetail.objects.filter(entry__at__lt=now - FULL_ADDRESS_KEPT).exclude(sealed_address=b"")
    return chunks.update(old, sealed_address=b"")


def forget_user(user: User) -> Iterator[int]:
    """Erase what is personal in a user's deeds and wherever their address stands; yield how many, 1,000 at a time.

    The chain stays whole. Raises vault.VaultError when the details cannot be opened.
    """
    last = 0
    while found := list(_with_details(user, last)):
        last = found[-1].number
        theirs = [entry.pk for entry in found if entry.actor == user.pk or user.email in _said(entry)]
        if theirs:
            yield HistoryDetail.objects.filter(pk__in=theirs).update(sealed=b"", sealed_address=b"")


def _with_details(user: User, after: int) -> QuerySet[HistoryEntry]:
    kept = HistoryEntry.objects.filter(client=user.client, number__gt=after).exclude(detail__sealed=b"")
    return kept.select_related("detail").order_by("number")[: chunks.ROWS]


def _said(entry: HistoryEntry) -> str:
    return " ".join(_details(entry).values()).lower()


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a trail is whole: how many entries were read, and the first that is not right."""

    ok: bool
    entries: int
    first_bad: int | None = None
    problem: str = ""
    """`edited`, `missing`, `detail` or, against a checkpoint, `cut`, `changed` or `signature`."""


def verify(client: Client) -> Verification:
    """Read the whole chain and say whether an entry was edited, removed or put in; erased details do no harm."""
    previous, number = _GENESIS, 0
    chain = HistoryEntry.objects.filter(client=client).select_related("detail").order_by("number")
    for number, entry in enumerate(chain.iterator(chunk_size=500), 1):
        problem = _problem(entry, number, previous)
        if problem:
            return Verification(ok=False, entries=number, first_bad=number, problem=problem)
        previous = bytes(entry.hash)
    return Verification(ok=True, entries=number)


def _problem(entry: HistoryEntry, number: int, previous: bytes) -> str:
    if entry.number != number:
        return "missing"
    if bytes(entry.previous_hash) != previous or bytes(entry.hash) != _hash(entry):
        return "edited"
    said = _kept(entry, "sealed")
    if not said:
        return ""
    try:
        text = _opened(entry, "history.detail", said)
    except vault.Broken:
        return "detail"
    return "" if hashlib.sha256(text.encode()).digest() == bytes(entry.detail_hash) else "detail"


Checkpoint = dict[str, str]


def checkpoint(client: Client) -> Checkpoint:
    """Return a signed statement of where the trail ends now: it proves later that no tail was cut off."""
    last = HistoryEntry.objects.filter(client=client).order_by("-number").first()
    stated = {
        "client": str(client.pk),
        "number": str(last.number if last else 0),
        "hash": bytes(last.hash).hex() if last else _GENESIS.hex(),
        "at": timezone.now().astimezone(UTC).replace(microsecond=0).isoformat(),
    }
    return {**stated, "signature": signatures.sign(_statement(stated), purpose=_CHECKPOINT)}


def verify_checkpoint(client: Client, stated: Checkpoint) -> Verification:
    """Read the chain, then compare it with a checkpoint that was kept elsewhere."""
    result = verify(client)
    if not result.ok:
        return result
    ours = signatures.is_ours(_statement(stated), stated.get("signature", ""), purpose=_CHECKPOINT)
    if not ours or stated.get("client") != str(client.pk):
        return Verification(ok=False, entries=result.entries, problem="signature")
    number = int(stated["number"])
    if number > result.entries:
        return Verification(ok=False, entries=result.entries, first_bad=result.entries + 1, problem="cut")
    entry = HistoryEntry.objects.filter(client=client, number=number).first()
    if entry is not None and bytes(entry.hash).hex() != stated["hash"]:
        return Verification(ok=False, entries=result.entries, first_bad=number, problem="changed")
    return result


def _statement(stated: Checkpoint) -> str:
    return json.dumps({key: stated.get(key, "") for key in ("client", "number", "hash", "at")}, sort_keys=True)


def _hash(entry: HistoryEntry) -> bytes:
    """Hash the entry; each part is told with its length, so that no two entries read the same."""
    parts = [
        entry.client_id.bytes,
        str(entry.number).encode(),
        entry.tag.encode(),
        entry.at.astimezone(UTC).isoformat(timespec="microseconds").encode(),
        entry.actor.bytes if entry.actor else b"",
        entry.network.encode(),
        bytes(entry.detail_hash),
        bytes(entry.previous_hash),
    ]
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def _address(request: HttpRequest | None) -> str:
    if request is None:
        return ""
    try:
        return addresses.caller(request)
    except SuspiciousOperation:  # The deed is done all the same; that its address is unknown is what we keep.
        return ""


def _network(address: str) -> str:
    """Shorten an address to the network around it, which says where from but not who."""
    if not address:
        return ""
    return str(ip_network((address, 24 if ip_address(address).version == 4 else 48), strict=False))


def _record_id(entry: HistoryEntry) -> str:
    return f"{entry.client_id}/{entry.number}"


def _seal(entry: HistoryEntry, purpose: str, text: str) -> bytes:
    return vault.seal(entry.client_id, text, purpose=purpose, record=_record_id(entry))


def _kept(entry: HistoryEntry, field: str) -> bytes:
    detail = getattr(entry, "detail", None)
    return bytes(getattr(detail, field)) if detail else b""


def _opened(entry: HistoryEntry, purpose: str, sealed: bytes) -> str:
    if not sealed:
        return ""
    return vault.unseal_text(entry.client_id, sealed, purpose=purpose, record=_record_id(entry))


def _details(entry: HistoryEntry) -> dict[str, str]:
    said = _opened(entry, "history.detail", _kept(entry, "sealed"))
    details: dict[str, str] = json.loads(said) if said else {}
    details.pop("salt", None)
    return details


def _mail_owners(client: Client, entry: HistoryEntry, action: Action) -> None:
    for owner in User.objects.filter(client=client, role=User.Role.OWNER, is_active=True):
        context = {"sentence": action.sentence, "at": entry.at, "network": entry.network}
        mail.send_on_commit("deed", to=owner.email, language=owner.language, context=context)
