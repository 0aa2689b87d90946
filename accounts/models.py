"""Clients, their users, what we keep of them and the trail of their deeds. Personal text is sealed by privacy.vault.

A sealed field holds an envelope that only the client's data key opens: see `details.py` and `history.py`, which are the
only modules that seal and open them.
"""

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import roles
from accounts.guard import revisions

USER_LIMIT = 25
MONTHLY_QUOTA = 10_000


class ClientManager(models.Manager["Client"]):
    """Finds clients, and takes turns on one."""

    def lock(self, client: "Client") -> "Client":
        """Return the client as it is now and hold its row until the transaction ends, so that deeds take turns.

        SQLite has no row locks: there the transaction itself, which begins IMMEDIATE, is the turn.
        """
        return self.select_for_update().get(pk=client.pk)

    def hold(self, clients: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        """Return which of the clients are there and not gone, and keep them so until the transaction ends.

        Many may hold a client at once; `lock` waits for all of them, and they for it.
        """
        wanted = set(clients)
        if not wanted:
            return wanted
        found = self.filter(pk__in=wanted).exclude(state=Client.State.GONE).order_by("pk").values_list("pk")
        sql, params = found.query.sql_with_params()
        connection = connections[self.db]
        if connection.vendor == "postgresql":
            # The weakest lock that `lock` waits for; Django has no word for it.
            sql += " FOR KEY SHARE"
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return {key if isinstance(key, uuid.UUID) else uuid.UUID(key) for (key,) in cursor.fetchall()}


class Client(models.Model):
    """A company that uses the service; everything else of it hangs on this row, and its id owns its data key."""

    class State(models.TextChoices):
        """Only an active client's users may come in."""

        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        CLOSING = "closing", _("being deleted")
        GONE = "gone", _("deleted")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=9, choices=State, default=State.ACTIVE)
    user_limit = models.PositiveSmallIntegerField(_("maximum number of users"), default=USER_LIMIT)
    monthly_quota = models.PositiveIntegerField(_("checks per month"), default=MONTHLY_QUOTA)
    needs_second_factor = models.BooleanField(_("two-factor authentication required for all users"), default=False)
    suspended_at = models.DateTimeField(_("suspended since"), null=True, blank=True, editable=False)
    """Kept while a suspended account waits to be deleted: who calls that off is suspended as before."""
    is_demo = models.BooleanField(_("created for demonstration"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects: ClassVar[ClientManager] = ClientManager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("suspend_client", "Can suspend a client"),
            ("reopen_client", "Can open a suspended client again"),
            ("set_quota", "Can set a client's monthly quota"),
            ("set_user_limit", "Can set how many users a client may have"),
            ("note_client", "Can write a note on a client"),
        ]

    def __str__(self) -> str:
        """Name the client without saying who it is."""
        return str(self.pk)

    def save(self, *args: Any, **options: Any) -> None:
        """Save, and tell the workers, which hold state and quota in memory."""
        super().save(*args, **options)
        revisions.bump()


class UserManager(BaseUserManager["User"]):
    """Makes users and finds them by e-mail address, whatever its case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password nobody can sign in with one. Raises ValueError without an address."""
        if not email.strip():
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user who may do everything, for development. Raises ValidationError in production."""
        if not settings.EMBEDDED:
            raise ValidationError("In production nobody may do everything. Run: manage.py create_staff EMAIL --group …")
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this address; Alice@Example.com and alice@example.com are one."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in: a client's owner or sub-user, or staff, who belong to no client."""

    class Role(models.TextChoices):
        """What a user of a client may do: see roles.py."""

        OWNER = roles.OWNER, _("owner")
        SUB_USER = roles.SUB_USER, _("member")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, null=True, blank=True, related_name="users")
    role = models.CharField(_("role"), max_length=8, choices=Role, blank=True)
    email = models.EmailField(_("e-mail address"), unique=True)
    sealed_name = models.BinaryField(_("name"), default=bytes, blank=True)
    language = models.CharField(_("language"), max_length=5, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("has access to the back-office"), default=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("sign_out_user", "Can sign a client's user out everywhere"),
            ("sign_out_staff", "Can sign a member of staff out everywhere"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("email"), name="one_user_per_email_whatever_its_case"),
            models.CheckConstraint(
                condition=models.Q(client__isnull=True, role="") | models.Q(client__isnull=False, role__gt=""),
                name="a_role_belongs_to_a_client",
            ),
            models.CheckConstraint(
                condition=models.Q(is_staff=False) | models.Q(client__isnull=True),
                name="staff_belong_to_no_client",
            ),
        ]

    def __str__(self) -> str:
        """Name the user as the sign-in form does."""
        return self.email

    def may(self, action: str) -> bool:
        """Return whether this user may do a deed of the matrix in roles.py."""
        return self.is_active and roles.may(self.role, action)

    @property
    def key_owner(self) -> uuid.UUID:
        """Return the id that owns the data key of this user's sealed text: the client's, or of staff their own."""
        return self.client_id or self.pk


