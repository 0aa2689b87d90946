"""manage.py describe_data: writes deploy/data.md, the list of every field that is kept."""

from django.conf import settings
from django.core.management.base import BaseCommand

from privacy import kept_fields


class Command(BaseCommand):
    """Write the list of all fields."""

    help = "Write deploy/data.md from privacy/kept_fields.py."

    def handle(self, **_options: object) -> None:
        """Write the file and name it."""
        path = settings.BASE_DIR / "deploy" / "data.md"
        path.write_text(kept_fields.as_markdown(), encoding="utf-8")
        self.stdout.write(f"Wrote {path}.")
