"""Views of sign-up, sign-in, change of the e-mail address, and sessions."""

from allauth.account import views as account
from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.account.utils import perform_login
from allauth.core import ratelimit
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.auth import browsers, codes, devices, email_change, presence, signup
from accounts.auth.allauth_internals import record_authentication
from accounts.auth.forms import CodeForm, EmailChangeCodesForm, EmailChangeForm, SignUpForm
from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request of a signed-in user: LoginRequiredMiddleware redirects everybody else."""

    user: User


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in, rate-limited per IP address; a known browser has its own limit."""
    browser = devices.known_device(request, request.POST.get("login", ""))
    wait: HttpResponse | None = (
        ratelimit.consume_or_429(request, action="sign_in_known", key=browser)
        if browser
        else ratelimit.consume_or_429(request, action="sign_in")
    )
    return wait or account.login(request)


@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Ask for the account's data and mail a code to confirm the e-mail address."""
    if request.user.is_authenticated:
        return redirect(get_adapter().get_login_redirect_url(request))
    if not get_adapter().is_open_for_signup(request):
        return render(request, "account/signup_closed.html", {"by_invitation": settings.SIGNUP == "invite"})
    form = SignUpForm(request.POST or None)
    if request.method != "POST":
        return render(request, "account/signup.html", {"form": form})
    if not form.is_valid():
        return render(request, "account/signup.html", {"form": form}, status=422)
    wait = ratelimit.consume_or_429(request, action="signup") or ratelimit.consume_or_429(
        request, action="signup_mail", key=form.cleaned_data["email"]
    )
    if wait:
        return wait
    signup.begin(
        request,
        email=form.cleaned_data["email"],
        password=form.cleaned_data["password1"],
        company=form.cleaned_data["company"],
    )
    return redirect("account_signup_code")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up_code(request: HttpRequest) -> HttpResponseBase:
    """Ask for the mailed code; with the right one the account is created and its owner signed in."""
    if request.user.is_authenticated:
        return redirect(get_adapter().get_login_redirect_url(request))
    waiting = codes.pending(request, signup.WAITING)
    if waiting is None:
        return redirect("account_signup")
    form = CodeForm(request.POST or None)
    response = _sign_up_code_sent(request, form) if request.method == "POST" else None
    context = {"form": form, "email": waiting["email"], "may_resend": codes.can_resend(waiting)}
    status = 422 if form.errors else 200
    return response or render(request, "account/signup_code.html", context, status=status)


def _sign_up_code_sent(request: HttpRequest, form: CodeForm) -> HttpResponseBase | None:
    """Return the response to a typed code, or None to show the form again."""
    wait: HttpResponse | None = ratelimit.consume_or_429(request, action="code")
    if wait:
        return wait
    if "resend" in request.POST:
        try:
            signup.resend(request)
        except codes.CodeExpired:
            messages.error(request, _("No more codes can be sent. Check your inbox, or start again."))
        else:
            messages.success(request, _("We have sent a new code. The previous one is no longer valid."))
        return redirect("account_signup_code")
    if not form.is_valid():
        return None
    try:
        user = signup.complete(request, form.cleaned_data["code"])
    except codes.WrongCode:
        form.add_error("code", _("Wrong code."))
        return None
    except codes.CodeExpired:
        messages.error(request, _("This code is no longer valid. Start again."))
        return redirect("account_signup")
    # The password was typed in this session, a few minutes ago.
    record_authentication(request, user, "password")
    messages.success(request, _("Welcome. Your account is ready."))
    response: HttpResponseBase = perform_login(request, user, email=user.email, signup=True)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required
def change_email(request: SignedInRequest) -> HttpResponseBase:
    """Ask for a new e-mail address, then for the codes that were mailed to both."""
    change = email_change.waiting(request, request.user)
    if change is not None:
        return _confirm_email_change(request, change)
    form = EmailChangeForm(request.POST or None, user=request.user)
    if not form.is_valid():
        return render(request, "account/email_change.html", {"form": form}, status=422 if form.errors else 200)
    wait = ratelimit.consume_or_429(request, action="change_email", user=request.user)
    if wait:
        return wait
    email_change.begin(request, request.user, form.cleaned_data["email"])
    return redirect("account_email")


def _confirm_email_change(request: SignedInRequest, change: codes.Pending) -> HttpResponseBase:
    if "cancel" in request.POST:
        email_change.cancel(request)
        return redirect("account_email")
    form = EmailChangeCodesForm(request.POST or None)
    if form.is_valid():
        try:
            email_change.complete(request, request.user, **form.cleaned_data)
        except codes.WrongCode:
            form.add_error(None, _("At least one of the codes is wrong."))
        except codes.CodeExpired:
            messages.error(request, _("These codes are no longer valid. Start again."))
            return redirect("account_email")
        else:
            messages.success(
                request, _("Your e-mail address has been changed. Use the new one to sign in from now on.")
            )
            return redirect("account_email")
    context = {"form": form, "new": change["new"]}
    return render(request, "account/email_change_codes.html", context, status=422 if form.errors else 200)


@never_cache
@require_safe
def sessions(request: SignedInRequest) -> HttpResponse:
    """List the user's active sessions."""
    found = [(session, browsers.name(session.user_agent)) for session in presence.sessions_of(request.user)]
    return render(request, "usersessions/usersession_list.html", {"sessions": found})


@require_POST
def end_session(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sign another browser of the user out; sessions of other users are 404."""
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    if session.is_current():
        return redirect("account_logout")
    presence.end_sessions([session])
    messages.success(request, _("That browser has been signed out."))
    return redirect("usersessions_list")


@require_POST
def end_other_sessions(request: SignedInRequest) -> HttpResponse:
    """Sign every other browser out."""
    presence.end_others(request, request.user)
    if request.user.client is not None:
        audit.record(AuditEvent.OTHER_SESSIONS_ENDED, client=request.user.client, by=Actor.of(request))
    messages.success(request, _("All other browsers have been signed out."))
    return redirect("usersessions_list")
