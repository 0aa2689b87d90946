"""Metrics of the machine around the service: its backups and its certificate. See ibanse/monitoring/sampling.py.

What cannot be seen is not measured, and then shown as unknown: nothing here says that all is well without having
looked.
"""

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from ibanse.management.commands import check_certificate
from ibanse.monitoring.sampling import Measure, Measured

NGINX: Final = "127.0.0.1:443"
BACKED_UP: Final = ("main", "keyring")
_DAY: Final = 24 * 3600


def backup(now: datetime) -> Iterator[Measured]:
    """Yield the age in seconds of the last good backup: of the older one, since one without the other is none.

    deploy/backup writes down when, on the machine that makes them. Raises OSError when what it wrote cannot be read.
    """
    try:
        text = settings.BACKUP_STAMP.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    try:
        stamps = json.loads(text)
        times = [datetime.fromisoformat(stamps[name]) for name in BACKED_UP if name in stamps]
    except (ValueError, TypeError) as error:
        raise OSError(f"{settings.BACKUP_STAMP} does not say when") from error
    if len(times) == len(BACKED_UP):
        yield Measured("backup", max(0, int((now - min(times).astimezone(UTC)).total_seconds())))


def certificate(now: datetime) -> Iterator[Measured]:
    """Yield what is left of the life of the certificate that nginx shows here, in percent and in days.

    Nothing is left of one that nobody trusts. Raises OSError when nobody shows one.
    """
    if settings.EMBEDDED:
        return
    try:
        begins, ends = check_certificate.life(urlsplit(settings.SITE_URL).hostname or "", NGINX, None)
    except ssl.SSLCertVerificationError:
        begins, ends = 0, 0
    left = max(0.0, ends - now.timestamp())
    yield Measured("certificate", int(100 * left / (ends - begins)) if left else 0, is_of_node=True)
    yield Measured("certificate_days", int(left // _DAY), is_of_node=True)


MEASURES: Final[tuple[Measure, ...]] = (backup, certificate)
