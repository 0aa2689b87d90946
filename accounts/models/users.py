"""Those who can sign in: the members of clients, and staff."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import roles
from accounts.models.clients import Client
from accounts.permissions import Permission


class UserManager(BaseUserManager["User"]):
    """Creates users and finds them by e-mail address, case-insensitively."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password, password sign-in is disabled. Raises ValueError without an e-mail."""
        if not email.strip():
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user with all permissions, for development. Raises ValidationError in production."""
        if not settings.EMBEDDED:
            raise ValidationError("In production nobody may do everything. Run: manage.py create_staff EMAIL --group …")
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this e-mail address; Alice@Example.com and alice@example.com are one."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """An account that can sign in: a client's owner or member, or staff, who belong to no client."""

    class Role(models.TextChoices):
        """The permissions of each role are in roles.py."""

        OWNER = roles.OWNER, _("owner")
        MEMBER = roles.MEMBER, _("member")

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
            models.UniqueConstraint(Lower("email"), name="one_user_per_email_ignoring_case"),
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
        """Return the e-mail address, the name used to sign in."""
        return self.email

    def may(self, permission: Permission) -> bool:
        """Return whether this user has a permission, by the matrix in roles.py."""
        return self.is_active and roles.may(self.role, permission)

    @property
    def key_owner(self) -> uuid.UUID:
        """Return the id that owns the data key of this user's sealed text: the client's, or for staff their own."""
        return self.client_id or self.pk
