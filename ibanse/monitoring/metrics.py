"""What is read, as one table: what each reading is, who may see it, when it wants somebody, and what helps then.

The permissions are those of the model Reading; which staff group has which, says accounts/staff/groups.py.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ibanse.monitoring.series import Reckoning, counted, running, standing
from ibanse.monitoring.thresholds import Limits


class Unit(StrEnum):
    """What a value counts."""

    NUMBER = "number"
    BYTES = "bytes"
    PERCENT = "percent"
    SECONDS = "seconds"
    """How long ago."""
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the back-office on which one can do something about it."""

    url: str
    """The name of its URL."""
    label: Promise
    permission: str
    """Who has it not is shown no link."""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """What helps on the server, and where it is explained."""

    command: str
    section: str
    """The file and its heading; not translated, since the file is not."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One reading. Rows of the same `name` and `part` are it; of counted ones every part is, added up."""

    section: str
    name: str
    title: Promise
    permission: str
    place: Page | Shell
    part: str = ""
    unit: Unit = Unit.NUMBER
    reckoned: Reckoning = standing
    limits: Limits | None = None
    """None: neither good nor bad."""
    beside: tuple[str, Unit] | None = None
    """Another reading that says the same in another unit."""
    only_in_production: bool = False

    @property
    def is_per_hour(self) -> bool:
        """Whether a value tells of a span of time, which is not over yet in the hour under way."""
        return self.reckoned is not standing

    @property
    def key(self) -> str:
        """What it is called in an address."""
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
_RUNS: Final = Shell("journalctl --unit ibanse --lines 50", _HELP)
_DISKS: Final = Shell("df --human-readable /var/lib/ibanse /var/log/ibanse", "deploy/README.md, “Files and users”")
_TABLES: Final = Shell("/opt/ibanse/current/deploy/manage prune_expired", "README.md, “Commands for the operator”")
_DELETIONS: Final = Shell("journalctl --unit ibanse-execute-deletions --lines 50", _HELP)


def _clients(state: str, title: Promise) -> Kind:
    place = Page(
        "admin:accounts_client_changelist", _("Show these clients"), "accounts.view_client", f"?state__exact={state}"
    )
    return Kind("clients", "clients", title, "read_clients", place, part=state)


def _free(part: str, title: Promise) -> Kind:
    return Kind(
        "machines",
        "free_share",
        title,
        "read_machines",
        _DISKS,
        part=part,
        unit=Unit.PERCENT,
        # A full disk stops calls (spool), copies of data and logs; a tenth is some hours of a busy service.
        limits=Limits(watch=20, act=10),
        beside=("free", Unit.BYTES),
    )


KINDS: Final[tuple[Kind, ...]] = (
    _clients("active", _("Active clients")),
    _clients("suspended", _("Suspended clients")),
    _clients("closing", _("Clients awaiting deletion")),
    _clients("gone", _("Clients being deleted")),
    Kind(
        "calls",
        "calls",
        _("Answered API calls"),
        "read_usage",
        Page("admin:accounts_usageday_changelist", _("Show by client and day"), "accounts.view_usageday"),
        reckoned=running,
    ),
    Kind(
        "calls",
        "refused",
        _("Refused API calls"),
        "read_refusals",
        Page("admin:refused_calls", _("Show by reason"), "accounts.read_refusals"),
        reckoned=counted,
        # A program with an ended key is refused some hundred times an hour; guessing of keys is thousands.
        limits=Limits(watch=500, act=5_000),
    ),
    Kind(
        "calls",
        "sign_ins",
        _("Failed sign-ins"),
        "read_refusals",
        Page("admin:guard_block_changelist", _("Show blocked IP addresses"), "guard.view_block"),
        reckoned=counted,
        # People mistype some dozens of passwords an hour; more is a list of stolen ones being tried.
        limits=Limits(watch=50, act=500),
    ),
    Kind(
        "queues",
        "jobs",
        _("Client data copies to be created"),
        "read_queues",
        _RUNS,
        part="exports",
        limits=Limits(watch=5, act=20),
    ),
    Kind(
        "queues",
        "mails",
        _("Contact page messages not yet sent"),
        "read_queues",
        Shell("/opt/ibanse/current/deploy/manage mail_messages", _HELP),
        # One is on its way for some seconds; what is not taken by the mail server is tried again every ten minutes.
        limits=Limits(watch=1, act=5),
    ),
    Kind(
        "queues",
        "unsent",
        _("E-mails the mail server did not accept"),
        "read_queues",
        Shell("journalctl --unit ibanse --grep 'could not be sent' --lines 50", _HELP),
        reckoned=counted,
        # They are lost, but for messages of the contact page; more than some mean that the server is away.
        limits=Limits(watch=1, act=10),
    ),
    Kind("queues", "deletions", _("Scheduled deletions"), "read_queues", _DELETIONS, part="waiting"),
    Kind(
        "queues",
        "deletions",
        _("Overdue deletions"),
        "read_queues",
        _DELETIONS,
        part="overdue",
        limits=Limits(watch=1, act=1),
    ),
    Kind(
        "queues",
        "spool",
        _("Call records not yet in the database"),
        "read_queues",
        _RUNS,
        unit=Unit.BYTES,
        # A second's worth is normal; from 8 MB on the writer falls behind, or the database is away.
        limits=Limits(watch=8 * _MEGABYTE, act=64 * _MEGABYTE),
    ),
    Kind("machines", "database", _("The database"), "read_machines", _TABLES, part="site", unit=Unit.BYTES),
    Kind("machines", "database", _("The keyring"), "read_machines", _TABLES, part="keyring", unit=Unit.BYTES),
    _free("spool", _("Free disk space for the spool")),
    _free("exports", _("Free disk space for client data copies")),
    _free("logs", _("Free disk space for the logs")),
    Kind(
        "safety",
        "backup",
        _("Since the last successful backup"),
        "read_machines",
        Shell("journalctl --unit ibanse-backup --lines 50", "deploy/backup/README.md, “Every night, every morning”"),
        unit=Unit.SECONDS,
        # As deploy/backup/check.py has it: a day and what the timer may wander; then two days.
        limits=Limits(watch=26 * _HOUR_SECONDS, act=50 * _HOUR_SECONDS),
    ),
    Kind(
        "safety",
        "certificate",
        _("Remaining validity of the certificate"),
        "read_machines",
        Shell("certbot renew", "deploy/README.md, “The first time”, step 5"),
        unit=Unit.PERCENT,
        # Renewed at half of its life; check_certificate raises the alarm at 40 %.
        limits=Limits(watch=40, act=20),
        beside=("certificate_days", Unit.DAYS),
        only_in_production=True,
    ),
)
