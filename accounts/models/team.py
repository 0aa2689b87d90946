"""How members join a client, and how a client without an owner gets one."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.clients import Client
from accounts.models.users import User


class Invitation(models.Model):
    """An owner's invitation to a colleague; the link in the mail is signed and works once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    # The link carries the nonce as it was mailed last: renewing an invitation invalidates every older link.
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("resend_invitation", "Can mail an invitation again"),
            ("withdraw_invitation", "Can withdraw an invitation"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("client", Lower("email"), name="one_invitation_per_client_and_email"),
        ]

    def __str__(self) -> str:
        """Return the invited e-mail address."""
        return self.email


class OwnerRecovery(models.Model):
    """A request to the operator to make a user an owner because no owner can sign in any more."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.OneToOneField(Client, models.CASCADE, related_name="owner_recovery")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)

    class Meta:
        verbose_name = _("request for a new owner")
        verbose_name_plural = _("requests for new owners")

    def __str__(self) -> str:
        """Return the id of the user who would become an owner."""
        return str(self.user_id)
