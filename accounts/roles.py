"""Who may do what, as one table. Knows roles and deeds, and no page."""

from typing import Final, Literal

Role = Literal["owner", "sub_user"]
OWNER: Final = "owner"
MEMBER: Final = "sub_user"

_COLUMNS: Final = {OWNER: 0, MEMBER: 1}
MATRIX: Final[dict[str, tuple[bool, bool]]] = {
    # deed                owner  sub-user
    "iban.check":         (True, True),
    "profile.change":     (True, True),
    "factors.change":     (True, True),
    "sessions.end":       (True, True),
    "overview.view":      (True, False),
    "contact.view":       (True, False),
    "contact.change":     (True, False),
    "billing.view":       (True, False),
    "billing.change":     (True, False),
    "users.view":         (True, False),
    "users.invite":       (True, False),
    "users.change":       (True, False),
    "history.view":       (True, False),
    "history.export":     (True, False),
    "keys.view":          (True, False),
    "keys.create":        (True, False),
    "keys.change":        (True, False),
    "log.view":           (True, False),
    "log.erase":          (True, False),
    "log.export":         (True, False),
    "privacy.view":       (True, False),
    "privacy.change":     (True, False),
    "privacy.export":     (True, False),
    "privacy.delete":     (True, False),
    "privacy.documents":  (True, False),
    "support.view":       (True, False),
    "support.change":     (True, False),
}  # fmt: skip


WHILE_CLOSING: Final = frozenset(
    {
        "overview.view",
        "history.view",
        "history.export",
        "log.view",
        "log.export",
        "privacy.view",
        "privacy.export",
        "privacy.delete",
        "support.view",
        "support.change",
    }
)
"""What owners may still do while their account waits to be deleted: look, take along, let support help, and cancel."""


WHILE_SUSPENDED: Final = frozenset(
    {
        "history.view",
        "history.export",
        "log.view",
        "log.export",
        "privacy.view",
        "privacy.export",
        "privacy.delete",
    }
)
"""What owners may still do while their account is suspended: read why, take their data along, delete it. The law gives
them that whatever the operator holds against them (GDPR, articles 15, 17 and 20)."""


def may(role: str, action: str) -> bool:
    """Return whether a role may do a deed; staff and strangers have no role and may nothing here.

    Raises KeyError for a deed that is not in the matrix: a typing error must not become a permission.
    """
    row = MATRIX[action]
    column = _COLUMNS.get(role)
    return column is not None and row[column]
