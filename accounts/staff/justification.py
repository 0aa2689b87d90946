"""Actions of the operator's staff on a client, its users and blocked IP addresses: each with a reason, recorded twice.

The client reads the reason in its own audit log, encrypted; which member of staff it was stands in theirs. Every action
locks the client's row and reads it again: one that is done already changes nothing, is not recorded, and returns False.
Nothing here checks permissions: the pages do, by accounts/staff/groups.py.
"""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from accounts import audit
from accounts.actor import SYSTEM, Actor
from accounts.audit.events import AuditEvent, StaffEvent
from accounts.errors import Refusal
from accounts.models import Client
from apikeys import tokens

LEAST_CHARACTERS: Final = 10
MOST_CHARACTERS: Final = 2_000
MOST_TICKET_CHARACTERS: Final = 40
_WHOLE_KEY: Final = re.compile(tokens.PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Justification:
    """Which member of staff acts, and why: a case number, which is mailed, and a text, which is stored encrypted.

    Raises ValueError for a reason that is too short or too long.
    """

    by: Actor
    ticket: str
    words: str

    def __post_init__(self) -> None:
        """Refuse a reason that would explain nothing later."""
        if not 0 < len(self.ticket.strip()) <= MOST_TICKET_CHARACTERS:
            raise ValueError(f"A case has a number of 1 to {MOST_TICKET_CHARACTERS} characters.")
        if not LEAST_CHARACTERS <= len(self.words.strip()) <= MOST_CHARACTERS:
            raise ValueError(f"A reason has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters.")

    @property
    def text(self) -> str:
        """The text as it is stored: of an API key in it only the beginning."""
        return shorten_keys(self.words.strip())

    @property
    def reason(self) -> dict[str, str]:
        """What an audit log stores of it."""
        return {"ticket": self.ticket.strip(), "reason": self.text}


def shorten_keys(text: str) -> str:
    """Return the text with each whole API key cut after the part that identifies it, as in `ibanse_live_4f9Kq2Lm7T…`.

    Staff may paste a leaked key; what they type is stored.
    """
    return _WHOLE_KEY.sub(lambda key: key[0].rpartition("_")[0] + "…", text)


def lock_client(client: UUID, *, may_be_closing: bool = False) -> Client:
    """Return the client as it is now and hold its row until the transaction ends.

    Raises Refusal `client_closing` while it waits to be deleted (an owner has decided that, which comes first), unless
    it `may_be_closing`, and `client_gone` when it is being deleted or was.
    """
    try:
        found = Client.objects.lock(client)
    except Client.DoesNotExist:
        raise Refusal("client_gone") from None
    if found.state == Client.State.GONE:
        raise Refusal("client_gone")
    if found.state == Client.State.CLOSING and not may_be_closing:
        raise Refusal("client_closing")
    return found


def record_action(
    event: AuditEvent, client: Client, justification: Justification, *, says_why: bool = True, **detail: str
) -> None:
    """Record an action in the client's audit log, which mails its owners, and in that of the staff.

    Only the staff's own log names the person and the IP address they work from. What `detail` says of people goes to
    the client alone: staff find them by the client. Without `says_why` both store only the case number.
    """
    reason = justification.reason if says_why else {"ticket": justification.ticket.strip()}
    audit.record(event, client=client, by=SYSTEM, detail={**detail, **reason})
    audit.record_staff(StaffEvent(event), by=justification.by, client=client.pk, detail=reason)
