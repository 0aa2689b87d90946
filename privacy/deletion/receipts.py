"""Receipts: what was deleted, how much and when, signed by the service. A receipt identifies nobody.

The signature covers the content as JSON with sorted keys and without spaces (`_canonical`), so that a reformatted file
still verifies. Old signing keys stay in the settings for ever, so that old receipts verify.
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
"""After this, no backup contains a destroyed key: see deploy/."""
BACKUP_RETENTION: Final = timedelta(days=35)
"""After this, no backup contains a deleted row."""
LINK_VALID: Final = timedelta(days=30)
MOST_BYTES: Final = 64 * 1024
_PURPOSE: Final = "erasure receipt"
_FORMAT: Final = "ibanse erasure receipt"
_VERSION: Final = 1
_LINK: Final = "privacy.deletion.receipt"


class ReceiptVerdict(NamedTuple):
    """The result of verifying a receipt; `code` is one of messages.RECEIPT_VERDICTS."""

    code: str
    content: dict[str, Any]
    """The contents of the receipt; empty unless it is genuine."""
    issuer: str = ""
    """The service that it names as its issuer, when that is another one."""


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a receipt is created from."""

    request: DeletionRequest
    erased: Mapping[str, int]
    """Rows by table."""
    key: vault.Tombstone | None
    """Of an account: what remains of its key."""


def token(request: UUID) -> str:
    """Return the unguessable end of the link to the receipt of this deletion: 43 characters."""
    digest = salted_hmac(_LINK, str(request), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def create(facts: ReceiptFacts) -> dict[str, Any]:
    """Create and store the receipt of a deletion, in the caller's transaction, and return its contents."""
    now = timezone.now()
    content = _content(facts, now)
    signed = {**content, "signature": signatures.sign(_canonical(content), purpose=_PURPOSE)}
    document = json.dumps(signed, indent=2, ensure_ascii=False) + "\n"
    digest = _digest(token(facts.request.pk))
    ErasureReceipt.objects.create(digest=digest, document=document, made_at=now)
    return content


def find(token: str) -> ErasureReceipt | None:
    """Return the receipt that a link with this token leads to, while the link is valid."""
    since = timezone.now() - LINK_VALID
    return ErasureReceipt.objects.filter(digest=_digest(token), made_at__gt=since).first()


def forget_old(now: datetime) -> int:
    """Delete receipts whose links have expired; return how many. A downloaded receipt still verifies."""
    return batch.delete(ErasureReceipt.objects.filter(made_at__lt=now - LINK_VALID))


def verify(text: str) -> ReceiptVerdict:
    """Return whether a text is a receipt that this service has signed, unaltered."""
    try:
        parsed = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_once, parse_constant=_refuse)
        canonical = _canonical({key: value for key, value in parsed.items() if key != "signature"})
        canonical.encode()
    except (ValueError, AttributeError, RecursionError):
        return ReceiptVerdict("unreadable", {})
    signature = parsed.pop("signature", None)
    if parsed.get("format") != _FORMAT or not isinstance(signature, str):
        return ReceiptVerdict("no_receipt", {})
    if signatures.is_ours(canonical, signature, purpose=_PURPOSE):
        return ReceiptVerdict("genuine", parsed) if parsed.get("version") == _VERSION else ReceiptVerdict("newer", {})
    issuer = parsed.get("issuer")
    if isinstance(issuer, str) and issuer != settings.SITE_URL:
        return ReceiptVerdict("foreign", {}, issuer=issuer[:200])
    return ReceiptVerdict("not_ours", {})


def _content(facts: ReceiptFacts, now: datetime) -> dict[str, Any]:
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
    """Refuse a repeated key: two parsers might read different values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_name: str) -> object:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError
