"""What every page of the back-office has in common. Knows no page; ibanse/backoffice/site.py puts them together.

How to add to it:

- **A list and a page for a model**: a class on `StaffAdmin` in `lists/<noun>.py` (plain, no decorator), a line in
  `SECTIONS` of site.py, and `app.view_model` in the groups of accounts/staff/groups.py that may see it.
- **An action**: a class on `StaffActionView` in `actions/<noun>.py` and a line in that module's `PAGES`.
- **Another page**: in `views/<subject>.py` a function view `(request: StaffRequest, …) -> HttpResponse`, and a
  `BackOfficePage` in the `PAGES` at its end. `on=Client` puts its link on the page of each client (the path then takes
  its key, `<uuid:pk>`); without it the link is in the menu. A page with a form says `changes=True`. The site checks the
  permission and records; the view does neither. It renders a template on `admin/base_site.html` (fill `page`, `trail`
  and `page_title`) with the context it needs and nothing of Django's admin.
- **Say whose page it is**: `looks_at(request, client.pk)`, so that the staff audit log names the client. A `StaffAdmin`
  and `found` do so by themselves.
- **Test it**: a line in `ROUTES` of the tests, or the walk of every URL × every group fails.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.functional import Promise, cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from accounts.actor import Actor
from accounts.models import Client, User
from accounts.permissions import StaffPermission

# Django's classes take their types in its stubs only.
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator

MOST_COUNTED: Final = 10_000
"""Rows of a list; for one further down there is the search."""


class StaffRequest(HttpRequest):
    """A request of a member of staff who may enter the back-office."""

    user: User
    actor: Actor
    looked_at: UUID | None
    """The client whose page it is, for the staff audit log."""


def looks_at(request: HttpRequest, client: UUID | None) -> None:
    """Note for the staff audit log whose page is being viewed."""
    request.looked_at = client  # type: ignore[attr-defined]  # what makes it a StaffRequest


def found(request: HttpRequest, client: UUID) -> Client:
    """Return the client of a page of its own and note that it is looked at. Raises Http404."""
    row = Client.objects.filter(pk=client).first()
    if row is None:
        raise Http404
    looks_at(request, row.pk)
    return row


@dataclass(frozen=True, slots=True)
class BackOfficePage:
    """A page of the back-office that is not a list or a row of a model: most often an action."""

    name: str
    """Of the URL, behind `admin:`, such as `suspend_client`."""
    path: str
    """Below /admin/, such as `clients/<uuid:pk>/suspend/`."""
    view: Callable[..., HttpResponseBase]
    permission: StaffPermission
    label: Promise
    """What its link says."""
    changes: bool = False
    """Whether a form is sent to it; any other page refuses one."""
    on: type[Model] | None = None
    """The model on whose pages the link stands; None: in the menu, if the path takes no argument."""
    section: str = ""
    """Of the menu, by its name in ibanse/backoffice/site.py."""
    is_offered: Callable[[Any], bool] = lambda _row: True
    """Whether the link stands on the page of this very row: what is not suspended cannot be reopened."""


class LimitedPaginator(_Paginator):
    """Counts no further than anybody turns pages, so that a list is as quick over a million rows as over ten."""

    most_counted = MOST_COUNTED

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or MOST_COUNTED if there are more."""
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by().values("pk")[:MOST_COUNTED].count()


