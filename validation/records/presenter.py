"""Check records as their owners read them: opened at once, put into words when somebody reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from accounts.models import Client, UsageDay
from apikeys import keys
from apikeys.models import ApiKey
from privacy import vault
from validation import engine, messages
from validation.engine.normalise import grouped
from validation.models import ValidationRecord
from validation.recording.record import SealedFields
from validation.records import store


@dataclass(frozen=True, slots=True)
class KeyLabel:
    """How a key is shown: the name that its owners chose, and the beginning of its text."""

    id: UUID
    name: str
    """Empty when it cannot be opened."""
    prefix: str


@dataclass(frozen=True)
class ShownRecord:
    """A check record as its owners read it."""

    id: UUID
    when: datetime
    expires_on: date
    """Its last day (UTC)."""
    source: str
    key: KeyLabel | None
    is_valid: bool
    country_code: str
    """Empty when not known."""
    codes: list[str]
    is_sealed: bool
    """Whether more than the verdict was stored."""
    fields: SealedFields | None
    """The sealed fields; None when there are none, or when they cannot be opened."""

    @property
    def is_unreadable(self) -> bool:
        """Whether there is something that cannot be opened."""
        return self.is_sealed and self.fields is None

    @property
    def iban(self) -> str:
        """The IBAN in groups of four."""
        return grouped(self.fields.iban) if self.fields else ""

    @cached_property
    def source_name(self) -> str:
        """Whether it came from the page or the API, in words."""
        return str(UsageDay.Source(self.source).label)

    @cached_property
    def reasons(self) -> list[str]:
        """What is wrong with the IBAN, as messages."""
        return [messages.failed_check(code) for code in self.codes]

    @cached_property
    def country(self) -> str:
        """The name of the country; empty when not known."""
        return messages.country_name_of(self.country_code) if self.country_code else ""

    @cached_property
    def bank(self) -> str:
        """The name of the bank in today's directory: it was not stored."""
        found = engine.check(self.fields.iban).bank if self.fields else None
        return found.name if found else ""


def present(client: Client, rows: Iterable[ValidationRecord]) -> list[ShownRecord]:
    """Open records of the client for reading. What cannot be opened is shown as such, beside the others."""
    rows = list(rows)
    known = {key.id: key for key in key_labels(client, {row.key_id for row in rows if row.key_id})}
    return [_present(client, row, known) for row in rows]


def key_labels(client: Client, only: Iterable[UUID] | None = None) -> list[KeyLabel]:
    """Return the client's keys, those that have ended too, newest first; or only those with these ids."""
    found = ApiKey.objects.filter(client=client).order_by("-created_at")
    found = found if only is None else found.filter(pk__in=list(only))
    return [KeyLabel(key.pk, _name(key), key.prefix) for key in found]


def _name(key: ApiKey) -> str:
    try:
        return keys.name(key)
    except vault.VaultError:
        return ""


def _present(client: Client, row: ValidationRecord, known: dict[UUID, KeyLabel]) -> ShownRecord:
    try:
        fields = store.open_sealed(client.pk, row.pk, row.sealed)
    except (vault.VaultError, msgspec.MsgspecError):
        fields = None
    return ShownRecord(
        id=row.pk,
        when=row.at,
        expires_on=row.expires_on,
        source=row.source,
        key=known.get(row.key_id) if row.key_id else None,
        is_valid=row.is_valid,
        country_code=row.country,
        codes=row.codes.split(),
        is_sealed=bool(row.sealed),
        fields=fields,
    )


def as_json(row: ShownRecord) -> dict[str, Any]:
    """Return a record as a program reads it: codes and canonical forms, no words but the key's name."""
    fields = row.fields
    return {
        "id": str(row.id),
        "at": f"{row.when:%Y-%m-%dT%H:%M:%SZ}",
        "kept_until": row.expires_on.isoformat(),
        "source": row.source,
        "key": row.key.prefix if row.key else None,
        "key_name": row.key.name if row.key else None,
        "valid": row.is_valid,
        "country": row.country_code or None,
        "reasons": row.codes,
        "cannot_be_opened": row.is_unreadable,
        "iban": fields.iban if fields else None,
        "bank_code": fields.bank_code if fields else None,
        "bic": fields.bic if fields else None,
        "address": fields.address if fields else None,
    }
