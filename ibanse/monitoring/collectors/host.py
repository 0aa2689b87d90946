"""Metrics of the machine around the service: its backups and its certificate."""

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from django.conf import settings

from ibanse.monitoring import certificate
from ibanse.monitoring.collectors import MetricSample

BACKED_UP: Final = ("main", "keyring")
_DAY: Final = 24 * 3600


def last_backup(now: datetime) -> Iterator[MetricSample]:
    """Yield the age in seconds of the last good backup: of the older half, since one without the other is useless.

    deploy/backup writes the times, on the machine that makes the backups. Raises OSError when they cannot be read.
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
        yield MetricSample("backup", max(0, int((now - min(times).astimezone(UTC)).total_seconds())))


def site_certificate(now: datetime) -> Iterator[MetricSample]:
    """Yield what is left of the life of the certificate that nginx presents here, in percent and in days.

    An untrusted one counts as expired. Raises OSError when none is presented.
    """
    if settings.EMBEDDED:
        return
    try:
        begins, ends = certificate.validity(certificate.site_name(), certificate.NGINX)
    except ssl.SSLCertVerificationError:
        begins, ends = 0, 0
    left = max(0.0, ends - now.timestamp())
    yield MetricSample("certificate", int(100 * left / (ends - begins)) if left else 0, is_per_node=True)
    yield MetricSample("certificate_days", int(left // _DAY), is_per_node=True)
