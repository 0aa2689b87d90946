"""Measurements and counters of the service, by the hour."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Metric(models.Model):
    """One measurement or counter of one hour (UTC), of the whole service or of one machine; never of a client.

    See ibanse/monitoring/: a measurement is taken every few minutes and the last of an hour remains; a counter grows.
    """

    name = models.CharField(_("metric name"), max_length=24)
    """One of ibanse/monitoring/metrics.py."""
    part = models.CharField(_("part"), max_length=40, blank=True)
    """Such as a client state, a folder, or the code of a refusal."""
    node = models.CharField(_("server"), max_length=64, blank=True)
    """Empty: the whole service."""
    at = models.DateTimeField(_("hour"))
    value = models.BigIntegerField(_("value"))
    taken_at = models.DateTimeField(_("taken"), db_default=Now())

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        default_permissions = ()
        permissions = (
            ("read_clients", "See how many clients there are"),
            ("read_usage", "See how much is called"),
            ("read_refusals", "See how much is refused, and how many sign-ins fail"),
            ("read_queues", "See what waits to be done"),
            ("read_machines", "See disks, databases, backups and certificates"),
        )
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # In the order of the columns that the lookups use.
            models.UniqueConstraint("name", "at", "part", "node", name="one_metric_per_hour"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("at", name="metrics_by_time"),
        ]

    def __str__(self) -> str:
        """Return the metric and its hour."""
        return f"{self.name} {self.part} {self.at:%Y-%m-%d %H}"
