"""API keys: made, changed, replaced and revoked by a client's owners, and the addresses that each works from.

Every deed takes its turn on the client's row, looks again who asks and how the key is now, and tells the workers, which
hold keys in memory. A deed that is already done changes nothing and is not recorded. The text of a key is returned by
the deed that makes it and kept nowhere.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import audit, mail
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.forms import idempotency
from accounts.guard import revisions
from accounts.models import Client
from accounts.permissions import Permission
from apikeys import networks, scopes, tokens
from apikeys.models import DEFAULT_RATE, AllowedNetwork, ApiKey
from privacy import vault

MOST_KEYS: Final = 50
"""Keys in use, per client: neither revoked nor expired."""
MOST_NETWORKS: Final = 100
"""Addresses and networks, per key."""
MOST_NOTE_CHARACTERS: Final = 100
DEFAULT_LIFE: Final = timedelta(days=365)
LONGEST_LIFE: Final = timedelta(days=3 * 365)
OVERLAPS: Final = (timedelta(0), timedelta(hours=24), timedelta(days=7))
"""How long a replaced key may go on working."""
WARNINGS_DAYS: Final = (1, 7, 30)
"""How many days before its end the owners are told, the most urgent first."""

_NAME: Final = "key.name"
_NOTE: Final = "key.note"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an owner decides of a key."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    rate_per_minute: int = DEFAULT_RATE
    is_test: bool = False
    """Decided once: editing does not change it."""
    any_address: bool = True
    networks: tuple[str, ...] = ()
    """Where it works from to begin with; editing leaves the list alone."""


def create(
    client: Client,
    draft: Draft,
    *,
    by: Actor,
    attempt: uuid.UUID | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its text, which cannot be had again.

    `attempt` names one filled-in form: sent a second time it raises Refusal `already_made`, with the `pk`. Raises
    Refusal `key_limit_reached`, `no_longer_owner`, or one of `allow` for a wrong network.
    """
    with transaction.atomic():
        client = by.lock(client, Permission.KEYS_CHANGE)
        pk = idempotency.row_key(client.pk, attempt) if attempt else uuid.uuid4()
        if made := ApiKey.objects.filter(pk=pk).first():
            raise Refusal("already_made", key=made.prefix, pk=made.pk)
        _refuse_if_full(client)
        key, text = _made(client, ApiKey(pk=pk, is_test=draft.is_test, created_by=by.user), draft)
        for network in _networks(draft):
            _add(key, network, "")
        revisions.bump()
        detail = {"key": key.prefix, "name": draft.name, "scopes": ", ".join(key.scopes)}
        audit.record(AuditEvent.KEY_CREATED, client=client, by=by, detail=detail)
    return key, text


def edit(key: ApiKey, draft: Draft, *, by: Actor) -> None:
    """Change name, scopes, rate, end and address mode of a key in use; saving the same again does nothing.

    Raises Refusal `key_over` for a revoked or expired key, `already_replaced`, `no_longer_owner`.
    """
    with transaction.atomic():
        key = _as_it_is_now(key, by)
        if key.replaced_by_id:
            raise Refusal("already_replaced")
        before = _told(key)
        if draft.expires_at != key.expires_at:
            key.warned_days = None  # The new end has warnings of its own.
        _fill(key, draft)
        changed = [field for field, value in _told(key).items() if value != before[field]]
        if changed:
            key.save()
            _record(AuditEvent.KEY_CHANGED, key, by, fields=", ".join(changed))


def rotate(key: ApiKey, overlap: timedelta, *, by: Actor) -> tuple[ApiKey, str]:
    """Make a key that is like this one but for its text, and let this one end after the overlap, one of OVERLAPS.

    The new key lives as long as the old one was meant to. Without an overlap the old one is revoked at once. Raises
    Refusal `already_replaced`, `key_over`, `no_longer_owner`, and `key_limit_reached` when both cannot work together.
    """
    if overlap not in OVERLAPS:
        raise ValueError(f"Not an overlap that is offered: {overlap}")
    with transaction.atomic():
        key = _as_it_is_now(key, by)
        if key.replaced_by_id:
            raise Refusal("already_replaced")
        if overlap:
            _refuse_if_full(key.client)
        now = timezone.now()
        entries = list(key.networks.all())
        fresh, text = _made(key.client, ApiKey(is_test=key.is_test, created_by=by.user), _draft(key, now))
        for entry in entries:
            _add(fresh, entry.network, note(entry))
        key.replaced_by = fresh
        key.expires_at = min(key.expires_at, now + overlap)
        key.revoked_at = None if overlap else now
        key.save()
        _record(AuditEvent.KEY_ROTATED, key, by, new=fresh.prefix)
    return fresh, text


