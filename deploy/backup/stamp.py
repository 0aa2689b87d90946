"""Records when each database was backed up last, for the overview of the back-office. Contains only times."""

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from deploy.backup.owner import as_owner
from deploy.backup.programs import StepFailed


def write(file: Path, times: dict[str, datetime]) -> None:
    """Set the times of these repositories and leave the others, in one atomic replacement.

    Raises StepFailed.
    """
    try:
        as_owner(file.parent, _write, file, {name: time.isoformat() for name, time in times.items()})
    except (OSError, StepFailed) as error:
        raise StepFailed(
            "Recording the time", error.reason if isinstance(error, StepFailed) else f"{file}: {error.strerror}",
            "the backup itself succeeded; let the user who makes backups write there, or set IBANSE_BACKUP_STAMP",
        ) from None  # fmt: skip


def _write(file: Path, times: dict[str, str]) -> None:
    known: dict[str, str] = {}
    # An unreadable stamp is ignored; the next backup of the other repository adds its time again.
    with suppress(OSError, ValueError):
        known = dict(json.loads(file.read_text(encoding="utf-8")))
    draft = file.with_name(f"{file.name}.new")
    draft.write_text(json.dumps(known | times), encoding="utf-8")
    # The site, which reads it, runs as another user.
    draft.chmod(0o644)
    os.replace(draft, file)  # noqa: PTH105 - replaces an existing file on every system
