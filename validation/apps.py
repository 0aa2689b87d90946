"""What the customers come for: the verdict on an IBAN."""

from django.apps import AppConfig


class Validation(AppConfig):
    """The validation app."""

    name = "validation"
