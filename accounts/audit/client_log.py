"""The trail of a client's deeds: who did what and when, chained so that a change shows. record() is its only pen.

How the entries hang together is in chain.py. Signed checkpoints leave the database with every export.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts import batch, mail
from accounts.audit import hash_chain
from accounts.audit.hash_chain import Chain, Checkpoint, Verification
from accounts.models import Client, HistoryDetail, HistoryEntry, User


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of deed: its sentence, whether the client's owners are mailed, and whether it is one of our staff's."""

    sentence: Promise
    mail: bool = False
    meaning: Promise | None = None
    """Of a deed of the operator's staff: what it means for the client and what to do, for the mail."""
    by_operator: bool = False
    """Who of the staff did it stands in their own history (staff_history.py), not here."""


_OF_THE_OPERATOR: Final = {
    "client.suspended": Action(
        gettext_lazy("We suspended the account"),
        mail=True,
        meaning=gettext_lazy(
            "From now on, API keys are refused and the pages of the account are closed. Nothing is "
            "deleted. As an owner you can still read the audit log and the check log, download a copy of "
            "all data, and delete the account."
        ),
        by_operator=True,
    ),
    "client.reopened": Action(
        gettext_lazy("We reopened the account"),
        mail=True,
        meaning=gettext_lazy(
            "Everyone can work again, and API keys work again unless they were revoked or have expired."
        ),
        by_operator=True,
    ),
    "client.noted": Action(gettext_lazy("We added a note about the account"), by_operator=True),
    "client.unmasked": Action(
        gettext_lazy("We opened masked details of the account"),
        mail=True,
        meaning=gettext_lazy(
            "For a quarter of an hour, one member of our staff sees contact details and users, or "
            "billing details, but no IBAN, no API key and nothing from the check log. If you have any "
            "questions, contact us."
        ),
        by_operator=True,
    ),
    "client.looked_at": Action(gettext_lazy("We opened masked details using the support access"), by_operator=True),
    "quota.changed": Action(
        gettext_lazy("We changed the monthly quota"),
        mail=True,
        meaning=gettext_lazy(
            "The audit log shows the old and the new quota; the overview shows how much of it has been used."
        ),
        by_operator=True,
    ),
    "users.limit_changed": Action(
        gettext_lazy("We changed the maximum number of users"),
        mail=True,
        meaning=gettext_lazy("Nobody is removed, even if the account now has more users than allowed."),
        by_operator=True,
    ),
    "users.invitation_resent_by_operator": Action(
        gettext_lazy("We resent an invitation"),
        mail=True,
        meaning=gettext_lazy("The link in the earlier e-mail no longer works; the new one is valid for seven days."),
        by_operator=True,
    ),
    "users.invitation_withdrawn_by_operator": Action(
        gettext_lazy("We withdrew an invitation"),
        mail=True,
        meaning=gettext_lazy("Its link no longer works. You can invite the person again under Users."),
        by_operator=True,
    ),
    "users.signed_out_by_operator": Action(
        gettext_lazy("We signed a user out everywhere"),
        mail=True,
        meaning=gettext_lazy(
            "The user can sign in again immediately. If someone else may have used their browser or "
            "knows their password, they should change the password and check their two-factor "
            "authentication."
        ),
        by_operator=True,
    ),
    "keys.revoked_by_operator": Action(
        gettext_lazy("We revoked an API key because it may be in the wrong hands"),
        mail=True,
        meaning=gettext_lazy(
            "Calls with it are refused. What to do: create a new key under API keys and use it in your "
            "program instead of the old one; find out where the old key was exposed, such as in "
            "published source code or a shared file, and remove it there; check the check log and the "
            "audit log for calls that were not yours."
        ),
        by_operator=True,
    ),
}

