"""Actions on an invitation: resend and withdraw it."""

from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation
from accounts.permissions import StaffPermission
from accounts.staff import invitations
from accounts.staff.justification import Justification
from ibanse.backoffice.actions.clients import client_page, ending
from ibanse.backoffice.model_admin import moment
from ibanse.backoffice.pages import RECORDED_FOR_CLIENT, Fact, StaffActionView


class InvitationAction(StaffActionView[Invitation]):
    """An action on an invitation."""

    on = Invitation

    def client_id(self, row: Invitation) -> UUID:
        """Return the client that has invited."""
        return row.client_id

    def facts(self, row: Invitation) -> list[Fact]:
        """Return when it was sent and until when its link works; whom it went to stays masked."""
        return [
            (_("Invitation"), row.pk),
            (_("Client"), row.client_id),
            (_("Sent"), moment(row.sent_at)),
            (_("Valid until"), moment(row.expires_at)),
        ]

    def objection(self, row: Invitation) -> Promise | None:
        """Return that the client is being deleted."""
        return ending(row.client)

    def back(self, row: Invitation) -> str:
        """Return to the client."""
        return client_page(row.client_id)


class ResendInvitation(InvitationAction):
    """Resend an invitation."""

    name, path, permission = "resend_invitation", "invitations/<uuid:pk>/resend/", StaffPermission.RESEND_INVITATION
    link = _("Resend")
    question = _("Resend this invitation?")
    meaning = (
        _(
            "It is sent in the name of the owner who invited this person and is valid for seven days "
            "from now. The link in the earlier e-mail no longer works."
        ),
        RECORDED_FOR_CLIENT,
    )
    done = _("The invitation has been sent again.")
    already = _("It was sent less than a minute ago. It was not sent again.")

    def carry_out(self, row: Invitation, justification: Justification, form: Any) -> bool:
        """Resend it."""
        return invitations.resend(row, justification)


class WithdrawInvitation(InvitationAction):
    """Withdraw an invitation."""

    name, path = "withdraw_invitation", "invitations/<uuid:pk>/withdraw/"
    permission = StaffPermission.WITHDRAW_INVITATION
    link = _("Withdraw")
    question = _("Withdraw this invitation?")
    meaning = (_("Its link no longer works. Owners can invite the same person again."), RECORDED_FOR_CLIENT)
    done = _("The invitation has been withdrawn.")
    already = _("It has already been used or withdrawn. No changes were made.")
    is_grave = True

    def carry_out(self, row: Invitation, justification: Justification, form: Any) -> bool:
        """Withdraw it."""
        return invitations.withdraw(row, justification)


PAGES = (ResendInvitation.as_page(), WithdrawInvitation.as_page())
