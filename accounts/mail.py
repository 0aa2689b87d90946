"""Mails: rendered in the reader's language as text and HTML, sent when the deed they tell of is certain."""

import logging
from collections.abc import Mapping
from datetime import UTC
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

log = logging.getLogger(__name__)


def send_on_commit(template: str, *, to: str, language: str, context: Mapping[str, object]) -> None:
    """Send templates/emails/<template>.txt and .html once the transaction is certain, or at once outside of one.

    The first line of the text is the subject, after "Subject: ". A mail server in trouble does not undo the deed: the
    failure is logged without the address. Times in mails are UTC, and say so.
    """
    with translation.override(language or settings.LANGUAGE_CODE), timezone.override(UTC):
        text = render_to_string(f"emails/{template}.txt", dict(context))
        html = render_to_string(f"emails/{template}.html", dict(context))
    first, _, body = text.partition("\n")
    mail = EmailMultiAlternatives(first.removeprefix("Subject: ").strip(), body.strip() + "\n", to=[to])
    mail.attach_alternative(html, "text/html")
    transaction.on_commit(lambda: _send(mail, template))


def _send(mail: EmailMultiAlternatives, template: str) -> None:
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        # Not the exception itself: its text may hold the address.
        log.error("The mail %s could not be sent: %s", template, type(error).__name__)  # noqa: TRY400
