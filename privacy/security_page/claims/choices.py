"""Claims about what becomes of data: protection, integrity and logging off, deletion."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, Subject

DATA_PROTECTION: Final = Subject(
    "data-protection",
    _("Data protection"),
    (
        Claim(
            "visitors",
            _("An IBAN that is checked without signing in is stored nowhere and logged nowhere."),
            _("No row, no line in a log, no cookie, no address. Browsers are told not to keep the answer."),
            _("A visitor checks numbers; the log and the database must stay empty, and so must the browser's memory."),
        ),
        Claim(
            "retention",
            _("What has reached its end is deleted without anybody's doing, every hour."),
            _(
                "Records of checks after the days you have chosen, from 1 to 365; full addresses in the "
                "history after 7 days; counts after 25 months."
            ),
            _("Time is moved on and the rows are counted; a process killed half-way must be taken over by the next."),
        ),
        Claim(
            "own_copy",
            _("Owners can take out everything about their account in a form that machines read."),
            _("One zip of JSON and CSV, with a text that explains every field; passwords and keys are not in it."),
            _("Each table with a road to a customer must be in it, and nothing of another customer."),
        ),
        Claim(
            "nothing_at_the_proxy",
            _("The proxy in front keeps no content of requests and answers on its disk, not even for a moment."),
            _("It passes on what it gets from memory, and refuses what is larger than the service allows."),
            _("The largest batch goes through a real proxy; nothing below its folders may have changed."),
            requires="production",
        ),
        Claim(
            "proxy_log",
            _("The proxy's own log holds no numbers and no full network addresses, and no line for an answered check."),
            _("Time, the first word of the address, the result, and the network shortened to /24 or /48."),
            _("Requests of every kind are sent, some of them failing; both logs of a real proxy are read for them."),
            requires="production",
        ),
        Claim(
            "messages",
            _("What you write to us on the contact page is kept sealed for 30 days, without your network address."),
            _("It is mailed to the operator in plain text. The copy is sealed under a key of its own."),
            _("Messages are sent, hostile ones too; rows and mails are read, and time is moved on."),
        ),
        Claim(
            "masked_logs",
            _("IBANs, API keys and e-mail addresses are masked in whatever our server processes write to their logs."),
            _(
                "Every line passes one filter, tracebacks included. When in doubt it masks too much rather "
                "than too little."
            ),
            _("A running server is made to fail in many ways with a number at hand; its log is searched for it."),
        ),
    ),
)

INTEGRITY: Final = Subject(
    "logging-off",
    _("Data integrity and logging off"),
    (
        Claim(
            "off_is_never_written",
            _(
                "Logging can be turned off. Then nothing of what is checked is written at all, rather than "
                "hidden later."
            ),
            _("No record of the check is made, and the number reaches no database, no file and no log."),
            _(
                "A number goes through every door of a running service, which is then killed; every file is "
                "searched for it in a hundred spellings. A planted leak must be found."
            ),
        ),
        Claim(
            "off_everywhere",
            _("Turning it off holds in every process of the server within two seconds."),
            _("Each process asks once a second whether something changed."),
            _("Several processes are called without a pause while an owner turns logging off."),
        ),
        Claim(
            "one_silent_call",
            _("A single call can ask not to be logged. No call can ask for more than its customer has chosen."),
            _("The header X-No-Log: 1 makes less of what is kept, never more."),
            _("Calls are made with and without the header in each mode, and every file is searched."),
        ),
        Claim(
            "kept_when_off",
            _(
                "Kept even then: counts per day for billing, blocked addresses, and what was changed or "
                "refused in your account."
            ),
            _(
                "Failed sign-ins and refused calls are counted in memory for a day at most; a refused call "
                "with one of your keys is an entry in your history, once a day for each key and reason."
            ),
            _("The page on which you choose must name it, and the tables are read for anything else."),
        ),
        Claim(
            "history",
            _("What was done in an account stands in a history in which later changes show."),
            _(
                "Each entry holds the hash of the one before. A signed checkpoint leaves with each export; "
                "against it, a cut or rewritten end shows as well."
            ),
            _("Entries are edited, removed, moved and cut off at the end; each must be found."),
        ),
        Claim(
            "nothing_lost",
            _("A call that was answered is counted once, even if every process is killed in the next moment."),
            _("What it leaves behind is in a file before the answer goes out; the next process takes it over."),
            _("Processes are killed under load, and the database is taken away; then everything is counted."),
        ),
    ),
)

DELETION: Final = Subject(
    "deletion",
    _("Deletion"),
    (
        Claim(
            "deleted_records",
            _("Owners delete one record of a check, a selection of them, or all about one IBAN."),
            _("At once, also large numbers of them; the history tells how many went and never which."),
            _("Just what was chosen must be gone, of that customer only; a killed process leaves a smaller rest."),
        ),
        Claim(
            "deleted_account",
            _("Owners delete their whole account themselves and get a signed receipt that anybody can verify."),
            _(
                "Confirmed by mail, with days to change one's mind. The key is destroyed first, then every row; what "
                "is interrupted goes on."
            ),
            _("A full account is deleted and interrupted after each step; no table may hold a trace of it."),
        ),
        Claim(
            "not_brought_back",
            _("A restored backup brings back nothing that was deleted: it is deleted again before the service opens."),
            _(
                "A file outside the databases holds each deletion as a salted hash that names nobody. While it is "
                "missing or damaged, the service stays closed."
            ),
            _("Older states are restored after each kind of deletion; only what came later may stay."),
        ),
        Claim(
            "destroyed_keys",
            _(
                "Once a customer's key is destroyed, what it sealed can no longer be opened, in no backup of "
                "the data either."
            ),
            _(
                "No new key is made in its place, and a process that had it open lets go of it within 60 "
                "seconds. A backup of the key database holds the key until that backup has expired."
            ),
            _(
                "Other processes try to open and to seal; every file of a key database on SQLite is searched "
                "for its bytes."
            ),
        ),
        Claim(
            "backups_end",
            _("A backup of the data is kept for 35 days at most, one of the keys for 7 days at most."),
            _(
                "Each night what would grow too old is removed to the last byte. When backups fail, the last one stays "
                "and the operator is alarmed."
            ),
            _(
                "The clock is moved on; the old data must be gone from the files, and each leftover must raise the "
                "alarm."
            ),
            requires="production",
        ),
    ),
)
