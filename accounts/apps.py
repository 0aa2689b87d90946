"""Clients, their users, and the door they sign in through."""

from django.apps import AppConfig


class Accounts(AppConfig):
    """The accounts app."""

    name = "accounts"
