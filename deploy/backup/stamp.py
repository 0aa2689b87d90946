"""Writes down when each database was backed up last, for the overview of the back-office. Names nothing but times."""

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from deploy.backup.programs import Failed


def write(file: Path, times: dict[str, datetime]) -> None:
    """Set the times of these repositories and leave the others as they are; readers see all of it or what was before.

    Raises Failed.
    """
    known: dict[str, str] = {}
    # A stamp that cannot be read tells nothing; what it told of the other repository is told again by its next backup.
    with suppress(OSError, ValueError):
        known = dict(json.loads(file.read_text(encoding="ascii")))
    known |= {name: time.isoformat() for name, time in times.items()}
    draft = file.with_name(f"{file.name}.new")
    try:
        draft.write_text(json.dumps(known), encoding="ascii")
        # The site runs as another user.
        draft.chmod(0o644)
        os.replace(draft, file)  # noqa: PTH105 - replaces whatever is there, on every system
    except OSError as error:
        raise Failed(
            "Writing down when", f"{file}: {error.strerror}",
            "the backup itself is made; let the user who makes backups write there, or set IBANSE_BACKUP_STAMP",
        ) from None  # fmt: skip
