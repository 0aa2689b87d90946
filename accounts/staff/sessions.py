"""Signing a user out of every browser, when one of them may be in the wrong hands."""

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts import audit, mail
from accounts.audit.events import AuditEvent, StaffEvent
from accounts.auth import presence
from accounts.errors import Refusal
from accounts.models import User
from accounts.staff.justification import Justification, lock_client, record_action


def sign_out(user: User, justification: Justification) -> bool:
    """End all sessions of a client's user or of a colleague and mail them; return whether there was one.

    Raises Refusal `gone` for a user who was removed meanwhile, `client_gone`, and `yourself`, since nobody can be told
    of it in a browser that is signed out.
    """
    with transaction.atomic():
        client = lock_client(user.client_id, may_be_closing=True) if user.client_id else None
        found = User.objects.filter(pk=user.pk).first()
        if found is None:
            raise Refusal("gone")
        if found.pk == justification.by.pk:
            raise Refusal("yourself")
        if not UserSession.objects.filter(user=found).exists():
            return False
        presence.end_all(found)
        if client is None:
            detail = {"user": found.email, **justification.reason}
            audit.record_staff(StaffEvent.STAFF_SIGNED_OUT, by=justification.by, detail=detail)
        else:
            record_action(AuditEvent.MEMBER_SIGNED_OUT_BY_OPERATOR, client, justification, user=found.email)
        if found.role != User.Role.OWNER or not found.is_active:  # Active owners are mailed of every such action.
            _notify(found)
    return True


def _notify(user: User) -> None:
    event = gettext_lazy("We have signed you out of ibanse everywhere. You can sign in again immediately")
    context = {"event": event, "by": gettext_lazy("the operator"), "at": timezone.now()}
    mail.send_on_commit("about_you", to=user.email, language=user.language, context=context)
