"""Change of the e-mail address: done only when a code to the new and a code to the old address have been typed in.

The code to the old address also is the notice: whoever reads it without having asked knows that somebody else did.
"""

from typing import Final

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts import audit, mail
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.auth import codes, presence
from accounts.models import User

WAITING: Final = "email_change"


def begin(request: HttpRequest, user: User, new: str) -> None:
    """Mail a code to both addresses; at an address that has an account the mail has none, and nobody else learns it."""
    is_known = User.objects.filter(email=new).exists()
    new_code, old_code = codes.new(), codes.new()
    codes.begin(request, WAITING, user=str(user.pk), new=new, new_code="" if is_known else new_code, old_code=old_code)
    language = user.language or get_language()
    template = "auth/email_change_known" if is_known else "auth/email_change_new"
    mail.send_on_commit(template, to=new, language=language, context={"code": new_code})
    mail.send_on_commit(
        "auth/email_change_old", to=user.email, language=language, context={"code": old_code, "new": new}
    )


def waiting(request: HttpRequest, user: User) -> codes.Pending | None:
    """Return the change that this user has begun, or None."""
    found = codes.pending(request, WAITING)
    return found if found and found["user"] == str(user.pk) else None


def complete(request: HttpRequest, user: User, *, new_code: str, old_code: str) -> None:
    """Change the address, end the user's other sessions and tell both addresses. Raises codes.Wrong or codes.Over."""
    change = waiting(request, user)
    if change is None:
        raise codes.Over
    # Both are compared in any case: the answer must not say which one was wrong.
    is_right = [codes.fits(new_code, change["new_code"]), codes.fits(old_code, change["old_code"])]
    if not all(is_right):
        codes.miss(request, WAITING)
    codes.forget(request, WAITING)
    try:
        _change(request, user, change["new"])
    except IntegrityError:  # Somebody else has taken the address in the meantime.
        raise codes.Over from None


def _change(request: HttpRequest, user: User, new: str) -> None:
    old = user.email
    with transaction.atomic():
        user.email = new
        user.save(update_fields=["email"])
        EmailAddress.objects.filter(user=user).delete()
        EmailAddress.objects.create(user=user, email=new, verified=True, primary=True)
        if user.client is not None:
            detail = {"old": old, "new": new}
            audit.record(AuditEvent.EMAIL_CHANGED, client=user.client, by=Actor.of(request, user=user), detail=detail)
        for address in (old, new):
            mail.send_on_commit(
                "auth/email_changed",
                to=address,
                language=user.language or get_language(),
                context={"old": old, "new": new},
            )
    presence.end_others(request, user)


def cancel(request: HttpRequest) -> None:
    """Forget a change that has begun."""
    codes.forget(request, WAITING)
