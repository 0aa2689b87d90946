"""manage.py collect_metrics: measures how the service is doing, for the overview of the back-office; run by a timer."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ibanse.monitoring import sampling


class Command(BaseCommand):
    """Collect metrics now."""

    help = "Measure how the service is doing, for the overview of the back-office. Run it every five minutes."

    def handle(self, **_options: object) -> None:
        """Measure and store everything; fail with the names of what could not be measured, when the rest is stored."""
        failures = sampling.take(timezone.now())
        if failures:
            named = ", ".join(f"{failure.measure} ({failure.error})" for failure in failures)
            raise CommandError(f"Not measured: {named}. Everything else was.")
        self.stdout.write("Metrics are collected.")
