"""The pages of the accounts' deeds in the back-office: each a row of words, what it is done to, and what does it."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import messages
from accounts.guard.models import Block
from accounts.models import Client, Invitation, StaffEntry, User
from accounts.staff import invitations, ip_blocks, limits, notes, sessions, suspension
from accounts.staff.justification import Justification
from accounts.team import members
from ibanse.backoffice import pages
from ibanse.backoffice.actions.forms import BlockForm, NoteForm, QuotaForm, StaffActionForm, UserLimitForm
from ibanse.backoffice.model_admin import Page, StaffRequest, found
from ibanse.backoffice.pages import Fact, StaffAction, Words

_RECORDED: Final = _(
    "It is recorded in the client's audit log and in the staff audit log. All owners are notified by e-mail."
)
_NOTHING_DELETED: Final = _("Nothing is deleted.")


def _client(pk: UUID) -> Client | None:
    return Client.objects.filter(pk=pk).first()


def _user(pk: UUID) -> User | None:
    return User.objects.filter(pk=pk, client__isnull=False).select_related("client").first()


def _colleague(pk: UUID) -> User | None:
    return User.objects.filter(pk=pk, is_staff=True).first()


def _user_of(session: UserSession | None) -> User | None:
    return _user(session.user_id) if session else None


def _actor(entry: StaffEntry | None) -> User | None:
    return _colleague(entry.actor) if entry and entry.actor else None


def _invitation(pk: UUID) -> Invitation | None:
    return Invitation.objects.filter(pk=pk).select_related("client").first()


def _to_client(pk: UUID) -> str:
    return reverse("admin:accounts_client_change", args=[pk])


def _facts_of_client(client: Client) -> list[Fact]:
    return [
        (_("Client"), client.pk),
        (_("State"), client.get_state_display()),
        (_("Users and open invitations"), f"{members.seats_taken(client)} / {client.user_limit}"),
        (_("Checks per month"), client.monthly_quota),
    ]


def _facts_of_user(user: User) -> list[Fact]:
    return [
        (_("User"), user.pk),
        (_("Client"), user.client_id),
        (_("Role"), user.get_role_display()),
        (_("Sessions"), UserSession.objects.filter(user=user).count()),
    ]


def _facts_of_colleague(user: User) -> list[Fact]:
    return [(_("Staff member"), user.email), (_("Sessions"), UserSession.objects.filter(user=user).count())]


def _facts_of_invitation(invitation: Invitation) -> list[Fact]:
    return [
        (_("Invitation"), invitation.pk),
        (_("Client"), invitation.client_id),
        (_("Sent"), _moment(invitation.sent_at)),
        (_("Valid until"), _moment(invitation.expires_at)),
    ]


def _facts_of_block(block: Block) -> list[Fact]:
    return [
        (_("IP address or network"), block.network),
        (_("Case number"), block.reason),
        (_("Since"), _moment(block.created_at)),
        (_("Until"), _moment(block.expires_at) if block.expires_at else _("until lifted")),
    ]


def _moment(when: Any) -> str:
    return f"{timezone.localtime(when):%Y-%m-%d %H:%M}"


_ENDING: Final[dict[str, str]] = {Client.State.CLOSING: "client_closing", Client.State.GONE: "client_gone"}


def _ending(client: Client) -> Promise | None:
    """Return why nothing is done to a client that is being deleted."""
    code = _ENDING.get(client.state)
    return messages.OPERATOR_REFUSALS[code] if code else None


def _of_client(*, words: Words, done_in: str = "", **more: Any) -> StaffAction:
    """Return a deed that is done to a client, and needs no doing in the state `done_in`."""
    standard = {
        "find": _client,
        "client_of": lambda client: client.pk,
        "facts": _facts_of_client,
        "objection": lambda client: words.already if client.state == done_in else _ending(client),
        "back": lambda client: _to_client(client.pk),
    }
    return StaffAction(words=words, **{**standard, **more})


def _of_invitation(**more: Any) -> StaffAction:
    return StaffAction(
        find=_invitation,
        client_of=lambda invitation: invitation.client_id,
        facts=_facts_of_invitation,
        objection=lambda invitation: _ending(invitation.client),
        back=lambda invitation: _to_client(invitation.client_id),
        **more,
    )


SUSPEND: Final = _of_client(
    words=Words(
        link=_("Suspend"),
        question=_("Suspend this client?"),
        meaning=(
            _("API keys are refused within two seconds. Users can still use the public check page, but "
                "their checks are not recorded."),
            _("Users can sign in and see that the account is suspended. Owners can still read the audit "
                "log and the check log, download their data and delete the account."),
            _NOTHING_DELETED,
            _RECORDED,
        ),
        done=_("The client is suspended."),
        already=_("The client is already suspended. No changes were made."),
        is_grave=True,
    ),
    carry_out=lambda client, justification, _form: suspension.suspend(client, justification),
    done_in=Client.State.SUSPENDED,
)  # fmt: skip
REOPEN: Final = _of_client(
    words=Words(
        link=_("Reopen"),
        question=_("Reopen this client?"),
        meaning=(
            _("Users can work again, and within two seconds so can the API keys, except revoked or expired "
                "ones."),
            _RECORDED,
        ),
        done=_("The client has been reopened."),
        already=_("The client is not suspended. No changes were made."),
    ),
    carry_out=lambda client, justification, _form: suspension.reopen(client, justification),
    done_in=Client.State.ACTIVE,
)  # fmt: skip
SET_QUOTA: Final = _of_client(
    words=Words(
        link=_("Set quota"),
        question=_("Set the monthly quota?"),
        meaning=(
            _(
                "It also applies to the current month, within seconds, except for the few checks a worker "
                "process has already reserved."
            ),
            _RECORDED,
        ),
        done=_("The quota has been set."),
        already=_("This is already the quota. No changes were made."),
    ),
    form=QuotaForm,
    carry_out=lambda client, justification, form: limits.set_quota(
        client, form.cleaned_data["units"], justification, before=form.cleaned_data["before"]
    ),
)
SET_USER_LIMIT: Final = _of_client(
    words=Words(
        link=_("Set user limit"),
        question=_("Set the maximum number of users?"),
        meaning=(
            _("Nobody is removed. No one new can be invited while the number of users is at or above the limit."),
            _RECORDED,
        ),
        done=_("The user limit has been set."),
        already=_("This is already the limit. No changes were made."),
    ),
    form=UserLimitForm,
    carry_out=lambda client, justification, form: limits.set_user_limit(
        client, form.cleaned_data["most"], justification, before=form.cleaned_data["before"]
    ),
)
NOTE: Final = _of_client(
    words=Words(
        link=_("Save note"),
        question=_("Add a note about this client?"),
        meaning=(
            _(
                "It is encrypted with the client's own key, can never be changed, and is deleted after two "
                "years or together with the client."
            ),
            _("The client's audit log shows that the note exists; the copy of all its data also contains the text."),
        ),
        done=_("The note has been saved."),
        already=_("The note was already saved."),
    ),
    form=NoteForm,
    carry_out=lambda client, justification, form: notes.add(client, justification, attempt=UUID(form.data["attempt"])),
    objection=lambda client: messages.OPERATOR_REFUSALS["client_gone"] if client.state == Client.State.GONE else None,
    back=lambda client: reverse("admin:notes", args=[client.pk]),
)
RESEND: Final = _of_invitation(
    words=Words(
        link=_("Resend"),
        question=_("Resend this invitation?"),
        meaning=(
            _("It is sent in the name of the owner who invited this person and is valid for seven days "
                "from now. The link in the earlier e-mail no longer works."),
            _RECORDED,
        ),
        done=_("The invitation has been sent again."),
        already=_("It was sent less than a minute ago. It was not sent again."),
    ),
    carry_out=lambda invitation, justification, _form: invitations.resend(invitation, justification),
)  # fmt: skip
WITHDRAW: Final = _of_invitation(
    words=Words(
        link=_("Withdraw"),
        question=_("Withdraw this invitation?"),
        meaning=(_("Its link no longer works. Owners can invite the same person again."), _RECORDED),
        done=_("The invitation has been withdrawn."),
        already=_("It has already been used or withdrawn. No changes were made."),
        is_grave=True,
    ),
    carry_out=lambda invitation, justification, _form: invitations.withdraw(invitation, justification),
)
SIGN_OUT: Final = StaffAction(
    words=Words(
        link=_("Sign out everywhere"),
        question=_("Sign this user out everywhere?"),
        meaning=(
            _("All their browsers are signed out immediately. They can sign in again with their password "
                "and two-factor authentication; an owner can deactivate them."),
            _("They are notified by e-mail."),
            _RECORDED,
        ),
        done=_("The user has been signed out everywhere."),
        already=_("The user is not signed in anywhere. No changes were made."),
    ),
    find=_user,
    client_of=lambda user: user.client_id,
    facts=_facts_of_user,
    back=lambda user: _to_client(user.client_id),
    carry_out=lambda user, justification, _form: sessions.sign_out(user, justification),
)  # fmt: skip
SIGN_OUT_STAFF: Final = StaffAction(
    words=Words(
        link=_("Sign out everywhere"),
        question=_("Sign this colleague out everywhere?"),
        meaning=(
            _("All their browsers are signed out immediately. They are notified by e-mail, and it is "
                "recorded in the staff audit log."),
        ),
        done=SIGN_OUT.words.done,
        already=SIGN_OUT.words.already,
    ),
    find=_colleague,
    facts=_facts_of_colleague,
    back=lambda _user: reverse("admin:index"),
    form=StaffActionForm,
    carry_out=lambda user, justification, _form: sessions.sign_out(user, justification),
)  # fmt: skip


SIGN_OUT_SESSION: Final = replace(SIGN_OUT, find=lambda pk: _user_of(UserSession.objects.filter(pk=pk).first()))
"""From the page of one of their sessions."""
SIGN_OUT_ACTOR: Final = replace(SIGN_OUT_STAFF, find=lambda pk: _actor(StaffEntry.objects.filter(pk=pk).first()))
"""From the page of something that they did."""


def _block(_row: object, justification: Justification, form: Any) -> bool:
    lasts = form.lasts()
    ip_blocks.block(form.cleaned_data["network"], justification, until=timezone.now() + lasts if lasts else None)
    return True


SET_BLOCK: Final = StaffAction(
    words=Words(
        link=_("Block an IP address"),
        question=_("Block an IP address or network?"),
        meaning=(
            _("Within two seconds, all API calls from there are refused, whichever key they use."),
            _("Blocking again updates case and end date."),
            _("It is recorded in the staff audit log."),
        ),
        done=_("The IP address has been blocked."),
        already=_("The IP address has been blocked."),
        is_grave=True,
    ),
    find=lambda: (),
    back=lambda _row: reverse("admin:guard_block_changelist"),
    form=BlockForm,
    carry_out=_block,
)
LIFT_BLOCK: Final = StaffAction(
    words=Words(
        link=_("Unblock"),
        question=_("Unblock this IP address?"),
        meaning=(
            _("API calls from there are accepted again within two seconds."),
            _("It is recorded in the staff audit log."),
        ),
        done=_("The IP address has been unblocked."),
        already=_("The IP address was no longer blocked. No changes were made."),
    ),
    find=lambda pk: Block.objects.filter(pk=pk).first(),
    facts=_facts_of_block,
    back=lambda _row: reverse("admin:guard_block_changelist"),
    form=StaffActionForm,
    carry_out=lambda block, justification, _form: ip_blocks.lift(block.network, justification),
)


def notes_page(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show what staff have noted of a client, newest first."""
    client = found(request, pk)
    may_note = request.user.has_perm("accounts.note_client") and client.state != Client.State.GONE
    told = [] if client.state == Client.State.GONE else notes.of(client)
    return render(request, "admin/notes.html", {"client": client, "notes": told, "may_note": may_note})