class StaffAdmin(_ModelAdmin):
    """A list and a page of each row, both to look at: what changes something is a `BackOfficePage`.

    It needs the permission `app.view_model`. One finds rows by the exact value of a field in `search_fields`, and
    narrows by those in `list_filter` and `narrowed_by`: with parts of a value, or in the order of it, one could guess
    what is masked, letter by letter.
    """

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = LimitedPaginator
    ordering = ("-pk",)
    sortable_by: ClassVar[tuple[str, ...]] = ()
    names: ClassVar[tuple[Promise, Promise] | None] = None
    """What one row and what many are called, when the model does not say it in three languages."""
    of_client: ClassVar[str] = "client"
    """The field by which a link from a client's page narrows the list to that client; empty: there is no such link."""
    narrowed_by: ClassVar[tuple[str, ...]] = ()
    """Further fields by whose exact value the address of the list may narrow it."""
    more_fields: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Permission → fields of a row's page that only those see who have it."""

    def get_urls(self) -> list[URLPattern]:
        """Return the list and the page of a row; adding, deleting and Django's own log are nowhere."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        of_site = self.admin_site.admin_view
        return [
            path("", of_site(self.changelist_view), name=f"{name}_changelist"),
            path("<path:object_id>/change/", of_site(self.change_view), name=f"{name}_change"),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return whether one of the person's groups may see this model."""
        return isinstance(request.user, User) and request.user.has_perm(
            f"{self.opts.app_label}.view_{self.opts.model_name}"
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether the menu shows it."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nothing is added here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is changed here but by an action with a reason."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted here."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list. There is no action for many rows at once, so a POST was made by hand."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        looks_at(request, as_uuid(request.GET.get(self.of_client, "")))
        return super().changelist_view(request, {"shown_by": self, **(extra_context or {})})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """Return the row with this id, however wild the id, and note whose it is."""
        row = None if "\x00" in object_id else super().get_object(request, object_id, from_field)
        looks_at(request, None if row is None else self.owner_of(row))
        return row

    def owner_of(self, row: Any) -> UUID | None:
        """Return the id of the client that a row belongs to."""
        owner: UUID | None = row.client_id
        return owner

    @property
    def one(self) -> str:
        """What one row is called."""
        return capfirst(str(self.names[0] if self.names else self.opts.verbose_name))

    @property
    def many(self) -> str:
        """What the rows are called."""
        return capfirst(str(self.names[1] if self.names else self.opts.verbose_name_plural))

    @admin.display(description=gettext_lazy("number"))
    def short_number(self, row: Any) -> str:
        """Return the beginning of a row's id; its page shows all of it."""
        return short(row.pk)

    @admin.display(description=gettext_lazy("client"))
    def short_client(self, row: Any) -> str:
        """Return the beginning of the id of the client that a row belongs to."""
        owner = self.owner_of(row)
        return short(owner) if owner else ""

    def called(self, row: Any) -> str:
        """Return what a row is called on its page: by its id, since its name may be personal."""
        return str(row.pk)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Return the fields of a row's page that this person may see."""
        may = request.user.has_perm
        return [*(self.fields or ()), *(name for of, names in self.more_fields.items() if may(of) for name in names)]

    def _get_obj_does_not_exist_redirect(self, *_args: object) -> HttpResponse:
        """Answer 404 for an id that is nobody's, as the rest of the site does."""
        raise Http404

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Show the row, and links to what this person may do to it."""
        row = context["original"]
        # The site is ours: Django's own has no actions.
        links = self.admin_site.links(request, row)  # type: ignore[attr-defined]
        named = {"called": self.called(row), "owner": self.owner_of(row), "shown_by": self}
        return super().render_change_form(request, {**context, **links, **named}, *args, **options)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return whether the address of a list may narrow it so: by exact values of the fields we name only."""
        filters: Iterable[Any] = self.list_filter if request is None else self.get_list_filter(request)
        named = {of if isinstance(of, str) else of[0] for of in filters if isinstance(of, str | tuple)}
        allowed = {*named, *(f"{name}__exact" for name in named), *(f"{name}__isnull" for name in named)}
        allowed |= {str(own.parameter_name) for own in filters if not isinstance(own, str | tuple)}
        return lookup in {self.of_client, *self.narrowed_by, *allowed} - {""} and "\x00" not in value

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows in which a field is exactly what was searched for."""
        term = search_term.strip()
        return (queryset.filter(self.exactly(term)) if term else queryset), False

    def exactly(self, term: str) -> Q:
        """Return the condition under which a row matches a search term."""
        condition = Q(pk__in=[])
        for name in self.search_fields:
            field = self.opts.pk if name == "pk" else get_fields_from_path(self.model, name)[-1]
            try:
                value = field.to_python(term)
            except ValidationError:
                continue
            condition |= Q(**{name: value.lower() if name.endswith("email") else value})
        return condition


def short(pk: UUID) -> str:
    """Return the beginning of an id, enough to tell the rows of a page apart."""
    return f"{str(pk)[:8]}…"


def moment(when: datetime) -> str:
    """Return a time as the pages of actions show it."""
    return f"{timezone.localtime(when):%Y-%m-%d %H:%M}"


def flag(name: str, label: Any) -> Callable[[Any, Any], str]:
    """Return a column that says yes or no, in words, for a field of that kind."""

    def shown(_shown_by: StaffAdmin, row: Any) -> str:
        return gettext("yes") if getattr(row, name) else gettext("no")

    column: Callable[[Any, Any], str] = admin.display(description=label)(shown)
    return column


def as_uuid(text: str) -> UUID | None:
    """Return the UUID that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None
