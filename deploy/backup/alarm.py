"""Mails the operator what went wrong with a backup. Contains no secret; the same text is in the journal."""

import os
import socket

from deploy.backup.programs import report
from deploy.backup.settings import Source


def raise_alarm(subject: str, text: str, source: Source) -> None:
    """Mail to IBANSE_BACKUP_ALARM_TO, if set, through the site's EMAIL_URL; a failing mail never hides the alarm."""
    to = source.text("IBANSE_BACKUP_ALARM_TO", "")
    if not to:
        return
    try:
        _mail(to, f"[ibanse {socket.gethostname()}] {subject}", text, source)
    except Exception as error:  # noqa: BLE001 - whatever fails here, the alarm itself must reach the journal
        report(f"The alarm could not be mailed to {to} ({type(error).__name__}): check EMAIL_URL.")


def _mail(to: str, subject: str, text: str, source: Source) -> None:
    # Imported here, since everything else must run on a machine without Django too.
    from django.conf import settings
    from django.core.mail import EmailMessage

    from ibanse.config import mail_url

    credential = source.credential("EMAIL_URL")
    url = os.environ.get("EMAIL_URL") or (credential.read_text(encoding="utf-8").strip() if credential else "")
    server = mail_url.parse(url or "smtp://localhost")
    if not settings.configured:
        settings.configure(
            EMAIL_BACKEND=server.backend, EMAIL_FILE_PATH=server.folder, EMAIL_HOST=server.host, EMAIL_PORT=server.port,
            EMAIL_HOST_USER=server.user, EMAIL_HOST_PASSWORD=server.password, EMAIL_USE_TLS=server.starttls,
            EMAIL_USE_SSL=server.tls, EMAIL_TIMEOUT=20, DEFAULT_CHARSET="utf-8", USE_TZ=True,
        )  # fmt: skip
    EmailMessage(subject, text, os.environ.get("IBANSE_MAIL_FROM", f"ibanse@{socket.gethostname()}"), [to]).send()