ACTIONS: Final[dict[str, Action]] = {
    "client.created": Action(gettext_lazy("The account was created"), mail=True),
    "terms.accepted": Action(gettext_lazy("The terms were accepted and the privacy notice was acknowledged")),
    "users.signed_in": Action(gettext_lazy("Signed in")),
    "users.signed_out_everywhere": Action(gettext_lazy("Signed out of all other browsers")),
    "users.password_changed": Action(gettext_lazy("The password was changed")),
    "users.email_changed": Action(gettext_lazy("The e-mail address was changed"), mail=True),
    "users.profile_changed": Action(gettext_lazy("The profile was changed")),
    "users.invited": Action(gettext_lazy("A colleague was invited"), mail=True),
    "users.invitation_resent": Action(gettext_lazy("An invitation was resent")),
    "users.invitation_withdrawn": Action(gettext_lazy("An invitation was withdrawn")),
    "users.joined": Action(gettext_lazy("A colleague joined"), mail=True),
    "users.deactivated": Action(gettext_lazy("A user was deactivated"), mail=True),
    "users.reactivated": Action(gettext_lazy("A user was reactivated"), mail=True),
    "users.removed": Action(gettext_lazy("A user was removed"), mail=True),
    "users.factors_reset": Action(gettext_lazy("A user's two-factor authentication was removed"), mail=True),
    "users.ownership_given": Action(gettext_lazy("A user was made an owner"), mail=True),
    "users.ownership_taken": Action(gettext_lazy("An owner was made a member"), mail=True),
    "users.refused": Action(gettext_lazy("Access to a page was refused")),
    "factors.totp_added": Action(gettext_lazy("An authenticator app was added")),
    "factors.totp_removed": Action(gettext_lazy("An authenticator app was removed")),
    "factors.passkey_added": Action(gettext_lazy("A passkey was added")),
    "factors.passkey_removed": Action(gettext_lazy("A passkey was removed")),
    "factors.recovery_codes_made": Action(gettext_lazy("Recovery codes were created")),
    "keys.created": Action(gettext_lazy("An API key was created"), mail=True),
    "keys.changed": Action(gettext_lazy("An API key was changed")),
    "keys.rotated": Action(gettext_lazy("An API key was replaced by a new one"), mail=True),
    "keys.revoked": Action(gettext_lazy("An API key was revoked"), mail=True),
    "keys.network_added": Action(gettext_lazy("An IP address was added to an API key")),
    "keys.network_removed": Action(gettext_lazy("An IP address was removed from an API key")),
    "keys.refused": Action(gettext_lazy("A call with an API key was refused")),
    "contact.changed": Action(gettext_lazy("The contact details were changed")),
    "billing.changed": Action(gettext_lazy("The billing details were changed")),
    "history.exported": Action(gettext_lazy("The audit log was exported")),
    "privacy.second_factor_required": Action(
        gettext_lazy("Two-factor authentication was made mandatory for all users"), mail=True
    ),
    "privacy.second_factor_optional": Action(gettext_lazy("Two-factor authentication was made optional"), mail=True),
    "log.erasing": Action(gettext_lazy("The deletion of many checks from the check log was started")),
    "log.erased": Action(gettext_lazy("Checks were deleted from the check log")),
    "log.exported": Action(gettext_lazy("The check log was exported")),
    "privacy.logging_changed": Action(gettext_lazy("The settings for storing checks were changed"), mail=True),
    "privacy.export_requested": Action(gettext_lazy("A copy of all data was requested")),
    "privacy.export_downloaded": Action(gettext_lazy("A copy of all data was downloaded")),
    "privacy.document_made": Action(gettext_lazy("A document was created for the account")),
    "privacy.document_deleted": Action(gettext_lazy("A document was deleted")),
    "privacy.document_downloaded": Action(gettext_lazy("A document was downloaded")),
    "privacy.log_reduced": Action(gettext_lazy("Check records were deleted or reduced")),
    "deletion.requested": Action(gettext_lazy("Deletion of the account was requested")),
    "deletion.confirmed": Action(gettext_lazy("Deletion of the account was confirmed by e-mail")),
    "deletion.cancelled": Action(gettext_lazy("Deletion of the account was cancelled"), mail=True),
    "deletion.begun": Action(gettext_lazy("Deletion of part of the account was started"), mail=True),
    "deletion.executed": Action(gettext_lazy("Part of the account was deleted")),
    **_OF_THE_OPERATOR,
    "owners.recovery_requested": Action(gettext_lazy("We were asked for a new owner"), mail=True),
    "owners.recovery_cancelled": Action(gettext_lazy("The request for a new owner was cancelled"), mail=True),
    "support.granted": Action(gettext_lazy("Support was given access to masked details"), mail=True),
    "support.ended": Action(gettext_lazy("Support access was ended"), mail=True),
    "owners.recovered": Action(gettext_lazy("We made a user an owner"), mail=True),
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
    entry = HistoryEntry(client=client, tag=tag, actor=by.pk if by else None)
    with transaction.atomic():
        Client.objects.lock(client)
        trail(client).append(entry, detail=detail, address=hash_chain.caller(request) or address)
        if action.mail and not client.is_demo:  # Nobody lives at the demo's addresses.
            _mail_owners(client, entry, action, ticket=(detail or {}).get("ticket", ""))
    return entry


def trail(client: Client) -> Chain[HistoryEntry]:
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
    """An entry as its owner reads it. `who` and `address` are empty when not known, or no longer."""

    number: int
    tag: str
    sentence: str
    when: datetime
    who: str
    network: str
    address: str
    details: dict[str, str]


def told(client: Client, found: Iterable[HistoryEntry]) -> list[ClientLogRow]:
    """Open the entries for reading, with the e-mail addresses of users who are still there."""
    people = dict(User.objects.filter(client=client).values_list("pk", "email"))
    chained = trail(client)
    return [
        ClientLogRow(
            number=entry.number,
            tag=entry.tag,
            sentence=str(ACTIONS[entry.tag].sentence),
            when=entry.at,
            who=_who(entry, people),
            network=entry.network,
            address=chained.address(entry),
            details=chained.said(entry),
        )
        for entry in found
    ]


def _who(entry: HistoryEntry, people: dict[UUID, str]) -> str:
    if ACTIONS[entry.tag].by_operator:
        return str(gettext_lazy("the operator"))
    return people.get(entry.actor, "") if entry.actor else ""


def forget_addresses(now: datetime) -> int:
    """Erase full addresses older than seven days; return how many. The shortened ones stay in the chain."""
    old = HistoryDetail.objects.filter(entry__at__lt=now - hash_chain.FULL_IP_ADDRESS_RETENTION).exclude(
        sealed_address=b""
    )
    return batch.update(old, sealed_address=b"")


def forget_user(user: User) -> Iterator[int]:
    """Erase what is personal in a user's deeds and wherever their address stands; yield how many, 1,000 at a time.

    The chain stays whole. Raises vault.VaultError when the details cannot be opened.
    """
    if user.client is None:
        return
    last, chained = 0, trail(user.client)
    while found := list(_with_details(user, last)):
        last = found[-1].number
        theirs = [entry.pk for entry in found if entry.actor == user.pk or user.email in _said(chained, entry)]
        if theirs:
            yield HistoryDetail.objects.filter(pk__in=theirs).update(sealed=b"", sealed_address=b"")


def _with_details(user: User, after: int) -> QuerySet[HistoryEntry]:
    kept = HistoryEntry.objects.filter(client=user.client, number__gt=after).exclude(detail__sealed=b"")
    return kept.select_related("detail").order_by("number")[: batch.ROWS]


def _said(chained: Chain[HistoryEntry], entry: HistoryEntry) -> str:
    return " ".join(chained.said(entry).values()).lower()


def verify(client: Client) -> Verification:
    """Read the whole chain and say whether an entry was edited, removed or put in; erased details do no harm."""
    return trail(client).verify()


def checkpoint(client: Client) -> Checkpoint:
    """Return a signed statement of where the trail ends now: it proves later that no tail was cut off."""
    return trail(client).checkpoint()


def verify_checkpoint(client: Client, stated: Checkpoint) -> Verification:
    """Read the chain, then compare it with a checkpoint that was kept elsewhere."""
    return trail(client).verify_checkpoint(stated)


def _mail_owners(client: Client, entry: HistoryEntry, action: Action, *, ticket: str) -> None:
    """Tell them what was done. The words of a reason stay in the history: a mail is not sealed."""
    context = {
        "sentence": action.sentence,
        "at": entry.at,
        "network": entry.network,
        "meaning": action.meaning,
        "by_operator": action.by_operator,
        "ticket": ticket,
    }
    for owner in User.objects.filter(client=client, role=User.Role.OWNER, is_active=True):
        mail.send_on_commit("action", to=owner.email, language=owner.language, context=context)
