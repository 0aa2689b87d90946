"""The command that makes a first call with a new key."""

from django.conf import settings


def command(key_text: str) -> str:
    """Return a call with this key that works unchanged in the shells of Linux and macOS."""
    return (
        f"curl {settings.SITE_URL}/api/v1/validate -H 'Authorization: Bearer {key_text}' "
        """-H 'Content-Type: application/json' -d '{"iban": "SE45 5000 0000 0583 9825 7466"}'"""
    )
