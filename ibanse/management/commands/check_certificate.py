"""manage.py check_certificate: fails and mails the operator while there is time to renew the site's certificate.

It asks nginx, as a caller would: so a certificate is noticed, too, that was renewed and never loaded.
"""

import socket
import ssl
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from smtplib import SMTPException
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand, CommandError

# certbot renews at half of its life (deploy/nginx/certificate-renewed): whoever gets this far has failed for days, and
# a third of the life is still to come.
ALARM_BELOW = 0.4
_DAY = 24 * 3600
_REMEDY = "Look at what `certbot renew` says; after it has renewed, `systemctl reload nginx` loads the new one."


class Command(BaseCommand):
    """Look at the certificate that nginx shows."""

    help = "Fail, and mail IBANSE_CONTACT_ADDRESS, when less than 40 % of the life of the site's certificate is left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where nginx is, and whom to trust."""
        parser.add_argument("--connect", default="127.0.0.1:443", help="where nginx listens (127.0.0.1:443)")
        parser.add_argument("--trust", help="a file with authorities to trust instead of the machine's")

    def handle(self, *, connect: str, trust: str | None, **_options: object) -> None:
        """Say until when the certificate is valid; otherwise mail what is wrong and fail with it."""
        name = urlsplit(settings.SITE_URL).hostname or ""
        try:
            begins, ends = life(name, connect, trust)
        except ssl.SSLCertVerificationError as error:
            self._alarm(f"Nobody trusts the certificate of {name}: {error.verify_message}.")
        except OSError as error:
            self._alarm(f"The certificate of {name} cannot be seen at {connect}: {error.strerror or error}.")
        left = ends - time.time()
        told = (
            f"The certificate of {name} is valid until {datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M} (UTC): "
            f"{left / _DAY:.0f} of {(ends - begins) / _DAY:.0f} days are left."
        )
        if left < ALARM_BELOW * (ends - begins):
            self._alarm(f"{told} It should have been renewed.")
        self.stdout.write(told)

    def _alarm(self, trouble: str) -> None:
        told = f"{trouble} {_REMEDY}"
        if settings.CONTACT_ADDRESS:
            try:
                EmailMessage("[ibanse] The certificate is in danger", f"{told}\n", to=[settings.CONTACT_ADDRESS]).send()
            except (SMTPException, OSError) as error:
                told += f" This could not be mailed ({type(error).__name__})."
        raise CommandError(told)


def life(name: str, place: str, trust: str | None) -> tuple[float, float]:
    """Return the first and the last second (Unix time) of the certificate that `place` shows to callers of `name`.

    Raises ssl.SSLCertVerificationError when it is not to be trusted, and OSError when nobody answers.
    """
    host, _, port = place.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        ssl.create_default_context(cafile=trust).wrap_socket(plain, server_hostname=name) as connection,
    ):
        shown = connection.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(shown["notBefore"])), ssl.cert_time_to_seconds(str(shown["notAfter"]))
