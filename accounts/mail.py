"""Mails, rendered in the recipient's language as text and HTML, sent when the transaction has been committed."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import Error, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts import counters
from accounts.models import Client, User

log = logging.getLogger(__name__)


def send_on_commit(template: str, *, to: str, language: str, context: Mapping[str, object]) -> None:
    """Send templates/emails/<template>.txt and .html on commit, or at once outside of a transaction.

    The first line of the text is the subject, after "Subject: ". A failing mail server does not undo the action: the
    failure is logged without the recipient. Times in mails are UTC and say so.
    """
    with translation.override(language or settings.LANGUAGE_CODE), timezone.override(UTC):
        text = render_to_string(f"emails/{template}.txt", dict(context))
        html = render_to_string(f"emails/{template}.html", dict(context))
    subject, body = _subject_and_body(text)
    mail = EmailMultiAlternatives(subject, body, to=[to])
    mail.attach_alternative(html, "text/html")
    transaction.on_commit(lambda: _send(mail, template))


def send_to_owners_on_commit(client: Client, template: str, *, context: Mapping[str, object]) -> int:
    """Send a mail to every owner of the client who can sign in, each in their language; return how many those are."""
    owners = active_owners(client)
    for owner in owners:
        send_on_commit(template, to=owner.email, language=owner.language, context=context)
    return len(owners)


def active_owners(client: Client) -> list[User]:
    """Return the owners who are mailed: those who can sign in."""
    return list(User.objects.filter(client=client, role=User.Role.OWNER, is_active=True))


def send_plain(template: str, *, to: str, reply_to: str, context: Mapping[str, object]) -> bool:
    """Send templates/emails/<template>.txt now, as text alone and in the site's first language, and return whether the
    mail server took it.

    For text from visitors, which must not be rendered as HTML. `reply_to` is one address, validated by a form.
    """
    with translation.override(settings.LANGUAGE_CODE), timezone.override(UTC):
        subject, body = _subject_and_body(render_to_string(f"emails/{template}.txt", dict(context)))
    return _send(EmailMessage(subject, body, to=[to], reply_to=[reply_to]), template)


def _subject_and_body(text: str) -> tuple[str, str]:
    first, _, body = text.partition("\n")
    return first.removeprefix("Subject: ").strip(), body.strip() + "\n"


def _send(mail: EmailMessage, template: str) -> bool:
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        # Not the exception itself: its text may contain the recipient.
        log.error("The mail %s could not be sent: %s", template, type(error).__name__)
        counters.count("unsent", template)
        with suppress(Error):
            counters.flush()  # A command has no background thread that would do it later.
        return False
    return True
