"""Claims about application security, and about what members and staff see."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from privacy.security_page.claims.claim import Claim, ClaimSubject

APPLICATION: Final = ClaimSubject(
    "application",
    _("Application security"),
    (
        Claim(
            "own_code_only",
            _("Browsers run only our own code, and nothing is loaded from third parties."),
            _("A strict Content-Security-Policy on every page, without inline scripts or styles."),
            _("Pages and error pages are checked for the policy, for inline code and for third-party web addresses."),
        ),
        Claim(
            "passwords",
            _(
                "Passwords are stored only as Argon2id hashes. Common passwords are refused, and guessing is "
                "slowed down."
            ),
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
            _("A customer can require two-factor authentication for all its users. It is mandatory for our staff."),
            _(
                "Passkeys and authenticator apps, with recovery codes. Anyone who has not set up either "
                "is taken to the page where it is done."
            ),
            _("A browser signs in with a passkey; staff without two-factor authentication try every entry point."),
        ),
        Claim(
            "staff_entry",
            _(
                "Our staff can only open what their work requires, after two-factor authentication in "
                "that very session."
            ),
            _(
                "One table defines what each group may see; nobody may see everything. Access ends after "
                "half an hour of inactivity or when the network changes. Every page opened and every "
                "refusal is recorded."
            ),
            _(
                "Every web address of the back-office is requested as each group, as customers and as a "
                "visitor, with altered numbers and from other locations."
            ),
        ),
        Claim(
            "sign_in_is_silent",
            _("Signing in, signing up and requesting a new password do not reveal who has an account."),
            _(
                "Known and unknown e-mail addresses get the same response for the same work, and the same "
                "number of e-mails."
            ),
            _(
                "Pages, database queries, password hashes and e-mails are compared for a known and an "
                "unknown e-mail address."
            ),
        ),
        Claim(
            "proof_again",
            _(
                "Anyone making an important change must confirm their identity again if the last "
                "confirmation is more than five minutes old."
            ),
            _("With two-factor authentication if it is set up, otherwise with the password."),
            _("Sensitive pages are opened with an older sign-in; none may carry out anything."),
        ),
        Claim(
            "sessions_end",
            _(
                "Sessions end after twelve hours of inactivity; when a password is changed, all other "
                "sessions end immediately."
            ),
            _("Users see where they are signed in and can end each of those sessions."),
            _("Time is moved forward, the password is changed in one browser, and another one tries to continue."),
        ),
        Claim(
            "odd_input",
            _(
                "Unusual input is refused with a reason or treated as text. It is never executed, and never "
                "breaks a page."
            ),
            _("Length limits, strict encodings, everything escaped; forms are only accepted from our own pages."),
            _("Random and malicious texts, broken encodings, huge bodies and forms from other sites are sent."),
        ),
        Claim(
            "locked_dependencies",
            _("Every library we use is pinned to a version and to the checksums of its files."),
            _("Anything that does not match is not installed. Tests run with exactly the versions that serve you."),
            _("The lists are compared with the project's dependencies and with what is installed."),
        ),
    ),
)

STAFF: Final = ClaimSubject(
    "staff",
    _("Our staff"),
    (
        Claim(
            "staff_masked",
            _(
                "Our staff see personal data masked. They see it unmasked for a quarter of an hour only, "
                "for a reason that the customer's owners can read, or with the owners' permission."
            ),
            _(
                "Each group sees its own part. The owners are notified by e-mail, see the access in "
                "their audit log, and can withdraw their permission immediately."
            ),
            _(
                "Forms are sent twice, later, and for another customer; each group opens the pages "
                "before, during and after the quarter of an hour."
            ),
        ),
        Claim(
            "staff_read_no_iban",
            _("No page shows our staff an IBAN, an API key, or the contents of a check log."),
            _("The back-office has no page for these; each of its pages requires a permission of the group."),
            _(
                "With a stolen session of every group, each page of the back-office is opened, sent "
                "forms and guessed at; every response is searched for IBANs, keys, encrypted bytes and "
                "sessions."
            ),
        ),
        Claim(
            "staff_on_record",
            _(
                "Everything our staff view or do in the back-office is recorded in an audit log that "
                "reveals later changes."
            ),
            _("Each entry contains the hash of the previous one, as in the customers' audit logs."),
            _(
                "Entries are edited, removed and cut off at the end, which must be detected; many are "
                "written at the same moment."
            ),
        ),
    ),
)

MEMBERS: Final = ClaimSubject(
    "sub-users",
    _("Members"),
    (
        Claim(
            "roles",
            _(
                "Members use the service but see nothing of the account: no keys, billing, audit log, "
                "users or settings."
            ),
            _("One table defines who may do what. Every page consults it before anything else."),
            _(
                "Every page of the site is opened, and forms are sent to it, by a visitor, a member, an "
                "owner, another customer's owner and staff."
            ),
        ),
        Claim(
            "customers_apart",
            _(
                "No customer can access another customer's data. Requests for it get the same response as "
                "for something that does not exist."
            ),
            _("Each query is limited to the customer making the request."),
            _(
                "Another customer's owner asks for every kind of ID; the responses must be the same as "
                "for unknown ones."
            ),
        ),
        Claim(
            "deactivated_users",
            _("A user whom an owner deactivates or removes is signed out immediately and cannot sign in again."),
            _("Their sessions are ended in the same step, and each request checks whether the user still has access."),
            _("A signed-in user is deactivated, tries to continue and tries to sign in again."),
        ),
    ),
)
