"""Rows of the log as their owners read them: opened from the seal at once, put into words when somebody reads them."""

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
from validation import engine, log, sentences
from validation.engine.normalise import grouped
from validation.models import ValidationRecord


@dataclass(frozen=True, slots=True)
class KeyWords:
    """How a key is told: by the name that its owners gave it, and by how its text begins."""

    id: UUID
    name: str
    """Empty when it cannot be opened."""
    prefix: str


@dataclass(frozen=True)
class Told:
    """A row of the log as its owner reads it."""

    id: UUID
    when: datetime
    kept_until: date
    """Its last day (UTC)."""
    source: str
    key: KeyWords | None
    is_valid: bool
    country_code: str
    """Empty when not known."""
    codes: list[str]
    is_sealed: bool
    """Whether more was kept than the verdict."""
    kept: log.Sealed | None
    """What was sealed; None when nothing was, or when it cannot be opened."""

    @property
    def is_unreadable(self) -> bool:
        """Whether there is something that cannot be opened."""
        return self.is_sealed and self.kept is None

    @property
    def number(self) -> str:
        """The number in groups of four."""
        return grouped(self.kept.iban) if self.kept else ""

    @cached_property
    def source_name(self) -> str:
        """The door it came through, in words."""
        return str(UsageDay.Source(self.source).label)

    @cached_property
    def reasons(self) -> list[str]:
        """What is wrong with the number, in sentences."""
        return [sentences.failed_check(code) for code in self.codes]

    @cached_property
    def country(self) -> str:
        """The name of the country; empty when not known."""
        return sentences.country_name_of(self.country_code) if self.country_code else ""

    @cached_property
    def bank(self) -> str:
        """The name of the bank in today's directory: it was not kept."""
        found = engine.check(self.kept.iban).bank if self.kept else None
        return found.name if found else ""


def told(client: Client, rows: Iterable[ValidationRecord]) -> list[Told]:
    """Open rows of the client for reading. What cannot be opened is told as such; the others are told all the same."""
    rows = list(rows)
    known = {key.id: key for key in key_words(client, {row.key_id for row in rows if row.key_id})}
    return [_told(client, row, known) for row in rows]


def key_words(client: Client, only: Iterable[UUID] | None = None) -> list[KeyWords]:
    """Return the client's keys, those that have ended too, newest first; or only those with the given ids."""
    found = ApiKey.objects.filter(client=client).order_by("-created_at")
    found = found if only is None else found.filter(pk__in=list(only))
    return [KeyWords(key.pk, _name(key), key.prefix) for key in found]


def _name(key: ApiKey) -> str:
    try:
        return keys.name(key)
    except vault.VaultError:
        return ""


def _told(client: Client, row: ValidationRecord, known: dict[UUID, KeyWords]) -> Told:
    return Told(
        id=row.pk,
        when=row.at,
        kept_until=row.expires_on,
        source=row.source,
        key=known.get(row.key_id) if row.key_id else None,
        is_valid=row.is_valid,
        country_code=row.country,
        codes=row.codes.split(),
        is_sealed=bool(row.sealed),
        kept=_opened(client, row),
    )


def _opened(client: Client, row: ValidationRecord) -> log.Sealed | None:
    try:
        return log.opened(client.pk, row.pk, row.sealed)
    except (vault.VaultError, msgspec.MsgspecError):
        return None


def as_data(row: Told) -> dict[str, Any]:
    """Return a row as a program reads it: codes and canonical forms, no words but the key's name."""
    kept = row.kept
    return {
        "id": str(row.id),
        "at": f"{row.when:%Y-%m-%dT%H:%M:%SZ}",
        "kept_until": row.kept_until.isoformat(),
        "source": row.source,
        "key": row.key.prefix if row.key else None,
        "key_name": row.key.name if row.key else None,
        "valid": row.is_valid,
        "country": row.country_code or None,
        "reasons": row.codes,
        "cannot_be_opened": row.is_unreadable,
        "iban": kept.iban if kept else None,
        "bank_code": kept.bank_code if kept else None,
        "bic": kept.bic if kept else None,
        "address": kept.address if kept else None,
    }
