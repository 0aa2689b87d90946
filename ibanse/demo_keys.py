"""Two API keys of the demo client, a live and a test one, that work from any address. Never in production."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from accounts.actor import SYSTEM
from accounts.models import Client
from apikeys import keys, scopes, tokens
from apikeys.models import ApiKey
from ibanse.demo import NotHere

_LIFE: Final = timedelta(days=365)
_KINDS: Final = {"live": "Demo program", "test": "Demo program, on trial"}


def texts() -> dict[str, str]:
    """Return the text of each key, `live` and `test`, after making those that are missing, revoked or near their end.

    They are made for this machine and kept beside its database in a file that only its owner can read, as the demo's
    logins are. Call it after demo.logins(). Raises NotHere in production.
    """
    if not settings.EMBEDDED:
        raise NotHere
    client = Client.objects.get(is_demo=True)
    path = settings.DATA_DIR / "demo_keys"
    kept = _kept(path)
    found = {kind: kept[kind] if _works(client, kept.get(kind, "")) else _made(client, kind) for kind in _KINDS}
    if found != kept:
        path.touch(mode=0o600)
        path.write_text("\n".join(f"{kind}\t{text}" for kind, text in found.items()), encoding="utf-8")
    return found


def _kept(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return dict(line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())


def _works(client: Client, text: str) -> bool:
    try:
        identifier = tokens.split(text).identifier
    except tokens.Malformed:
        return False
    soon = timezone.now() + timedelta(days=max(keys.WARNINGS_DAYS))
    return ApiKey.objects.filter(
        client=client, identifier=identifier, revoked_at=None, replaced_by=None, expires_at__gt=soon
    ).exists()


def _made(client: Client, kind: str) -> str:
    draft = keys.Draft(
        name=_KINDS[kind],
        scopes=tuple(scopes.SCOPES),
        expires_at=timezone.now() + _LIFE,
        is_test=kind == "test",
    )
    _key, text = keys.create(client, draft, by=SYSTEM)
    return text
