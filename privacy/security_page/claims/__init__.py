"""Every claim to the public about security and privacy, as a table in the order of the page. Knows no request.

The tests of a claim carry its slug as a marker, `@pytest.mark.claim("own_key")`; their results come with a release, see
privacy/security_page/evidence.py. Whoever rewords a claim makes sure that its tests prove exactly that.
"""

from typing import Final

from privacy.security_page.claims import at_rest, calls, choices, operation, pages
from privacy.security_page.claims.claim import Claim, Subject

SUBJECTS: Final[tuple[Subject, ...]] = (
    operation.INFRASTRUCTURE,
    operation.TRANSPORT,
    at_rest.ENCRYPTION,
    choices.DATA_PROTECTION,
    pages.APPLICATION,
    choices.INTEGRITY,
    choices.DELETION,
    calls.API,
    pages.SUB_USERS,
    pages.STAFF,
)
"""Hosting is no subject here: what the operator says of it is a setting, and nothing here can prove it."""

__all__ = ["SUBJECTS", "Claim", "Subject"]
