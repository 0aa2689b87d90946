"""Notes of staff on a client: read them, add one."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import messages
from accounts.models import Client
from accounts.permissions import StaffPermission
from accounts.staff import notes
from accounts.staff.justification import Justification
from ibanse.backoffice.actions.clients import ClientAction
from ibanse.backoffice.forms import ActionForm
from ibanse.backoffice.model_admin import BackOfficePage, StaffRequest, found


def notes_page(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show what staff have noted of a client, newest first."""
    client = found(request, pk)
    is_gone = client.state == Client.State.GONE  # Its data key is destroyed, or is about to be.
    context = {
        "client": client,
        "notes": [] if is_gone else notes.of(client),
        "may_note": request.user.has_perm(StaffPermission.NOTE_CLIENT) and not is_gone,
    }
    return render(request, "admin/notes.html", context)


class NoteForm(ActionForm):
    """A note is its own reason."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["words"].label = _("Note")
        self.fields["words"].help_text = _(
            "At least ten characters, for colleagues who take over the case. The client receives the "
            "note with the copy of its data: do not write anything it may not read, and no IBAN."
        )


class AddNote(ClientAction):
    """Add a note about a client."""

    name, path, permission = "note_client", "clients/<uuid:pk>/notes/add/", StaffPermission.NOTE_CLIENT
    label = _("Add a note")
    link = _("Save note")
    question = _("Add a note about this client?")
    meaning = (
        _(
            "It is encrypted with the client's own key, can never be changed, and is deleted after two "
            "years or together with the client."
        ),
        _("The client's audit log shows that the note exists; the copy of all its data also contains the text."),
    )
    done = _("The note has been saved.")
    already = _("The note was already saved.")
    form_class: ClassVar[type[ActionForm]] = NoteForm

    def carry_out(self, row: Client, justification: Justification, form: Any) -> bool:
        """Add it, once for each form."""
        return notes.add(row, justification, attempt=UUID(form.data["attempt"]))

    def objection(self, row: Client) -> Promise | None:
        """Return that the client has been deleted; while it waits for that, notes are still needed."""
        return messages.OPERATOR_REFUSALS["client_gone"] if row.state == Client.State.GONE else None

    def back(self, row: Client) -> str:
        """Return to the notes."""
        return reverse("admin:notes", args=[row.pk])

    @staticmethod
    def is_offered(row: Client) -> bool:
        """Offer it unless the client has been deleted."""
        return row.state != Client.State.GONE


PAGES = (
    BackOfficePage("notes", "clients/<uuid:pk>/notes/", notes_page, StaffPermission.VIEW_NOTE, _("Notes"), on=Client),
    AddNote.as_page(),
)
