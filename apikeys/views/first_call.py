"""The line by which somebody who has a new key makes their first call."""

from django.conf import settings


def line(text: str) -> str:
    """Return a call with this key that works as it stands in the shells of Linux and macOS."""
    return (
        f"curl {settings.SITE_URL}/api/v1/validate -H 'Authorization: Bearer {text}' "
        """-H 'Content-Type: application/json' -d '{"iban": "SE45 5000 0000 0583 9825 7466"}'"""
    )
