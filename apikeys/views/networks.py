"""The actions of the list of IP addresses on a key's page. A GET, as after signing in again, leads back there."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.guard import addresses
from accounts.permissions import Permission
from apikeys import keys, networks
from apikeys import messages as apikey_messages
from apikeys.models import AllowedNetwork
from apikeys.views import listing
from apikeys.views.forms import NetworkForm

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@allowed(Permission.KEYS_CHANGE)
@read_or_send
@recent_login
def add(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Add an IP address or network to the list of a key, or the caller's own."""
    key = listing.find(request, pk)
    if request.method != "POST":
        return redirect("apikeys:key", pk=pk)
    data = request.POST.copy()
    if "own" in data:
        data["network"] = addresses.caller(request)
    form = NetworkForm(data)
    if not form.is_valid():
        return listing.key_page(request, key, form)
    cleaned = form.cleaned_data
    try:
        entry = keys.allow(key, cleaned["network"], cleaned["note"], by=request.actor)
    except Refusal as refusal:
        if refusal.code.startswith("network_"):
            form.refuse(refusal, "network")
            return listing.key_page(request, key, form)
        messages.error(request, apikey_messages.refusal(refusal))
        return redirect("apikeys:key", pk=pk)
    values = {"network": entry.network}
    messages.success(request, _("%(network)s has been added.") % values)
    if networks.is_wide(networks.parse(entry.network)):
        messages.warning(
            request, _("%(network)s is a very large network. Check that all its IP addresses are yours.") % values
        )
    return redirect("apikeys:key", pk=pk)


@allowed(Permission.KEYS_CHANGE)
@read_or_send
@recent_login
def remove(request: MemberRequest, pk: UUID, entry: int) -> HttpResponseBase:
    """Remove an entry from the list of a key."""
    key = listing.find(request, pk)
    if request.method == "POST":
        found = get_object_or_404(AllowedNetwork.objects.select_related("key__client"), key=key, pk=entry)
        try:
            keys.disallow(found, by=request.actor)
            messages.success(request, _("%(network)s has been removed.") % {"network": found.network})
        except Refusal as refusal:
            messages.error(request, apikey_messages.refusal(refusal))
    return redirect("apikeys:key", pk=pk)


@allowed(Permission.KEYS_CHANGE)
@read_or_send
@recent_login
def choose(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Let a key work from any IP address or only from its list."""
    key = listing.find(request, pk)
    if request.method != "POST":
        return redirect("apikeys:key", pk=pk)
    any_address = request.POST.get("addresses") == "any"
    try:
        keys.set_any_address(key, any_address=any_address, by=request.actor)
    except Refusal as refusal:
        messages.error(request, apikey_messages.refusal(refusal))
        return redirect("apikeys:key", pk=pk)
    text = (
        _("The key now works from any IP address.")
        if any_address
        else _("The key now works only from the IP addresses in its list.")
    )
    messages.success(request, text)
    return redirect("apikeys:key", pk=pk)
