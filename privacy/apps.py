"""What clients decide about their data: what is kept, for how long, and what they take along."""

from django.apps import AppConfig


class Privacy(AppConfig):
    """The app of privacy settings and exports."""

    name = "privacy"
