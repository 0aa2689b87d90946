"""API keys: a client's owners create, edit, rotate and revoke them, and list the IP addresses each works from.

Every action locks the client's row, checks the actor and the key again, and makes the workers drop the keys that they
hold in memory. An action that is already done changes nothing and is not recorded. The text of a key is returned by the
action that creates it and stored nowhere.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
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
"""IP addresses and networks, per key."""
MOST_NOTE_CHARACTERS: Final = 100
DEFAULT_LIFE: Final = timedelta(days=365)
LONGEST_LIFE: Final = timedelta(days=3 * 365)
OVERLAPS: Final = (timedelta(0), timedelta(hours=24), timedelta(days=7))
"""How long a replaced key may continue to work."""
WARNINGS_DAYS: Final = (1, 7, 30)
"""How many days before it expires the owners are mailed, the most urgent first."""

_NAME: Final = "key.name"
_NOTE: Final = "key.note"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an owner decides about a key."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    rate_per_minute: int = DEFAULT_RATE
    is_test: bool = False
    """Fixed at creation: editing does not change it."""
    any_address: bool = True
    networks: tuple[str, ...] = ()
    """Its first list; editing does not change the list."""


def create(
    client: Client,
    draft: Draft,
    *,
    by: Actor,
    attempt: uuid.UUID | None = None,
) -> tuple[ApiKey, str]:
    """Create a key and return it with its text, which cannot be read again.

    `attempt` names one filled-in form: sent a second time it raises Refusal `already_made`, with the `pk`. Raises
    Refusal `key_limit_reached`, `no_longer_owner`, or one of `allow` for a wrong network.
    """
    with transaction.atomic():
        client = by.lock(client, Permission.KEYS_CHANGE)
        pk = idempotency.row_key(client.pk, attempt) if attempt else uuid.uuid4()
        if existing := ApiKey.objects.filter(pk=pk).first():
            raise Refusal("already_made", key=existing.prefix, pk=existing.pk)
        _refuse_if_full(client)
        key, text = _issue(client, ApiKey(pk=pk, is_test=draft.is_test, created_by=by.user), draft)
        for network in _canonical_networks(draft):
            _add_network(key, network, "")
        revisions.bump()
        detail = {"key": key.prefix, "name": draft.name, "scopes": ", ".join(key.scopes)}
        audit.record(AuditEvent.KEY_CREATED, client=client, by=by, detail=detail)
    return key, text


def edit(key: ApiKey, draft: Draft, *, by: Actor) -> None:
    """Change name, scopes, rate, expiry and address mode of a key in use; saving the same again does nothing.

    Raises Refusal `key_over` for a revoked or expired key, `already_replaced`, `no_longer_owner`.
    """
    with transaction.atomic():
        key = _lock_in_use(key, by)
        if key.replaced_by_id:
            raise Refusal("already_replaced")
        before = _audited_fields(key)
        if draft.expires_at != key.expires_at:
            key.warned_days = None  # The new expiry has warnings of its own.
        _fill(key, draft)
        changed = [field for field, value in _audited_fields(key).items() if value != before[field]]
        if changed:
            key.save()
            _record(AuditEvent.KEY_CHANGED, key, by, fields=", ".join(changed))


def rotate(key: ApiKey, overlap: timedelta, *, by: Actor) -> tuple[ApiKey, str]:
    """Create a key like this one with another text, and let this one expire after the overlap, one of OVERLAPS.

    The new key lives as long as the old one was meant to. Without an overlap the old one is revoked now. Raises
    Refusal `already_replaced`, `key_over`, `no_longer_owner`, and `key_limit_reached` when both cannot work together.
    """
    if overlap not in OVERLAPS:
        raise ValueError(f"This overlap is not offered: {overlap}")
    with transaction.atomic():
        key = _lock_in_use(key, by)
        if key.replaced_by_id:
            raise Refusal("already_replaced")
        if overlap:
            _refuse_if_full(key.client)
        now = timezone.now()
        entries = list(key.networks.all())
        successor, text = _issue(
            key.client, ApiKey(is_test=key.is_test, created_by=by.user), _successor_draft(key, now)
        )
        for entry in entries:
            _add_network(successor, entry.network, note(entry))
        key.replaced_by = successor
        key.expires_at = min(key.expires_at, now + overlap)
        key.revoked_at = None if overlap else now
        key.save()
        _record(AuditEvent.KEY_ROTATED, key, by, new=successor.prefix)
    return successor, text


def revoke(key: ApiKey, *, by: Actor) -> None:
    """Revoke a key for good, on every worker within two seconds. Doing so twice changes nothing.

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
    """Let a key work from any IP address, or only from its list. Raises Refusal `key_over`, `no_longer_owner`."""
    with transaction.atomic():
        key = _lock_in_use(key, by)
        if key.any_address != any_address:
            key.any_address = any_address
            key.save(update_fields=["any_address"])
            _record(AuditEvent.KEY_CHANGED, key, by, fields="any_address")


def allow(key: ApiKey, network: str, note: str = "", *, by: Actor) -> AllowedNetwork:
    """Add an IP address or network, as typed, to the list of a key; return its canonical entry.

    Raises Refusal `network_…` with a code of networks.parse(), `network_loopback`, `network_already_there` (with the
    canonical `network`), `network_limit_reached`, `key_over`, `already_replaced`, `no_longer_owner`.
    """
    with transaction.atomic():
        key = _lock_in_use(key, by)
        network = canonical(network)
        if key.networks.filter(network=network).exists():
            raise Refusal("network_already_there", network=network)
        if key.networks.count() >= MOST_NETWORKS:
            raise Refusal("network_limit_reached", limit=MOST_NETWORKS)
        entry = _add_network(key, network, note)
        _record(AuditEvent.KEY_NETWORK_ADDED, key, by, network=network)
    return entry


