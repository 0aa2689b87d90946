"""manage.py describe_data: writes deploy/data.md, the list of every field that is kept."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from privacy.inventory import tables


class Command(BaseCommand):
    """Write the list of all fields."""

    help = "Write deploy/data.md from privacy/inventory/tables.py."

    def handle(self, **options: Any) -> None:
        """Write the file and name it."""
        path = settings.BASE_DIR / "deploy" / "data.md"
        text = tables.as_markdown()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            # Several runs of the tests may write it at once: each replaces the file as a whole.
            temporary = path.with_suffix(f".md.{os.getpid()}")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        if options["verbosity"]:
            self.stdout.write(f"Wrote {path}.")
