"""What the serving role of PostgreSQL must be able to do; each fails with an error if it cannot."""

from django.contrib.auth.models import Group

from accounts import audit
from accounts.actor import SYSTEM, Actor
from accounts.audit import AuditEvent, StaffEvent, client_log, staff_log
from accounts.models import Client, User
from accounts.staff import groups
from privacy.deletion import execution, requesting
from privacy.models import DeletionRequest


def erase_user() -> None:
    """Let an owner erase a member, with the member's traces in the audit log."""
    client = Client.objects.create()
    owner = User.objects.create_user("alice@example.org", client=client, role="owner")
    vera = User.objects.create_user("vera@example.org", client=client, role="sub_user")
    audit.record(AuditEvent.PROFILE_CHANGED, client=client, by=Actor(vera), detail={"name": "Vera"})
    request = requesting.start_erasure(client, DeletionRequest.Scope.USER, by=Actor(owner), user=vera.pk)

    assert execution.resume(request.pk)
    assert not User.objects.filter(pk=vera.pk).exists()
    assert client_log.verify(client).ok


def append_to_staff_log() -> None:
    """Append two entries to the staff audit log, and erase their details."""
    client = Client.objects.create()
    for _ in range(2):
        audit.record_staff(StaffEvent.PAGE_VIEWED, by=SYSTEM, client=client.pk, detail={"page": "index"})

    assert list(staff_log.forget_client(client.pk)) == [2]
    assert staff_log.verify().ok


def change_staff_groups() -> None:
    """Put a member of staff into a group and remove them again."""
    sten = User.objects.create_user("sten@operator.example", is_staff=True)
    sten.groups.set(Group.objects.filter(name="support"))

    assert groups.of(sten) == ["support"]
    assert sten.has_perm("accounts.view_client")
    sten.groups.clear()
    sten.delete()
