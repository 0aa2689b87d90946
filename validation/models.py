"""Check records, as far as clients want them, and the position of the durable batch writer in each spool."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Client, UsageDay
from apikeys.models import ApiKey


class ValidationRecord(models.Model):
    """What a client wanted stored of one check: recording/record.py seals it, records/store.py opens it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Every index begins with the client or the key, so neither needs another one of its own.
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField(_("time"))
    """Whole seconds."""
    expires_on = models.DateField(_("stored until"))
    source = models.CharField(_("source"), max_length=8, choices=UsageDay.Source)
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    country = models.CharField(_("country"), max_length=2, blank=True)
    is_valid = models.BooleanField(_("valid"))
    codes = models.CharField(_("reasons"), max_length=80, blank=True)
    """The codes of the reasons, with blanks between them."""
    sealed = models.BinaryField(default=bytes, blank=True)
    blind_index = models.BinaryField(max_length=32, null=True, blank=True)

    class Meta:
        verbose_name = _("check record")
        verbose_name_plural = _("check records")
        indexes: ClassVar[list[models.Index]] = [
            # One for each filter of the records, in its order: a rare value is found without reading all the others.
            models.Index("client", "at", "id", name="log_by_time"),
            models.Index("client", "country", "at", "id", name="log_by_country"),
            models.Index("client", "is_valid", "at", "id", name="log_by_verdict"),
            models.Index("client", "source", "at", "id", name="log_by_source"),
            models.Index("key", "at", "id", name="log_by_key", condition=models.Q(key__isnull=False)),
            models.Index(
                *("client", "blind_index", "at", "id"),
                name="log_by_number",
                condition=models.Q(blind_index__isnull=False),
            ),
            models.Index("expires_on", name="log_by_end"),
        ]

    def __str__(self) -> str:
        """Name the record without saying what was checked."""
        return str(self.pk)


class SpoolPosition(models.Model):
    """How far a spool has been written to the database; moved in the same transaction, so nothing counts twice."""

    spool = models.UUIDField(primary_key=True)
    position = models.PositiveBigIntegerField(default=0)
    """Bytes of the spool's file that are in the database."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        """Name the spool."""
        return str(self.spool)
