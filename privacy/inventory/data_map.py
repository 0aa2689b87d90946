"""deploy/data.md: every stored field with its purpose, form and retention. For operators, so in English only."""

from typing import Final

from privacy.export.exports import OFFERED_FOR
from privacy.inventory import registry

PLACES: Final = (
    (
        "the spool (IBANSE_SPOOL_DIR)",
        "counts and check records on their way to the database, sealed already",
        "seconds",
    ),
    (
        "data exports (IBANSE_EXPORT_DIR)",
        "everything about a client, sealed with its data key",
        f"{OFFERED_FOR.days * 24} hours after they are ready",
    ),
    ("the ledger of deletions (IBANSE_LEDGER)", "salted hashes of random IDs, what was deleted, times", "always"),
    ("IBANSE_DATA_DIR, embedded only", "the secrets and, with the demo, its logins; mode 0600", "until removed"),
    (
        "the cache (Redis; embedded: memory)",
        "counters of limits by IP address, user, mailbox (hashed) or key",
        "one day at most",
    ),
    (
        "the cache (Redis; embedded: memory)",
        "that a mailed code is due for a mailbox, by its keyed hash",
        "30 days at most",
    ),
    (
        "the log of the processes (IBANSE_LOG_DIR)",
        "errors, with IBANs, keys and e-mail addresses masked, sealed to an operator's key that is elsewhere",
        "30 days",
    ),
    (
        "standard error, so mostly the journal",
        "of errors time, kind and place in the code; all, masked, when the log is not sealed",
        "as the machine retains it",
    ),
)
"""What is stored outside the databases: where, what, how long."""


def as_markdown() -> str:
    """Return deploy/data.md."""
    lines = [
        "# What is stored, field by field",
        "",
        "Written by `manage.py describe_data` from the declarations in each app's `personal_data`; a test compares",
        "them with the models, and the table on *Settings → Security and privacy* derives from the same declarations.",
        "*sealed*: AES-256-GCM under the account's own data key, which is in the keyring; *hash*: nothing can be read",
        "from it; *clear*: as it is.",
    ]
    for table in registry.tables():
        lines += ["", f"## {table.label}", "", f"Retained until: {table.until}.", ""]
        if table.not_exported:
            lines += [f"Not exported: {table.not_exported}.", ""]
        lines += ["| field | what it is | form | why | exported as |", "|---|---|---|---|---|"]
        for field in table.fields:
            columns = ", ".join(column.name for column in field.columns)
            lines.append(f"| {field.name} | {field.what} | {field.form} | {field.why} | {columns} |")
    lines += ["", "## Tables without personal data", "", "| table | what is in it |", "|---|---|"]
    lines += [f"| {label} | {what} |" for label, what in registry.impersonal_tables().items()]
    lines += ["", "## Outside the databases", "", "| where | what | how long |", "|---|---|---|"]
    lines += [f"| {where} | {what} | {until} |" for where, what, until in PLACES]
    return "\n".join(lines) + "\n"
