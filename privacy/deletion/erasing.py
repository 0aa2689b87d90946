"""Which rows each scope deletes, at most 1,000 per step. Checks no permission and records nothing."""

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
    """Of check records and details, what is newer than this second remains."""
    user: UUID | None = None
    iban_index: bytes | None = None
    """The blind index of an IBAN."""
    selection: Mapping[str, str] | None = None
    """The filter that selects some check records, as their source wrote it into the ledger."""


def erase(erasure: ErasureRequest) -> Iterator[dict[str, int]]:
    """Delete it step by step; yield after each step how many rows of which table were deleted.

    The caller puts each step into a transaction of its own. Called again after a crash it continues with what is left.
    Of an account, the client's row and its owners remain: source.delete_account() is the last step.
    """
    # A data export contains what is to be deleted, whatever that is.
    exports.remove_all(erasure.client)
    yield from _ERASED[erasure.scope](erasure)


def _user(erasure: ErasureRequest) -> Iterator[dict[str, int]]:
    return source.erase_user(erasure.client, erasure.user) if erasure.user else iter(())


def _selected_checks(erasure: ErasureRequest) -> Iterator[dict[str, int]]:
    return registry.erase_selected(
        erasure.client, erasure.selection or {}, until=erasure.until, iban_index=erasure.iban_index
    )


_ERASED: Final[dict[str, Callable[[ErasureRequest], Iterator[dict[str, int]]]]] = {
    Scope.ACCOUNT: lambda erasure: registry.erase(erasure.client),
    Scope.LOG: lambda erasure: registry.erase_log(erasure.client, until=erasure.until),
    Scope.NUMBER: lambda erasure: registry.erase_log(
        erasure.client, until=erasure.until, iban_index=erasure.iban_index
    ),
    ledger.CHECKS: _selected_checks,
    Scope.CONTACT: lambda erasure: source.erase_contact(erasure.client, erasure.until),
    Scope.BILLING: lambda erasure: source.erase_billing(erasure.client, erasure.until),
    Scope.USER: _user,
}
