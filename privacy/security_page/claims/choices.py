"""Claims about data protection, integrity (logging off) and deletion."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, ClaimSubject

DATA_PROTECTION: Final = ClaimSubject(
    "data-protection",
    _("Data protection"),
    (
        Claim(
            "visitors",
            _("An IBAN that is checked without signing in is neither stored nor logged anywhere."),
            _("No database row, no log line, no cookie, no web address. Browsers are told not to store the response."),
            _("A visitor checks IBANs; the log and the database must stay empty, and so must the browser's storage."),
        ),
        Claim(
            "retention",
            _("Expired data is deleted automatically every hour."),
            _(
                "Check records after the number of days you have chosen, from 1 to 365; full IP "
                "addresses in the audit log after 7 days; counts after 25 months."
            ),
            _(
                "Time is moved forward and the rows are counted; if a process is killed half-way, the next "
                "one must take over."
            ),
        ),
        Claim(
            "own_copy",
            _("Owners can export everything about their account in a machine-readable form."),
            _(
                "One zip file of JSON and CSV, with a text that explains every field; passwords and keys are "
                "not included."
            ),
            _("Every table that relates to a customer must be included, and nothing of another customer."),
        ),
        Claim(
            "nothing_at_the_proxy",
            _(
                "The proxy in front of the service never writes the content of requests and responses to "
                "disk, not even for a moment."
            ),
            _("It forwards what it receives from memory, and refuses anything larger than the service allows."),
            _("The largest possible batch goes through a real proxy; nothing in its folders may have changed."),
            requires="production",
        ),
        Claim(
            "proxy_log",
            _(
                "The proxy's own log contains no IBANs and no full IP addresses, and no line for a check "
                "that was answered."
            ),
            _("Time, the first part of the web address, the result, and the network shortened to /24 or /48."),
            _(
                "Requests of every kind are sent, some of which fail; both logs of a real proxy are searched "
                "for their content."
            ),
            requires="production",
        ),
        Claim(
            "messages",
            _("What you write to us on the contact page is stored encrypted for 30 days, without your IP address."),
            _("It is e-mailed to us in plain text. The stored copy is encrypted with a separate key."),
            _("Messages are sent, including malicious ones; rows and e-mails are read, and time is moved forward."),
        ),
        Claim(
            "masked_logs",
            _(
                "IBANs, API keys and e-mail addresses are masked in everything our server processes write to "
                "their logs."
            ),
            _(
                "Every line passes through one filter, including tracebacks. When in doubt, it masks too "
                "much rather than too little."
            ),
            _(
                "A running server is made to fail in many ways while it processes an IBAN; its log is "
                "searched for that IBAN."
            ),
        ),
    ),
)

INTEGRITY: Final = ClaimSubject(
    "logging-off",
    _("Data integrity with logging off"),
    (
        Claim(
            "off_is_never_written",
            _(
                "Logging can be turned off. Then nothing about a check is written at all; it is not just "
                "hidden afterwards."
            ),
            _("No check record is created, and the IBAN reaches no database, file or log."),
            _(
                "An IBAN is sent through every entry point of a running service, which is then killed; "
                "every file is searched for it in a hundred spellings. A planted leak must be found."
            ),
        ),
        Claim(
            "off_everywhere",
            _("Turning it off takes effect in every process of the server within two seconds."),
            _("Each process checks once a second whether anything has changed."),
            _("Several processes are called continuously while an owner turns logging off."),
        ),
        Claim(
            "one_silent_call",
            _("A single call can ask not to be logged. No call can ask for more logging than the customer has chosen."),
            _("The header X-No-Log: 1 reduces what is stored and never increases it."),
            _("Calls are made with and without the header in each mode, and every file is searched."),
        ),
        Claim(
            "kept_when_off",
            _(
                "Stored even then: counts per day for billing, blocked IP addresses, and what was "
                "changed or refused in your account."
            ),
            _(
                "Failed sign-ins and refused calls are counted in memory for one day at most; a refused "
                "call with one of your keys is recorded in your audit log, once a day for each key and "
                "reason."
            ),
            _("The page on which you choose must state this, and the tables are searched for anything else."),
        ),
        Claim(
            "history",
            _("Actions in an account are recorded in an audit log that reveals later changes."),
            _(
                "Each entry contains the hash of the previous one. Every export includes a signed "
                "checkpoint, which also reveals an end that was cut off or rewritten."
            ),
            _("Entries are edited, removed, moved and cut off at the end; every change must be detected."),
        ),
        Claim(
            "nothing_lost",
            _("A call that was answered is counted once, even if every process is killed a moment later."),
            _("Its data is in a file before the response is sent; the next process takes it over."),
            _("Processes are killed under load, and the database is disconnected; then everything is counted."),
        ),
    ),
)

DELETION: Final = ClaimSubject(
    "deletion",
    _("Deletion"),
    (
        Claim(
            "deleted_records",
            _("Owners can delete a single check record, a selection of records, or everything about one IBAN."),
            _(
                "This happens immediately, even for large numbers; the audit log shows how many were "
                "deleted, never which."
            ),
            _(
                "Exactly what was selected must be gone, for that customer only; after a killed process, "
                "only a smaller remainder is left."
            ),
        ),
        Claim(
            "deleted_account",
            _(
                "Owners can delete their whole account themselves and receive a signed deletion receipt that "
                "anyone can verify."
            ),
            _(
                "Confirmed by e-mail, with a grace period. The key is destroyed first, then every row; "
                "if interrupted, the deletion resumes."
            ),
            _(
                "A complete account is deleted, with an interruption after each step; no table may contain a "
                "trace of it."
            ),
        ),
        Claim(
            "not_brought_back",
            _(
                "Restoring a backup does not bring back anything that was deleted: it is deleted again "
                "before the service becomes available."
            ),
            _(
                "A file outside the databases records each deletion as a salted hash that identifies "
                "nobody. While the file is missing or damaged, the service stays unavailable."
            ),
            _("Older states are restored after each kind of deletion; only data added after the deletion may remain."),
        ),
        Claim(
            "destroyed_keys",
            _(
                "Once a customer's key is destroyed, data encrypted with it can no longer be decrypted, "
                "not even from a backup of the data."
            ),
            _(
                "No new key is created in its place, and a process that had loaded it drops it within 60 "
                "seconds. A backup of the key database contains the key until that backup has expired."
            ),
            _(
                "Other processes try to decrypt and encrypt; every file of a key database on SQLite is "
                "searched for the bytes of the key."
            ),
        ),
        Claim(
            "backups_end",
            _("Backups of the data are retained for 35 days at most, backups of the keys for 7 days at most."),
            _(
                "Each night, anything that would become too old is removed completely. If backups fail, "
                "the last one is retained and we are alerted."
            ),
            _(
                "The clock is moved forward; the old data must be gone from the files, and anything left "
                "over must raise an alert."
            ),
            requires="production",
        ),
    ),
)
