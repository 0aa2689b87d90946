"""Receipts: what was deleted, how much of it and when, signed by the service. A receipt names nobody.

Signed is its content as JSON with sorted keys and without blanks (`_canonical`), so that a file may be formatted anew
on its way and still verifies. Old signing keys stay in the settings for ever, and with them old receipts.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import override

from accounts import batch
from accounts.audit import signatures
from accounts.personal_data.schema import moment
from privacy import messages, vault
from privacy.models import DeletionRequest, ErasureReceipt

KEYRING_BACKUP_RETENTION: Final = timedelta(days=7)
"""The last copy of a destroyed key is gone then: see deploy/."""
BACKUP_RETENTION: Final = timedelta(days=35)
"""The last copy of a deleted row is gone then."""
LINK_VALID: Final = timedelta(days=30)
MOST_BYTES: Final = 64 * 1024
_PURPOSE: Final = "erasure receipt"
_FORMAT: Final = "ibanse erasure receipt"
_VERSION: Final = 1
_LINK: Final = "privacy.deletion.receipt"


class Verdict(NamedTuple):
    """What is to be said of a receipt: `code` is one of sentences.RECEIPT_VERDICTS."""

    code: str
    content: dict[str, Any]
    """What stands in it; empty unless it is genuine."""
    issuer: str = ""
    """Who made it, as it says itself, when that is another service."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a receipt is made of."""

    request: DeletionRequest
    erased: Mapping[str, int]
    """Rows by table."""
    key: vault.Tombstone | None
    """Of an account: what is left of its key."""


def token(request: UUID) -> str:
    """Return the end of the link under which the receipt of this deletion will be: 43 characters, not to be guessed."""
    digest = salted_hmac(_LINK, str(request), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def make(facts: Facts) -> dict[str, Any]:
    """Make and keep the receipt of a deletion, in the caller's transaction, and return what stands in it."""
    now = timezone.now()
    content = _content(facts, now)
    signed = {**content, "signature": signatures.sign(_canonical(content), purpose=_PURPOSE)}
    document = json.dumps(signed, indent=2, ensure_ascii=False) + "\n"
    digest = _digest(token(facts.request.pk))
    ErasureReceipt.objects.create(digest=digest, document=document, made_at=now)
    return content


def find(text: str) -> ErasureReceipt | None:
    """Return the receipt that a link ends in the token of, as long as the link is valid."""
    since = timezone.now() - LINK_VALID
    return ErasureReceipt.objects.filter(digest=_digest(text), made_at__gt=since).first()


def forget_old(now: datetime) -> int:
    """Delete receipts whose links are over; return how many. Whoever has kept theirs can still have it verified."""
    return batch.delete(ErasureReceipt.objects.filter(made_at__lt=now - LINK_VALID))


def verify(text: str) -> Verdict:
    """Return whether a text is a receipt that this service has signed, to the last sign of its content."""
    try:
        said = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_once, parse_constant=_refuse)
        canonical = _canonical({key: value for key, value in said.items() if key != "signature"})
        canonical.encode()
    except (ValueError, AttributeError, RecursionError):
        return Verdict("unreadable", {})
    signature = said.pop("signature", None)
    if said.get("format") != _FORMAT or not isinstance(signature, str):
        return Verdict("no_receipt", {})
    if signatures.is_ours(canonical, signature, purpose=_PURPOSE):
        return Verdict("genuine", said) if said.get("version") == _VERSION else Verdict("newer", {})
    issuer = said.get("issuer")
    if isinstance(issuer, str) and issuer != settings.SITE_URL:
        return Verdict("foreign", {}, issuer=issuer[:200])
    return Verdict("not_ours", {})


def _content(facts: Facts, now: datetime) -> dict[str, Any]:
    request, key = facts.request, facts.key
    last_trace = now + BACKUP_RETENTION
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "issuer": settings.SITE_URL,
        "number": str(uuid4()),
        "scope": str(request.scope),
        "confirmed_at": moment(request.confirmed_at),
        "completed_at": moment(now),
        "erased": dict(sorted((name, rows) for name, rows in facts.erased.items() if rows)),
        "key": {"fingerprint": key.fingerprint or None, "destroyed_at": moment(key.destroyed_at)} if key else None,
        "unreadable_everywhere_from": moment(key.destroyed_at + KEYRING_BACKUP_RETENTION) if key else None,
        "last_trace_gone_from": moment(last_trace),
        "retained": _retained(request.scope, last_trace),
    }


def _retained(scope: str, last_trace: datetime) -> list[dict[str, str | None]]:
    with override("en"):
        return [
            {
                "code": code,
                "what": str(messages.RETAINED[code].what),
                "why": str(messages.RETAINED[code].why),
                "until": moment(last_trace) if code == "backups" else None,
            }
            for code in (_OF_AN_ACCOUNT if scope == DeletionRequest.Scope.ACCOUNT else _OF_A_PART)
        ]


_OF_AN_ACCOUNT: Final = ("backups", "ledger", "tombstone", "counters", "messages", "process_log")
_OF_A_PART: Final = ("backups", "ledger", "history", "process_log")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: two readers might believe different values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_name: str) -> object:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError
