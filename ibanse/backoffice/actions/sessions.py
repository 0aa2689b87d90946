"""Signing a user out everywhere: a client's user or a colleague, from the pages that show them."""

from typing import Any, ClassVar
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db.models import Model
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import StaffEntry, User
from accounts.permissions import StaffPermission
from accounts.staff import sessions
from accounts.staff.justification import Justification
from ibanse.backoffice.actions.clients import client_page
from ibanse.backoffice.forms import ActionForm, InternalActionForm
from ibanse.backoffice.pages import RECORDED_FOR_CLIENT, Fact, StaffActionView


class SignOutMember(StaffActionView[User]):
    """Sign a client's user out everywhere."""

    name, path, permission = "sign_out_user", "users/<uuid:pk>/sign-out/", StaffPermission.SIGN_OUT_MEMBER
    on: ClassVar[type[Model] | None] = User
    link = _("Sign out everywhere")
    question = _("Sign this user out everywhere?")
    meaning = (
        _(
            "All their browsers are signed out immediately. They can sign in again with their password "
            "and two-factor authentication; an owner can deactivate them."
        ),
        _("They are notified by e-mail."),
        RECORDED_FOR_CLIENT,
    )
    done = _("The user has been signed out everywhere.")
    already = _("The user is not signed in anywhere. No changes were made.")

    def find(self, **place: Any) -> User:
        """Return the user, if they belong to a client."""
        return get_object_or_404(User.objects.select_related("client"), client__isnull=False, **place)

    def carry_out(self, row: User, justification: Justification, form: Any) -> bool:
        """Sign them out."""
        return sessions.sign_out(row, justification)

    def client_id(self, row: User) -> UUID | None:
        """Return their client."""
        return row.client_id

    def facts(self, row: User) -> list[Fact]:
        """Return who it is, by id, and how many sessions there are."""
        return [
            (_("User"), row.pk),
            (_("Client"), row.client_id),
            (_("Role"), row.get_role_display()),
            (_("Sessions"), UserSession.objects.filter(user=row).count()),
        ]

    def back(self, row: User) -> str:
        """Return to their client."""
        return client_page(row.client_id)

    @staticmethod
    def is_offered(row: Any) -> bool:
        """Offer it for users of clients."""
        return row.client_id is not None


class SignOutSession(SignOutMember):
    """The same, from the page of one of their sessions."""

    name, path = "sign_out_session", "sessions/<int:pk>/sign-out/"
    on = UserSession

    def find(self, **place: Any) -> User:
        """Return the user whose session it is."""
        return super().find(pk=get_object_or_404(UserSession, **place).user_id)

    @staticmethod
    def is_offered(row: Any) -> bool:
        """Offer it for sessions of clients' users."""
        return not row.user.is_staff


class SignOutStaff(StaffActionView[User]):
    """Sign a colleague out everywhere."""

    name, path, permission = "sign_out_staff", "staff/<uuid:pk>/sign-out/", StaffPermission.SIGN_OUT_STAFF
    on: ClassVar[type[Model] | None] = User
    link = SignOutMember.link
    question = _("Sign this colleague out everywhere?")
    meaning = (
        _(
            "All their browsers are signed out immediately. They are notified by e-mail, and it is "
            "recorded in the staff audit log."
        ),
    )
    done = SignOutMember.done
    already = SignOutMember.already
    form_class: ClassVar[type[ActionForm]] = InternalActionForm

    def find(self, **place: Any) -> User:
        """Return the colleague."""
        return get_object_or_404(User, is_staff=True, **place)

    def carry_out(self, row: User, justification: Justification, form: Any) -> bool:
        """Sign them out."""
        return sessions.sign_out(row, justification)

    def client_id(self, row: User) -> None:
        """Staff belong to no client."""

    def facts(self, row: User) -> list[Fact]:
        """Return who it is and how many sessions there are."""
        return [(_("Staff member"), row.email), (_("Sessions"), UserSession.objects.filter(user=row).count())]

    def back(self, row: User) -> str:
        """Return to the first page: not everybody who may do this sees the list of staff."""
        return reverse("admin:index")

    @staticmethod
    def is_offered(row: Any) -> bool:
        """Offer it for staff."""
        return bool(row.is_staff)


class SignOutActor(SignOutStaff):
    """The same, from the page of an entry of the staff audit log."""

    name, path = "sign_out_actor", "staff/history/<int:pk>/sign-out/"
    on = StaffEntry
    label = _("Sign this colleague out everywhere")

    def find(self, **place: Any) -> User:
        """Return the colleague who did it."""
        actor = get_object_or_404(StaffEntry, **place).actor
        if actor is None:
            raise Http404
        return super().find(pk=actor)

    @staticmethod
    def is_offered(row: Any) -> bool:
        """Offer it where a member of staff did it, not a command."""
        return row.actor is not None


PAGES = (SignOutMember.as_page(), SignOutSession.as_page(), SignOutActor.as_page(), SignOutStaff.as_page())
