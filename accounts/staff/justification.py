"""What the operator's staff do to a client, its users and blocked addresses: each with a reason, written down twice.

The client reads the reason in its own history, sealed; who of the staff it was stands in theirs. Every deed takes its
turn on the client's row and looks again: one that is done already changes nothing, is not recorded, and returns False.
Nothing here asks who may: the pages do, by the permissions of accounts/staff/groups.py.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import HttpRequest

from accounts.audit import client_log, staff_log
from accounts.errors import Refusal
from accounts.models import Client, User
from accounts.staff import lookup_keys

LEAST_CHARACTERS: Final = 10
MOST_CHARACTERS: Final = 2_000
MOST_TICKET_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Justification:
    """Who of the staff acts, and why: the number of the case, which is mailed, and words, which lie sealed.

    Raises ValueError for a reason that says nothing, or too much.
    """

    by: User
    ticket: str
    words: str
    request: HttpRequest | None = None

    def __post_init__(self) -> None:
        """Refuse what would explain nothing later."""
        if not 0 < len(self.ticket.strip()) <= MOST_TICKET_CHARACTERS:
            raise ValueError(f"A case has a number of 1 to {MOST_TICKET_CHARACTERS} characters.")
        if not LEAST_CHARACTERS <= len(self.words.strip()) <= MOST_CHARACTERS:
            raise ValueError(f"A reason has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters.")

    @property
    def said(self) -> str:
        """The words as they are kept: with only the beginning of an API key that stands in them."""
        return lookup_keys.shorten(self.words.strip())

    @property
    def reason(self) -> dict[str, str]:
        """What a history keeps of it."""
        return {"ticket": self.ticket.strip(), "reason": self.said}


def lock_open_client(client: UUID) -> Client:
    """Return the client as it is now and hold its row until the transaction ends.

    Raises Refusal `client_closing` while it waits to be deleted and `client_gone` when it is being or was deleted:
    whatever staff did to it then, an owner's wish comes first.
    """
    found = lock_client(client)
    if found.state == Client.State.CLOSING:
        raise Refusal("client_closing")
    return found


def lock_client(client: UUID) -> Client:
    """Return what `lock_open_client` does, also a client that waits to be deleted. Raises Refusal `client_gone`."""
    found = Client.objects.select_for_update().filter(pk=client).first()
    if found is None or found.state == Client.State.GONE:
        raise Refusal("client_gone")
    return found


def record_action(
    tag: str, client: Client, justification: Justification, *, says_why: bool = True, **detail: str
) -> None:
    """Write a deed into the client's history, which mails its owners, and into that of the staff.

    The address that staff work from is nothing of the client's, so only their own history has it. What `detail` says
    of people goes to the client alone: staff find them by the client. Without `says_why` both keep the number of the
    case and not the words.
    """
    reason = justification.reason if says_why else {"ticket": justification.ticket.strip()}
    client_log.record(tag, client=client, by=None, detail={**detail, **reason})
    staff_log.record(tag, by=justification.by, request=justification.request, client=client.pk, detail=reason)
