"""How long accounts retains what no other module has a rule for."""

from datetime import timedelta
from typing import Final

INVITATION_RETENTION: Final = timedelta(days=30)
"""After an invitation has expired, so that an owner sees who has not joined."""

CONFIRMATION_RETENTION: Final = timedelta(days=3)
"""As long as the links are valid."""


def in_months(duration: timedelta) -> int:
    """Return a duration as texts state it: in whole months."""
    return int(duration.days / 30.4)
