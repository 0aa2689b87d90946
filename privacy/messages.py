"""Messages for the codes of refusals and problems."""

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.errors import Refusal

REFUSALS: Final[dict[str, Promise]] = {
    "deletion_begun": gettext_lazy("The deletion has begun and can no longer be cancelled."),
    "deletion_over": gettext_lazy("This deletion has already been cancelled or carried out."),
    "characters_not_printable": gettext_lazy(
        "The document font does not support these characters: %(characters)s. Enter your contact details "
        "in Latin, Greek or Cyrillic letters."
    ),
    "contact_details_missing": gettext_lazy("Fill in your contact details first: the document is issued in that name."),
    "document_locked": gettext_lazy(
        "The document could not be decrypted with your account's key, so nothing was sent. Please contact us."
    ),
    "nothing_proved": gettext_lazy(
        "This document only lists what the tests of the running version have proved, and their results "
        "are missing. Please contact us."
    ),
    "operator_not_named": gettext_lazy(
        "Our company details and our list of other processors have not been set up yet, so we cannot sign anything."
    ),
    "too_many_documents": gettext_lazy(
        "You have reached today's limit of %(limit)s documents. They are listed below; try again tomorrow."
    ),
    "export_damaged": gettext_lazy("The copy could not be read and was not sent."),
    "export_locked": gettext_lazy(
        "The copy could not be decrypted with your account's key, so nothing was sent. Please contact us."
    ),
    "export_over": gettext_lazy("This copy can no longer be downloaded. Request a new one."),
    "gone": gettext_lazy("This user has since been removed."),
    "not_an_owner": gettext_lazy("Only owners can delete, and your own role has been changed in the meantime."),
    "yourself": gettext_lazy("You cannot do this for yourself. Ask another owner."),
    "too_many_exports": gettext_lazy("You have reached the limit of %(limit)s copies a day. Try again tomorrow."),
}

EXPORT_PROBLEMS: Final[dict[str, Promise]] = {
    "damaged": gettext_lazy(
        "The file is damaged or missing: it does not match what we wrote, so we did not send it. Request a new copy."
    ),
    "disk": gettext_lazy(
        "There was not enough space on our disk. Try again later, and contact us if the problem persists."
    ),
    "given_up": gettext_lazy(
        "The process was interrupted too often. Try again later, and contact us if the problem persists."
    ),
    "internal": gettext_lazy(
        "Part of the data could not be read. The error is on our side: please contact us, the details are in our log."
    ),
    "locked": gettext_lazy("The encrypted data could not be decrypted with your account's key. Please contact us."),
}
"""Why an export failed or is no longer offered, and what to do."""


SCOPES: Final[dict[str, Promise]] = {
    "account": gettext_lazy("The whole account"),
    "log": gettext_lazy("The check log"),
    "contact": gettext_lazy("The contact details"),
    "billing": gettext_lazy("The billing details"),
    "user": gettext_lazy("One user"),
    "number": gettext_lazy("One IBAN in the check log"),
}
"""What can be deleted."""


class Retained(NamedTuple):
    """What is retained after a deletion, and why."""

    what: Promise
    why: Promise


RETAINED: Final[dict[str, Retained]] = {
    "backups": Retained(
        gettext_lazy("Encrypted backups made before the deletion"),
        gettext_lazy("Individual records cannot be removed from them. They are destroyed as a whole when they expire."),
    ),
    "ledger": Retained(
        gettext_lazy("An entry in the deletion ledger: a salted hash of a random number, what was deleted and when"),
        gettext_lazy("So that what was deleted is deleted again if a backup is restored."),
    ),
    "tombstone": Retained(
        gettext_lazy("About the destroyed key: the account's random number, the fingerprint and the time"),
        gettext_lazy("So that no new key is ever created in its place, and this receipt can be compared with it."),
    ),
    "counters": Retained(
        gettext_lazy("Counters in memory that limit calls and sign-ins, without content, for one day at most"),
        gettext_lazy("They protect against attacks and expire automatically."),
    ),
    "history": Retained(
        gettext_lazy("The account's audit log: that something was deleted, when and by whom"),
        gettext_lazy("The account owners must be able to see what was done."),
    ),
    "messages": Retained(
        gettext_lazy("Messages sent to us through the contact page, encrypted, for 30 days"),
        gettext_lazy("They are not linked to any account, so nobody can tell which account they concern."),
    ),
    "process_log": Retained(
        gettext_lazy("The process log, in which IBANs, keys and e-mail addresses are masked"),
        gettext_lazy("For troubleshooting. It is removed when its retention period on the server ends."),
    ),
}
"""What a receipt lists as retained, by its code."""

RECEIPT_VERDICTS: Final[dict[str, Promise]] = {
    "genuine": gettext_lazy(
        "This deletion receipt is genuine: we issued it, and not a single character has been changed."
    ),
    "not_ours": gettext_lazy(
        "This deletion receipt is not genuine: it has been changed, or someone else created it. Do not "
        "rely on what it says."
    ),
    "foreign": gettext_lazy(
        "According to this deletion receipt, it was issued by another service: %(issuer)s. Only that "
        "service can verify it."
    ),
    "newer": gettext_lazy("We issued this deletion receipt, but this version of the software cannot read it."),
    "no_receipt": gettext_lazy("This is not a deletion receipt, or part of it is missing."),
    "unreadable": gettext_lazy(
        "This cannot be read as a deletion receipt: it is not the file we created, or it is damaged."
    ),
}
"""The results of receipts.verify()."""


def receipt_verdict(code: str, *, issuer: str = "") -> str:
    """Return the result of verifying a receipt in words."""
    return str(RECEIPT_VERDICTS[code]) % {"issuer": issuer}


def refusal(refusal: Refusal) -> str:
    """Return why an action was refused. Raises KeyError for an unknown code."""
    return str(REFUSALS[refusal.code]) % refusal.values
