"""What staff can do: one module per noun with URL, permission, texts and form of each action.

`PAGES` of all modules, in the order in which the pages of a row and the menu offer them.
"""

from typing import Final

from ibanse.backoffice.actions import api_keys, clients, invitations, ip_blocks, notes, sessions
from ibanse.backoffice.model_admin import BackOfficePage

PAGES: Final[tuple[BackOfficePage, ...]] = (
    *notes.PAGES,
    *clients.PAGES,
    *invitations.PAGES,
    *sessions.PAGES,
    *ip_blocks.PAGES,
    *api_keys.PAGES,
)
