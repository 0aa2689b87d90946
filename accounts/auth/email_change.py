"""Change of the e-mail address, confirmed by a code to the new and a code to the old one.

The mail to the old address is also the notice: a user who did not request the change learns of it.
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
    """Mail a code to both e-mail addresses; one that already has an account gets a mail without a code.

    The page looks the same in both cases, so that nobody can find out who has an account.
    """
    is_known = User.objects.filter(email=new).exists()
    new_code, old_code = codes.generate(), codes.generate()
    codes.begin(request, WAITING, user=str(user.pk), new=new, new_code="" if is_known else new_code, old_code=old_code)
    language = user.language or get_language()
    template = "auth/email_change_known" if is_known else "auth/email_change_new"
    mail.send_on_commit(template, to=new, language=language, context={"code": new_code})
    mail.send_on_commit(
        "auth/email_change_old", to=user.email, language=language, context={"code": old_code, "new": new}
    )


def waiting(request: HttpRequest, user: User) -> codes.Pending | None:
    """Return the change that this user has begun, or None."""
    change = codes.pending(request, WAITING)
    return change if change and change["user"] == str(user.pk) else None


def complete(request: HttpRequest, user: User, *, new_code: str, old_code: str) -> None:
    """Change the e-mail address, end the user's other sessions and notify both addresses.

    Raises codes.WrongCode or codes.CodeExpired.
    """
    change = waiting(request, user)
    if change is None:
        raise codes.CodeExpired
    # Both are always compared: the response must not reveal which one was wrong.
    is_right = [codes.matches(new_code, change["new_code"]), codes.matches(old_code, change["old_code"])]
    if not all(is_right):
        codes.count_wrong_code(request, WAITING)
    codes.forget(request, WAITING)
    old, new, language = user.email, change["new"], user.language or get_language()
    detail = {"old": old, "new": new}
    try:
        with transaction.atomic():
            user.email = new
            user.save(update_fields=["email"])
            EmailAddress.objects.filter(user=user).delete()
            EmailAddress.objects.create(user=user, email=new, verified=True, primary=True)
            if user.client is not None:
                by = Actor.of(request, user=user)
                audit.record(AuditEvent.EMAIL_CHANGED, client=user.client, by=by, detail=detail)
            for email in (old, new):
                mail.send_on_commit("auth/email_changed", to=email, language=language, context=detail)
    except IntegrityError:  # Another user has taken the e-mail address in the meantime.
        raise codes.CodeExpired from None
    presence.end_others(request, user)


def cancel(request: HttpRequest) -> None:
    """Cancel a change that has begun."""
    codes.forget(request, WAITING)
