"""The audit logs of clients and of staff: hash-chained entries, and the sealed personal part of each."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.clients import Client


class ChainedEntry(models.Model):
    """One action in an audit log, chained to the entry before it: written only by audit/hash_chain.py."""

    number = models.PositiveBigIntegerField(_("number"))
    """1, 2, 3 … in each log, without a gap."""
    tag = models.CharField(_("action"), max_length=40)
    at = models.DateTimeField(_("time"))
    actor = models.UUIDField(_("by"), null=True)
    """The id of the acting user; None for the service itself. No foreign key: the log outlives its users."""
    network = models.CharField(_("network"), max_length=43, blank=True)
    """The caller's IP address, shortened to its /24 or /48 network."""
    detail_hash = models.BinaryField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """Return the position in the chain and the action."""
        return f"{self.number} {self.tag}"


class SealedDetail(models.Model):
    """The personal part of an entry, sealed; erasing it leaves the chain intact."""

    sealed = models.BinaryField()
    sealed_address = models.BinaryField(default=bytes, blank=True)
    """The full IP address; erased after seven days."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """Return the id of its entry."""
        return str(self.pk)


class HistoryEntry(ChainedEntry):
    """One entry of a client's audit log: see audit/client_log.py."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="history")

    class Meta:
        verbose_name = _("audit log entry")
        verbose_name_plural = _("audit log")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("client", "number", name="one_entry_per_client_and_number"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("client", "tag", "number", name="history_by_tag"),
            models.Index("client", "actor", "number", name="history_by_actor"),
            models.Index("client", "at", name="history_by_time"),
        ]


class HistoryDetail(SealedDetail):
    """The personal part of an entry of a client's audit log."""

    entry = models.OneToOneField(HistoryEntry, models.CASCADE, primary_key=True, related_name="detail")

    class Meta:
        verbose_name = verbose_name_plural = _("audit log detail")


class StaffEntry(ChainedEntry):
    """One action or page view of the operator's staff: see audit/staff_log.py."""

    client = models.UUIDField(_("client"), null=True)
    """The id of the client concerned. No foreign key: the staff's log stays when the client is deleted."""

    class Meta:
        verbose_name = _("staff audit log entry")
        verbose_name_plural = _("staff audit log")
        default_permissions = ("view",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("number", name="one_staff_entry_per_number"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("tag", "number", name="staff_history_by_tag"),
            models.Index("actor", "number", name="staff_history_by_actor"),
            models.Index("client", "number", name="staff_history_by_client"),
            models.Index("at", name="staff_history_by_time"),
        ]


class StaffDetail(SealedDetail):
    """The personal part of an entry of the staff's audit log."""

    entry = models.OneToOneField(StaffEntry, models.CASCADE, primary_key=True, related_name="detail")

    class Meta:
        verbose_name = verbose_name_plural = _("staff audit log detail")
        default_permissions = ()


class StaffLogLock(models.Model):
    """The one row that every writer of the staff's audit log locks, so that entries are written one by one."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        """Return the id of the row."""
        return str(self.pk)
