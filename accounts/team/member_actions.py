"""What owners do to members of their client: each action with its rule, event, texts and when it is offered.

Every action locks the client's row and then reads the roles again, so that two owners who act on each other at the
same moment cannot leave a client without an owner. An action that is already done changes and records nothing.

To add one: a class here and a line in ACTIONS; its URL is the slug behind the member's, its page team/change_user.html.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts import audit, mail
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.auth import presence
from accounts.errors import Refusal
from accounts.models import Client, User
from accounts.permissions import Permission
from accounts.team import members


@dataclass(frozen=True, slots=True)
class MemberState:
    """What decides which actions a page offers for a member."""

    user: User
    is_self: bool
    has_second_factor: bool
    owners: int
    """How many active owners the client has."""

    @property
    def is_owner(self) -> bool:
        """Whether the member is an owner."""
        return self.user.role == User.Role.OWNER


class MemberAction:
    """An action on a member. `question` and `done` name the member as `%(who)s`."""

    slug: ClassVar[str]
    """The last part of the path."""
    event: ClassVar[AuditEvent]
    link: ClassVar[Promise]
    question: ClassVar[Promise]
    meaning: ClassVar[Promise]
    done: ClassVar[Promise]
    notice: ClassVar[Promise]
    """What the member is mailed."""
    is_grave: ClassVar[bool] = False
    may_be_oneself: ClassVar[bool] = False

    def carry_out(self, member: User, *, by: Actor) -> None:
        """Do it, record it, which mails the owners if the event says so, and mail the member.

        Raises Refusal `no_longer_owner`, `gone`, `yourself`, or what `change` raises.
        """
        with transaction.atomic():
            if member.client is None:
                raise Refusal("gone")
            client = by.lock(member.client, Permission.MEMBERS_CHANGE)
            found = client.users.filter(pk=member.pk).first()
            if found is None:
                raise Refusal("gone")
            if found.pk == by.pk and not self.may_be_oneself:
                raise Refusal("yourself")
            if not self.change(found, client):
                return
            audit.record(self.event, client=client, by=by, detail={"user": found.email})
            is_mailed_as_owner = found.is_active and found.role == User.Role.OWNER
            if found.pk != by.pk and not is_mailed_as_owner:
                context = {"event": self.notice, "by": by.email, "at": timezone.now()}
                mail.send_on_commit("about_you", to=found.email, language=found.language, context=context)
            self.finish(found)

    def is_offered(self, member: MemberState) -> bool:
        """Return whether a page offers it; what is not offered is refused all the same."""
        raise NotImplementedError

    def change(self, member: User, client: Client, /) -> bool:
        """Change the member; return whether there was anything to change. The client is locked."""
        raise NotImplementedError

    def finish(self, member: User) -> None:
        """Do what comes after the record."""


class GiveOwnership(MemberAction):
    """Make a member an additional owner."""

    slug = "give-ownership"
    event = AuditEvent.OWNERSHIP_GIVEN
    link = gettext_lazy("Make owner")
    question = gettext_lazy("Make %(who)s an owner?")
    meaning = gettext_lazy(
        "Owners see and manage everything in the account: users, audit log, contact and billing "
        "details, settings. You remain an owner as well. All owners are notified by e-mail."
    )
    done = gettext_lazy("%(who)s is now an owner.")
    notice = gettext_lazy("You are now an owner of your account")
    may_be_oneself = True

    def is_offered(self, member: MemberState) -> bool:
        return member.user.is_active and not member.is_owner

    def change(self, member: User, _client: Client, /) -> bool:
        """Raises Refusal `not_a_member` for a deactivated member."""
        if not member.is_active:
            raise Refusal("not_a_member")
        if member.role == User.Role.OWNER:
            return False
        member.role = User.Role.OWNER
        member.save(update_fields=["role"])
        return True


class HandOver(MemberAction):
    """Make a member an owner in one's own place: two events."""

    slug = "hand-over"
    link = gettext_lazy("Transfer my ownership")
    question = gettext_lazy("Transfer your ownership to %(who)s?")
    meaning = gettext_lazy(
        "They become an owner and you become a member: you can still check IBANs, but you no longer "
        "see the account's users, audit log, details and settings. Only an owner can undo this."
    )
    done = gettext_lazy("%(who)s is now an owner, and you are a member.")
    is_grave = True

    def is_offered(self, member: MemberState) -> bool:
        return member.user.is_active and not member.is_owner

    def carry_out(self, member: User, *, by: Actor) -> None:
        with transaction.atomic():
            give_ownership(member, by=by)
            if member.pk != by.pk:
                take_ownership(by.signed_in, by=by)


