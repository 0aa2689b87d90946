"""Blocking IP addresses and unblocking them. No client is involved, so only the staff audit log records it."""

from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.audit.events import StaffEvent
from accounts.errors import Refusal
from accounts.guard import addresses, blocks
from accounts.staff.justification import Justification


def block(text: str, justification: Justification, *, until: datetime | None) -> str:
    """Block an IP address or network within two seconds, until a time or until it is lifted; return its canonical form.

    Blocking it again renews case and end. The row stores the case number only, the staff audit log the reason.
    Raises Refusal `not_blockable` for what blocks.block refuses and for a network with the IP address of the actor.
    """
    with transaction.atomic():
        try:
            network = blocks.block(text, reason=justification.ticket.strip(), until=until)
        except blocks.BlockRefused:
            raise Refusal("not_blockable") from None
        own = justification.by.ip_address
        if own and addresses.parse(own) in network:
            raise Refusal("not_blockable")
        _record(StaffEvent.BLOCK_SET, str(network), justification)
    return str(network)


def lift(network: str, justification: Justification) -> bool:
    """Unblock an IP address or network within two seconds; return whether it was blocked."""
    with transaction.atomic():
        was_blocked = blocks.unblock(network)
        if was_blocked:
            _record(StaffEvent.BLOCK_LIFTED, network, justification)
    return was_blocked


def _record(event: StaffEvent, network: str, justification: Justification) -> None:
    detail = {"network": network, **justification.reason}
    audit.record_staff(event, by=justification.by, detail=detail)