def revoke(key: ApiKey, *, by: Actor) -> None:
    """End a key for ever, on every worker within two seconds. Doing so twice changes nothing.

    Raises Refusal `no_longer_owner`.
    """
    with transaction.atomic():
        by.lock(key.client, Permission.KEYS_CHANGE)
        key = ApiKey.objects.select_related("client").get(pk=key.pk)
        if key.revoked_at is None:
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            _record(AuditEvent.KEY_REVOKED, key, by)


def set_any_address(key: ApiKey, *, any_address: bool, by: Actor) -> None:
    """Let a key work from any address, or only from those in its list. Raises Refusal `key_over`, `no_longer_owner`."""
    with transaction.atomic():
        key = _as_it_is_now(key, by)
        if key.any_address != any_address:
            key.any_address = any_address
            key.save(update_fields=["any_address"])
            _record(AuditEvent.KEY_CHANGED, key, by, fields="any_address")


def allow(key: ApiKey, network: str, note: str = "", *, by: Actor) -> AllowedNetwork:
    """Add an address or network, as somebody types it, to those that a key works from; return its canonical entry.

    Raises Refusal `network_…` with a code of networks.parse(), `network_loopback`, `network_already_there` (with the
    canonical `network`), `network_limit_reached`, `key_over`, `already_replaced`, `no_longer_owner`.
    """
    with transaction.atomic():
        key = _as_it_is_now(key, by)
        network = canonical(network)
        if key.networks.filter(network=network).exists():
            raise Refusal("network_already_there", network=network)
        if key.networks.count() >= MOST_NETWORKS:
            raise Refusal("network_limit_reached", limit=MOST_NETWORKS)
        entry = _add(key, network, note)
        _record(AuditEvent.KEY_NETWORK_ADDED, key, by, network=network)
    return entry


def disallow(entry: AllowedNetwork, *, by: Actor) -> None:
    """Take an entry out of a key's list. Doing so twice changes nothing. Raises Refusal `no_longer_owner`."""
    with transaction.atomic():
        by.lock(entry.key.client, Permission.KEYS_CHANGE)
        done, _rows = AllowedNetwork.objects.filter(pk=entry.pk).delete()
        if done:
            _record(AuditEvent.KEY_NETWORK_REMOVED, entry.key, by, network=entry.network)


def canonical(text: str) -> str:
    """Return the form in which an address or network is kept. Raises the Refusals of `allow` for a wrong one."""
    try:
        network = networks.parse(text)
    except networks.NetworkError as error:
        raise Refusal(f"network_{error.code}") from None
    if networks.is_loopback(network) and not settings.EMBEDDED:
        raise Refusal("network_loopback")
    return str(network)


def name(key: ApiKey) -> str:
    """Return what the owners call the key."""
    return vault.unseal_text(key.client_id, key.sealed_name, purpose=_NAME, record=str(key.pk))


def note(entry: AllowedNetwork) -> str:
    """Return what the owners have noted of an entry, empty when nothing."""
    if not entry.sealed_note:
        return ""
    return vault.unseal_text(entry.key.client_id, entry.sealed_note, purpose=_NOTE, record=_note_record(entry))


def in_use(client: Client, now: datetime) -> int:
    """Return how many keys of the client work, or would if somebody called from the right address."""
    return _in_use(client, now).count()


def warn_expiring(now: datetime) -> int:
    """Mail the owners of each key that ends in 30, 7 or 1 days or less; return how many keys they were told of.

    Each warning is mailed once, however often and from how many machines this is called; after a pause only the most
    urgent one. Keys that are revoked or replaced are left out, and so are the demo's and those of inactive clients.
    """
    ending = ApiKey.objects.select_related("client").filter(
        revoked_at=None,
        replaced_by=None,
        expires_at__gt=now,
        expires_at__lte=now + timedelta(days=max(WARNINGS_DAYS)),
        client__state=Client.State.ACTIVE,
        client__is_demo=False,
    )
    return sum(_warn(key, now) for key in ending.order_by("expires_at"))


