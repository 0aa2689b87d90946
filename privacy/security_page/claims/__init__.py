"""Every claim to the public about security and privacy, as a table in the order of the page. Knows no request.

The tests of a claim carry its slug as a marker, `@pytest.mark.claim("own_key")`; their results come with a release, see
privacy/security_page/evidence.py. When rewording a claim, make sure that its tests prove exactly the new text.
"""

from typing import Final

from privacy.security_page.claims import at_rest, calls, choices, operation, pages
from privacy.security_page.claims.claim import Claim, ClaimSubject

SUBJECTS: Final[tuple[ClaimSubject, ...]] = (
    operation.INFRASTRUCTURE,
    operation.TRANSPORT,
    at_rest.ENCRYPTION,
    choices.DATA_PROTECTION,
    pages.APPLICATION,
    choices.INTEGRITY,
    choices.DELETION,
    calls.API,
    pages.MEMBERS,
    pages.STAFF,
)
"""Hosting is not a subject: what the operator states about it is a setting, which no test can prove."""

__all__ = ["SUBJECTS", "Claim", "ClaimSubject"]
