"""From codes of refusals and details to texts, in the active language."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.errors import Refusal
from accounts.staff import groups as staff_groups

REFUSALS: Final[dict[str, Promise]] = {
    "already_owner": gettext_lazy("This user is already an owner."),
    "another_recovery": gettext_lazy(
        "A request for another user of this client is already in progress. Cancel it first."
    ),
    "last_owner": gettext_lazy("A client needs at least one owner who can sign in. Make someone else an owner first."),
    "not_a_member": gettext_lazy("Only a client's user who is allowed to sign in can become an owner."),
    "too_early": gettext_lazy("This is not possible until the 72 hours have passed."),
    "user_limit_reached": gettext_lazy(
        "Your account has reached its limit of %(limit)s users and open invitations. Remove one, or ask "
        "us to raise the limit."
    ),
    "already_here": gettext_lazy("%(email)s is already a user of your account."),
    "gone": gettext_lazy("This user has since been removed."),
    "invitation_expired": gettext_lazy("The invitation has expired. It was valid for seven days. Ask for a new one."),
    "invitation_foreign": gettext_lazy(
        "This link is not one of our invitations, or part of it is missing. Open it from the e-mail again."
    ),
    "invitation_has_account": gettext_lazy(
        "An account with your e-mail address already exists. Sign in with it instead."
    ),
    "invitation_over": gettext_lazy(
        "The invitation has been used, withdrawn or replaced by a newer one. If you have already joined, sign in."
    ),
    "invitation_signed_in": gettext_lazy(
        "You are signed in as %(email)s. Sign out first, then open the link from the e-mail again."
    ),
    "no_longer_owner": gettext_lazy(
        "You can no longer change users: your own permissions have been changed in the meantime."
    ),
    "client_full": gettext_lazy("The account has reached its user limit. Please tell the person who invited you."),
    "own_factor_first": gettext_lazy(
        "Set up two-factor authentication for yourself first, or you would lock yourself out."
    ),
    "too_many_invitations": gettext_lazy(
        "The limit of %(limit)s invitations per day has been reached. Try again tomorrow."
    ),
    "not_staff": gettext_lazy("This person no longer works in the back-office."),
    "yourself_staff": gettext_lazy("You cannot change your own groups. Another member of the Lead group can do it."),
    "yourself": gettext_lazy("You cannot do this for yourself. Ask another owner."),
}

OPERATOR_REFUSALS: Final[dict[str, Promise]] = {
    "changed_meanwhile": gettext_lazy(
        "Someone else has changed this in the meantime. It is now %(now)s. No changes were made. Check "
        "the current value and decide again."
    ),
    "client_closing": gettext_lazy(
        "An owner has confirmed the deletion of the account; it is scheduled. No changes were made."
    ),
    "client_gone": gettext_lazy("The account has been deleted or is being deleted right now. No changes were made."),
    "client_suspended": gettext_lazy(
        "The account is suspended, so nobody can join it. No changes were made. Reopen the account first."
    ),
    "gone": gettext_lazy("This user has since been removed. No changes were made."),
    "invitation_over": gettext_lazy("The invitation has since been used or withdrawn. No changes were made."),
    "no_key": gettext_lazy(
        "None of our keys begins like this. It may belong to another service or have been deleted long ago."
    ),
    "no_prefix": gettext_lazy(
        "Nothing here looks like one of our keys. They begin with ibanse_live_ or ibanse_test_ followed "
        "by ten letters and digits."
    ),
    "not_blockable": gettext_lazy(
        "You cannot block everyone, this server itself or the IP address you are working from. No changes were made."
    ),
    "support_access_over": gettext_lazy(
        "The client's support access has expired or was ended. Give a reason instead, or ask the client "
        "to grant it again."
    ),
    "too_many_unmaskings": gettext_lazy(
        "You have opened the masked details of %(limit)s clients within an hour, which is the limit. The "
        "Security group will be notified. Try again later."
    ),
    "unmasking_over": gettext_lazy(
        "This form has already been used or is more than an hour old. Nothing was opened. Submit the current form."
    ),
    "several_prefixes": gettext_lazy("The text contains several keys. Revoke them one at a time."),
    "too_many_invitations": REFUSALS["too_many_invitations"],
    "user_limit_reached": gettext_lazy(
        "The account has reached its limit of %(limit)s users and open invitations. No changes were made."
    ),
    "yourself": gettext_lazy("This is you. End your own sessions under Account, Sessions. No changes were made."),
}
"""How the back-office says no to staff."""

DETAIL_NAMES: Final[dict[str, Promise]] = {
    "document": gettext_lazy("Document"),
    "email": gettext_lazy("E-mail address"),
    "days": gettext_lazy("Grace period (days)"),
    "fields": gettext_lazy("Changed"),
    "file": gettext_lazy("File"),
    "filters": gettext_lazy("Filter"),
    "fingerprint": gettext_lazy("Fingerprint"),
    "from": gettext_lazy("Before"),
    "key": gettext_lazy("Key"),
    "language": gettext_lazy("Language"),
    "method": gettext_lazy("Method"),
    "name": gettext_lazy("Name"),
    "network": gettext_lazy("IP address or network"),
    "new": gettext_lazy("Now"),
    "old": gettext_lazy("Before"),
    "page": gettext_lazy("Page"),
    "reason": gettext_lazy("Reason"),
    "receipt": gettext_lazy("Receipt"),
    "scope": gettext_lazy("What"),
    "records": gettext_lazy("Records"),
    "group": gettext_lazy("Group"),
    "rooms": gettext_lazy("Visible details"),
    "scopes": gettext_lazy("Scopes"),
    "ticket": gettext_lazy("Case number"),
    "to": gettext_lazy("Now"),
    "until": gettext_lazy("Until"),
    "user": gettext_lazy("User"),
    "version": gettext_lazy("Version"),
}
"""Names of the details of audit log entries; a detail without a name is shown by its code."""

PAGE_NAMES: Final[dict[str, Promise]] = {
    "overview": gettext_lazy("Overview"),
    "contact": gettext_lazy("Contact details"),
    "billing": gettext_lazy("Billing details"),
    "users": gettext_lazy("Users"),
    "history": gettext_lazy("Audit log"),
    "keys": gettext_lazy("API keys"),
    "log": gettext_lazy("Check log"),
    "privacy": gettext_lazy("Security and privacy"),
    "support": gettext_lazy("Support access"),
}
"""The first word of a permission → the page it belongs to."""

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
    "any_address": gettext_lazy("Allowed IP addresses"),
}
"""Names of the fields that the detail `fields` lists by their codes."""

METHOD_NAMES: Final[dict[str, Promise]] = {
    "code": gettext_lazy("code by mail"),
    "password": gettext_lazy("password"),
    "password_reset": gettext_lazy("new password by e-mail"),
    "recovery_codes": gettext_lazy("recovery code"),
    "totp": gettext_lazy("authenticator app"),
    "webauthn": gettext_lazy("passkey"),
}
"""Names of the ways to sign in that the detail `method` lists by their codes."""

REASON_NAMES: Final[dict[str, Promise]] = {
    "address": gettext_lazy("the key does not work from this IP address"),
    "ended": gettext_lazy("the key is revoked or expired, or the account is not active"),
}
"""Why a call with a right key was refused."""

FILTER_NAMES: Final[dict[str, Promise]] = {
    "all": gettext_lazy("none (all checks)"),
    "time": gettext_lazy("time"),
    "source": gettext_lazy("source"),
    "key": gettext_lazy("key"),
    "verdict": gettext_lazy("result"),
    "country": gettext_lazy("country"),
    "number": gettext_lazy("one IBAN"),
    "row": gettext_lazy("one check"),
}
"""By what the checks of a log were chosen: names of the filters that the detail `filters` lists by their codes."""

SCOPE_NAMES: Final[dict[str, Promise]] = {
    "log": gettext_lazy("the check log"),
    "contact": gettext_lazy("the contact details"),
    "billing": gettext_lazy("the billing details"),
    "user": gettext_lazy("one user"),
    "number": gettext_lazy("one IBAN in the check log"),
}
"""Parts of an account that can be deleted: names of what the detail `scope` says by its code."""

DOCUMENT_NAMES: Final[dict[str, Promise]] = {
    "agreement": gettext_lazy("Data-processing agreement"),
    "measures": gettext_lazy("Technical and organisational measures"),
}
"""Names of the documents that the detail `document` names by their codes."""

HISTORY_PROBLEMS: Final[dict[str, Promise]] = {
    "edited": gettext_lazy("Entry %(number)s has been altered: its content or its place in the chain was changed."),
    "missing": gettext_lazy("Entry %(number)s is missing from the chain."),
    "detail": gettext_lazy("The details of entry %(number)s have been altered."),
    "cut": gettext_lazy("The entries from number %(number)s onwards have been removed."),
    "changed": gettext_lazy("Entry %(number)s differs from the one the export was signed with."),
    "signature": gettext_lazy("The line is not a checkpoint we have signed for this audit log."),
}
"""What verify() and verify_checkpoint() of an audit log can find."""


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
    """Return why an action was refused. Raises KeyError for a code without a text."""
    return str(REFUSALS[refusal.code]) % refusal.values


def operator_refusal(refusal: Refusal) -> str:
    """Return to staff why an action of theirs was refused. Raises KeyError for a code without a text."""
    return str(OPERATOR_REFUSALS[refusal.code]) % refusal.values


def details(entry: dict[str, str]) -> list[tuple[str, str]]:
    """Return the name and the value of each detail of an audit log entry."""
    return [(str(DETAIL_NAMES.get(code, code)), _detail(code, value)) for code, value in entry.items() if value]


def groups(names: str) -> str:
    """Return the names of groups of staff, `support, billing`, for reading."""
    return _detail("group", names)


def _detail(code: str, value: str) -> str:
    names = _NAMES.get(code)
    if names is None:
        return value
    return ", ".join(str(names.get(part, part)) for part in value.split(", "))
