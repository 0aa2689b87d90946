"""Every event of the audit logs, with how it is described and who is mailed.

Names may change, values may not: they are the tags that the logs store, and their hashes cover.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


class AuditEvent(StrEnum):
    """What a client's audit log records."""

    CLIENT_CREATED = "client.created"
    TERMS_ACCEPTED = "terms.accepted"
    SIGNED_IN = "users.signed_in"
    OTHER_SESSIONS_ENDED = "users.signed_out_everywhere"
    PASSWORD_CHANGED = "users.password_changed"  # noqa: S105 - an event
    EMAIL_CHANGED = "users.email_changed"
    PROFILE_CHANGED = "users.profile_changed"
    MEMBER_INVITED = "users.invited"
    INVITATION_RESENT = "users.invitation_resent"
    INVITATION_WITHDRAWN = "users.invitation_withdrawn"
    MEMBER_JOINED = "users.joined"
    MEMBER_DEACTIVATED = "users.deactivated"
    MEMBER_REACTIVATED = "users.reactivated"
    MEMBER_REMOVED = "users.removed"
    MEMBER_FACTORS_RESET = "users.factors_reset"
    OWNERSHIP_GIVEN = "users.ownership_given"
    OWNERSHIP_TAKEN = "users.ownership_taken"
    PAGE_REFUSED = "users.refused"
    TOTP_ADDED = "factors.totp_added"
    TOTP_REMOVED = "factors.totp_removed"
    PASSKEY_ADDED = "factors.passkey_added"
    PASSKEY_REMOVED = "factors.passkey_removed"
    RECOVERY_CODES_MADE = "factors.recovery_codes_made"
    KEY_CREATED = "keys.created"
    KEY_CHANGED = "keys.changed"
    KEY_ROTATED = "keys.rotated"
    KEY_REVOKED = "keys.revoked"
    KEY_NETWORK_ADDED = "keys.network_added"
    KEY_NETWORK_REMOVED = "keys.network_removed"
    KEY_REFUSED = "keys.refused"
    CONTACT_CHANGED = "contact.changed"
    BILLING_CHANGED = "billing.changed"
    AUDIT_EXPORTED = "history.exported"
    SECOND_FACTOR_REQUIRED = "privacy.second_factor_required"
    SECOND_FACTOR_OPTIONAL = "privacy.second_factor_optional"
    RECORDS_ERASING = "log.erasing"
    RECORDS_ERASED = "log.erased"
    RECORDS_EXPORTED = "log.exported"
    LOGGING_CHANGED = "privacy.logging_changed"
    EXPORT_REQUESTED = "privacy.export_requested"
    EXPORT_DOWNLOADED = "privacy.export_downloaded"
    DOCUMENT_MADE = "privacy.document_made"
    DOCUMENT_DELETED = "privacy.document_deleted"
    DOCUMENT_DOWNLOADED = "privacy.document_downloaded"
    RECORDS_REDUCED = "privacy.log_reduced"
    DELETION_REQUESTED = "deletion.requested"
    DELETION_CONFIRMED = "deletion.confirmed"
    DELETION_CANCELLED = "deletion.cancelled"
    DELETION_BEGUN = "deletion.begun"
    DELETION_EXECUTED = "deletion.executed"
    CLIENT_SUSPENDED = "client.suspended"
    CLIENT_REOPENED = "client.reopened"
    CLIENT_NOTED = "client.noted"
    CLIENT_UNMASKED = "client.unmasked"
    CLIENT_VIEWED_BY_SUPPORT = "client.looked_at"
    QUOTA_CHANGED = "quota.changed"
    USER_LIMIT_CHANGED = "users.limit_changed"
    INVITATION_RESENT_BY_OPERATOR = "users.invitation_resent_by_operator"
    INVITATION_WITHDRAWN_BY_OPERATOR = "users.invitation_withdrawn_by_operator"
    MEMBER_SIGNED_OUT_BY_OPERATOR = "users.signed_out_by_operator"
    KEY_REVOKED_BY_OPERATOR = "keys.revoked_by_operator"
    RECOVERY_REQUESTED = "owners.recovery_requested"
    RECOVERY_CANCELLED = "owners.recovery_cancelled"
    SUPPORT_ACCESS_GRANTED = "support.granted"
    SUPPORT_ACCESS_ENDED = "support.ended"
    OWNER_RECOVERED = "owners.recovered"


