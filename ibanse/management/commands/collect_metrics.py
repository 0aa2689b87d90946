"""manage.py collect_metrics: measures how the service is doing, for the overview of the back-office; run by a timer."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ibanse.monitoring import sampling


class Command(BaseCommand):
    """Collect metrics now."""

    help = "Measure how the service is doing, for the overview of the back-office. Run it every five minutes."

    def handle(self, **_options: object) -> None:
        """Store every metric; then fail with the names of those that could not be measured."""
        failures = sampling.collect(timezone.now())
        if failures:
            names = ", ".join(f"{failure.collector} ({failure.error})" for failure in failures)
            raise CommandError(f"Not measured: {names}. Everything else was.")
        self.stdout.write("Metrics are collected.")
