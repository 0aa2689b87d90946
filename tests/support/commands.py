"""Management commands in tests."""

import io
from typing import Any

from django.core.management import call_command


def run_command(*command: str, **options: Any) -> str:
    """Run a management command and return its output."""
    output = io.StringIO()
    call_command(*command, stdout=output, **options)
    return output.getvalue()
