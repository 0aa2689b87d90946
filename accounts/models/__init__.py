"""The models of accounts. Personal text is sealed by privacy.vault under the client's data key.

A field named `sealed…` holds an envelope; only the package that writes it opens it again.
"""

from accounts.models.audit import (
    ChainedEntry,
    HistoryDetail,
    HistoryEntry,
    SealedDetail,
    StaffDetail,
    StaffEntry,
    StaffLogLock,
)
from accounts.models.clients import MONTHLY_QUOTA, USER_LIMIT, BillingDetails, Client, ClientManager, ContactDetails
from accounts.models.metrics import Metric
from accounts.models.staff import ClientNote, SupportAccess, Unmasking
from accounts.models.team import Invitation, OwnerRecovery
from accounts.models.usage import UsageDay
from accounts.models.users import User, UserManager

__all__ = [
    "MONTHLY_QUOTA",
    "USER_LIMIT",
    "BillingDetails",
    "ChainedEntry",
    "Client",
    "ClientManager",
    "ClientNote",
    "ContactDetails",
    "HistoryDetail",
    "HistoryEntry",
    "Invitation",
    "Metric",
    "OwnerRecovery",
    "SealedDetail",
    "StaffDetail",
    "StaffEntry",
    "StaffLogLock",
    "SupportAccess",
    "Unmasking",
    "UsageDay",
    "User",
    "UserManager",
]
