"""What follows a change of a password or an authenticator, as allauth's signals report it.

It is recorded in the audit log, the user's other sessions end, and the user is notified by e-mail.
"""

from typing import Any, Final

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from accounts import audit, mail
from accounts.actor import Actor
from accounts.audit.events import CLIENT_EVENTS, AuditEvent
from accounts.auth import presence, wrong_passwords
from accounts.models import User

_ADDED: Final[dict[str, AuditEvent]] = {
    Authenticator.Type.TOTP: AuditEvent.TOTP_ADDED,
    Authenticator.Type.WEBAUTHN: AuditEvent.PASSKEY_ADDED,
}
_REMOVED: Final[dict[str, AuditEvent]] = {
    Authenticator.Type.TOTP: AuditEvent.TOTP_REMOVED,
    Authenticator.Type.WEBAUTHN: AuditEvent.PASSKEY_REMOVED,
}


@receiver([password_changed, password_set, password_reset])
def on_password_changed(request: HttpRequest, user: User, **_signal: Any) -> None:
    """A user has changed their password, or set a new one by e-mail."""
    wrong_passwords.forget(user.email)
    _on_credential_changed(AuditEvent.PASSWORD_CHANGED, request, user)


@receiver(authenticator_added)
def on_authenticator_added(request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """A user has added an authenticator app or a passkey; the first one brings recovery codes along."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        record_for_user(AuditEvent.RECOVERY_CODES_MADE, request, user)
    else:
        _on_credential_changed(_ADDED[authenticator.type], request, user)


@receiver(authenticator_removed)
def on_authenticator_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """A user has removed an authenticator; recovery codes go with the last one, and are no event of their own."""
    if event := _REMOVED.get(authenticator.type):
        _on_credential_changed(event, request, user)


@receiver(authenticator_reset)
def on_recovery_codes_renewed(request: HttpRequest, user: User, **_signal: Any) -> None:
    """A user has replaced their recovery codes."""
    _on_credential_changed(AuditEvent.RECOVERY_CODES_MADE, request, user)


def record_for_user(event: AuditEvent, request: HttpRequest, user: User, detail: dict[str, str] | None = None) -> None:
    """Record an event in the audit log of the user's client; staff have none."""
    if user.client is not None:
        audit.record(event, client=user.client, by=Actor.of(request, user=user), detail=detail)


def _on_credential_changed(event: AuditEvent, request: HttpRequest, user: User) -> None:
    record_for_user(event, request, user)
    presence.end_others(request, user)
    context = {"event": CLIENT_EVENTS[event].text, "at": timezone.now(), "site": settings.SITE_URL}
    mail.send_on_commit("auth/notice", to=user.email, language=user.language or get_language(), context=context)
