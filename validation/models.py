"""Where the durable batch writer stands in each spool."""

from django.db import models


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
