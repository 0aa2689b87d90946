"""manage.py check_certificate: fails and mails the operator while there is time to renew the site's certificate."""

import ssl
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from smtplib import SMTPException
from typing import Final, NoReturn

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand, CommandError

from ibanse.monitoring import certificate

# certbot renews at half of its life (deploy/nginx/certificate-renewed): below this, renewing has failed for days, and a
# third of the life is still to come.
ALARM_BELOW: Final = 0.4
_DAY: Final = 24 * 3600
_REMEDY: Final = (
    "Look at what `certbot renew` says; after it has renewed, `systemctl reload nginx` loads the new certificate."
)


class Command(BaseCommand):
    """Look at the certificate that nginx presents."""

    help = "Fail, and mail IBANSE_CONTACT_ADDRESS, when less than 40 % of the life of the site's certificate is left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where nginx listens, and which authorities to trust."""
        parser.add_argument("--connect", default=certificate.NGINX, help=f"where nginx listens ({certificate.NGINX})")
        parser.add_argument("--trust", help="a file with authorities to trust instead of the machine's")

    def handle(self, *, connect: str, trust: str | None, **_options: object) -> None:
        """Print until when the certificate is valid; otherwise mail what is wrong and fail with it."""
        name = certificate.site_name()
        try:
            begins, ends = certificate.validity(name, connect, trust=trust)
        except ssl.SSLCertVerificationError as error:
            self._alarm(f"Nobody trusts the certificate of {name}: {error.verify_message}.")
        except OSError as error:
            self._alarm(f"The certificate of {name} cannot be seen at {connect}: {error.strerror or error}.")
        left = ends - time.time()
        status = (
            f"The certificate of {name} is valid until {datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M} (UTC): "
            f"{left / _DAY:.0f} of {(ends - begins) / _DAY:.0f} days are left."
        )
        if left < ALARM_BELOW * (ends - begins):
            self._alarm(f"{status} It should have been renewed.")
        self.stdout.write(status)

    def _alarm(self, trouble: str) -> NoReturn:
        text = f"{trouble} {_REMEDY}"
        if settings.CONTACT_ADDRESS:
            try:
                EmailMessage("[ibanse] The certificate is in danger", f"{text}\n", to=[settings.CONTACT_ADDRESS]).send()
            except (SMTPException, OSError) as error:
                text += f" This could not be mailed ({type(error).__name__})."
        raise CommandError(text)
