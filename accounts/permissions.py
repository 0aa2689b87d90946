"""What members of a client and staff of the operator can be permitted to do.

Names may change, values may not: members' stand in the audit log (`users.refused`), staff's are Django's codenames.
"""

from enum import StrEnum


class Permission(StrEnum):
    """What a member of a client can be permitted to do: roles.MATRIX says which role is."""

    IBAN_CHECK = "iban.check"
    PROFILE_CHANGE = "profile.change"
    FACTORS_CHANGE = "factors.change"
    SESSIONS_END = "sessions.end"
    OVERVIEW_VIEW = "overview.view"
    CONTACT_VIEW = "contact.view"
    CONTACT_CHANGE = "contact.change"
    BILLING_VIEW = "billing.view"
    BILLING_CHANGE = "billing.change"
    MEMBERS_VIEW = "users.view"
    MEMBERS_INVITE = "users.invite"
    MEMBERS_CHANGE = "users.change"
    AUDIT_VIEW = "history.view"
    AUDIT_EXPORT = "history.export"
    KEYS_VIEW = "keys.view"
    KEYS_CREATE = "keys.create"
    KEYS_CHANGE = "keys.change"
    RECORDS_VIEW = "log.view"
    RECORDS_ERASE = "log.erase"
    RECORDS_EXPORT = "log.export"
    PRIVACY_VIEW = "privacy.view"
    PRIVACY_CHANGE = "privacy.change"
    DATA_EXPORT = "privacy.export"
    ACCOUNT_DELETE = "privacy.delete"
    DOCUMENTS = "privacy.documents"
    SUPPORT_ACCESS_VIEW = "support.view"
    SUPPORT_ACCESS_CHANGE = "support.change"

    @property
    def page(self) -> str:
        """The page it belongs to, as the audit log stores it."""
        return self.value.partition(".")[0]


class StaffPermission(StrEnum):
    """What a member of staff can be permitted to do: accounts/staff/groups.py says which group is."""

    VIEW_CLIENT = "accounts.view_client"
    VIEW_MEMBER = "accounts.view_user"
    VIEW_INVITATION = "accounts.view_invitation"
    VIEW_CONTACT_DETAILS = "accounts.view_contactdetails"
    VIEW_BILLING_DETAILS = "accounts.view_billingdetails"
    VIEW_NOTE = "accounts.view_clientnote"
    VIEW_USAGE = "accounts.view_usageday"
    VIEW_CLIENT_LOG = "accounts.view_historyentry"
    VIEW_STAFF_LOG = "accounts.view_staffentry"
    VIEW_KEY = "apikeys.view_apikey"
    VIEW_QUOTA_MONTH = "apikeys.view_quotamonth"
    VIEW_BLOCK = "guard.view_block"
    VIEW_SESSION = "usersessions.view_usersession"
    VIEW_GROUP = "auth.view_group"

    READ_CLIENTS = "accounts.read_clients"
    READ_USAGE = "accounts.read_usage"
    READ_REFUSALS = "accounts.read_refusals"
    READ_QUEUES = "accounts.read_queues"
    READ_MACHINES = "accounts.read_machines"

    UNMASK_CLIENT = "accounts.unmask_client"
    NOTE_CLIENT = "accounts.note_client"
    SUSPEND_CLIENT = "accounts.suspend_client"
    REOPEN_CLIENT = "accounts.reopen_client"
    SET_QUOTA = "accounts.set_quota"
    SET_USER_LIMIT = "accounts.set_user_limit"
    RESEND_INVITATION = "accounts.resend_invitation"
    WITHDRAW_INVITATION = "accounts.withdraw_invitation"
    SIGN_OUT_MEMBER = "accounts.sign_out_user"
    SIGN_OUT_STAFF = "accounts.sign_out_staff"
    REVOKE_KEY = "apikeys.revoke_by_prefix"
    SET_BLOCK = "guard.set_block"
    LIFT_BLOCK = "guard.lift_block"
    CHANGE_GROUP = "auth.change_group"
