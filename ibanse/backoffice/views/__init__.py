"""Pages of the back-office that are no list: each module ends with its PAGES."""

from typing import Final

from ibanse.backoffice.model_admin import BackOfficePage
from ibanse.backoffice.views import audit_verification, client_details, refused_calls, staff

PAGES: Final[tuple[BackOfficePage, ...]] = (
    *client_details.PAGES,
    *audit_verification.PAGES,
    *staff.PAGES,
    *refused_calls.PAGES,
)
