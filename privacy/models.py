"""What a client has decided about the log of its checks."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Client

LEAST_DAYS = 1
MOST_DAYS = 365
DEFAULT_DAYS = 30


class Mode(models.TextChoices):
    """What is kept of a check: see logging_mode.py."""

    OFF = "off", _("off")
    VERDICT = "verdict", _("verdict only")
    FULL = "full", _("full")


class PrivacySettings(models.Model):
    """What is kept of a client's checks, and for how long. A client without a row has the defaults."""

    client = models.OneToOneField(Client, models.CASCADE, primary_key=True, related_name="privacy")
    mode = models.CharField(_("what is kept of a check"), max_length=7, choices=Mode, default=Mode.VERDICT)
    retention_days = models.PositiveSmallIntegerField(
        _("days"), default=DEFAULT_DAYS, validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)]
    )
    covers_older = models.BooleanField(_("holds for what was kept before as well"), default=False)
    """True: whatever is found that these settings would not have kept is made less, however late: see reduction.py."""
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = _("privacy settings")

    def __str__(self) -> str:
        """Name the mode."""
        return self.mode
