"""A private PostgreSQL for a benchmark of pages, and Django set up on it. Knows no page and no rows."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import django

from tests.support import services

ROOT: Final = Path(__file__).resolve().parents[2]


def run(module: str) -> None:
    """Run a benchmark's module as a process of its own, on a durable PostgreSQL that is removed afterwards."""
    services.install(["postgresql"])
    try:
        with services.postgresql(durable=True) as url, tempfile.TemporaryDirectory(prefix="ibanse-bench-") as folder:
            Path(folder, "static").mkdir()
            mails = f"file://{folder}/mails"
            environment = services.environment(DATABASE_URL=url, IBANSE_DATA_DIR=folder, EMAIL_URL=mails)
            subprocess.run([sys.executable, "-m", module], env=environment, cwd=ROOT, check=True)
    except services.ServiceError as error:
        sys.exit(f"  Not measured: {error}")


def prepare() -> None:
    """Set up Django in that process, so that models can be imported; make the tables and let pages be rendered."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
    django.setup()
    # Settings are read only from here on.
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS.append("testserver")
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    for database in settings.DATABASES:
        call_command("migrate", database=database, verbosity=0)