class StaffEvent(StrEnum):
    """What the staff audit log records."""

    STAFF_GROUPS_CHANGED = "staff.groups_changed"
    STAFF_LOCKED_OUT = "staff.shut_out"
    STAFF_READMITTED = "staff.let_in"
    SUPERUSER_DEMOTED = "staff.demoted"
    STAFF_CREATED = "staff.created"
    CLIENT_UNMASKED = "client.unmasked"
    CLIENT_VIEWED_BY_SUPPORT = "client.looked_at"
    CLIENT_MASKED = "client.masked"
    UNMASKING_REFUSED = "client.unmasking_refused"
    PAGE_VIEWED = "office.viewed"
    FORM_SENT = "office.changed"
    PAGE_REFUSED = "office.refused"
    CLIENT_SUSPENDED = "client.suspended"
    CLIENT_REOPENED = "client.reopened"
    CLIENT_NOTED = "client.noted"
    QUOTA_CHANGED = "quota.changed"
    USER_LIMIT_CHANGED = "users.limit_changed"
    INVITATION_RESENT_BY_OPERATOR = "users.invitation_resent_by_operator"
    INVITATION_WITHDRAWN_BY_OPERATOR = "users.invitation_withdrawn_by_operator"
    MEMBER_SIGNED_OUT_BY_OPERATOR = "users.signed_out_by_operator"
    KEY_REVOKED_BY_OPERATOR = "keys.revoked_by_operator"
    STAFF_SIGNED_OUT = "staff.signed_out"
    BLOCK_SET = "blocks.set"
    BLOCK_LIFTED = "blocks.lifted"
    BACKOFFICE_MISUSED = "office.misused"


@dataclass(frozen=True, slots=True)
class ClientEventDescription:
    """How an event reads in a client's audit log, and whether its owners are mailed."""

    text: Promise
    mail: bool = False
    meaning: Promise | None = None
    """Of an action of the operator's staff: what it means for the client and what to do, for the mail."""
    by_operator: bool = False
    """Which member of staff it was stands in the staff audit log, not here."""


@dataclass(frozen=True, slots=True)
class StaffEventDescription:
    """How an event reads in the staff audit log, and whether the group *security* is mailed."""

    text: Promise
    alarm: bool = False


_BY_OPERATOR: Final = {
    AuditEvent.CLIENT_SUSPENDED: ClientEventDescription(
        gettext_lazy("We suspended the account"),
        mail=True,
        meaning=gettext_lazy(
            "From now on, API keys are refused and the pages of the account are closed. Nothing is "
            "deleted. As an owner you can still read the audit log and the check log, download a copy of "
            "all data, and delete the account."
        ),
        by_operator=True,
    ),
    AuditEvent.CLIENT_REOPENED: ClientEventDescription(
        gettext_lazy("We reopened the account"),
        mail=True,
        meaning=gettext_lazy(
            "Everyone can work again, and API keys work again unless they were revoked or have expired."
        ),
        by_operator=True,
    ),
    AuditEvent.CLIENT_NOTED: ClientEventDescription(
        gettext_lazy("We added a note about the account"), by_operator=True
    ),
    AuditEvent.CLIENT_UNMASKED: ClientEventDescription(
        gettext_lazy("We opened masked details of the account"),
        mail=True,
        meaning=gettext_lazy(
            "For a quarter of an hour, one member of our staff sees contact details and users, or "
            "billing details, but no IBAN, no API key and nothing from the check log. If you have any "
            "questions, contact us."
        ),
        by_operator=True,
    ),
    AuditEvent.CLIENT_VIEWED_BY_SUPPORT: ClientEventDescription(
        gettext_lazy("We opened masked details using the support access"), by_operator=True
    ),
    AuditEvent.QUOTA_CHANGED: ClientEventDescription(
        gettext_lazy("We changed the monthly quota"),
        mail=True,
        meaning=gettext_lazy(
            "The audit log shows the old and the new quota; the overview shows how much of it has been used."
        ),
        by_operator=True,
    ),
    AuditEvent.USER_LIMIT_CHANGED: ClientEventDescription(
        gettext_lazy("We changed the maximum number of users"),
        mail=True,
        meaning=gettext_lazy("Nobody is removed, even if the account now has more users than allowed."),
        by_operator=True,
    ),
    AuditEvent.INVITATION_RESENT_BY_OPERATOR: ClientEventDescription(
        gettext_lazy("We resent an invitation"),
        mail=True,
        meaning=gettext_lazy("The link in the earlier e-mail no longer works; the new one is valid for seven days."),
        by_operator=True,
    ),
    AuditEvent.INVITATION_WITHDRAWN_BY_OPERATOR: ClientEventDescription(
        gettext_lazy("We withdrew an invitation"),
        mail=True,
        meaning=gettext_lazy("Its link no longer works. You can invite the person again under Users."),
        by_operator=True,
    ),
    AuditEvent.MEMBER_SIGNED_OUT_BY_OPERATOR: ClientEventDescription(
        gettext_lazy("We signed a user out everywhere"),
        mail=True,
        meaning=gettext_lazy(
            "The user can sign in again immediately. If someone else may have used their browser or "
            "knows their password, they should change the password and check their two-factor "
            "authentication."
        ),
        by_operator=True,
    ),
    AuditEvent.KEY_REVOKED_BY_OPERATOR: ClientEventDescription(
        gettext_lazy("We revoked an API key because it may be in the wrong hands"),
        mail=True,
        meaning=gettext_lazy(
            "Calls with it are refused. What to do: create a new key under API keys and use it in your "
            "program instead of the old one; find out where the old key was exposed, such as in "
            "published source code or a shared file, and remove it there; check the check log and the "
            "audit log for calls that were not yours."
        ),
        by_operator=True,
    ),
}

