"""Logging settings, data exports, legal documents, contact messages, deletions and their receipts."""

import uuid
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Client, User

LEAST_DAYS = 1
MOST_DAYS = 365
DEFAULT_DAYS = 30


class Mode(models.TextChoices):
    """What is stored about a check: see check_logging/mode.py."""

    OFF = "off", _("off")
    VERDICT = "verdict", _("result only")
    FULL = "full", _("full")


class PrivacySettings(models.Model):
    """What is stored about a client's checks, and for how long. A client without a row has the defaults."""

    client = models.OneToOneField(Client, models.CASCADE, primary_key=True, related_name="privacy")
    mode = models.CharField(_("what is stored about a check"), max_length=7, choices=Mode, default=Mode.VERDICT)
    retention_days = models.PositiveSmallIntegerField(
        _("days"), default=DEFAULT_DAYS, validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)]
    )
    covers_older = models.BooleanField(_("also applies to earlier records"), default=False)
    """True: records that these settings would not have stored are reduced: see check_logging/reduction.py."""
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = _("privacy settings")

    def __str__(self) -> str:
        """Name the mode."""
        return self.mode


class DataExport(models.Model):
    """A copy of everything that is stored about a client, created in the background; see export/exports.py."""

    class State(models.TextChoices):
        """Waiting and running ones are in progress; only a ready one has a file."""

        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being created")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        OVER = "over", _("expired")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="exports")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    problem = models.CharField(_("why it failed"), max_length=12, blank=True)
    """A code of messages.EXPORT_PROBLEMS."""
    sources_done = models.PositiveSmallIntegerField(_("completed parts"), default=0)
    sources = models.PositiveSmallIntegerField(_("parts"), default=0)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    """Size of the decrypted zip."""
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    """Incremented by each worker that takes it; a worker with another number has lost it."""
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True)
    expires_at = models.DateTimeField(_("available for download until"), null=True)
    downloaded_at = models.DateTimeField(_("last downloaded"), null=True)

    class Meta:
        verbose_name = _("copy of the data")
        verbose_name_plural = _("copies of the data")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                "client", condition=models.Q(state__in=("waiting", "running")), name="one_export_under_way_per_client"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("state", "requested_at", name="exports_by_state"),
        ]

    def __str__(self) -> str:
        """Name the state."""
        return self.state


class ClientDocument(models.Model):
    """An agreement or a list of measures issued to a client; only privacy/legal writes it."""

    class Kind(models.TextChoices):
        """Which document it is."""

        AGREEMENT = "agreement", _("Data-processing agreement")
        MEASURES = "measures", _("Technical and organisational measures")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="documents")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(_("created on"), default=timezone.now)
    made_on = models.DateField(_("document date"))
    kind = models.CharField(_("document"), max_length=9, choices=Kind)
    language = models.CharField(_("language"), max_length=8)
    version = models.CharField(_("version"), max_length=20)
    """Of the text that is the same for every client."""
    words_index = models.BinaryField()
    """Keyed hash of its whole text: the same document is not created twice."""
    sealed_facts = models.BinaryField()
    """The company it names, and its fingerprint."""
    sealed_pdf = models.BinaryField()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        default_permissions = ()
        ordering: ClassVar[list[str]] = ["-made_at", "pk"]

    def __str__(self) -> str:
        """Name the kind and the version."""
        return f"{self.kind} {self.version}"


class ContactMessage(models.Model):
    """A message to the operator, linked to no client; only contact/messages.py writes it."""

    class Subject(models.TextChoices):
        """What it is about, so that it reaches the right person."""

        QUESTION = "question", _("A question")
        SECURITY = "security", _("A security vulnerability")
        PRIVACY = "privacy", _("Data protection")
        INVOICE = "invoice", _("An invoice")
        OTHER = "other", _("Something else")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    subject = models.CharField(_("subject"), max_length=8, choices=Subject)
    sealed = models.BinaryField()
    """Name, e-mail address and text."""
    tried_at = models.DateTimeField(_("last attempt to send"), null=True)
    mailed_at = models.DateTimeField(_("sent by e-mail"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        default_permissions = ()
        ordering: ClassVar[list[str]] = ["received_at", "pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("received_at", name="messages_by_time"),
        ]

    def __str__(self) -> str:
        """Name the subject."""
        return self.subject


class DeletionRequest(models.Model):
    """A deletion that is requested, scheduled or in progress; only deletion/ writes it.

    The row is deleted when it is cancelled or carried out; the audit log or, for a whole account, a receipt remains.
    """

    class Scope(models.TextChoices):
        """What is to be deleted."""

        ACCOUNT = "account", _("the whole account")
        LOG = "log", _("the check log")
        CONTACT = "contact", _("the contact details")
        BILLING = "billing", _("the billing details")
        USER = "user", _("one user")
        NUMBER = "number", _("one IBAN in the check log")

    class State(models.TextChoices):
        """Only the deletion of an account has a grace period; see deletion/requesting.py."""

        REQUESTED = "requested", _("awaiting confirmation by e-mail")
        CONFIRMED = "confirmed", _("scheduled")
        EXECUTING = "executing", _("in progress")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="deletions")
    scope = models.CharField(_("what is deleted"), max_length=7, choices=Scope)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    grace_days = models.PositiveSmallIntegerField(_("grace period (days)"), default=0)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    due_at = models.DateTimeField(_("to be carried out from"), null=True)
    begun_at = models.DateTimeField(_("started"), null=True)
    until = models.DateTimeField(_("cut-off time (newer records are retained)"), null=True)
    """For parts of an account; whole seconds."""
    user = models.UUIDField(_("which user"), null=True)
    """Not a foreign key: the user is deleted before the request."""
    iban_index = models.BinaryField(_("which IBAN"), max_length=32, null=True)
    """The blind index."""
    erased = models.JSONField(_("records deleted"), default=dict)
    """By table; updated in the transaction that deletes the rows."""

    class Meta:
        verbose_name = _("deletion")
        verbose_name_plural = _("deletions")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                "client", condition=models.Q(scope="account"), name="one_deletion_of_an_account_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        """Name the scope and the state."""
        return f"{self.scope} {self.state}"


class LogCutoff(models.Model):
    """Up to when check records were deleted, so that a check still being written does not reappear: see cutoff.py."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    iban_index = models.BinaryField(_("which IBAN"), max_length=32, null=True)
    """The blind index; none: every IBAN."""
    until = models.DateTimeField(_("cut-off time (newer records are retained)"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        """Name the time."""
        return str(self.until)


class ErasureReceipt(models.Model):
    """A receipt that can be downloaded for a time: see deletion/receipts.py. It identifies nobody."""

    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    """SHA-256 of the token in the link."""
    document = models.TextField(_("receipt"), editable=False)
    """JSON, signed."""
    made_at = models.DateTimeField(_("created on"), default=timezone.now, editable=False)
    is_compacted = models.BooleanField(default=False, editable=False)
    """Whether the database files were rewritten since; until then, deleted rows remain in them."""

    class Meta:
        verbose_name = _("deletion receipt")
        verbose_name_plural = _("deletion receipts")

    def __str__(self) -> str:
        """Name when it was created."""
        return str(self.made_at)
