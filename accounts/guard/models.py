"""Blocked IP addresses, and the revision by which workers notice that cached data has changed."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Revision(models.Model):
    """The one row whose mark changes whenever something that workers cache changes: see revisions.py."""

    mark = models.UUIDField(default=uuid.uuid4)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        """Return the mark."""
        return str(self.mark)


class Block(models.Model):
    """An IP address or network that is refused everywhere: see blocks.py."""

    network = models.CharField(_("network"), max_length=43, unique=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("blocked IP address")
        verbose_name_plural = _("blocked IP addresses")
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("set_block", "Can block an address"),
            ("lift_block", "Can let a blocked address in again"),
        ]
        ordering: ClassVar[list[str]] = ["created_at"]

    def __str__(self) -> str:
        """Return the network."""
        return self.network
