"""From codes of refusals and deeds to sentences, in the active language."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.errors import Refusal
from accounts.staff import groups as staff_groups

REFUSALS: Final[dict[str, Promise]] = {
    "already_owner": gettext_lazy("This user already is an owner."),
    "another_recovery": gettext_lazy("A request for another user of this client is under way. Cancel that one first."),
    "last_owner": gettext_lazy("A client needs at least one owner who can sign in. Make somebody else an owner first."),
    "not_a_member": gettext_lazy("Only a user of a client who may sign in can become an owner."),
    "too_early": gettext_lazy("This cannot be done before the 72 hours are over."),
    "user_limit_reached": gettext_lazy(
        "You have %(limit)s users and open invitations, which is the most for your account. "
        "Remove one, or ask us for more."
    ),
    "already_here": gettext_lazy("%(email)s already is a user of your account."),
    "gone": gettext_lazy("This user has been removed meanwhile."),
    "invitation_expired": gettext_lazy("The invitation has expired: it was valid for seven days. Ask for a new one."),
    "invitation_foreign": gettext_lazy(
        "This link is not an invitation of ours, or a part of it is missing. Open it from the mail again."
    ),
    "invitation_has_account": gettext_lazy(
        "There already is an account with your e-mail address. Sign in with it instead."
    ),
    "invitation_over": gettext_lazy(
        "The invitation has been used, withdrawn or replaced by a newer one. If you have joined, sign in."
    ),
    "invitation_signed_in": gettext_lazy(
        "You are signed in as %(email)s. Sign out first, then open the link from the mail again."
    ),
    "no_longer_owner": gettext_lazy("You may no longer change users: somebody has changed your own rights meanwhile."),
    "no_room": gettext_lazy("The account has no room for another user. Tell the person who invited you."),
    "own_factor_first": gettext_lazy("Add a second factor of your own first, or you would lock yourself out."),
    "too_many_invitations": gettext_lazy(
        "%(limit)s invitations have been mailed today, which is the most for one day. Try again tomorrow."
    ),
    "not_staff": gettext_lazy("They do not work in the back-office any more."),
    "yourself_staff": gettext_lazy("Nobody changes their own groups. Another member of the group Lead can do it."),
    "yourself": gettext_lazy("You cannot do this to yourself. Ask another owner."),
}

OPERATOR_REFUSALS: Final[dict[str, Promise]] = {
    "changed_meanwhile": gettext_lazy(
        "Somebody else has changed it meanwhile: it is %(now)s now. Nothing was done. Decide anew with what you see."
    ),
    "client_closing": gettext_lazy(
        "An owner has confirmed the deletion of the account: it waits for its end. Nothing was done."
    ),
    "client_gone": gettext_lazy("The account is deleted, or is being deleted at this moment. Nothing was done."),
    "client_suspended": gettext_lazy(
        "The account is suspended, so nobody can join it. Nothing was done. Open the account again first."
    ),
    "gone": gettext_lazy("This user has been removed meanwhile. Nothing was done."),
    "invitation_over": gettext_lazy("The invitation has been used or withdrawn meanwhile. Nothing was done."),
    "no_key": gettext_lazy("No key of ours begins like this. It may be another service's, or was deleted long ago."),
    "no_prefix": gettext_lazy(
        "Nothing in this looks like a key of ours. Such a key begins with ibanse_live_ or ibanse_test_ and ten more "
        "letters and digits."
    ),
    "not_blockable": gettext_lazy(
        "Everybody, this machine itself and the address that you work from cannot be blocked. Nothing was done."
    ),
    "support_access_over": gettext_lazy(
        "The client's access for support is over or was ended. Give a reason instead, or ask the client for a new one."
    ),
    "too_many_unmaskings": gettext_lazy(
        "You have unmasked %(limit)s clients within an hour, which is the most. The group security is told. Try again "
        "later."
    ),
    "unmasking_over": gettext_lazy(
        "This form has been used, or is older than an hour. Nothing was opened. Send it again as it is shown now."
    ),
    "several_prefixes": gettext_lazy("There are several keys in this. Revoke one after the other."),
    "too_many_invitations": REFUSALS["too_many_invitations"],
    "user_limit_reached": gettext_lazy(
        "The account has %(limit)s users and open invitations, which is the most for it. Nothing was done."
    ),
    "yourself": gettext_lazy("That is you. End your own sessions under Account, Sessions. Nothing was done."),
}
"""How the back-office says no to staff."""

TO_MEMBERS: Final[dict[str, Promise]] = {
    "users.signed_out_by_operator": gettext_lazy(
        "The operator of ibanse has signed you out everywhere. You can sign in again at once"
    ),
    "users.deactivated": gettext_lazy("An owner of your account has deactivated you: you can no longer sign in"),
    "users.reactivated": gettext_lazy("An owner of your account has activated you again: you can sign in"),
    "users.removed": gettext_lazy("An owner of your account has removed you: your user is deleted"),
    "users.factors_reset": gettext_lazy("An owner of your account has removed your second factors"),
    "users.ownership_given": gettext_lazy("You were made an owner of your account"),
    "users.ownership_taken": gettext_lazy("You are no longer an owner of your account"),
}
"""What the user to whom it was done is mailed, by the tag of the history."""


@dataclass(frozen=True, slots=True)
class ActionTexts:
    """How a page offers a deed done to a user, says what it will do, and that it is done (`%(who)s`)."""

    link: Promise
    question: Promise
    meaning: Promise
    done: Promise
    is_grave: bool = False


MEMBER_ACTIONS: Final[dict[str, ActionTexts]] = {
    "give-ownership": ActionTexts(
        link=gettext_lazy("Make an owner"),
        question=gettext_lazy("Make %(who)s an owner?"),
        meaning=gettext_lazy(
            "Owners see and manage everything of the account: users, history, contact and billing details, settings. "
            "You stay an owner as well. Every owner is told by e-mail."
        ),
        done=gettext_lazy("%(who)s is an owner now."),
    ),
    "hand-over": ActionTexts(
        link=gettext_lazy("Hand over my ownership"),
        question=gettext_lazy("Hand over your ownership to %(who)s?"),
        meaning=gettext_lazy(
            "They become an owner and you become a sub-user: you can go on checking IBANs, but no longer see the "
            "account's users, history, details and settings. Only an owner can undo this."
        ),
        done=gettext_lazy("%(who)s is an owner now, and you are a sub-user."),
        is_grave=True,
    ),
    "take-ownership": ActionTexts(
        link=gettext_lazy("Make a sub-user"),
        question=gettext_lazy("Make %(who)s a sub-user?"),
        meaning=gettext_lazy(
            "They can go on checking IBANs, but no longer see the account's users, history, details and settings. "
            "Another owner has to remain. Every owner is told by e-mail."
        ),
        done=gettext_lazy("%(who)s is a sub-user now."),
        is_grave=True,
    ),
    "reset-factors": ActionTexts(
        link=gettext_lazy("Remove second factors"),
        question=gettext_lazy("Remove the second factors of %(who)s?"),
        meaning=gettext_lazy(
            "Do this when a colleague has lost their phone or security key. "
            "Their passkeys, authenticator app and recovery codes are deleted and they are signed out everywhere; "
            "they then sign in with their password alone. "
            "Make sure that it is them who asks. They and every owner are told by e-mail."
        ),
        done=gettext_lazy("The second factors of %(who)s are removed."),
        is_grave=True,
    ),
    "deactivate": ActionTexts(
        link=gettext_lazy("Deactivate"),
        question=gettext_lazy("Deactivate %(who)s?"),
        meaning=gettext_lazy(
            "They are signed out everywhere and cannot sign in until an owner activates them again. Nothing is "
            "deleted. They and every owner are told by e-mail."
        ),
        done=gettext_lazy("%(who)s is deactivated."),
    ),
    "reactivate": ActionTexts(
        link=gettext_lazy("Activate again"),
        question=gettext_lazy("Activate %(who)s again?"),
        meaning=gettext_lazy(
            "They can sign in again with their old password and have the rights they had. "
            "They and every owner are told by e-mail."
        ),
        done=gettext_lazy("%(who)s is active again."),
    ),
    "remove": ActionTexts(
        link=gettext_lazy("Remove"),
        question=gettext_lazy("Remove %(who)s?"),
        meaning=gettext_lazy(
            "Their user is deleted with its name, password, factors and sessions, which cannot be undone. The history "
            "keeps what they have done. They and every owner are told by e-mail."
        ),
        done=gettext_lazy("%(who)s is removed."),
        is_grave=True,
    ),
}
"""The words of each deed in the order in which a page offers them, by the last part of its path."""

DETAIL_NAMES: Final[dict[str, Promise]] = {
    "document": gettext_lazy("Document"),
    "email": gettext_lazy("E-mail address"),
    "days": gettext_lazy("Days of grace"),
    "fields": gettext_lazy("Changed"),
    "file": gettext_lazy("File"),
    "filters": gettext_lazy("Chosen by"),
    "fingerprint": gettext_lazy("Fingerprint"),
    "from": gettext_lazy("Before"),
    "key": gettext_lazy("Key"),
    "language": gettext_lazy("Language"),
    "method": gettext_lazy("With"),
    "name": gettext_lazy("Name"),
    "network": gettext_lazy("Address or network"),
    "new": gettext_lazy("Now"),
    "old": gettext_lazy("Before"),
    "page": gettext_lazy("Page"),
    "reason": gettext_lazy("Reason"),
    "receipt": gettext_lazy("Receipt"),
    "scope": gettext_lazy("What"),
    "records": gettext_lazy("Records"),
    "group": gettext_lazy("Group"),
    "rooms": gettext_lazy("What could be seen"),
    "scopes": gettext_lazy("Scopes"),
    "ticket": gettext_lazy("Number of the case"),
    "to": gettext_lazy("Now"),
    "until": gettext_lazy("Until"),
    "user": gettext_lazy("User"),
    "version": gettext_lazy("Version"),
}
"""Names of the details of history entries; a detail without a name is shown by its code."""

PAGE_NAMES: Final[dict[str, Promise]] = {
    "overview": gettext_lazy("Overview"),
    "contact": gettext_lazy("Contact details"),
    "billing": gettext_lazy("Billing details"),
    "users": gettext_lazy("Users"),
    "history": gettext_lazy("History"),
    "keys": gettext_lazy("API keys"),
    "log": gettext_lazy("Log"),
    "privacy": gettext_lazy("Security and privacy"),
    "support": gettext_lazy("Access for support"),
}
"""The first word of a deed → the page it belongs to."""

FIELD_NAMES: Final[dict[str, Promise]] = {
    "company": gettext_lazy("Company"),
    "organisation_number": gettext_lazy("Organisation number"),
    "person": gettext_lazy("Contact person"),
    "phone": gettext_lazy("Phone"),
    "street": gettext_lazy("Street and number"),
    "postcode": gettext_lazy("Postcode"),
    "city": gettext_lazy("City"),
    "country": gettext_lazy("Country"),
    "vat_number": gettext_lazy("VAT number"),
    "reference": gettext_lazy("Your reference"),
    "invoice_email": gettext_lazy("E-mail address for invoices"),
    "name": gettext_lazy("Name"),
    "language": gettext_lazy("Language"),
    "time_zone": gettext_lazy("Time zone"),
    "scopes": gettext_lazy("Scopes"),
    "rate_per_minute": gettext_lazy("Calls per minute"),
    "expires_at": gettext_lazy("Expiry"),
    "any_address": gettext_lazy("Addresses it works from"),
}
"""Names of the fields that the detail `fields` lists by their codes."""

METHOD_NAMES: Final[dict[str, Promise]] = {
    "code": gettext_lazy("code by mail"),
    "password": gettext_lazy("password"),
    "password_reset": gettext_lazy("new password by mail"),
    "recovery_codes": gettext_lazy("recovery code"),
    "totp": gettext_lazy("authenticator app"),
    "webauthn": gettext_lazy("passkey"),
}
"""Names of the ways to sign in that the detail `method` lists by their codes."""

REASON_NAMES: Final[dict[str, Promise]] = {
    "address": gettext_lazy("the key does not work from this address"),
    "ended": gettext_lazy("the key is revoked or expired, or the account is not active"),
}
"""Why a call with a right key was refused."""

FILTER_NAMES: Final[dict[str, Promise]] = {
    "all": gettext_lazy("nothing: all of them"),
    "time": gettext_lazy("time"),
    "source": gettext_lazy("source"),
    "key": gettext_lazy("key"),
    "verdict": gettext_lazy("verdict"),
    "country": gettext_lazy("country"),
    "number": gettext_lazy("one IBAN"),
    "row": gettext_lazy("one check"),
}
"""By what the checks of a log were chosen: names of the filters that the detail `filters` lists by their codes."""

SCOPE_NAMES: Final[dict[str, Promise]] = {
    "log": gettext_lazy("the log of checks"),
    "contact": gettext_lazy("the contact details"),
    "billing": gettext_lazy("the billing details"),
    "user": gettext_lazy("one user"),
    "number": gettext_lazy("one IBAN in the log of checks"),
}
"""Parts of an account that can be deleted: names of what the detail `scope` says by its code."""

DOCUMENT_NAMES: Final[dict[str, Promise]] = {
    "agreement": gettext_lazy("Data-processing agreement"),
    "measures": gettext_lazy("Technical and organisational measures"),
}
"""Names of the documents that the detail `document` names by their codes."""

HISTORY_PROBLEMS: Final[dict[str, Promise]] = {
    "edited": gettext_lazy("Entry %(number)s is not as it was written: it or its place in the chain was changed."),
    "missing": gettext_lazy("Entry %(number)s is missing from the chain."),
    "detail": gettext_lazy("The details of entry %(number)s are not as they were written."),
    "cut": gettext_lazy("Entries from number %(number)s on have been cut off."),
    "changed": gettext_lazy("Entry %(number)s differs from the one that the export was signed over."),
    "signature": gettext_lazy("The line is not a checkpoint that we have signed for this history."),
}
"""What history.verify() and verify_checkpoint() have found."""


GROUP_NAMES: Final[dict[str, Promise]] = {name: group.title for name, group in staff_groups.GROUPS.items()}
"""Names of the groups of staff that the detail `group` lists by their codes."""

_NAMES: Final = {
    "document": DOCUMENT_NAMES,
    "fields": FIELD_NAMES,
    "filters": FILTER_NAMES,
    "group": GROUP_NAMES,
    "method": METHOD_NAMES,
    "page": PAGE_NAMES,
    "reason": REASON_NAMES,
    "rooms": PAGE_NAMES,
    "scope": SCOPE_NAMES,
}


def refusal(refusal: Refusal) -> str:
    """Return why a deed was refused. Raises KeyError for a code without a sentence."""
    return str(REFUSALS[refusal.code]) % refusal.values


def operator_refusal(refusal: Refusal) -> str:
    """Return to staff why a deed of theirs was refused. Raises KeyError for a code without a sentence."""
    return str(OPERATOR_REFUSALS[refusal.code]) % refusal.values


def details(told: dict[str, str]) -> list[tuple[str, str]]:
    """Return the name and the value of each detail of a history entry, for reading."""
    return [(str(DETAIL_NAMES.get(code, code)), _detail(code, value)) for code, value in told.items() if value]


def groups(names: str) -> str:
    """Return the names of groups of staff, `support, billing`, for reading."""
    return _detail("group", names)


def _detail(code: str, value: str) -> str:
    names = _NAMES.get(code)
    if names is None:
        return value
    return ", ".join(str(names.get(part, part)) for part in value.split(", "))
