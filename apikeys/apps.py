"""API keys of clients, and the limits that hang on them."""

from django.apps import AppConfig


class ApiKeys(AppConfig):
    """The app of API keys."""

    name = "apikeys"
    verbose_name = "API keys"
