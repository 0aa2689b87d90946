"""Sealed sessions in the database: the table reveals neither who is signed in nor a pending secret.

A TOTP secret is in the session until it is confirmed, and a sign-up until its e-mail address is verified. Each session
is bound to its session key, so a row moved to another key opens as an empty session.
"""

import base64
import binascii
import json
import uuid
from typing import Any, Final

from django.contrib.sessions.backends import db

from privacy import vault

OWNER: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:ibanse:sessions")
"""Owns the data key of all sessions. It belongs to the operator: a session may begin before the user is known."""

_PURPOSE: Final = "session"


class SessionStore(db.SessionStore):
    """Django's database sessions with a sealed payload."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Return the session as sealed text."""
        sealed = vault.seal(OWNER, json.dumps(session_dict), purpose=_PURPOSE, record=self.session_key or "")
        return base64.b64encode(sealed).decode("ascii")

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return the session, or an empty one when it was tampered with or its key is gone: the user is signed out."""
        try:
            sealed = base64.b64decode(session_data, validate=True)
            text = vault.unseal_text(OWNER, sealed, purpose=_PURPOSE, record=self.session_key or "")
        except (binascii.Error, vault.Broken, vault.NoKey, vault.Destroyed):
            return {}
        session: dict[str, Any] = json.loads(text)
        return session