class Invitation(models.Model):
    """An owner's wish that a colleague joins; the link in the mail is signed and works once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    # A link carries the nonce of the invitation as it was mailed last: renewing makes every older link void.
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("resend_invitation", "Can mail an invitation again"),
            ("withdraw_invitation", "Can withdraw an invitation"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("client", Lower("email"), name="one_invitation_per_client_and_email"),
        ]

    def __str__(self) -> str:
        """Name the invitation by the address it went to."""
        return self.email


class OwnerRecovery(models.Model):
    """A request, made at the operator, that a user becomes an owner because no owner can sign in any more."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.OneToOneField(Client, models.CASCADE, related_name="owner_recovery")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)

    class Meta:
        verbose_name = _("request for a new owner")
        verbose_name_plural = _("requests for new owners")

    def __str__(self) -> str:
        """Name whom it is for."""
        return str(self.user_id)


class ContactDetails(models.Model):
    """How to reach a client, sealed."""

    client = models.OneToOneField(Client, models.CASCADE, primary_key=True, related_name="contact")
    sealed = models.BinaryField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = _("contact details")

    def __str__(self) -> str:
        """Say whose details these are, without saying more."""
        return str(self.client_id)


class BillingDetails(models.Model):
    """Whom to invoice, sealed."""

    client = models.OneToOneField(Client, models.CASCADE, primary_key=True, related_name="billing")
    sealed = models.BinaryField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = _("billing details")

    def __str__(self) -> str:
        """Say whose details these are, without saying more."""
        return str(self.client_id)


