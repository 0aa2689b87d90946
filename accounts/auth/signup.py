"""Sign-up: from a form to a client and its owner.

Until the address is proven by a code nothing is kept but a sealed session, so nobody can hold a stranger's address, and
a known address costs the same password hash, queries and mail as a new one: whoever asks learns nothing.
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
    """Let the sign-up wait for its code and mail it; to an address that has an account, mail how to sign in."""
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
    """Mail another code, which replaces the first. Raises codes.Over."""
    waiting = codes.pending(request, WAITING)
    if waiting is None or not codes.may_resend(waiting):
        raise codes.Over
    waiting["resends"] += 1
    request.session.modified = True
    _send(waiting)


def _send(waiting: codes.Pending) -> None:
    code = codes.new()
    is_known = User.objects.filter(email=waiting["email"]).exists()
    # Without a code no guess can be right.
    waiting["code"] = "" if is_known else code
    template = "auth/sign_up_known" if is_known else "auth/sign_up"
    context = {
        "code": code,
        "sign_in": settings.SITE_URL + reverse("account_login"),
        "reset": settings.SITE_URL + reverse("account_reset_password"),
    }
    mail.send_on_commit(template, to=waiting["email"], language=waiting["language"], context=context)


def complete(request: HttpRequest, code: str) -> User:
    """Make the client and its owner, once the code is right. Raises codes.Wrong or codes.Over."""
    waiting = codes.pending(request, WAITING)
    if waiting is None:
        raise codes.Over
    if not codes.fits(code, waiting["code"]):
        codes.miss(request, WAITING)
    codes.forget(request, WAITING)
    try:
        return _create(request, waiting)
    except IntegrityError:  # Somebody else proved the same address in the meantime.
        raise codes.Over from None


def _create(request: HttpRequest, waiting: codes.Pending) -> User:
    with transaction.atomic():
        client = Client.objects.create()
        owner = User(
            client=client,
            role=User.Role.OWNER,
            email=waiting["email"],
            password=waiting["password"],
            language=waiting["language"],
        )
        add(owner)
        by = Actor.of(request, user=owner)
        audit.record(AuditEvent.CLIENT_CREATED, client=client, by=by)
        version = {"version": waiting["terms"]}
        audit.record(AuditEvent.TERMS_ACCEPTED, client=client, by=by, detail=version)
        details.save_contact(client, details.Contact(company=waiting["company"]), by=by)
    return owner


def add(user: User) -> None:
    """Save a new user whose address is proven, so that they can sign in with it. Raises IntegrityError when taken."""
    with transaction.atomic():
        user.save(force_insert=True)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