PAGES: Final = (
    Page("notes", "clients/<uuid:pk>/notes/", notes_page, "accounts.view_clientnote", _("Notes"), on=Client),
    Page(
        "note_client", "clients/<uuid:pk>/notes/add/", pages.view(NOTE), "accounts.note_client", _("Add a note"),
        changes=True, on=Client, is_offered=lambda client: client.state != Client.State.GONE,
    ),
    Page(
        "suspend_client", "clients/<uuid:pk>/suspend/", pages.view(SUSPEND), "accounts.suspend_client",
        SUSPEND.words.link, changes=True, on=Client, is_offered=lambda client: client.state == Client.State.ACTIVE,
    ),
    Page(
        "reopen_client", "clients/<uuid:pk>/reopen/", pages.view(REOPEN), "accounts.reopen_client",
        REOPEN.words.link, changes=True, on=Client, is_offered=lambda client: client.state == Client.State.SUSPENDED,
    ),
    Page(
        "set_quota", "clients/<uuid:pk>/quota/", pages.view(SET_QUOTA), "accounts.set_quota",
        SET_QUOTA.words.link, changes=True, on=Client, is_offered=lambda client: _ending(client) is None,
    ),
    Page(
        "set_user_limit", "clients/<uuid:pk>/user-limit/", pages.view(SET_USER_LIMIT), "accounts.set_user_limit",
        SET_USER_LIMIT.words.link, changes=True, on=Client, is_offered=lambda client: _ending(client) is None,
    ),
    Page(
        "resend_invitation", "invitations/<uuid:pk>/resend/", pages.view(RESEND), "accounts.resend_invitation",
        RESEND.words.link, changes=True, on=Invitation,
    ),
    Page(
        "withdraw_invitation", "invitations/<uuid:pk>/withdraw/", pages.view(WITHDRAW), "accounts.withdraw_invitation",
        WITHDRAW.words.link, changes=True, on=Invitation,
    ),
    Page(
        "sign_out_user", "users/<uuid:pk>/sign-out/", pages.view(SIGN_OUT), "accounts.sign_out_user",
        SIGN_OUT.words.link, changes=True, on=User, is_offered=lambda user: user.client_id is not None,
    ),
    Page(
        "sign_out_session", "sessions/<int:pk>/sign-out/", pages.view(SIGN_OUT_SESSION), "accounts.sign_out_user",
        SIGN_OUT.words.link, changes=True, on=UserSession, is_offered=lambda session: not session.user.is_staff,
    ),
    Page(
        "sign_out_actor", "staff/history/<int:pk>/sign-out/", pages.view(SIGN_OUT_ACTOR), "accounts.sign_out_staff",
        _("Sign this colleague out everywhere"), changes=True, on=StaffEntry,
        is_offered=lambda entry: entry.actor is not None,
    ),
    Page(
        "sign_out_staff", "staff/<uuid:pk>/sign-out/", pages.view(SIGN_OUT_STAFF), "accounts.sign_out_staff",
        SIGN_OUT_STAFF.words.link, changes=True, on=User, is_offered=lambda user: user.is_staff,
    ),
    Page(
        "set_block", "blocks/add/", pages.view(SET_BLOCK), "guard.set_block", SET_BLOCK.words.link,
        changes=True, section="security",
    ),
    Page(
        "lift_block", "blocks/<int:pk>/lift/", pages.view(LIFT_BLOCK), "guard.lift_block", LIFT_BLOCK.words.link,
        changes=True, on=Block,
    ),
)  # fmt: skip
"""In the order in which a client's page offers them."""