class ClientNote(models.Model):
    """What staff have noted of a client, sealed under the client's key: see deeds/notes.py, the only writer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="notes")
    author = models.UUIDField(_("by"))
    """The id of the member of staff. No foreign key: the note outlives who wrote it."""
    written_at = models.DateTimeField(_("written"), default=timezone.now)
    sealed = models.BinaryField()
    """Ticket and text."""

    class Meta:
        verbose_name = _("note about a client")
        verbose_name_plural = _("notes about clients")
        default_permissions = ("view",)
        ordering: ClassVar[list[str]] = ["-written_at"]

    def __str__(self) -> str:
        """Name the note without saying what is in it."""
        return str(self.pk)


class UsageDay(models.Model):
    """How many checks a client made on one day (UTC) by one door: counts, never numbers."""

    class Source(models.TextChoices):
        """The door a check came through."""

        PAGE = "page", _("check page")
        API = "api", _("API")

    client = models.ForeignKey(Client, models.CASCADE, related_name="usage")
    day = models.DateField(_("day"))
    source = models.CharField(_("source"), max_length=8, choices=Source)
    valid = models.PositiveBigIntegerField(_("valid"), default=0)
    invalid = models.PositiveBigIntegerField(_("invalid"), default=0)
    units = models.PositiveBigIntegerField(_("checks"), default=0)
    """What the checks cost of the quota: those of the check page nothing."""

    class Meta:
        verbose_name = _("usage on one day")
        verbose_name_plural = _("usage by day")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("client", "day", "source", name="one_count_per_client_day_and_source"),
        ]

    def __str__(self) -> str:
        """Name the day and the door."""
        return f"{self.day} {self.source}"


class Metric(models.Model):
    """What was measured or counted in one hour (UTC): of the whole service, or of one machine. Of nobody in particular.

    See readings/: what is measured is taken every few minutes, and the last of an hour stays; what is counted grows.
    """

    name = models.CharField(_("metric name"), max_length=24)
    """One of readings/kinds.py."""
    part = models.CharField(_("part"), max_length=40, blank=True)
    """Such as a state of clients, a folder, or the code of a refusal."""
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
            # In this order, which is the one they are looked up by.
            models.UniqueConstraint("name", "at", "part", "node", name="one_reading_an_hour"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("at", name="readings_by_time"),
        ]

    def __str__(self) -> str:
        """Name what was measured, and when."""
        return f"{self.name} {self.part} {self.at:%Y-%m-%d %H}"


class SupportAccess(models.Model):
    """A client's leave for support to see its masked details for a while: see support_access.py."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="support_accesses")
    granted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField(_("granted"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    """When an owner ended it before its time."""

    class Meta:
        verbose_name = _("support access")
        verbose_name_plural = _("support accesses")
        default_permissions = ()

    def __str__(self) -> str:
        """Name the end."""
        return f"{self.until:%Y-%m-%d %H:%M}"


class Unmasking(models.Model):
    """A look of a member of staff at a client's masked details: see unmasking.py."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="unmaskings")
    staff = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    groups = models.CharField(_("staff groups"), max_length=100)
    ticket = models.CharField(_("case number"), max_length=40, blank=True)
    sealed_words = models.BinaryField(_("reason"), default=bytes, blank=True)
    access = models.ForeignKey(SupportAccess, models.SET_NULL, null=True, related_name="+")
    """The client's leave that took the place of a reason."""
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("opening of masked details")
        verbose_name_plural = _("openings of masked details")
        default_permissions = ()
        permissions = (("unmask_client", "See a client's masked details for a reason"),)
        indexes: ClassVar[list[models.Index]] = [
            models.Index("staff", "client", "until", name="unmasking_of_staff"),
            models.Index("staff", "opened_at", name="unmasking_lately"),
        ]

    def __str__(self) -> str:
        """Name what it was for."""
        return self.ticket or str(self.pk)


class ChainedEntry(models.Model):
    """One deed in a trail, chained to the one before it: see chain.py, the only writer."""

    number = models.PositiveBigIntegerField(_("number"))
    """1, 2, 3 … in each trail, without a gap."""
    tag = models.CharField(_("action"), max_length=40)
    at = models.DateTimeField(_("time"))
    actor = models.UUIDField(_("by"), null=True)
    """The id of the user who did it; None for the service itself. No foreign key: the trail outlives its people."""
    network = models.CharField(_("network"), max_length=43, blank=True)
    """The caller's address, shortened to the /24 or /48 around it."""
    detail_hash = models.BinaryField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """Name the deed and its place in the chain."""
        return f"{self.number} {self.tag}"


class SealedDetail(models.Model):
    """What is personal in a deed, sealed; erasing it leaves the chain whole."""

    sealed = models.BinaryField()
    sealed_address = models.BinaryField(default=bytes, blank=True)
    """The full address; erased after seven days."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """Name the entry it belongs to."""
        return str(self.pk)


class HistoryEntry(ChainedEntry):
    """One deed in a client's trail: see history.py."""

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
    """What is personal in a client's deed."""

    entry = models.OneToOneField(HistoryEntry, models.CASCADE, primary_key=True, related_name="detail")

    class Meta:
        verbose_name = verbose_name_plural = _("audit log detail")


class StaffEntry(ChainedEntry):
    """One look or deed of the operator's staff: see staff_history.py."""

    client = models.UUIDField(_("client"), null=True)
    """The id of the client it concerned. No foreign key: what staff have done stays when the client is deleted."""

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
    """What is personal in a deed of staff."""

    entry = models.OneToOneField(StaffEntry, models.CASCADE, primary_key=True, related_name="detail")

    class Meta:
        verbose_name = verbose_name_plural = _("staff audit log detail")
        default_permissions = ()


class StaffTurn(models.Model):
    """The one row that whoever writes to the staff history holds, so that entries take turns."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        """Name the row."""
        return str(self.pk)