def _warn(key: ApiKey, now: datetime) -> bool:
    due = next(days for days in WARNINGS_DAYS if key.expires_at <= now + timedelta(days=days))
    not_told = Q(warned_days=None) | Q(warned_days__gt=due)
    with transaction.atomic():
        # One statement: of two timers only one finds the warning still due.
        if not ApiKey.objects.filter(not_told, pk=key.pk).update(warned_days=due):
            return False
        context = {
            "prefix": key.prefix,
            "at": key.expires_at,
            "link": settings.SITE_URL + reverse("apikeys:key", args=[key.pk]),
        }
        mail.send_to_owners_on_commit(key.client, "key_expiring", context=context)
    return True


def _as_it_is_now(key: ApiKey, by: Actor) -> ApiKey:
    """Take the turn and return the key as the deed before ours has left it, if it is still in use."""
    by.lock(key.client, Permission.KEYS_CHANGE)
    key = ApiKey.objects.select_related("client").get(pk=key.pk)
    if key.revoked_at is not None or key.expires_at <= timezone.now():
        raise Refusal("already_replaced" if key.replaced_by_id else "key_over")
    return key


def _in_use(client: Client, now: datetime) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(client=client, revoked_at=None, expires_at__gt=now)


def _refuse_if_full(client: Client) -> None:
    if in_use(client, timezone.now()) >= MOST_KEYS:
        raise Refusal("key_limit_reached", limit=MOST_KEYS)


def _made(client: Client, key: ApiKey, draft: Draft) -> tuple[ApiKey, str]:
    """Give the key a text of its own, fill and save it; return it with the text."""
    token = tokens.mint(is_test=key.is_test)
    number = max(settings.PEPPERS)
    key.client, key.identifier = client, token.identifier
    key.pepper, key.digest = number, tokens.digest(token.text, settings.PEPPERS[number])
    _fill(key, draft)
    key.save(force_insert=True)
    return key, token.text


def _fill(key: ApiKey, draft: Draft) -> None:
    if not draft.scopes:
        raise ValueError("A key needs a scope.")
    key.scopes = scopes.in_order(draft.scopes)
    key.rate_per_minute = draft.rate_per_minute
    key.expires_at = draft.expires_at
    key.any_address = draft.any_address
    if not key.sealed_name or name(key) != draft.name:
        key.sealed_name = vault.seal(key.client_id, draft.name, purpose=_NAME, record=str(key.pk))


def _draft(key: ApiKey, now: datetime) -> Draft:
    """Return how the key was meant when it was new, as if it were made now: it lives as many days."""
    end = key.expires_at + timedelta(days=(now - key.created_at).days)
    return Draft(
        name=name(key),
        scopes=tuple(key.scopes),
        expires_at=min(end, now + LONGEST_LIFE),
        rate_per_minute=key.rate_per_minute,
        any_address=key.any_address,
    )


def _told(key: ApiKey) -> dict[str, object]:
    """Return what the history names when it changes, by the names of sentences.FIELD_NAMES."""
    return {
        "name": name(key),
        "scopes": list(key.scopes),
        "rate_per_minute": key.rate_per_minute,
        "expires_at": key.expires_at,
        "any_address": key.any_address,
    }


def _networks(draft: Draft) -> list[str]:
    """Return the draft's networks in canonical form, each once."""
    found = list(dict.fromkeys(canonical(text) for text in draft.networks))
    if len(found) > MOST_NETWORKS:
        raise Refusal("network_limit_reached", limit=MOST_NETWORKS)
    return found


def _add(key: ApiKey, network: str, note: str) -> AllowedNetwork:
    entry = AllowedNetwork(key=key, network=network)
    if note:
        entry.sealed_note = vault.seal(key.client_id, note, purpose=_NOTE, record=_note_record(entry))
    entry.save()
    return entry


def _note_record(entry: AllowedNetwork) -> str:
    return f"{entry.key_id}/{entry.network}"


def _record(event: AuditEvent, key: ApiKey, by: Actor, **detail: str) -> None:
    """Write the deed down and tell the workers: nothing of a key changes without both."""
    revisions.bump()
    told = {"key": key.prefix, "name": name(key), **detail}
    audit.record(event, client=key.client, by=by, detail=told)
