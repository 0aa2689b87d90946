"""Counts of checks per client and day."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.clients import Client


class UsageDay(models.Model):
    """How many checks a client made on one day (UTC) through one source: counts, never IBANs."""

    class Source(models.TextChoices):
        """Where a check came from."""

        PAGE = "page", _("check page")
        API = "api", _("API")

    client = models.ForeignKey(Client, models.CASCADE, related_name="usage")
    day = models.DateField(_("day"))
    source = models.CharField(_("source"), max_length=8, choices=Source)
    valid = models.PositiveBigIntegerField(_("valid"), default=0)
    invalid = models.PositiveBigIntegerField(_("invalid"), default=0)
    units = models.PositiveBigIntegerField(_("checks"), default=0)
    """What the checks cost of the quota: checks on the page cost nothing."""

    class Meta:
        verbose_name = _("usage on one day")
        verbose_name_plural = _("usage by day")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("client", "day", "source", name="one_count_per_client_day_and_source"),
        ]

    def __str__(self) -> str:
        """Return the day and the source."""
        return f"{self.day} {self.source}"
