"""The only table of the keyring: a wrapped data key for each owner, or its tombstone."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class DataKey(models.Model):
    """An owner's data key, wrapped by a master key. After its destruction the row remains as a tombstone without key.

    The rows stay in the order in which they were written. That matters on SQLite: a table ordered by owner would move
    keys between pages and leave copies behind, which `secure_delete` does not overwrite.
    """

    owner = models.UUIDField(primary_key=True, editable=False)
    number = models.PositiveSmallIntegerField(default=1, editable=False)
    master_key = models.PositiveIntegerField(null=True, editable=False)
    wrapped = models.BinaryField(null=True)
    fingerprint = models.CharField(max_length=32, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    destroyed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(destroyed_at__isnull=True, wrapped__isnull=False, master_key__isnull=False)
                | models.Q(destroyed_at__isnull=False, wrapped__isnull=True, master_key__isnull=True),
                name="a_key_is_there_or_destroyed",
            ),
        ]

    def __str__(self) -> str:
        """Name the key by its fingerprint."""
        return self.fingerprint
