"""Ships the erasure ledger off the machine. It only ever grows: a restore must not rewind it.

Each shipped copy must begin with the one before it, byte for byte. So a ledger that was cut or rewritten here does not
replace the shipped copy, and is reported instead.
"""

from typing import Final

from deploy.backup.owner import read_as_owner
from deploy.backup.programs import StepFailed, report
from deploy.backup.restic import Restic
from deploy.backup.settings import Settings

TAG: Final = "ledger"
NAME: Final = "ledger"
COPIES: Final = 20
"""Each contains the whole ledger; several protect against a damaged pack. They are not limited to 35 days."""


def ship(settings: Settings) -> bool:
    """Ship what is new; return whether there was anything. Raises StepFailed."""
    local = read_as_owner(settings.ledger)
    restic = Restic(settings.main, settings.cache)
    remote = shipped(restic)
    if not local.startswith(remote):
        raise StepFailed(
            "Shipping the erasure ledger",
            f"{settings.ledger} does not begin like its shipped copy: it was cut or rewritten; nothing is shipped",
            "find out who did it; `deploy/restore --only ledger` renames this one and restores the shipped one",
        )
    if local == remote:
        return False
    snapshot = restic.store([local], name=NAME, tag=TAG)
    report(f"Shipped the erasure ledger ({len(local):,} bytes) as snapshot {snapshot}.")
    return True


def shipped(restic: Restic) -> bytes:
    """Return the newest shipped copy, empty when there is none."""
    copies = restic.snapshots(TAG)
    return b"".join(restic.read(copies[-1], NAME)) if copies else b""
