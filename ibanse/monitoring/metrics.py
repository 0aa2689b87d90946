"""The table of metrics: what each one is, who may see it, when it needs attention, and what helps then.

The permissions are those of the model Metric; accounts/staff/groups.py gives them to staff groups.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ibanse.monitoring.series import Aggregation, counter, daily_total, gauge
from ibanse.monitoring.thresholds import Thresholds


class Unit(StrEnum):
    """The unit of a value."""

    NUMBER = "number"
    BYTES = "bytes"
    PERCENT = "percent"
    SECONDS = "seconds"
    """A duration, shown in hours and days."""
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class HelpPage:
    """A page of the back-office on which something can be done about a metric."""

    url: str
    """The name of its URL."""
    label: Promise
    permission: str
    """Without it no link is shown."""
    query: str = ""


@dataclass(frozen=True, slots=True)
class HelpCommand:
    """A command that helps on the server, and where it is explained."""

    command: str
    section: str
    """The file and its heading; not translated, since the file is not."""


@dataclass(frozen=True, slots=True)
class MetricKind:
    """One metric: the rows with its `name` and `part`; of a counter the sum over all parts."""

    section: str
    name: str
    title: Promise
    permission: str
    help: HelpPage | HelpCommand
    part: str = ""
    unit: Unit = Unit.NUMBER
    aggregate: Aggregation = gauge
    thresholds: Thresholds | None = None
    """None: neither good nor bad."""
    companion: tuple[str, Unit] | None = None
    """Another metric that shows the same in another unit."""
    only_in_production: bool = False

    @property
    def is_per_hour(self) -> bool:
        """Whether a value covers a span of time, which is not complete in the current hour."""
        return self.aggregate is not gauge

    @property
    def key(self) -> str:
        """Its id in a page."""
        return f"{self.name}-{self.part}" if self.part else self.name


SECTIONS: Final[dict[str, Promise]] = {
    "clients": _("Clients"),
    "calls": _("Calls and sign-ins"),
    "queues": _("Queues"),
    "machines": _("Databases and disks"),
    "safety": _("Backups and certificate"),
}

_MEGABYTE: Final = 1024 * 1024
_HOUR_SECONDS: Final = int(timedelta(hours=1).total_seconds())
_HELP: Final = "deploy/README.md, “When something is wrong”"
_SERVICE_LOG: Final = HelpCommand("journalctl --unit ibanse --lines 50", _HELP)
_DISKS: Final = HelpCommand(
    "df --human-readable /var/lib/ibanse /var/log/ibanse", "deploy/README.md, “Files and users”"
)
_TABLES: Final = HelpCommand("/opt/ibanse/current/deploy/manage prune_expired", "deploy/commands.md, “Databases”")
_DELETIONS: Final = HelpCommand("journalctl --unit ibanse-execute-deletions --lines 50", _HELP)


def _clients(state: str, title: Promise) -> MetricKind:
    page = HelpPage(
        "admin:accounts_client_changelist",
        _("Show these clients"),
        "accounts.view_client",
        f"?state__exact={state}",
    )
    return MetricKind("clients", "clients", title, "read_clients", page, part=state)


def _free(part: str, title: Promise) -> MetricKind:
    return MetricKind(
        "machines",
        "free_share",
        title,
        "read_machines",
        _DISKS,
        part=part,
        unit=Unit.PERCENT,
        # A full disk stops calls (spool), data copies and logs; a tenth lasts a busy service some hours.
        thresholds=Thresholds(attention=20, critical=10),
        companion=("free", Unit.BYTES),
    )


KINDS: Final[tuple[MetricKind, ...]] = (
    _clients("active", _("Active clients")),
    _clients("suspended", _("Suspended clients")),
    _clients("closing", _("Clients awaiting deletion")),
    _clients("gone", _("Clients being deleted")),
    MetricKind(
        "calls",
        "calls",
        _("Answered API calls"),
        "read_usage",
        HelpPage("admin:accounts_usageday_changelist", _("Show by client and day"), "accounts.view_usageday"),
        aggregate=daily_total,
    ),
    MetricKind(
        "calls",
        "refused",
        _("Refused API calls"),
        "read_refusals",
        HelpPage("admin:refused_calls", _("Show by reason"), "accounts.read_refusals"),
        aggregate=counter,
        # A program with an expired key is refused some hundred times an hour; guessing keys takes thousands.
        thresholds=Thresholds(attention=500, critical=5_000),
    ),
    MetricKind(
        "calls",
        "sign_ins",
        _("Failed sign-ins"),
        "read_refusals",
        HelpPage("admin:guard_block_changelist", _("Show blocked IP addresses"), "guard.view_block"),
        aggregate=counter,
        # People mistype some dozens of passwords an hour; more is somebody trying a list of stolen ones.
        thresholds=Thresholds(attention=50, critical=500),
    ),
    MetricKind(
        "queues",
        "jobs",
        _("Client data copies to be created"),
        "read_queues",
        _SERVICE_LOG,
        part="exports",
        thresholds=Thresholds(attention=5, critical=20),
    ),
    MetricKind(
        "queues",
        "mails",
        _("Contact page messages not yet sent"),
        "read_queues",
        HelpCommand("/opt/ibanse/current/deploy/manage mail_messages", _HELP),
        # Sending takes some seconds; what the mail server refuses is tried again every ten minutes.
        thresholds=Thresholds(attention=1, critical=5),
    ),
    MetricKind(
        "queues",
        "unsent",
        _("E-mails the mail server did not accept"),
        "read_queues",
        HelpCommand("journalctl --unit ibanse --grep 'could not be sent' --lines 50", _HELP),
        aggregate=counter,
        # They are lost, except for messages of the contact page; many mean that the server is unreachable.
        thresholds=Thresholds(attention=1, critical=10),
    ),
    MetricKind("queues", "deletions", _("Scheduled deletions"), "read_queues", _DELETIONS, part="waiting"),
    MetricKind(
        "queues",
        "deletions",
        _("Overdue deletions"),
        "read_queues",
        _DELETIONS,
        part="overdue",
        thresholds=Thresholds(attention=1, critical=1),
    ),
    MetricKind(
        "queues",
        "spool",
        _("Call records not yet in the database"),
        "read_queues",
        _SERVICE_LOG,
        unit=Unit.BYTES,
        # A second's worth is normal; from 8 MB on the writer falls behind, or the database is unreachable.
        thresholds=Thresholds(attention=8 * _MEGABYTE, critical=64 * _MEGABYTE),
    ),
    MetricKind("machines", "database", _("The database"), "read_machines", _TABLES, part="site", unit=Unit.BYTES),
    MetricKind("machines", "database", _("The keyring"), "read_machines", _TABLES, part="keyring", unit=Unit.BYTES),
    _free("spool", _("Free disk space for the spool")),
    _free("exports", _("Free disk space for client data copies")),
    _free("logs", _("Free disk space for the logs")),
    MetricKind(
        "safety",
        "backup",
        _("Since the last successful backup"),
        "read_machines",
        HelpCommand(
            "journalctl --unit ibanse-backup --lines 50", "deploy/backup/README.md, “Every night, every morning”"
        ),
        unit=Unit.SECONDS,
        # As in deploy/backup/check.py: a day and the delay of the timer; then two days.
        thresholds=Thresholds(attention=26 * _HOUR_SECONDS, critical=50 * _HOUR_SECONDS),
    ),
    MetricKind(
        "safety",
        "certificate",
        _("Remaining validity of the certificate"),
        "read_machines",
        HelpCommand("certbot renew", "deploy/README.md, “The first time”, step 5"),
        unit=Unit.PERCENT,
        # Renewed at half of its life; check_certificate raises the alarm at 40 %.
        thresholds=Thresholds(attention=40, critical=20),
        companion=("certificate_days", Unit.DAYS),
        only_in_production=True,
    ),
)
