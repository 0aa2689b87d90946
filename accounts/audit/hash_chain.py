"""Chains of entries, each holding the hash of the one before it, so that a change shows. Knows no client and no staff.

An entry that is edited, removed or put in breaks the chain. A tail that is cut off does not: that is what signed
checkpoints are for, which are stored outside of the database. What is personal lies sealed beside the chain and can be
erased; the chain keeps only its salted hash.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db.models import Manager, QuerySet
from django.utils import timezone

from accounts.audit import signatures
from accounts.models import ChainedEntry
from privacy import vault

FULL_IP_ADDRESS_RETENTION: Final = timedelta(days=7)
_GENESIS: Final = bytes(32)
_AT_ONCE: Final = 500

Entry = TypeVar("Entry", bound=ChainedEntry)
Checkpoint = dict[str, str]


@dataclass(frozen=True, slots=True)
class ChainVerification:
    """Whether a chain is intact: how many entries were read, and the first that is wrong."""

    ok: bool
    entries: int
    first_bad: int | None = None
    problem: str = ""
    """`edited`, `missing`, `detail` or, against a checkpoint, `cut`, `changed` or `signature`."""


def _nothing(_entry: Any) -> bytes:
    return b""


@dataclass(frozen=True, slots=True)
class Chain(Generic[Entry]):
    """One chain: whose it is, where its entries and their details are, and for what they are sealed and signed."""

    owner: UUID
    """Owns the data key that seals the details, and stands in the hash of each entry."""
    rows: QuerySet[Entry]
    details: Manager[Any]
    name: str
    """As in `history`: details are sealed for `history.detail`, checkpoints signed as `history checkpoint`."""
    stated_as: str
    """What a checkpoint calls the owner."""
    more: Callable[[Entry], bytes] = _nothing
    """What an entry has that those of other chains have not; its hash covers it, unless it is empty."""

    def append(self, entry: Entry, *, detail: dict[str, str] | None, address: str) -> Entry:
        """Write an entry behind the last one, with its details sealed beside it.

        The caller holds a lock until its transaction ends, so that appends take turns and the chain never forks.
        """
        last = self._last()
        text = json.dumps({"salt": secrets.token_hex(16), **(detail or {})}, sort_keys=True, ensure_ascii=False)
        entry.number = last.number + 1 if last else 1
        # Whole seconds: finer times would let a reader of the table line up the entries of two clients.
        entry.at = timezone.now().replace(microsecond=0)
        entry.network = _network(address)
        entry.detail_hash = hashlib.sha256(text.encode()).digest()
        entry.previous_hash = bytes(last.hash) if last else _GENESIS
        entry.hash = self.hash(entry)
        entry.save(force_insert=True)
        self.details.create(
            entry=entry,
            sealed=self._seal(entry, "detail", text),
            sealed_address=self._seal(entry, "address", address) if address else b"",
        )
        return entry

    def details_of(self, entry: Entry) -> dict[str, str]:
        """Return an entry's details, none when they were erased. Raises vault.VaultError when they do not open."""
        text = self._opened(entry, "detail", _sealed_field(entry, "sealed"))
        details: dict[str, str] = json.loads(text) if text else {}
        details.pop("salt", None)
        return details

    def address(self, entry: Entry) -> str:
        """Return the caller's full address, empty when it is not known or no longer."""
        return self._opened(entry, "address", _sealed_field(entry, "sealed_address"))

    def verify(self) -> ChainVerification:
        """Read the whole chain and say whether an entry was edited, removed or put in; erased details do no harm."""
        previous, number = _GENESIS, 0
        found = self.rows.select_related("detail").order_by("number")
        for number, entry in enumerate(found.iterator(chunk_size=_AT_ONCE), 1):
            problem = self._problem(entry, number, previous)
            if problem:
                return ChainVerification(ok=False, entries=number, first_bad=number, problem=problem)
            previous = bytes(entry.hash)
        return ChainVerification(ok=True, entries=number)

    def checkpoint(self) -> Checkpoint:
        """Return a signed statement of where the chain ends now: it proves later that no tail was cut off."""
        last = self._last()
        stated = {
            self.stated_as: str(self.owner),
            "number": str(last.number if last else 0),
            "hash": bytes(last.hash).hex() if last else _GENESIS.hex(),
            "at": timezone.now().astimezone(UTC).replace(microsecond=0).isoformat(),
        }
        return {**stated, "signature": signatures.sign(self._statement(stated), purpose=self._signed_for())}

    def verify_checkpoint(self, stated: Checkpoint) -> ChainVerification:
        """Read the chain, then compare it with a checkpoint that was stored elsewhere."""
        result = self.verify()
        if not result.ok:
            return result
        signature = stated.get("signature", "")
        ours = signatures.is_ours(self._statement(stated), signature, purpose=self._signed_for())
        if not ours or stated.get(self.stated_as) != str(self.owner):
            return ChainVerification(ok=False, entries=result.entries, problem="signature")
        number = int(stated["number"])
        if number > result.entries:
            return ChainVerification(ok=False, entries=result.entries, first_bad=result.entries + 1, problem="cut")
        entry = self.rows.filter(number=number).first()
        if entry is not None and bytes(entry.hash).hex() != stated["hash"]:
            return ChainVerification(ok=False, entries=result.entries, first_bad=number, problem="changed")
        return result

    def hash(self, entry: Entry) -> bytes:
        """Hash the entry; each part goes with its length, so that no two entries read the same."""
        more = self.more(entry)
        parts = [
            self.owner.bytes,
            str(entry.number).encode(),
            entry.tag.encode(),
            entry.at.astimezone(UTC).isoformat(timespec="microseconds").encode(),
            entry.actor.bytes if entry.actor else b"",
            entry.network.encode(),
            bytes(entry.detail_hash),
            bytes(entry.previous_hash),
            *([more] if more else []),
        ]
        return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()

    def _last(self) -> Entry | None:
        return self.rows.order_by("-number").first()

    def _problem(self, entry: Entry, number: int, previous: bytes) -> str:
        if entry.number != number:
            return "missing"
        if bytes(entry.previous_hash) != previous or bytes(entry.hash) != self.hash(entry):
            return "edited"
        sealed = _sealed_field(entry, "sealed")
        if not sealed:
            return ""
        try:
            text = self._opened(entry, "detail", sealed)
        except vault.Broken:
            return "detail"
        return "" if hashlib.sha256(text.encode()).digest() == bytes(entry.detail_hash) else "detail"

    def _statement(self, stated: Checkpoint) -> str:
        return json.dumps(
            {key: stated.get(key, "") for key in (self.stated_as, "number", "hash", "at")}, sort_keys=True
        )

    def _signed_for(self) -> str:
        return f"{self.name} checkpoint"

    def _record(self, entry: Entry) -> str:
        return f"{self.owner}/{entry.number}"

    def _seal(self, entry: Entry, what: str, text: str) -> bytes:
        return vault.seal(self.owner, text, purpose=f"{self.name}.{what}", record=self._record(entry))

    def _opened(self, entry: Entry, what: str, sealed: bytes) -> str:
        if not sealed:
            return ""
        return vault.unseal_text(self.owner, sealed, purpose=f"{self.name}.{what}", record=self._record(entry))


def _network(address: str) -> str:
    """Shorten an address to the network around it, which says where from but not who."""
    if not address:
        return ""
    return str(ip_network((address, 24 if ip_address(address).version == 4 else 48), strict=False))


def _sealed_field(entry: ChainedEntry, field: str) -> bytes:
    detail = getattr(entry, "detail", None)
    return bytes(getattr(detail, field)) if detail else b""
