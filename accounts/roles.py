"""Which role is permitted what, as one table. Knows no page."""

from typing import Final, Literal

from accounts.permissions import Permission

Role = Literal["owner", "sub_user"]
OWNER: Final = "owner"
MEMBER: Final = "sub_user"

_COLUMNS: Final = {OWNER: 0, MEMBER: 1}
MATRIX: Final[dict[Permission, tuple[bool, bool]]] = {
    # permission                         owner  member
    Permission.IBAN_CHECK:              (True, True),
    Permission.PROFILE_CHANGE:          (True, True),
    Permission.FACTORS_CHANGE:          (True, True),
    Permission.SESSIONS_END:            (True, True),
    Permission.OVERVIEW_VIEW:           (True, False),
    Permission.CONTACT_VIEW:            (True, False),
    Permission.CONTACT_CHANGE:          (True, False),
    Permission.BILLING_VIEW:            (True, False),
    Permission.BILLING_CHANGE:          (True, False),
    Permission.MEMBERS_VIEW:            (True, False),
    Permission.MEMBERS_INVITE:          (True, False),
    Permission.MEMBERS_CHANGE:          (True, False),
    Permission.AUDIT_VIEW:              (True, False),
    Permission.AUDIT_EXPORT:            (True, False),
    Permission.KEYS_VIEW:               (True, False),
    Permission.KEYS_CREATE:             (True, False),
    Permission.KEYS_CHANGE:             (True, False),
    Permission.RECORDS_VIEW:            (True, False),
    Permission.RECORDS_ERASE:           (True, False),
    Permission.RECORDS_EXPORT:          (True, False),
    Permission.PRIVACY_VIEW:            (True, False),
    Permission.PRIVACY_CHANGE:          (True, False),
    Permission.DATA_EXPORT:             (True, False),
    Permission.ACCOUNT_DELETE:          (True, False),
    Permission.DOCUMENTS:               (True, False),
    Permission.SUPPORT_ACCESS_VIEW:     (True, False),
    Permission.SUPPORT_ACCESS_CHANGE:   (True, False),
}  # fmt: skip


WHILE_CLOSING: Final = frozenset(
    {
        Permission.OVERVIEW_VIEW,
        Permission.AUDIT_VIEW,
        Permission.AUDIT_EXPORT,
        Permission.RECORDS_VIEW,
        Permission.RECORDS_EXPORT,
        Permission.PRIVACY_VIEW,
        Permission.DATA_EXPORT,
        Permission.ACCOUNT_DELETE,
        Permission.SUPPORT_ACCESS_VIEW,
        Permission.SUPPORT_ACCESS_CHANGE,
    }
)
"""What owners may still do while their account waits to be deleted: look, take along, let support help, and cancel."""


WHILE_SUSPENDED: Final = frozenset(
    {
        Permission.AUDIT_VIEW,
        Permission.AUDIT_EXPORT,
        Permission.RECORDS_VIEW,
        Permission.RECORDS_EXPORT,
        Permission.PRIVACY_VIEW,
        Permission.DATA_EXPORT,
        Permission.ACCOUNT_DELETE,
    }
)
"""What owners may still do while their account is suspended: read why, take their data along, delete it. The law gives
them that, whatever the operator's reason (GDPR, articles 15, 17 and 20)."""


def may(role: str, permission: Permission) -> bool:
    """Return whether a role is permitted something; staff and visitors have no role, and nothing is permitted here."""
    row = MATRIX[permission]
    column = _COLUMNS.get(role)
    return column is not None and row[column]
