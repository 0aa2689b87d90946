"""Metrics of the service: collected, stored by the hour, judged and drawn."""
