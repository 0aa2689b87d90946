"""API keys of clients, and their limits."""

from django.apps import AppConfig


class ApiKeysConfig(AppConfig):
    """Names the app."""

    name = "apikeys"
    verbose_name = "API keys"
