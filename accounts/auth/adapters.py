"""allauth's adapters: IP addresses, redirects, mails, audit events and sealed secrets."""

from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.account.models import Login
from allauth.core import context, ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts import counters, mail
from accounts.audit.events import AuditEvent
from accounts.auth import allauth_internals, devices, presence, wrong_passwords
from accounts.auth.credential_events import record_for_user
from accounts.guard import addresses
from accounts.models import Client, User
from accounts.permissions import Permission
from privacy import vault

_FACTORS: Final = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class AccountAdapter(DefaultAccountAdapter):
    """Passwords, mails and sign-in."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy("Wrong e-mail address or password."),
        "enter_current_password": gettext_lazy("This is not your current password."),
        "incorrect_code": gettext_lazy("Wrong code."),
        "incorrect_password": gettext_lazy("Wrong password."),
        "rate_limited": gettext_lazy("Too many attempts. Wait a few minutes and try again."),
        "too_many_login_attempts": gettext_lazy("Too many attempts. Wait a few minutes and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return whether anybody may create an account; invited colleagues join by their link."""
        return bool(settings.SIGNUP == "open")

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the IP address that all limits and lists use."""
        return addresses.caller(request)

    def is_safe_url(self, url: str) -> bool:
        """Return whether `url` is a path of this site and cannot lead to another host."""
        return url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the first page after signing in: the overview for users who may see it, the back-office for staff."""
        user = request.user
        if isinstance(user, User) and user.is_staff:
            return reverse("admin:index")
        may_see = isinstance(user, User) and user.may(Permission.OVERVIEW_VIEW)
        return reverse("accounts:overview") if may_see else reverse("validation:check")

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """Return the same page after signing up as after signing in."""
        return self.get_login_redirect_url(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a try before the password is checked, of a known browser separately from others at the same IP address.

        A refused try is counted as a metric, without the e-mail address.
        """
        email = credentials.get("email", "")
        self._login_failed_rl_usage = allauth_internals.consume_failed_sign_in(
            request,
            key=devices.rate_limit_key(request, email),
            with_address=devices.known_device(request, email) is None,
        )
        if not self._login_failed_rl_usage:
            counters.count("sign_ins", "limited")
            raise self.validation_error("too_many_login_attempts")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Return allauth's key for counting tries: never the mailbox alone, or anybody could lock its owner out."""
        return devices.rate_limit_key(request, credentials.get("email", ""))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a wrong password, as a metric and for its mailbox; nothing else of it is stored."""
        counters.count("sign_ins", "password")
        wrong_passwords.record_failure(request, credentials.get("email", ""))
        super().authentication_failed(request, **credentials)

    def is_login_by_code_required(self, login: Login) -> bool:
        """Require a mailed code of an unknown browser, after many wrong passwords for this mailbox."""
        user = login.user
        records = get_authentication_records(self.request, user)
        if user is None or login.signup or not records or records[-1]["method"] != "password":
            return False
        email = _ours(user).email
        if not wrong_passwords.is_code_needed(self.request, email):
            return False
        if not ratelimit.consume(self.request, action="sign_in_code", key=email):
            raise ImmediateHttpResponse(ratelimit.respond_429(self.request))
        wrong_passwords.require_code(email)
        return True

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """Refuse users whose client is being deleted, whatever the method: nothing can be sealed for them any more."""
        ours = _ours(user)
        if ours.client is not None and ours.client.state == Client.State.GONE:
            ours.is_active = False  # Not saved: allauth now refuses this sign-in like that of a deactivated user.
        response: HttpResponse | None = super().pre_login(request, ours, **kwargs)
        return response

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        """Record the sign-in; it also counts as reauthentication, so that nobody types a password twice in a row."""
        user = _ours(user)
        presence.forget_ended(timezone.now())
        response: HttpResponse = super().post_login(request, user, **kwargs)
        records = get_authentication_records(request, user)
        if records:
            records[-1]["reauthenticated"] = True
            request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records
        devices.remember(request, response, user.email)
        if any(record["method"] == "code" for record in records):
            wrong_passwords.forget(user.email)
        methods = [str(record.get("type") or record["method"]) for record in records]
        record_for_user(AuditEvent.SIGNED_IN, request, user, {"method": ", ".join(methods)})
        return response

    def logout(self, request: HttpRequest) -> None:
        """Sign this browser out and delete its row in the list of sessions."""
        UserSession.objects.filter(session_key=request.session.session_key or "").delete()
        super().logout(request)

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Return how this user can reauthenticate: with the second factor, if there is one."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if isinstance(user, User) and is_mfa_enabled(user, types=_FACTORS):
            methods = [method for method in methods if method["id"] != "reauthenticate"]
        names = {
            "reauthenticate": _("With your password"),
            "mfa_reauthenticate": _("With a code from your app, or a recovery code"),
            "mfa_reauthenticate:webauthn": _("With a passkey"),
        }
        return [{**method, "description": names[method["id"]]} for method in methods]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send one of allauth's mails from our templates, in the user's language."""
        user = context.get("user")
        language = user.language if isinstance(user, User) else ""
        values = {
            "code": context.get("code", ""),
            "site": settings.SITE_URL,
            "sign_up": settings.SITE_URL + reverse("account_signup") if settings.SIGNUP == "open" else "",
        }
        template = f"auth/{template_prefix.rpartition('/')[2]}"
        mail.send_on_commit(template, to=email, language=language or get_language(), context=values)


class FactorAdapter(DefaultMFAAdapter):
    """Second factors, with their secrets sealed under the client's key."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("Wrong code."),
        "unverified_email": gettext_lazy("Confirm your e-mail address first."),
    }
    PURPOSE: Final = "second factor"

    def encrypt(self, text: str) -> str:
        """Seal a secret of the signed-in user; the envelope names the owner of the key."""
        user = context.request.user
        return vault.seal_named(user.key_owner, text, purpose=self.PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Open a secret, also during sign-in, when the user is not signed in yet."""
        return vault.unseal_named(encrypted_text, purpose=self.PURPOSE)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the relying party of a passkey: the displayed name and the host it works on."""
        return {**super().get_public_key_credential_rp_entity(), "name": settings.MFA_TOTP_ISSUER}

    def generate_authenticator_name(self, user: AbstractBaseUser, type: str) -> str:
        """Return the default name of a passkey."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)d") % {"number": count + 1}


def _ours(user: AbstractBaseUser) -> User:
    """Narrow the type of a user from allauth."""
    assert isinstance(user, User)  # noqa: S101 - there is one user model
    return user
