"""The page of a staff action: what it is done to, what will happen, a reason, and a form that can be sent once.

An action is a class on StaffActionView in `actions/<noun>.py`: its URL, permission, texts and form. What it does, and
what it records, is a rule in accounts/staff/ or the app whose subject it is. The site checks the permission and records
that the page was opened or the form sent.
"""

from typing import Any, ClassVar, Final, Generic, TypeVar
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.db.models import Model
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.http import require_http_methods

from accounts import messages as account_messages
from accounts.errors import Refusal
from accounts.forms import idempotency
from accounts.permissions import StaffPermission
from accounts.staff.justification import Justification
from ibanse.backoffice.forms import ActionForm
from ibanse.backoffice.model_admin import BackOfficePage, StaffRequest, looks_at

Fact = tuple[Promise, object]
Row = TypeVar("Row")
RECORDED_FOR_CLIENT: Final = _(
    "It is recorded in the client's audit log and in the staff audit log. All owners are notified by e-mail."
)
RECORDED_FOR_STAFF: Final = _("It is recorded in the staff audit log.")


class StaffActionView(View, Generic[Row]):
    """An action of staff on one row: a GET says what will happen, a POST does it."""

    name: ClassVar[str]
    """Of the URL, behind `admin:`, such as `suspend_client`."""
    path: ClassVar[str]
    """Below /admin/, such as `clients/<uuid:pk>/suspend/`."""
    permission: ClassVar[StaffPermission]
    on: ClassVar[type[Model] | None] = None
    """The model on whose pages the link stands; None: in the menu."""
    section: ClassVar[str] = ""
    """Of the menu, by its name in ibanse/backoffice/site.py."""

    link: ClassVar[Promise]
    """What the button says, and the link to the page unless there is a `label`."""
    label: ClassVar[Promise | None] = None
    question: ClassVar[Promise]
    meaning: ClassVar[tuple[Promise, ...]]
    done: ClassVar[Promise]
    already: ClassVar[Promise]
    """Shown when it had been done before, and nothing was changed."""
    is_grave: ClassVar[bool] = False
    """Whether it asks for the password or second factor again when the last proof is older than five minutes: a stolen
    session suspends nobody."""

    form_class: ClassVar[type[ActionForm]] = ActionForm
    template_name: ClassVar[str] = "admin/action.html"

    request: StaffRequest

    def find(self, **place: Any) -> Row:
        """Return the row of a path. Raises Http404."""
        assert self.on is not None
        row: Row = get_object_or_404(self.on, **place)  # type: ignore[assignment]  # `on` is the model of Row here
        return row

    def carry_out(self, row: Row, justification: Justification, form: Any) -> bool:
        """Do it by a rule; return whether that changed anything. May raise Refusal."""
        raise NotImplementedError

    def client_id(self, row: Row) -> UUID | None:
        """Return the id of the client it concerns, for the staff audit log and the link back."""
        raise NotImplementedError

    def back(self, row: Row) -> str:
        """Return the path of the page to go back to."""
        raise NotImplementedError

    def facts(self, row: Row) -> list[Fact]:
        """Return what the page says of the row."""
        return []

    def objection(self, row: Row) -> Promise | None:
        """Return why there is nothing to do now, if that is known before anybody fills in the form."""
        return None

    @staticmethod
    def is_offered(_row: Any, /) -> bool:
        """Return whether the link stands on the page of a row of `on`."""
        return True

    @classmethod
    def as_page(cls) -> BackOfficePage:
        """Return the page for the table of the site."""
        view = reauthentication_required(cls.as_view()) if cls.is_grave else cls.as_view()
        return BackOfficePage(
            name=cls.name,
            path=cls.path,
            view=require_http_methods(["GET", "HEAD", "POST"])(view),
            permission=cls.permission,
            label=cls.label or cls.link,
            changes=True,
            on=cls.on,
            section=cls.section,
            is_offered=cls.is_offered,
        )

    def get(self, request: StaffRequest, **place: Any) -> HttpResponseBase:
        """Show what will happen, and the form."""
        row = self._found(place)
        return self._page(row, self.form_class(row=row))

    def post(self, request: StaffRequest, **place: Any) -> HttpResponseBase:
        """Do it, unless the form was sent before or is wrong."""
        row = self._found(place)
        state = idempotency.redeem(request, request.POST.get("attempt", ""))
        if state == "sent":
            messages.info(request, str(_("This form has already been submitted. No further changes were made.")))
            return redirect(self.back(row))
        form = self.form_class(request.POST, row=row)
        if state == "unknown":
            problem = _("This form has expired. No changes were made. Check and resend.")
            return self._refused(place, form, problem)
        if not form.is_valid():
            return self._page(row, form, status=422)
        try:
            is_changed = self.carry_out(row, form.justification(request.actor), form)
        except Refusal as refusal:
            return self._refused(place, form, account_messages.operator_refusal(refusal))
        if is_changed:
            messages.success(request, str(self.done))
        else:
            messages.info(request, str(self.already))
        return redirect(self.back(row))

    def _found(self, place: dict[str, Any]) -> Row:
        row = self.find(**place)
        looks_at(self.request, self.client_id(row))
        return row

    def _refused(self, place: dict[str, Any], form: ActionForm, problem: object) -> HttpResponseBase:
        """Show the page as things are now, with the reason as typed; other values answered an older state."""
        try:
            row = self.find(**place)
        except Http404:
            messages.error(self.request, str(problem))
            return redirect("admin:index")
        typed = {name: form.data.get(name, "") for name in ("ticket", "words")}
        return self._page(row, self.form_class(row=row, initial=typed), problem=problem, status=409)

    def _page(self, row: Row, form: ActionForm, *, problem: object = "", status: int = 200) -> HttpResponse:
        context = {
            "action": self,
            "client": self.client_id(row),
            "facts": self.facts(row),
            "objection": "" if problem else self.objection(row),
            "problem": problem,
            "form": form,
            "back": self.back(row),
            "attempt": idempotency.issue(self.request),
        }
        return render(self.request, self.template_name, context, status=status)
