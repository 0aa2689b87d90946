"""Shutting addresses out of the API, and letting them in again. No client is part of it, only the staff's history."""

from datetime import datetime

from django.db import transaction

from accounts.audit import staff_log
from accounts.errors import Refusal
from accounts.guard import addresses, blocks
from accounts.staff.justification import Justification


def block(text: str, justification: Justification, *, until: datetime | None) -> str:
    """Block an address or network within two seconds, with an end or until it is lifted; return its canonical form.

    Blocking it again renews case and end. The row keeps the number of the case alone, the staff's history the words.
    Raises Refusal `not_blockable` for what blocks.block refuses and for a network that holds the address of who asks.
    """
    with transaction.atomic():
        try:
            network = blocks.block(text, reason=justification.ticket.strip(), until=until)
        except blocks.BlockRefused:
            raise Refusal("not_blockable") from None
        if justification.request is not None and addresses.parse(addresses.caller(justification.request)) in network:
            raise Refusal("not_blockable")
        _record("blocks.set", str(network), justification)
    return str(network)


def lift(network: str, justification: Justification) -> bool:
    """Let an address or network in again within two seconds; return whether it was blocked."""
    with transaction.atomic():
        was_blocked = blocks.unblock(network)
        if was_blocked:
            _record("blocks.lifted", network, justification)
    return was_blocked


def _record(tag: str, network: str, justification: Justification) -> None:
    detail = {"network": network, **justification.reason}
    staff_log.record(tag, by=justification.by, request=justification.request, detail=detail)
