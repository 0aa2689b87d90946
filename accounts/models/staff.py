"""What staff write about a client and when they saw its masked details."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.clients import Client
from accounts.models.users import User


class ClientNote(models.Model):
    """A staff note about a client, sealed under the client's key: written only by staff/notes.py."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="notes")
    author = models.UUIDField(_("by"))
    """The id of the member of staff. No foreign key: the note outlives its author."""
    written_at = models.DateTimeField(_("written"), default=timezone.now)
    sealed = models.BinaryField()
    """The ticket and the text, as JSON."""

    class Meta:
        verbose_name = _("note about a client")
        verbose_name_plural = _("notes about clients")
        default_permissions = ("view",)
        ordering: ClassVar[list[str]] = ["-written_at"]

    def __str__(self) -> str:
        """Return the id: the text is sealed."""
        return str(self.pk)


class SupportAccess(models.Model):
    """A client's permission for support to see its masked details for a while: see staff/support_access.py."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="support_accesses")
    granted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField(_("granted"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    """When an owner ended it early."""

    class Meta:
        verbose_name = _("support access")
        verbose_name_plural = _("support accesses")
        default_permissions = ()

    def __str__(self) -> str:
        """Return when it ends."""
        return f"{self.until:%Y-%m-%d %H:%M}"


class Unmasking(models.Model):
    """One time a member of staff saw a client's masked details: see staff/unmasking.py."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="unmaskings")
    staff = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    groups = models.CharField(_("staff groups"), max_length=100)
    ticket = models.CharField(_("case number"), max_length=40, blank=True)
    sealed_reason = models.BinaryField(_("reason"), default=bytes, blank=True)
    access = models.ForeignKey(SupportAccess, models.SET_NULL, null=True, related_name="+")
    """The client's permission, in place of a reason."""
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("opening of masked details")
        verbose_name_plural = _("openings of masked details")
        default_permissions = ()
        permissions = (("unmask_client", "See a client's masked details for a reason"),)
        indexes: ClassVar[list[models.Index]] = [
            models.Index("staff", "client", "until", name="unmasking_of_staff"),
            models.Index("staff", "opened_at", name="unmasking_lately"),
        ]

    def __str__(self) -> str:
        """Return the case number, or the id without one."""
        return self.ticket or str(self.pk)
