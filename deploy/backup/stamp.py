"""Writes down when each database was backed up last, for the overview of the back-office. Names nothing but times."""

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from deploy.backup.owner import as_owner
from deploy.backup.programs import Failed


def write(file: Path, times: dict[str, datetime]) -> None:
    """Set the times of these repositories and leave the others as they are; readers see all of it or what was before.

    Raises Failed.
    """
    try:
        as_owner(file.parent, _write, file, {name: time.isoformat() for name, time in times.items()})
    except (OSError, Failed) as error:
        raise Failed(
            "Writing down when", error.said if isinstance(error, Failed) else f"{file}: {error.strerror}",
            "the backup itself is made; let the user who makes backups write there, or set IBANSE_BACKUP_STAMP",
        ) from None  # fmt: skip


def _write(file: Path, times: dict[str, str]) -> None:
    known: dict[str, str] = {}
    # A stamp that cannot be read tells nothing; what it told of the other repository is told again by its next backup.
    with suppress(OSError, ValueError):
        known = dict(json.loads(file.read_text(encoding="utf-8")))
    draft = file.with_name(f"{file.name}.new")
    draft.write_text(json.dumps(known | times), encoding="utf-8")
    # The site runs as another user.
    draft.chmod(0o644)
    os.replace(draft, file)  # noqa: PTH105 - replaces whatever is there, on every system