def disallow(entry: AllowedNetwork, *, by: Actor) -> None:
    """Remove an entry from a key's list. Doing so twice changes nothing. Raises Refusal `no_longer_owner`."""
    with transaction.atomic():
        by.lock(entry.key.client, Permission.KEYS_CHANGE)
        deleted, _rows = AllowedNetwork.objects.filter(pk=entry.pk).delete()
        if deleted:
            _record(AuditEvent.KEY_NETWORK_REMOVED, entry.key, by, network=entry.network)


def canonical(text: str) -> str:
    """Return the form in which an IP address or network is stored. Raises the Refusals of `allow` for a wrong one."""
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
    """Return the owners' note on an entry, or an empty text."""
    if not entry.sealed_note:
        return ""
    return vault.unseal_text(entry.key.client_id, entry.sealed_note, purpose=_NOTE, record=_note_record(entry))


def in_use(client: Client, now: datetime) -> int:
    """Return how many keys of the client are neither revoked nor expired."""
    return ApiKey.objects.filter(client=client, revoked_at=None, expires_at__gt=now).count()


def warn_expiring(now: datetime) -> int:
    """Mail the owners of each key that expires in 30, 7 or 1 days or less; return for how many keys.

    Each warning is mailed once, however often and from how many machines this is called; after a pause only the most
    urgent one. Keys that are revoked or replaced are left out, and so are the demo's and those of inactive clients.
    """
    expiring = ApiKey.objects.select_related("client").filter(
        revoked_at=None,
        replaced_by=None,
        expires_at__gt=now,
        expires_at__lte=now + timedelta(days=max(WARNINGS_DAYS)),
        client__state=Client.State.ACTIVE,
        client__is_demo=False,
    )
    return sum(_warn(key, now) for key in expiring.order_by("expires_at"))


def _warn(key: ApiKey, now: datetime) -> bool:
    due = next(days for days in WARNINGS_DAYS if key.expires_at <= now + timedelta(days=days))
    not_mailed = Q(warned_days=None) | Q(warned_days__gt=due)
    with transaction.atomic():
        # One statement: of two timers only one finds the warning still due.
        if not ApiKey.objects.filter(not_mailed, pk=key.pk).update(warned_days=due):
            return False
        context = {
            "prefix": key.prefix,
            "at": key.expires_at,
            "link": settings.SITE_URL + reverse("apikeys:key", args=[key.pk]),
        }
        mail.send_to_owners_on_commit(key.client, "key_expiring", context=context)
    return True


def _lock_in_use(key: ApiKey, by: Actor) -> ApiKey:
    """Lock the client and return the key as it is now, if it is still in use."""
    by.lock(key.client, Permission.KEYS_CHANGE)
    key = ApiKey.objects.select_related("client").get(pk=key.pk)
    if key.revoked_at is not None or key.expires_at <= timezone.now():
        raise Refusal("already_replaced" if key.replaced_by_id else "key_over")
    return key


def _refuse_if_full(client: Client) -> None:
    if in_use(client, timezone.now()) >= MOST_KEYS:
        raise Refusal("key_limit_reached", limit=MOST_KEYS)


def _issue(client: Client, key: ApiKey, draft: Draft) -> tuple[ApiKey, str]:
    """Give the key a text, fill and save it; return it with the text."""
    token = tokens.mint(is_test=key.is_test)
    pepper = max(settings.PEPPERS)
    key.client, key.identifier = client, token.identifier
    key.pepper, key.digest = pepper, tokens.digest(token.text, settings.PEPPERS[pepper])
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


def _successor_draft(key: ApiKey, now: datetime) -> Draft:
    """Return the draft of a key like this one, with the same number of days to live from now on."""
    expires_at = key.expires_at + timedelta(days=(now - key.created_at).days)
    return Draft(
        name=name(key),
        scopes=tuple(key.scopes),
        expires_at=min(expires_at, now + LONGEST_LIFE),
        rate_per_minute=key.rate_per_minute,
        any_address=key.any_address,
    )


def _audited_fields(key: ApiKey) -> dict[str, object]:
    """Return the fields whose changes the audit log names, by the names of messages.FIELD_NAMES."""
    return {
        "name": name(key),
        "scopes": list(key.scopes),
        "rate_per_minute": key.rate_per_minute,
        "expires_at": key.expires_at,
        "any_address": key.any_address,
    }


def _canonical_networks(draft: Draft) -> list[str]:
    """Return the draft's networks in canonical form, each once."""
    found = list(dict.fromkeys(canonical(text) for text in draft.networks))
    if len(found) > MOST_NETWORKS:
        raise Refusal("network_limit_reached", limit=MOST_NETWORKS)
    return found


def _add_network(key: ApiKey, network: str, note: str) -> AllowedNetwork:
    entry = AllowedNetwork(key=key, network=network)
    if note:
        entry.sealed_note = vault.seal(key.client_id, note, purpose=_NOTE, record=_note_record(entry))
    entry.save()
    return entry


def _note_record(entry: AllowedNetwork) -> str:
    return f"{entry.key_id}/{entry.network}"


def _record(event: AuditEvent, key: ApiKey, by: Actor, **detail: str) -> None:
    """Record the action and make the workers load keys again: no change of a key goes without both."""
    revisions.bump()
    audit.record(event, client=key.client, by=by, detail={"key": key.prefix, "name": name(key), **detail})
