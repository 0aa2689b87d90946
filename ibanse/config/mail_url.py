"""EMAIL_URL: the mail server. Strict, since a mail that goes nowhere is noticed too late."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BACKENDS: Final = "django.core.mail.backends"
# The scheme says how the connection is encrypted: not at all, after a greeting, or from the first byte.
SMTP_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
EXPLAINED: Final = (
    "EMAIL_URL must be console:, file:///folder, or smtp+tls://user:password@host:587 (smtp+ssl:// for TLS from the "
    "first byte, smtp:// without). See deploy/settings.md."
)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """What Django needs to send a mail."""

    backend: str
    folder: str | None = None
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def parse(url: str) -> MailSettings:
    """Return what `url` means. Raises ImproperlyConfigured, without repeating the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(EXPLAINED) from None
    if parts.query or parts.fragment:
        raise ImproperlyConfigured(EXPLAINED)
    if parts.scheme == "console" and not (parts.netloc or parts.path):
        return MailSettings(f"{BACKENDS}.console.EmailBackend")
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return MailSettings(f"{BACKENDS}.filebased.EmailBackend", folder=unquote(parts.path))
    if parts.scheme in SMTP_PORTS and parts.hostname and parts.path in ("", "/"):
        return _smtp(parts, port or SMTP_PORTS[parts.scheme])
    raise ImproperlyConfigured(EXPLAINED)


def _smtp(parts: SplitResult, port: int) -> MailSettings:
    return MailSettings(
        f"{BACKENDS}.smtp.EmailBackend",
        host=parts.hostname or "",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+tls",
        tls=parts.scheme == "smtp+ssl",
    )
