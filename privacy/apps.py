"""The Django app for what clients decide about their data: logging, retention, export, deletion."""

from django.apps import AppConfig


class Privacy(AppConfig):
    """The app of privacy settings and exports."""

    name = "privacy"
