"""What is deleted: for each scope the rows that go, at most 1,000 at a step. Asks nobody and writes nothing down."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from accounts.models import Client
from accounts.personal_data import source
from privacy.deletion import ledger
from privacy.export import exports
from privacy.inventory import registry
from privacy.models import DeletionRequest

Scope = DeletionRequest.Scope


class ErasureRequest(NamedTuple):
    """What is to be deleted."""

    client: Client
    scope: str
    until: datetime
    """Of a log or details, what is newer than this second stays."""
    user: UUID | None = None
    number: bytes | None = None
    """The blind index of an IBAN."""
    chosen: Mapping[str, str] | None = None
    """By what some checks of the log are chosen, in the words of the room that has it."""


def erase(wish: ErasureRequest) -> Iterator[dict[str, int]]:
    """Delete it step by step and yield after each how many rows of which table went.

    Whoever iterates puts each step into a transaction of its own. Begun again after a crash it goes on with what is
    left. Of an account the client's row and its owners stay: accounts.personal_data.close() is the last step.
    """
    # A copy holds what is to be deleted, whatever that is.
    exports.remove_all(wish.client)
    yield from _ERASED[wish.scope](wish)


def _user(wish: ErasureRequest) -> Iterator[dict[str, int]]:
    return source.erase_user(wish.client, wish.user) if wish.user else iter(())


def _checks(wish: ErasureRequest) -> Iterator[dict[str, int]]:
    return registry.erase_selected(wish.client, wish.chosen or {}, until=wish.until, iban_index=wish.number)


_ERASED: Final[dict[str, Callable[[ErasureRequest], Iterator[dict[str, int]]]]] = {
    Scope.ACCOUNT: lambda wish: registry.erase(wish.client),
    Scope.LOG: lambda wish: registry.erase_log(wish.client, until=wish.until),
    Scope.NUMBER: lambda wish: registry.erase_log(wish.client, until=wish.until, iban_index=wish.number),
    ledger.CHECKS: _checks,
    Scope.CONTACT: lambda wish: source.erase_contact(wish.client, wish.until),
    Scope.BILLING: lambda wish: source.erase_billing(wish.client, wish.until),
    Scope.USER: _user,
}
