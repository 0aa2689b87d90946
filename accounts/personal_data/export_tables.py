"""What of the accounts' tables a client gets, field by field. Nothing here changes anything.

Passwords, secrets of second factors, what sessions hold and the nonces of links never leave the house.
"""

from collections.abc import Iterable
from typing import Final

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils.translation import gettext_lazy as _

from accounts.audit import client_log, staff_log
from accounts.models import (
    BillingDetails,
    Client,
    ClientNote,
    ContactDetails,
    Invitation,
    OwnerRecovery,
    SupportAccess,
    UsageDay,
    User,
)
from accounts.personal_data.schema import Column, ExportTable, day, moment, plain, time
from accounts.profile import details
from accounts.staff import notes, unmasking


def _contact(client: Client, rows: list[ContactDetails]) -> Iterable[details.Contact]:
    return [details.contact(client) for _row in rows]


def _billing(client: Client, rows: list[BillingDetails]) -> Iterable[details.Billing]:
    return [details.billing(client) for _row in rows]


def _who(user: User | None) -> str:
    return user.email if user else ""


EXPORT_TABLES: Final = (
    ExportTable(
        "account",
        _("The account itself"),
        lambda client: Client.objects.filter(pk=client.pk),
        (
            Column("id", _("The account's number"), lambda client: str(client.pk)),
            plain("state", _("State: active, suspended, closing or gone")),
            plain("user_limit", _("Maximum number of users")),
            plain("monthly_quota", _("Checks per calendar month")),
            plain("needs_second_factor", _("Whether two-factor authentication is mandatory for all users")),
            time("suspended_at", _("Suspended since, if suspended")),
            plain("is_demo", _("Whether it was created for demonstration")),
            time("created_at", _("When it was created")),
        ),
    ),
    ExportTable(
        "users",
        _("People who can sign in"),
        lambda client: User.objects.filter(client=client).order_by("joined_at", "pk"),
        (
            Column("id", _("User number, as shown in the audit log"), lambda user: str(user.pk)),
            plain("email", _("E-mail address")),
            Column("name", _("Name"), details.name),
            plain("role", _("owner or sub_user (member)")),
            plain("language", _("Language of e-mails; empty: browser language")),
            plain("time_zone", _("Time zone of the pages")),
            plain("is_active", _("Whether the user may sign in")),
            time("joined_at", _("When the user joined")),
            time("last_login", _("When the user last signed in")),
        ),
    ),
    ExportTable(
        "email_addresses",
        _("E-mail addresses of users and whether they are confirmed"),
        lambda client: EmailAddress.objects.filter(user__client=client).order_by("pk"),
        (
            Column("user", _("User number"), lambda row: str(row.user_id)),
            plain("email", _("E-mail address")),
            plain("verified", _("Whether it has been confirmed from its mailbox")),
            plain("primary", _("Whether the user signs in with it")),
        ),
    ),
    ExportTable(
        "email_confirmations",
        _("E-mails asking to confirm an address that have not been answered yet"),
        lambda client: (
            EmailConfirmation.objects.filter(email_address__user__client=client)
            .select_related("email_address")
            .order_by("pk")
        ),
        (
            Column("email", _("E-mail address"), lambda row: row.email_address.email),
            time("created", _("When it was created")),
            time("sent", _("When it was sent")),
        ),
    ),
    ExportTable(
        "second_factors",
        _("Users' two-factor methods; their secrets are not in this copy"),
        lambda client: Authenticator.objects.filter(user__client=client).order_by("pk"),
        (
            Column("user", _("User number"), lambda row: str(row.user_id)),
            Column("kind", _("totp, webauthn (passkey) or recovery_codes"), lambda row: str(row.type)),
            time("created_at", _("When it was added")),
            time("last_used_at", _("When it was last used")),
        ),
    ),
    ExportTable(
        "sessions",
        _("Browsers that are signed in"),
        lambda client: UserSession.objects.filter(user__client=client).order_by("pk"),
        (
            Column("user", _("User number"), lambda row: str(row.user_id)),
            Column("address", _("Internet address"), lambda row: row.ip),
            Column("browser", _("Browser name as reported by the browser"), lambda row: row.user_agent),
            time("created_at", _("Sign-in time")),
            time("last_seen_at", _("Last active")),
        ),
    ),
    ExportTable(
        "invitations",
        _("Invited people who have not joined"),
        lambda client: Invitation.objects.filter(client=client).select_related("invited_by").order_by("sent_at", "pk"),
        (
            plain("email", _("E-mail address")),
            Column(
                "invited_by",
                _("E-mail address of the person who sent the invitation"),
                lambda row: _who(row.invited_by),
            ),
            time("sent_at", _("When the invitation was last sent")),
            time("expires_at", _("Link valid until")),
        ),
    ),
    ExportTable(
        "owner_requests",
        _("A request made to us for a user to become an owner"),
        lambda client: OwnerRecovery.objects.filter(client=client).select_related("user"),
        (
            Column("user", _("E-mail address of the user"), lambda row: row.user.email),
            time("requested_at", _("When it was created")),
        ),
    ),
    ExportTable(
        "contact",
        _("Contact details"),
        lambda client: ContactDetails.objects.filter(client=client),
        (
            plain("company", _("Company")),
            plain("organisation_number", _("Organisation number")),
            plain("person", _("Contact person")),
            plain("phone", _("Phone")),
            plain("street", _("Street and number")),
            plain("postcode", _("Postcode")),
            plain("city", _("City")),
            plain("country", _("Country")),
        ),
        _contact,
    ),
    ExportTable(
        "billing",
        _("Billing details"),
        lambda client: BillingDetails.objects.filter(client=client),
        (
            plain("company", _("Company")),
            plain("street", _("Street and number")),
            plain("postcode", _("Postcode")),
            plain("city", _("City")),
            plain("country", _("Country")),
            plain("vat_number", _("VAT number")),
            plain("reference", _("Your reference")),
            plain("invoice_email", _("E-mail address for invoices")),
        ),
        _billing,
    ),
    ExportTable(
        "notes",
        _("Our staff's notes about the account"),
        lambda client: ClientNote.objects.filter(client=client).order_by("written_at", "pk"),
        (
            time("written_at", _("When it was written")),
            plain("ticket", _("Case number")),
            plain("text", _("Text of the note")),
        ),
        notes.opened,
    ),
    ExportTable(
        "usage",
        _("Number of checks made, by day and channel: counts only"),
        lambda client: UsageDay.objects.filter(client=client).order_by("day", "source"),
        (
            day("day", _("Day (UTC)")),
            plain("source", _("The channel: page or api")),
            plain("valid", _("Valid numbers")),
            plain("invalid", _("Invalid numbers")),
            plain("units", _("Checks counted against the quota")),
        ),
    ),
    ExportTable(
        "support_accesses",
        _("Periods when you let support see your masked details"),
        lambda client: (
            SupportAccess.objects.filter(client=client).select_related("granted_by").order_by("granted_at", "pk")
        ),
        (
            Column(
                "granted_by",
                _("E-mail address of the person who allowed it, if still known"),
                lambda row: _who(row.granted_by),
            ),
            time("granted_at", _("When it was allowed")),
            time("until", _("Until when")),
            time("ended_at", _("When an owner ended it early")),
        ),
    ),
    ExportTable(
        "unmaskings",
        _("When our staff opened your masked details"),
        lambda client: unmasking.of(client).order_by("opened_at", "pk"),
        (
            plain("groups", _("Groups of the staff member: support, billing, security")),
            plain("ticket", _("Case number; empty if you had allowed it")),
            Column("words", _("The reason as written by our staff"), unmasking.words_of),
            time("opened_at", _("When it began")),
            time("until", _("When it ends automatically")),
            time("ended_at", _("When it was ended early")),
        ),
    ),
    ExportTable(
        "staff_history",
        _(
            "What our staff viewed or did in the account; the reasons are deleted with the account, and the "
            "rest identifies nobody"
        ),
        lambda client: staff_log.entries(client=client.pk).order_by("number"),
        (
            Column("at", _("When"), lambda told: moment(told.when)),
            plain("tag", _("Action code")),
            Column("what", _("Description of the action"), lambda told: told.sentence),
            Column("page", _("Name of the page"), lambda told: told.details.get("page", "")),
            Column("ticket", _("Case number"), lambda told: told.details.get("ticket", "")),
            Column("reason", _("The reason as written by our staff"), lambda told: told.details.get("reason", "")),
        ),
        lambda _client, rows: staff_log.told(rows),
    ),
    ExportTable(
        "history",
        _("What was done in the account, when and by whom"),
        lambda client: client_log.entries(client).order_by("number"),
        (
            plain("number", _("Position in the audit log")),
            plain("tag", _("Action code")),
            Column("what", _("Description of the action"), lambda told: told.sentence),
            Column("at", _("When"), lambda told: moment(told.when)),
            Column("by", _("E-mail address of the person who did it, if still known"), lambda told: told.who),
            plain("network", _("Network of the IP address, shortened")),
            plain("address", _("Full IP address; stored for seven days")),
            plain("details", _("Details")),
        ),
        client_log.told,
    ),
)
