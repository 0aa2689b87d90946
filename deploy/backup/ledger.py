"""Ships the erasure ledger off the machine, line after line and never back: a restore must not rewind it.

Each shipped copy must begin with the one before it, byte for byte. So a ledger that was cut or rewritten here cannot
replace a longer one there, and is reported instead.
"""

from typing import Final

from deploy.backup.owner import read_as_owner
from deploy.backup.programs import Failed, say
from deploy.backup.restic import Restic
from deploy.backup.settings import Settings

TAG: Final = "ledger"
NAME: Final = "ledger"
COPIES: Final = 20
"""Each holds the whole ledger, and some are kept so that one damaged pack is not the end; for good, not for 35 days."""


def ship(settings: Settings) -> bool:
    """Bring what is new off the machine; return whether there was anything. Raises Failed."""
    here = read_as_owner(settings.ledger)
    restic = Restic(settings.main, settings.cache)
    there = shipped(restic)
    if not here.startswith(there):
        raise Failed(
            "Shipping the erasure ledger",
            f"{settings.ledger} does not begin as its shipped copy does: it was cut or rewritten; nothing is shipped",
            "find out who did it; `deploy/restore --only ledger` puts this one aside and brings the shipped one back",
        )
    if here == there:
        return False
    snapshot = restic.keep([here], name=NAME, tag=TAG)
    say(f"Shipped the erasure ledger ({len(here):,} bytes) as snapshot {snapshot}.")
    return True


def shipped(restic: Restic) -> bytes:
    """Return the newest copy that left the machine, empty when none did."""
    copies = restic.snapshots(TAG)
    return b"".join(restic.read(copies[-1], NAME)) if copies else b""
