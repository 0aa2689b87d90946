"""The staff and their groups, for the group lead: pages of the back-office without anything of a client."""

from typing import Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import Refusal
from accounts.forms.choices import Checkboxes, Option
from accounts.models import User
from accounts.permissions import StaffPermission
from accounts.staff import groups as staff_groups
from accounts.staff import membership
from ibanse.backoffice.forms import InternalActionForm
from ibanse.backoffice.model_admin import BackOfficePage, StaffRequest


class StaffForm(InternalActionForm):
    """Which groups, whether they may sign in, and why."""

    groups = forms.MultipleChoiceField(
        label=gettext_lazy("Groups"),
        choices=lambda: [(name, Option(group.title, group.purpose)) for name, group in staff_groups.GROUPS.items()],
        widget=Checkboxes,
        required=False,
    )
    is_active = forms.BooleanField(label=gettext_lazy("May sign in"), required=False)
    field_order = ("groups", "is_active")
    marks_optional_fields = False


def people(request: StaffRequest) -> HttpResponse:
    """Show who is staff, in which groups, and whether they have a second factor."""
    factors = Authenticator.objects.filter(user=OuterRef("pk"))
    found = User.objects.filter(is_staff=True).annotate(has_factor=Exists(factors)).prefetch_related("groups")
    rows = []
    for member in found.order_by("email"):
        names = {group.name for group in member.groups.all()}
        titles = [str(group.title) for name, group in staff_groups.GROUPS.items() if name in names]
        rows.append((member, ", ".join(titles)))
    return render(request, "admin/staff.html", {"rows": rows, "groups": staff_groups.GROUPS.values()})


def change(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Change a colleague's groups, or whether they may sign in."""
    member = get_object_or_404(User, pk=pk, is_staff=True)
    present = {"groups": staff_groups.of(member), "is_active": member.is_active}
    form = StaffForm(request.POST or None, initial=present)
    context = {"form": form, "member": member, "is_self": member.pk == request.user.pk}
    if request.method != "POST" or not form.is_valid():
        return render(request, "admin/change_staff.html", context, status=422 if form.errors else 200)
    try:
        typed = form.cleaned_data
        justification = form.justification(request.actor)
        is_changed = membership.change(member, typed["groups"], justification, is_active=typed["is_active"])
    except Refusal as refusal:
        form.refuse(refusal)
        return render(request, "admin/change_staff.html", context, status=409)
    done = _("Changed: %(who)s.") if is_changed else _("No change: this already applied to %(who)s.")
    messages.success(request, done % {"who": member.email})
    return redirect("admin:staff")


PAGES: Final = (
    BackOfficePage(
        "staff",
        "staff/",
        people,
        StaffPermission.VIEW_GROUP,
        gettext_lazy("Staff and groups"),
        section="staff",
    ),
    BackOfficePage(
        "change_staff",
        "staff/<uuid:pk>/",
        change,
        StaffPermission.CHANGE_GROUP,
        gettext_lazy("Change"),
        changes=True,
    ),
)
