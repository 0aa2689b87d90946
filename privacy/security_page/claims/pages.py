"""Claims about whoever uses the pages: application security, and what sub-users see."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, Subject

APPLICATION: Final = Subject(
    "application",
    _("Application security"),
    (
        Claim(
            "own_code_only",
            _("Browsers run our own code only, and nothing is loaded from anybody else."),
            _("A strict Content-Security-Policy on every page, without inline scripts or styles."),
            _("Pages and error pages are read for the policy, for inline code and for foreign addresses."),
        ),
        Claim(
            "passwords",
            _("Passwords are kept as Argon2id hashes only. Common ones are refused, and guessing is slowed down."),
            _(
                "At least 12 characters, none of the 20,000 most common, nothing like the user's address or "
                "company. Attempts are limited for each user and network, and for each browser in which the user has "
                "signed in before. After 100 wrong passwords in a day from other browsers, such a browser needs a "
                "mailed code too, and the user is told by mail."
            ),
            _(
                "Weak passwords are offered, and passwords are guessed from one network, from many, and from known "
                "browsers."
            ),
        ),
        Claim(
            "second_factor",
            _("A customer can require a second factor of all its users. The operator's staff must have one."),
            _(
                "Passkeys and authenticator apps, with recovery codes. Who has none is led to the page where "
                "one is added."
            ),
            _("A browser signs in with a passkey; staff without a factor try every door."),
        ),
        Claim(
            "staff_entry",
            _(
                "The operator's staff open only what their work needs, after giving a second factor in that very "
                "session."
            ),
            _(
                "What each group may see is one table; nobody may see everything. Half an hour without a visit, or "
                "another network, ends the entry. Every page opened and every refusal is recorded."
            ),
            _(
                "Every address of the back-office is asked for as each group, as customers and as a stranger, with "
                "edited numbers and from elsewhere."
            ),
        ),
        Claim(
            "sign_in_is_silent",
            _("Signing in, signing up and asking for a new password do not reveal who has an account."),
            _("Known and unknown addresses get the same answer for the same work, and equally many mails."),
            _("Pages, database queries, password hashes and mails are compared for a known and an unknown address."),
        ),
        Claim(
            "proof_again",
            _("Whoever changes what matters proves again who they are, if the last proof is older than five minutes."),
            _("With the second factor where there is one, otherwise with the password."),
            _("Sensitive pages are opened with an older sign-in; none may do anything."),
        ),
        Claim(
            "sessions_end",
            _("Sessions end after twelve hours without use, and the others at once when a password is changed."),
            _("Users see where they are signed in and can end each of those sessions."),
            _("Time is moved on, passwords are changed in one browser, and the other one tries to go on."),
        ),
        Claim(
            "odd_input",
            _("Odd input is refused with a reason or judged as text. It is never run, and never breaks a page."),
            _("Limits on length, strict encodings, everything escaped; forms are accepted from our own pages only."),
            _("Random and hostile texts, broken encodings, huge bodies and foreign forms are sent."),
        ),
        Claim(
            "locked_dependencies",
            _("Every library we use is pinned to a version and to the checksums of its files."),
            _("What does not match them is not installed. Tests run with the very versions that serve you."),
            _("The lists are compared with the project's dependencies and with what is installed."),
        ),
    ),
)

STAFF: Final = Subject(
    "staff",
    _("Our staff"),
    (
        Claim(
            "staff_masked",
            _(
                "Our staff see personal details masked. They see them in clear for a quarter of an hour only, for a "
                "reason that the customer's owners read, or with the owners' leave."
            ),
            _(
                "Each group sees its own part. The owners are told by e-mail, find it in their history, and can end "
                "their leave at once."
            ),
            _(
                "Forms are sent twice, later, and for another customer; each group looks before, during and after the "
                "quarter of an hour."
            ),
        ),
        Claim(
            "staff_read_no_iban",
            _("No page shows our staff an IBAN, an API key, or what is in a log of checks."),
            _("The back-office has no page for them; each of its pages asks for a permission of the group."),
            _(
                "With a stolen session of every group each page of the back-office is opened, posted to and guessed "
                "at; each answer is searched for IBANs, keys, sealed bytes and sessions."
            ),
        ),
        Claim(
            "staff_on_record",
            _(
                "Whatever our staff look at or do in the back-office is on record, in a history in which later "
                "changes show."
            ),
            _("Each entry holds the hash of the one before, as in the histories of customers."),
            _(
                "Entries are edited, removed and cut off at the end, which must be found; many are written at the same "
                "moment."
            ),
        ),
    ),
)

SUB_USERS: Final = Subject(
    "sub-users",
    _("Sub-users"),
    (
        Claim(
            "roles",
            _(
                "Sub-users use the service and see nothing of the account: no keys, billing, history, users "
                "or settings."
            ),
            _("Who may do what is one table. Each page asks it before anything else."),
            _(
                "Every address of the site is opened and posted to by a stranger, a sub-user, an owner, "
                "another customer's owner and staff."
            ),
        ),
        Claim(
            "customers_apart",
            _("No customer reaches the data of another. What belongs to somebody else answers as if it did not exist."),
            _("Each query is limited to the customer who asks."),
            _(
                "Another customer's owner asks for every kind of id; the answers must be equal to those for "
                "unknown ones."
            ),
        ),
        Claim(
            "deactivated_users",
            _("A user whom an owner deactivates or removes is signed out at once and cannot come back."),
            _(
                "Their sessions are ended together with the deed, and each request asks whether the user may "
                "still come in."
            ),
            _("A signed-in user is deactivated, tries to go on and tries to sign in again."),
        ),
    ),
)
