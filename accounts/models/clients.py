"""Clients, and how to reach and invoice them."""

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import connections, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.guard import revisions

USER_LIMIT = 25
MONTHLY_QUOTA = 10_000


class ClientManager(models.Manager["Client"]):
    """Finds clients and locks their rows."""

    def lock(self, client: "Client | uuid.UUID") -> "Client":
        """Lock the client's row until the transaction ends and return it as it is now.

        SQLite has no row locks: there the transaction itself, which begins IMMEDIATE, is the lock.
        """
        return self.select_for_update().get(pk=client.pk if isinstance(client, Client) else client)

    def lock_shared(self, clients: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        """Return which of the clients exist and are not gone, and lock them against a change of that.

        The lock lasts until the transaction ends and is shared; `lock` waits for all holders, and they for it.
        """
        wanted = set(clients)
        if not wanted:
            return wanted
        found = self.filter(pk__in=wanted).exclude(state=Client.State.GONE).order_by("pk").values_list("pk")
        sql, params = found.query.sql_with_params()
        connection = connections[self.db]
        if connection.vendor == "postgresql":
            # The weakest lock that `lock` waits for; Django's API does not offer it.
            sql += " FOR KEY SHARE"
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return {key if isinstance(key, uuid.UUID) else uuid.UUID(key) for (key,) in cursor.fetchall()}


class Client(models.Model):
    """A company that uses the service; all its other rows refer to this one, and its id owns its data key."""

    class State(models.TextChoices):
        """Only an active client's users may sign in."""

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
    """Retained while a suspended account waits to be deleted: cancelling the deletion leaves it suspended."""
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
        """Return the id, which identifies nobody in a log."""
        return str(self.pk)

    def save(self, *args: Any, **options: Any) -> None:
        """Save and notify the workers, which cache state and quota in memory."""
        super().save(*args, **options)
        revisions.bump()


class ContactDetails(models.Model):
    """How to reach a client, sealed: see profile/details.py."""

    client = models.OneToOneField(Client, models.CASCADE, primary_key=True, related_name="contact")
    sealed = models.BinaryField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = _("contact details")

    def __str__(self) -> str:
        """Return the client's id, which identifies nobody in a log."""
        return str(self.client_id)


class BillingDetails(models.Model):
    """Whom to invoice, sealed: see profile/details.py."""

    client = models.OneToOneField(Client, models.CASCADE, primary_key=True, related_name="billing")
    sealed = models.BinaryField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = _("billing details")

    def __str__(self) -> str:
        """Return the client's id, which identifies nobody in a log."""
        return str(self.client_id)
