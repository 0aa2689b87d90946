"""The certificate that nginx presents to callers of the site: a renewed one that was never loaded is noticed, too."""

import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

NGINX: Final = "127.0.0.1:443"


def site_name() -> str:
    """Return the name that callers use."""
    return urlsplit(settings.SITE_URL).hostname or ""


def validity(name: str, listener: str, *, trust: str | None = None) -> tuple[float, float]:
    """Return the first and the last second (Unix time) of the certificate that `listener` presents for `name`.

    `trust` is a file with authorities to trust instead of the machine's. Raises ssl.SSLCertVerificationError when the
    certificate is not trusted, and OSError when nothing answers.
    """
    host, _, port = listener.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        ssl.create_default_context(cafile=trust).wrap_socket(plain, server_hostname=name) as connection,
    ):
        certificate = connection.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(certificate["notBefore"])), ssl.cert_time_to_seconds(
        str(certificate["notAfter"])
    )
