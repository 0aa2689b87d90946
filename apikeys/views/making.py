"""The pages on which keys are created and rotated; the text is shown once, in the response to the form."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.guard import addresses
from accounts.permissions import Permission
from apikeys import keys, networks
from apikeys import messages as apikey_messages
from apikeys.models import ApiKey
from apikeys.views import first_call, listing
from apikeys.views.forms import NewKeyForm, RotationForm

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@allowed(Permission.KEYS_CREATE)
@never_cache
@read_or_send
@recent_login
def create(request: MemberRequest) -> HttpResponseBase:
    """Show the form of a new key; a POST creates it and shows its text."""
    if request.method != "POST":
        return _form_page(request, NewKeyForm.fresh())
    form = NewKeyForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form)
    attempt = form.cleaned_data["attempt"]
    try:
        key, text = keys.create(request.client, form.draft(), by=request.actor, attempt=attempt)
    except Refusal as refusal:
        if refusal.code == "already_made":  # A second click, or the page was loaded again.
            messages.warning(request, apikey_messages.refusal(refusal))
            return redirect("apikeys:key", pk=refusal.values["pk"])
        form.refuse(refusal)
        return _form_page(request, form)
    return _shown_once(request, key, text)


@allowed(Permission.KEYS_CREATE)
@never_cache
@read_or_send
@recent_login
def rotate(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Ask how long the old key continues to work; a POST creates its successor and shows the text."""
    old = listing.find(request, pk)
    form = RotationForm(request.POST if request.method == "POST" else None, initial={"overlap": "24"})
    if not form.is_valid():
        return _rotation_page(request, old, form)
    try:
        key, text = keys.rotate(old, form.duration(), by=request.actor)
    except Refusal as refusal:
        if refusal.code == "key_limit_reached":
            form.refuse(refusal)
            return _rotation_page(request, old, form)
        messages.warning(request, apikey_messages.refusal(refusal))
        return redirect("apikeys:key", pk=pk)
    old.refresh_from_db()
    return _shown_once(request, key, text, old)


def _form_page(request: MemberRequest, form: NewKeyForm) -> HttpResponse:
    context = {
        "form": form,
        "limit": keys.MOST_KEYS,
        "is_full": keys.in_use(request.client, timezone.now()) >= keys.MOST_KEYS,
        "own_address": addresses.caller(request),
    }
    return render(request, "apikeys/new.html", context, status=422 if form.errors else 200)


def _rotation_page(request: MemberRequest, key: ApiKey, form: RotationForm) -> HttpResponse:
    context = {"form": form, "row": listing.row_of(key, timezone.now(), entries=key.networks.count())}
    return render(request, "apikeys/rotate.html", context, status=422 if form.errors else 200)


def _shown_once(request: MemberRequest, key: ApiKey, text: str, old: ApiKey | None = None) -> HttpResponse:
    """Show the text of a key. It is stored nowhere: not in the session, nor in a message or a redirect."""
    entries = [networks.parse(entry.network) for entry in key.networks.all()]
    context = {
        "row": listing.row_of(key, timezone.now(), entries=len(entries)),
        "wide": [str(network) for network in entries if networks.is_wide(network)],
        "text": text,
        "command": first_call.command(text),
        "old": listing.row_of(old, timezone.now(), entries=0) if old else None,
    }
    return render(request, "apikeys/shown_once.html", context, status=201)
