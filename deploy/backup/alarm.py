"""Tells the operator by mail what went wrong with a backup. Names no secret; the journal has the same words anyway."""

import os
import socket

from deploy.backup.programs import say
from deploy.backup.settings import Source


def raise_alarm(subject: str, text: str, source: Source) -> None:
    """Mail to IBANSE_BACKUP_ALARM_TO, if set, by the site's EMAIL_URL; a failing mail never hides what it is about."""
    to = source.text("IBANSE_BACKUP_ALARM_TO", "")
    if not to:
        return
    try:
        _mail(to, f"[ibanse {socket.gethostname()}] {subject}", text, source)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the mail, the journal must still get the alarm
        say(f"The alarm could not be mailed to {to} ({type(error).__name__}): look at EMAIL_URL.")


def _mail(to: str, subject: str, text: str, source: Source) -> None:
    # Only here: everything else must run on a machine without Django too.
    from django.conf import settings
    from django.core.mail import EmailMessage

    from ibanse.config import mail_url

    credential = source.credential("EMAIL_URL")
    url = os.environ.get("EMAIL_URL") or (credential.read_text(encoding="utf-8").strip() if credential else "")
    told = mail_url.parse(url or "smtp://localhost")
    if not settings.configured:
        settings.configure(
            EMAIL_BACKEND=told.backend, EMAIL_FILE_PATH=told.folder, EMAIL_HOST=told.host, EMAIL_PORT=told.port,
            EMAIL_HOST_USER=told.user, EMAIL_HOST_PASSWORD=told.password, EMAIL_USE_TLS=told.starttls,
            EMAIL_USE_SSL=told.tls, EMAIL_TIMEOUT=20, DEFAULT_CHARSET="utf-8", USE_TZ=True,
        )  # fmt: skip
    EmailMessage(subject, text, os.environ.get("IBANSE_MAIL_FROM", f"ibanse@{socket.gethostname()}"), [to]).send()
