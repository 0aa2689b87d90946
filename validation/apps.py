"""What the customers come for: the verdict on an IBAN."""

from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from validation.engine import british


class Validation(AppConfig):
    """Brings Pay.UK's tables into use when Django is ready."""

    name = "validation"

    def ready(self) -> None:
        """Load the British tables, if the operator named their folder; one bad line stops the start."""
        if not settings.BRITISH_TABLES:
            return
        try:
            tables = british.load(Path(settings.BRITISH_TABLES))
        except british.TablesError as error:
            raise ImproperlyConfigured(str(error)) from error
        british.use(tables)
