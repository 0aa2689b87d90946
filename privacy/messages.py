"""From codes of refusals and problems to sentences, in the active language."""

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.errors import Refusal

REFUSALS: Final[dict[str, Promise]] = {
    "deletion_begun": gettext_lazy("The deletion has begun and can no longer be cancelled."),
    "deletion_over": gettext_lazy("This deletion was cancelled or carried out already."),
    "characters_not_printable": gettext_lazy(
        "The font of the documents does not have these characters: %(characters)s. Write your contact details with "
        "Latin, Greek or Cyrillic letters."
    ),
    "contact_details_missing": gettext_lazy("Fill in your contact details first: the document names you by them."),
    "document_locked": gettext_lazy(
        "The document could not be opened with your account's key, so nothing was sent. Tell the operator of this "
        "service."
    ),
    "nothing_proved": gettext_lazy(
        "This document names only what the tests of the running version have proved, and their results are missing "
        "here. Tell the operator of this service."
    ),
    "operator_not_named": gettext_lazy(
        "The operator of this service has not said yet who it is and whom it engages, so it cannot sign anything."
    ),
    "too_many_documents": gettext_lazy(
        "%(limit)s documents were made today, which is the most. Those are below; try again tomorrow."
    ),
    "export_damaged": gettext_lazy("The copy could not be read and was not sent."),
    "export_locked": gettext_lazy(
        "The copy could not be opened with your account's key, so nothing was sent. Tell the operator of this service."
    ),
    "export_over": gettext_lazy("This copy can no longer be downloaded. Ask for a new one."),
    "gone": gettext_lazy("This user has been removed meanwhile."),
    "not_an_owner": gettext_lazy("Only owners may delete: somebody has changed your own rights meanwhile."),
    "yourself": gettext_lazy("You cannot do this to yourself. Ask another owner."),
    "too_many_exports": gettext_lazy(
        "You have asked for %(limit)s copies within a day, which is the most. Try again tomorrow."
    ),
}

EXPORT_PROBLEMS: Final[dict[str, Promise]] = {
    "damaged": gettext_lazy(
        "The file was damaged or is gone: it is not as we had written it, so we did not send it. Ask for a new copy."
    ),
    "disk": gettext_lazy(
        "There was no room for it on our disk. Try again later, and tell the operator of this service if it goes on."
    ),
    "given_up": gettext_lazy(
        "It was interrupted too often. Try again later, and tell the operator of this service if it goes on."
    ),
    "internal": gettext_lazy(
        "Something in it could not be read. This is our mistake: tell the operator of this service, who finds it "
        "in the log."
    ),
    "locked": gettext_lazy(
        "What is sealed could not be opened with your account's key. Tell the operator of this service."
    ),
}
"""Why a copy could not be made or offered any longer, and what helps."""


SCOPES: Final[dict[str, Promise]] = {
    "account": gettext_lazy("The whole account"),
    "log": gettext_lazy("The log of checks"),
    "contact": gettext_lazy("The contact details"),
    "billing": gettext_lazy("The billing details"),
    "user": gettext_lazy("One user"),
    "number": gettext_lazy("One IBAN in the log of checks"),
}
"""What can be deleted."""


class Retained(NamedTuple):
    """What is kept after a deletion, and why."""

    what: Promise
    why: Promise


RETAINED: Final[dict[str, Retained]] = {
    "backups": Retained(
        gettext_lazy("Encrypted backups that were made before"),
        gettext_lazy("Single rows cannot be taken out of them. They are destroyed whole when their time is over."),
    ),
    "ledger": Retained(
        gettext_lazy("An entry in the ledger of deletions: a salted hash of a random number, what was deleted, when"),
        gettext_lazy("So that what was deleted is deleted again when a backup is restored."),
    ),
    "tombstone": Retained(
        gettext_lazy("Of the destroyed key: the account's random number, the fingerprint, the time"),
        gettext_lazy("So that no new key is ever made in its place, and this receipt can be compared with it."),
    ),
    "counters": Retained(
        gettext_lazy("Counters in memory that limit calls and sign-ins, without content, for a day at most"),
        gettext_lazy("They fend off attacks and end by themselves."),
    ),
    "history": Retained(
        gettext_lazy("The account's history: that something was deleted, when and by whom"),
        gettext_lazy("The owners of the account have to be able to see what was done."),
    ),
    "messages": Retained(
        gettext_lazy("What somebody wrote to the operator by the contact page, sealed, for 30 days"),
        gettext_lazy("It belongs to no account, so that nobody can tell which one it is about."),
    ),
    "process_log": Retained(
        gettext_lazy("The log of the processes, in which IBANs, keys and e-mail addresses are masked"),
        gettext_lazy("To find faults. It goes when its time on the machine is over."),
    ),
}
"""What a receipt says is kept, by its code."""

RECEIPT_VERDICTS: Final[dict[str, Promise]] = {
    "genuine": gettext_lazy("This receipt is genuine: we made it, and not a sign of it was changed."),
    "not_ours": gettext_lazy(
        "This receipt is not genuine: it was changed, or somebody else made it. Do not rely on what it says."
    ),
    "foreign": gettext_lazy(
        "This receipt says that another service made it: %(issuer)s. Only that service can verify it."
    ),
    "newer": gettext_lazy("We made this receipt, but this version of the software cannot read it any more."),
    "no_receipt": gettext_lazy("This is not a receipt of a deletion, or a part of it is missing."),
    "unreadable": gettext_lazy("This cannot be read as a receipt: it is not the file that we made, or it is damaged."),
}
"""What receipts.verify() has found."""


def receipt_verdict(code: str, *, issuer: str = "") -> str:
    """Return the verdict on a receipt in words."""
    return str(RECEIPT_VERDICTS[code]) % {"issuer": issuer}


def refusal(refusal: Refusal) -> str:
    """Return why a deed was refused. Raises KeyError for a code without a sentence."""
    return str(REFUSALS[refusal.code]) % refusal.values
