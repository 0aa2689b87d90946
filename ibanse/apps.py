"""The site as an app: it registers the system checks."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Registers the system checks when Django is ready."""

    name = "ibanse"

    def ready(self) -> None:
        """Import the checks, which register themselves."""
        from ibanse import checks  # noqa: F401, PLC0415 - importing is what registers
