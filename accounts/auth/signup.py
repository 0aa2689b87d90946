"""Sign-up: creates a client and its owner.

Until the e-mail address is verified by a code, only a sealed session is stored, so nobody can reserve somebody else's
address. A known address costs the same password hash, queries and mail as a new one, so nobody can find out who has an
account.
"""

from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from accounts import audit, mail
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.auth import codes
from accounts.models import Client, User
from accounts.profile import details

WAITING: Final = "sign_up"


def begin(request: HttpRequest, *, email: str, password: str, company: str) -> None:
    """Store the sign-up until its code is typed and mail the code; mail an existing user how to sign in."""
    waiting = codes.begin(
        request,
        WAITING,
        email=email,
        password=make_password(password),
        company=company,
        language=get_language(),
        terms=settings.TERMS_VERSION,
    )
    _send(waiting)


def resend(request: HttpRequest) -> None:
    """Mail another code, which replaces the first. Raises codes.CodeExpired."""
    waiting = codes.pending(request, WAITING)
    if waiting is None or not codes.can_resend(waiting):
        raise codes.CodeExpired
    waiting["resends"] += 1
    request.session.modified = True
    _send(waiting)


def _send(waiting: codes.Pending) -> None:
    code = codes.generate()
    is_known = User.objects.filter(email=waiting["email"]).exists()
    # An empty code matches no guess.
    waiting["code"] = "" if is_known else code
    template = "auth/sign_up_known" if is_known else "auth/sign_up"
    context = {
        "code": code,
        "sign_in": settings.SITE_URL + reverse("account_login"),
        "reset": settings.SITE_URL + reverse("account_reset_password"),
    }
    mail.send_on_commit(template, to=waiting["email"], language=waiting["language"], context=context)


def complete(request: HttpRequest, code: str) -> User:
    """Create the client and its owner, once the code is right. Raises codes.WrongCode or codes.CodeExpired."""
    waiting = codes.pending(request, WAITING)
    if waiting is None:
        raise codes.CodeExpired
    if not codes.matches(code, waiting["code"]):
        codes.count_wrong_code(request, WAITING)
    codes.forget(request, WAITING)
    try:
        with transaction.atomic():
            client = Client.objects.create()
            owner = User(
                client=client,
                role=User.Role.OWNER,
                email=waiting["email"],
                password=waiting["password"],
                language=waiting["language"],
            )
            owner.save(force_insert=True)
            EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
            by = Actor.of(request, user=owner)
            audit.record(AuditEvent.CLIENT_CREATED, client=client, by=by)
            audit.record(AuditEvent.TERMS_ACCEPTED, client=client, by=by, detail={"version": waiting["terms"]})
            details.save_contact(client, details.Contact(company=waiting["company"]), by=by)
    except IntegrityError:  # The same e-mail address was verified elsewhere in the meantime.
        raise codes.CodeExpired from None
    return owner