class TakeOwnership(MemberAction):
    """Make an owner, or oneself, an ordinary member."""

    slug = "take-ownership"
    event = AuditEvent.OWNERSHIP_TAKEN
    link = gettext_lazy("Make member")
    question = gettext_lazy("Make %(who)s a member?")
    meaning = gettext_lazy(
        "They can still check IBANs, but no longer see the account's users, audit log, details and "
        "settings. Another owner must remain. All owners are notified by e-mail."
    )
    done = gettext_lazy("%(who)s is now a member.")
    is_grave = True
    notice = gettext_lazy("You are no longer an owner of your account")
    may_be_oneself = True

    def is_offered(self, member: MemberState) -> bool:
        return member.is_owner and (member.owners > 1 or not member.is_self)

    def change(self, member: User, client: Client, /) -> bool:
        """Raises Refusal `last_owner`."""
        if member.role != User.Role.OWNER:
            return False
        if not client.users.filter(role=User.Role.OWNER, is_active=True).exclude(pk=member.pk).exists():
            raise Refusal("last_owner")
        member.role = User.Role.MEMBER
        member.save(update_fields=["role"])
        return True


class ResetFactors(MemberAction):
    """Remove a colleague's passkeys, authenticator app and recovery codes; one's own have a page of their own."""

    slug = "reset-factors"
    event = AuditEvent.MEMBER_FACTORS_RESET
    link = gettext_lazy("Remove two-factor authentication")
    question = gettext_lazy("Remove two-factor authentication for %(who)s?")
    meaning = gettext_lazy(
        "Do this when someone has lost their phone or security key. Their passkeys, authenticator "
        "app and recovery codes are deleted and they are signed out everywhere; after that they sign "
        "in with their password alone. Make sure the request really comes from them. They and all "
        "owners are notified by e-mail."
    )
    done = gettext_lazy("Two-factor authentication for %(who)s has been removed.")
    is_grave = True
    notice = gettext_lazy("An owner of your account has removed your two-factor authentication")

    def is_offered(self, member: MemberState) -> bool:
        return member.has_second_factor and not member.is_self

    def change(self, member: User, _client: Client, /) -> bool:
        deleted, _by_model = Authenticator.objects.filter(user=member).delete()
        if deleted:
            presence.end_all(member)
        return bool(deleted)


class Deactivate(MemberAction):
    """Keep a member from signing in."""

    slug = "deactivate"
    event = AuditEvent.MEMBER_DEACTIVATED
    link = gettext_lazy("Deactivate")
    question = gettext_lazy("Deactivate %(who)s?")
    meaning = gettext_lazy(
        "They are signed out everywhere and cannot sign in until an owner reactivates them. Nothing "
        "is deleted. They and all owners are notified by e-mail."
    )
    done = gettext_lazy("%(who)s has been deactivated.")
    notice = gettext_lazy("An owner of your account has deactivated you. You can no longer sign in")

    def is_offered(self, member: MemberState) -> bool:
        return member.user.is_active and not member.is_self

    def change(self, member: User, _client: Client, /) -> bool:
        if not member.is_active:
            return False
        member.is_active = False
        member.save(update_fields=["is_active"])
        presence.end_all(member)
        return True


class Reactivate(MemberAction):
    """Let a deactivated member sign in again."""

    slug = "reactivate"
    event = AuditEvent.MEMBER_REACTIVATED
    link = gettext_lazy("Reactivate")
    question = gettext_lazy("Reactivate %(who)s?")
    meaning = gettext_lazy(
        "They can sign in again with their existing password and have the same permissions as "
        "before. They and all owners are notified by e-mail."
    )
    done = gettext_lazy("%(who)s is active again.")
    notice = gettext_lazy("An owner of your account has reactivated you. You can sign in again")
    may_be_oneself = True

    def is_offered(self, member: MemberState) -> bool:
        return not member.user.is_active

    def change(self, member: User, client: Client, /) -> bool:
        """Raises Refusal `user_limit_reached`."""
        if member.is_active:
            return False
        members.refuse_if_full(client)
        member.is_active = True
        member.save(update_fields=["is_active"])
        return True


class Remove(MemberAction):
    """Delete a member with password, factors and sessions; the audit log keeps their actions."""

    slug = "remove"
    event = AuditEvent.MEMBER_REMOVED
    link = gettext_lazy("Remove")
    question = gettext_lazy("Remove %(who)s?")
    meaning = gettext_lazy(
        "The user is deleted along with name, password, two-factor authentication and sessions. This "
        "cannot be undone. Their past actions remain in the audit log. They and all owners are "
        "notified by e-mail."
    )
    done = gettext_lazy("%(who)s has been removed.")
    is_grave = True
    notice = gettext_lazy("An owner of your account has removed you. Your user has been deleted")

    def is_offered(self, member: MemberState) -> bool:
        return not member.is_self

    def change(self, member: User, _client: Client, /) -> bool:
        presence.end_all(member)
        return True

    def finish(self, member: User) -> None:
        """Delete the user now that the record and the mail have their e-mail address."""
        member.delete()


ACTIONS: Final[dict[str, MemberAction]] = {
    action.slug: action
    for action in (
        GiveOwnership(),
        HandOver(),
        TakeOwnership(),
        ResetFactors(),
        Deactivate(),
        Reactivate(),
        Remove(),
    )
}
"""In the order in which a page offers them."""

give_ownership = ACTIONS["give-ownership"].carry_out
take_ownership = ACTIONS["take-ownership"].carry_out
remove = ACTIONS["remove"].carry_out