CLIENT_EVENTS: Final[dict[AuditEvent, ClientEventDescription]] = {
    AuditEvent.CLIENT_CREATED: ClientEventDescription(gettext_lazy("The account was created"), mail=True),
    AuditEvent.TERMS_ACCEPTED: ClientEventDescription(
        gettext_lazy("The terms were accepted and the privacy notice was acknowledged")
    ),
    AuditEvent.SIGNED_IN: ClientEventDescription(gettext_lazy("Signed in")),
    AuditEvent.OTHER_SESSIONS_ENDED: ClientEventDescription(gettext_lazy("Signed out of all other browsers")),
    AuditEvent.PASSWORD_CHANGED: ClientEventDescription(gettext_lazy("The password was changed")),
    AuditEvent.EMAIL_CHANGED: ClientEventDescription(gettext_lazy("The e-mail address was changed"), mail=True),
    AuditEvent.PROFILE_CHANGED: ClientEventDescription(gettext_lazy("The profile was changed")),
    AuditEvent.MEMBER_INVITED: ClientEventDescription(gettext_lazy("A colleague was invited"), mail=True),
    AuditEvent.INVITATION_RESENT: ClientEventDescription(gettext_lazy("An invitation was resent")),
    AuditEvent.INVITATION_WITHDRAWN: ClientEventDescription(gettext_lazy("An invitation was withdrawn")),
    AuditEvent.MEMBER_JOINED: ClientEventDescription(gettext_lazy("A colleague joined"), mail=True),
    AuditEvent.MEMBER_DEACTIVATED: ClientEventDescription(gettext_lazy("A user was deactivated"), mail=True),
    AuditEvent.MEMBER_REACTIVATED: ClientEventDescription(gettext_lazy("A user was reactivated"), mail=True),
    AuditEvent.MEMBER_REMOVED: ClientEventDescription(gettext_lazy("A user was removed"), mail=True),
    AuditEvent.MEMBER_FACTORS_RESET: ClientEventDescription(
        gettext_lazy("A user's two-factor authentication was removed"), mail=True
    ),
    AuditEvent.OWNERSHIP_GIVEN: ClientEventDescription(gettext_lazy("A user was made an owner"), mail=True),
    AuditEvent.OWNERSHIP_TAKEN: ClientEventDescription(gettext_lazy("An owner was made a member"), mail=True),
    AuditEvent.PAGE_REFUSED: ClientEventDescription(gettext_lazy("Access to a page was refused")),
    AuditEvent.TOTP_ADDED: ClientEventDescription(gettext_lazy("An authenticator app was added")),
    AuditEvent.TOTP_REMOVED: ClientEventDescription(gettext_lazy("An authenticator app was removed")),
    AuditEvent.PASSKEY_ADDED: ClientEventDescription(gettext_lazy("A passkey was added")),
    AuditEvent.PASSKEY_REMOVED: ClientEventDescription(gettext_lazy("A passkey was removed")),
    AuditEvent.RECOVERY_CODES_MADE: ClientEventDescription(gettext_lazy("Recovery codes were created")),
    AuditEvent.KEY_CREATED: ClientEventDescription(gettext_lazy("An API key was created"), mail=True),
    AuditEvent.KEY_CHANGED: ClientEventDescription(gettext_lazy("An API key was changed")),
    AuditEvent.KEY_ROTATED: ClientEventDescription(gettext_lazy("An API key was replaced by a new one"), mail=True),
    AuditEvent.KEY_REVOKED: ClientEventDescription(gettext_lazy("An API key was revoked"), mail=True),
    AuditEvent.KEY_NETWORK_ADDED: ClientEventDescription(gettext_lazy("An IP address was added to an API key")),
    AuditEvent.KEY_NETWORK_REMOVED: ClientEventDescription(gettext_lazy("An IP address was removed from an API key")),
    AuditEvent.KEY_REFUSED: ClientEventDescription(gettext_lazy("A call with an API key was refused")),
    AuditEvent.CONTACT_CHANGED: ClientEventDescription(gettext_lazy("The contact details were changed")),
    AuditEvent.BILLING_CHANGED: ClientEventDescription(gettext_lazy("The billing details were changed")),
    AuditEvent.AUDIT_EXPORTED: ClientEventDescription(gettext_lazy("The audit log was exported")),
    AuditEvent.SECOND_FACTOR_REQUIRED: ClientEventDescription(
        gettext_lazy("Two-factor authentication was made mandatory for all users"), mail=True
    ),
    AuditEvent.SECOND_FACTOR_OPTIONAL: ClientEventDescription(
        gettext_lazy("Two-factor authentication was made optional"), mail=True
    ),
    AuditEvent.RECORDS_ERASING: ClientEventDescription(
        gettext_lazy("The deletion of many checks from the check log was started")
    ),
    AuditEvent.RECORDS_ERASED: ClientEventDescription(gettext_lazy("Checks were deleted from the check log")),
    AuditEvent.RECORDS_EXPORTED: ClientEventDescription(gettext_lazy("The check log was exported")),
    AuditEvent.LOGGING_CHANGED: ClientEventDescription(
        gettext_lazy("The settings for storing checks were changed"), mail=True
    ),
    AuditEvent.EXPORT_REQUESTED: ClientEventDescription(gettext_lazy("A copy of all data was requested")),
    AuditEvent.EXPORT_DOWNLOADED: ClientEventDescription(gettext_lazy("A copy of all data was downloaded")),
    AuditEvent.DOCUMENT_MADE: ClientEventDescription(gettext_lazy("A document was created for the account")),
    AuditEvent.DOCUMENT_DELETED: ClientEventDescription(gettext_lazy("A document was deleted")),
    AuditEvent.DOCUMENT_DOWNLOADED: ClientEventDescription(gettext_lazy("A document was downloaded")),
    AuditEvent.RECORDS_REDUCED: ClientEventDescription(gettext_lazy("Check records were deleted or reduced")),
    AuditEvent.DELETION_REQUESTED: ClientEventDescription(gettext_lazy("Deletion of the account was requested")),
    AuditEvent.DELETION_CONFIRMED: ClientEventDescription(
        gettext_lazy("Deletion of the account was confirmed by e-mail")
    ),
    AuditEvent.DELETION_CANCELLED: ClientEventDescription(
        gettext_lazy("Deletion of the account was cancelled"), mail=True
    ),
    AuditEvent.DELETION_BEGUN: ClientEventDescription(
        gettext_lazy("Deletion of part of the account was started"), mail=True
    ),
    AuditEvent.DELETION_EXECUTED: ClientEventDescription(gettext_lazy("Part of the account was deleted")),
    **_BY_OPERATOR,
    AuditEvent.RECOVERY_REQUESTED: ClientEventDescription(gettext_lazy("We were asked for a new owner"), mail=True),
    AuditEvent.RECOVERY_CANCELLED: ClientEventDescription(
        gettext_lazy("The request for a new owner was cancelled"), mail=True
    ),
    AuditEvent.SUPPORT_ACCESS_GRANTED: ClientEventDescription(
        gettext_lazy("Support was given access to masked details"), mail=True
    ),
    AuditEvent.SUPPORT_ACCESS_ENDED: ClientEventDescription(gettext_lazy("Support access was ended"), mail=True),
    AuditEvent.OWNER_RECOVERED: ClientEventDescription(gettext_lazy("We made a user an owner"), mail=True),
}

