"""manage.py describe_data: writes deploy/data.md, the list of every stored field."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from privacy.inventory import data_map


class Command(BaseCommand):
    """Write the list of all fields."""

    help = "Write deploy/data.md from the declarations of personal data."

    def handle(self, **options: Any) -> None:
        """Write the file and print its path."""
        path = settings.BASE_DIR / "deploy" / "data.md"
        text = data_map.as_markdown()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            # Several runs of the tests may write it at once, so the file is replaced as a whole.
            temporary = path.with_suffix(f".md.{os.getpid()}")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        if options["verbosity"]:
            self.stdout.write(f"Wrote {path}.")
