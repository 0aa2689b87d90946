"""The back-office at /admin/: who may enter, which pages there are, and a record of each view and each refusal.

How to add to it stands in ibanse/backoffice/model_admin.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.guard.models import Block
from accounts.models import (
    BillingDetails,
    Client,
    ContactDetails,
    HistoryEntry,
    Invitation,
    StaffEntry,
    UsageDay,
    User,
)
from accounts.staff import entry
from apikeys.models import ApiKey, QuotaMonth
from ibanse.backoffice import actions, audit, views
from ibanse.backoffice.lists import api_keys, client_log, clients, ip_blocks, members, sessions, staff_log
from ibanse.backoffice.model_admin import BackOfficePage, StaffAdmin, looks_at
from ibanse.backoffice.views import dashboard

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class MenuSection:
    """A part of the menu, with the models it shows."""

    title: Promise
    models: tuple[tuple[type[Model], type[StaffAdmin]], ...] = ()


SECTIONS: Final[dict[str, MenuSection]] = {
    "clients": MenuSection(
        gettext_lazy("Clients"),
        (
            (Client, clients.ClientAdmin),
            (User, members.UserAdmin),
            (Invitation, members.InvitationAdmin),
            (ContactDetails, clients.ContactAdmin),
        ),
    ),
    "billing": MenuSection(
        gettext_lazy("Billing"),
        (
            (BillingDetails, clients.BillingAdmin),
            (UsageDay, clients.UsageAdmin),
            (QuotaMonth, api_keys.QuotaMonthAdmin),
        ),
    ),
    "security": MenuSection(
        gettext_lazy("Security"),
        (
            (HistoryEntry, client_log.ClientLogAdmin),
            (ApiKey, api_keys.ApiKeyAdmin),
            (UserSession, sessions.SessionAdmin),
            (Block, ip_blocks.BlockAdmin),
        ),
    ),
    "staff": MenuSection(gettext_lazy("Staff"), ((StaffEntry, staff_log.StaffLogAdmin),)),
}
"""The menu from top to bottom, and every model of the back-office."""

PAGES: Final[tuple[BackOfficePage, ...]] = (
    *actions.PAGES,
    *views.PAGES,
)
"""Every page that is not a list or a row of a model: actions, and lists of our own."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the menu or to an action."""

    label: str
    path: str
    is_current: bool = False


class BackOffice(AdminSite):
    """Django's admin with our check in front of each page, and nothing in it but lists, rows and actions."""

    site_title = site_header = gettext_lazy("Back-office")
    index_title = gettext_lazy("Back-office")
    enable_nav_sidebar = False
    final_catch_all_view = False
    empty_value_display = "–"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the first page, the models and our own pages: neither Django's sign-in nor its look-ups are there."""
        found: list[URLPattern | URLResolver] = [
            path("", self.admin_view(self.index), name="index"),
            path("login/", self.login, name="login"),
        ]
        for model, shown_by in self._registry.items():
            place = f"{model._meta.app_label}/{model._meta.model_name}/"
            found.append(path(place, include(shown_by.urls)))
        return found + [path(page.path, self.admin_view(_guarded(page)), name=page.name) for page in PAGES]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the first page, and from there to sign-in if needed."""
        return redirect("admin:index")

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether a user may enter at all; each page checks its own permission besides."""
        return entry.is_staff(request.user) and entry.is_from_the_office(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Check who may enter before a view, and record who viewed, did, or was refused what.

        Every URL of the back-office goes through here.
        """

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            looks_at(request, None)
            request.actor = Actor.of(request)  # type: ignore[attr-defined]  # what makes it a StaffRequest
            if refusal := self._refusal_at_entry(request):
                return refusal
            try:
                response: HttpResponseBase = view(request, *args, **kwargs)
            except PermissionDenied:
                return _refused(request, "permission")
            except Http404:
                audit.refused(request, "unknown")
                raise
            except SuspiciousOperation:
                audit.refused(request, "tampered")
                raise
            audit.looked(request, response.status_code)
            return response

        return checked

    def _refusal_at_entry(self, request: HttpRequest) -> HttpResponseBase | None:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not entry.is_staff(request.user):
            return _refused(request, "not_staff")
        if not entry.is_from_the_office(request):
            return _refused(request, "address")
        if entry.is_proven(request):
            return None
        if entry.has_moved(request):
            audit.refused(request, "moved")
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")

    def links(self, request: HttpRequest, row: Model) -> dict[str, list[Link]]:
        """Return what stands on the page of a row: what this person may do to it now, and what belongs to it."""
        actions = [
            Link(str(page.label), reverse(f"admin:{page.name}", kwargs={"pk": row.pk}))
            for page in PAGES
            if page.on is not None and isinstance(row, page.on) and _may(request, page) and page.is_offered(row)
        ]
        related = []
        for model, shown_by in self._registry.items() if isinstance(row, Client) else ():
            assert isinstance(shown_by, StaffAdmin)
            if shown_by.of_client and shown_by.has_module_permission(request):
                query = urlencode({shown_by.of_client: str(row.pk)})
                related.append(Link(shown_by.many, f"{_place(model)}?{query}"))
        return {"actions": actions, "related": related}

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page of the back-office shows."""
        return {"site_title": self.site_title, "site_header": self.site_header, "has_permission": True}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show how the service is doing, as far as it is this person's to know."""
        context = {"title": self.index_title, **dashboard.context(request), **(extra_context or {})}
        return TemplateResponse(request, "admin/index.html", context)


def _guarded(page: BackOfficePage) -> View:
    """Return the page's view behind its permission."""

    @wraps(page.view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _may(request, page) or (not page.changes and request.method not in ("GET", "HEAD")):
            raise PermissionDenied
        return page.view(request, *args, **kwargs)

    return guarded


REASONS: Final[dict[str, Promise]] = {
    "not_staff": gettext_lazy("This part of the site is for our staff only."),
    "address": gettext_lazy("The back-office is only available from our own networks."),
    "permission": gettext_lazy(
        "None of your groups has permission for this. Someone in the Lead group can change that."
    ),
}


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    audit.refused(request, reason)
    context = {"reason": REASONS[reason], "is_inside": reason == "permission"}
    return render(request, "admin/refused.html", context, status=403)


def menu(request: HttpRequest) -> dict[str, object]:
    """Return the menu of the back-office for the templates; nothing is looked up until it is shown."""
    return {"office_menu": lambda: list(_menu(request)) if request.path.startswith(reverse("admin:index")) else []}


def _menu(request: HttpRequest) -> Iterator[tuple[str, list[Link]]]:
    for name, section in SECTIONS.items():
        links = []
        for model, _class in section.models:
            shown_by = site.get_model_admin(model)
            assert isinstance(shown_by, StaffAdmin)
            if shown_by.has_module_permission(request):
                place = _place(model)
                links.append(Link(shown_by.many, place, request.path.startswith(place)))
        for page in PAGES:
            if page.section == name and page.on is None and _may(request, page):
                place = reverse(f"admin:{page.name}")
                links.append(Link(str(page.label), place, request.path.startswith(place)))
        if links:
            yield str(section.title), links


def _place(model: type[Model]) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def _may(request: HttpRequest, page: BackOfficePage) -> bool:
    user = request.user
    return isinstance(user, User) and user.has_perm(page.permission)


site = BackOffice(name="admin")
for _section in SECTIONS.values():
    for _model, _admin in _section.models:
        site.register(_model, _admin)