STAFF_EVENTS: Final[dict[StaffEvent, StaffEventDescription]] = {
    StaffEvent.STAFF_GROUPS_CHANGED: StaffEventDescription(
        gettext_lazy("A staff member's groups were changed"), alarm=True
    ),
    StaffEvent.STAFF_LOCKED_OUT: StaffEventDescription(gettext_lazy("A staff member was locked out"), alarm=True),
    StaffEvent.STAFF_READMITTED: StaffEventDescription(
        gettext_lazy("A staff member's access was restored"), alarm=True
    ),
    StaffEvent.SUPERUSER_DEMOTED: StaffEventDescription(
        gettext_lazy("Someone's unrestricted access was removed"), alarm=True
    ),
    StaffEvent.STAFF_CREATED: StaffEventDescription(gettext_lazy("Someone was added to the staff"), alarm=True),
    StaffEvent.CLIENT_UNMASKED: StaffEventDescription(
        gettext_lazy("A client's masked details were opened with a stated reason")
    ),
    StaffEvent.CLIENT_VIEWED_BY_SUPPORT: StaffEventDescription(
        gettext_lazy("A client's masked details were opened with the client's permission")
    ),
    StaffEvent.CLIENT_MASKED: StaffEventDescription(gettext_lazy("A client's details were masked again early")),
    StaffEvent.UNMASKING_REFUSED: StaffEventDescription(
        gettext_lazy("The masked details of too many clients were opened within an hour"), alarm=True
    ),
    StaffEvent.PAGE_VIEWED: StaffEventDescription(gettext_lazy("A back-office page was opened")),
    StaffEvent.FORM_SENT: StaffEventDescription(gettext_lazy("Something was changed in the back-office")),
    StaffEvent.PAGE_REFUSED: StaffEventDescription(gettext_lazy("Access to a back-office page was refused")),
    StaffEvent.CLIENT_SUSPENDED: StaffEventDescription(gettext_lazy("A client was suspended")),
    StaffEvent.CLIENT_REOPENED: StaffEventDescription(gettext_lazy("A client was reopened")),
    StaffEvent.CLIENT_NOTED: StaffEventDescription(gettext_lazy("A note about a client was added")),
    StaffEvent.QUOTA_CHANGED: StaffEventDescription(gettext_lazy("A client's monthly quota was changed")),
    StaffEvent.USER_LIMIT_CHANGED: StaffEventDescription(
        gettext_lazy("A client's maximum number of users was changed")
    ),
    StaffEvent.INVITATION_RESENT_BY_OPERATOR: StaffEventDescription(gettext_lazy("An invitation was resent")),
    StaffEvent.INVITATION_WITHDRAWN_BY_OPERATOR: StaffEventDescription(gettext_lazy("An invitation was withdrawn")),
    StaffEvent.MEMBER_SIGNED_OUT_BY_OPERATOR: StaffEventDescription(gettext_lazy("A user was signed out everywhere")),
    StaffEvent.KEY_REVOKED_BY_OPERATOR: StaffEventDescription(gettext_lazy("A leaked API key was revoked")),
    StaffEvent.STAFF_SIGNED_OUT: StaffEventDescription(gettext_lazy("A staff member was signed out everywhere")),
    StaffEvent.BLOCK_SET: StaffEventDescription(gettext_lazy("An IP address was blocked")),
    StaffEvent.BLOCK_LIFTED: StaffEventDescription(gettext_lazy("An IP address was unblocked")),
    StaffEvent.BACKOFFICE_MISUSED: StaffEventDescription(
        gettext_lazy("Something was attempted that no back-office page offers"), alarm=True
    ),
}


def staff_event_text(tag: str) -> str:
    """Return how the staff audit log describes an event, or the tag itself when it is not one of ours."""
    try:
        return str(STAFF_EVENTS[StaffEvent(tag)].text)
    except ValueError:
        return tag


def client_event_text(tag: str) -> str:
    """Return how a client's audit log describes an event, or the tag itself when it is not one of ours."""
    try:
        return str(CLIENT_EVENTS[AuditEvent(tag)].text)
    except ValueError:
        return tag
