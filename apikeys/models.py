"""API keys, the networks they work from, their usage, and each client's quota of a month.

Only the HMAC of a key's secret under a numbered pepper is stored. Names and notes are sealed: see keys.py.
"""

import uuid
from typing import Any, ClassVar, Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Client, User

DEFAULT_RATE: Final = 600


class ApiKey(models.Model):
    """A key of a client. Its text is shown once, when it is created, and stored nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="keys")
    identifier = models.CharField(_("identifier"), max_length=10, unique=True, editable=False)
    is_test = models.BooleanField(_("test key"), default=False, editable=False)
    digest = models.BinaryField(max_length=32)
    """HMAC-SHA256 of the key's text under this pepper."""
    pepper = models.PositiveIntegerField(editable=False)
    next_pepper = models.PositiveIntegerField(null=True, editable=False)
    """The pepper to move to at the next use, the only moment at which the text is known: see peppers.py."""
    sealed_name = models.BinaryField(_("name"), default=bytes, blank=True)
    scopes = models.JSONField(_("scopes"), default=list)
    """Names of scopes.py, in its order."""
    any_address = models.BooleanField(_("works from any IP address"), default=True)
    """False: only from `networks`; with none of them, from nowhere."""
    rate_per_minute = models.PositiveIntegerField(_("calls per minute"), default=DEFAULT_RATE)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_on = models.DateField(_("last used"), null=True, blank=True, editable=False)
    replaced_by = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="replaces", editable=False
    )
    warned_days = models.PositiveSmallIntegerField(null=True, editable=False)
    """The last warning of its expiry that was mailed: 30, 7 or 1 days before."""

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        permissions: ClassVar[list[tuple[str, Any]]] = [("revoke_by_prefix", "Can revoke a leaked API key")]

    def __str__(self) -> str:
        """Return the prefix, which is not secret."""
        return self.prefix

    @property
    def prefix(self) -> str:
        """The beginning of the key's text, by which people recognise it."""
        return f"ibanse_{'test' if self.is_test else 'live'}_{self.identifier}"


class AllowedNetwork(models.Model):
    """An IP address or network that a key works from."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="networks")
    network = models.CharField(_("network"), max_length=43)
    """Canonical: `192.0.2.7/32`, `2001:db8::/32`."""
    sealed_note = models.BinaryField(_("note"), default=bytes, blank=True)
    added_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("allowed network")
        verbose_name_plural = _("allowed networks")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("key", "network", name="one_entry_per_key_and_network"),
        ]

    def __str__(self) -> str:
        """Name the network."""
        return self.network


class KeyUsageDay(models.Model):
    """The usage of a key on one day (UTC): counts, never IBANs."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="usage")
    day = models.DateField(_("day"))
    calls = models.PositiveBigIntegerField(_("calls"), default=0)
    valid = models.PositiveBigIntegerField(_("valid"), default=0)
    invalid = models.PositiveBigIntegerField(_("invalid"), default=0)
    units = models.PositiveBigIntegerField(_("checks"), default=0)
    """What the calls cost of the quota; those of a test key cost nothing."""

    class Meta:
        verbose_name = _("usage of a key on one day")
        verbose_name_plural = _("usage of keys by day")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("key", "day", name="one_count_per_key_and_day"),
        ]

    def __str__(self) -> str:
        """Name the day."""
        return str(self.day)


class QuotaMonth(models.Model):
    """How much of its quota a client has used in one calendar month (UTC), leases included: see limits/quota.py."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="quota_months")
    month = models.DateField(_("month"))
    """The first day of the month."""
    taken = models.PositiveBigIntegerField(_("taken"), default=0)

    class Meta:
        verbose_name = _("quota of a month")
        verbose_name_plural = _("quotas by month")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("client", "month", name="one_quota_per_client_and_month"),
        ]

    def __str__(self) -> str:
        """Name the month."""
        return f"{self.month:%Y-%m}"


class QuotaLease(models.Model):
    """Units of a month's quota that one worker has taken and not yet settled."""

    holder = models.UUIDField(db_index=True)
    """The worker, by the id of its spool."""
    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    month = models.DateField()
    units = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("holder", "client", "month", name="one_lease_per_holder_client_and_month"),
        ]

    def __str__(self) -> str:
        """Name the holder."""
        return str(self.holder)
