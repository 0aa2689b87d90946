"""Every page of the site in each state that looks different: what is looked at, by whom, and how one gets there.

A page that is in no scene and in no line of NO_PAGE fails test_scenes.py. Knows no database: rows, links of mails and
sessions are made by cast.py, which names what the paths need after the page, or after `of` where states differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ibanse.backoffice.site import SECTIONS


@dataclass(frozen=True, slots=True)
class Scene:
    """A page in one state."""

    page: str
    """The name of its URL."""
    who: str = "stranger"
    """Whose session of the cast looks at it."""
    of: str = ""
    """The name of the cast's arguments for the path; empty: the page's own name, or none."""
    query: str = ""
    fields: Mapping[str, str] | None = None
    """What is typed into the form that has these fields, which is then sent unchecked by the browser."""
    click: str = ""
    """What is clicked on before one looks; where it leads to another page, that is looked at."""
    unfold: bool = False
    """Whether everything that can be unfolded is."""
    status: int = 200
    """Of the page itself, before anything is typed or clicked on."""

    def __str__(self) -> str:
        """Name it as on the sheets."""
        state = [self.of, self.query, self.click]
        if self.fields is not None:
            state += [f"{name}={value[:12]}" for name, value in self.fields.items()]
        if self.unfold:
            state.append("unfolded")
        return " ".join(filter(None, [self.page, *state, f"({self.who})"]))


def _seen(who: str, *pages: str) -> Iterator[Scene]:
    for page in pages:
        yield Scene(page, who)


def _office_lists() -> Iterator[Scene]:
    for section in SECTIONS.values():
        for model, _shown_by in section.models:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            yield Scene(f"{name}_changelist", "staff")
            yield Scene(f"{name}_change", "staff")


PUBLIC: Final = (
    *_seen(
        "stranger",
        "validation:check", "validation:countries", "validation:country", "validation:api_docs", "contact",
        "contact_sent", "terms", "privacy", "security", "account_signup", "account_login", "account_reset_password",
        "account_inactive", "account_password_reset_completed", "deletion:verify", "deletion:receipt",
        "accounts:accept", "accounts:cancel_recovery",
    ),
    Scene("account_signup_code", "signing up"),
    Scene("account_confirm_password_reset_code", "forgetful"),
    Scene("account_complete_password_reset", "forgetful with a code"),
    Scene("account_confirm_login_code", "guessed at"),
    Scene("account_email_verification_sent", "unverified"),
    Scene("mfa_authenticate", "with an app"),
    Scene("deletion:confirm", "stranger"),
    Scene("deletion:cancel", "stranger"),
    Scene("validation:country", of="unknown", status=404),
    Scene("accounts:accept", of="foreign", status=410),
    Scene("accounts:accept", "owner", status=409),
    Scene("accounts:cancel_recovery", of="foreign", status=410),
    Scene("deletion:confirm", of="foreign", status=410),
    Scene("deletion:receipt", of="foreign", status=410),
)  # fmt: skip

ACCOUNT: Final = (
    *_seen(
        "owner",
        "validation:check", "accounts:overview", "accounts:account", "accounts:profile", "accounts:contact",
        "accounts:billing", "accounts:users", "accounts:change_user", "accounts:history", "accounts:settings",
        "accounts:support_access", "privacy:security_and_privacy", "privacy:documents", "privacy:delete_document",
        "privacy:export", "privacy:deletion", "privacy:erase_part", "privacy:erase_user", "apikeys:keys",
        "apikeys:create", "apikeys:key", "apikeys:edit", "apikeys:rotate", "apikeys:revoke", "validation:log",
        "validation:log_row", "validation:erase_log_row", "account_email", "account_change_password",
        "account_reauthenticate", "account_logout", "mfa_index", "mfa_activate_totp", "mfa_add_webauthn",
        "usersessions_list",
    ),
    # Of a company that has just signed up: nothing is there yet.
    *_seen(
        "newcomer",
        "accounts:overview", "accounts:users", "accounts:history", "accounts:contact", "privacy:documents",
        "privacy:export", "privacy:deletion", "apikeys:keys", "validation:log",
    ),
    *_seen("member", "validation:check", "accounts:account", "accounts:profile"),
    Scene("accounts:users", "member", status=403),
    Scene("accounts:overview", "suspended", status=403),
    Scene("account_set_password", "without a password"),
    Scene("account_email", "changing the address"),
    *_seen(
        "careful",
        "mfa_index", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_edit_webauthn", "mfa_remove_webauthn",
        "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
    ),
    Scene("mfa_generate_recovery_codes", "with an app only"),
    Scene("privacy:deletion", "asked to be deleted"),
    Scene("privacy:deletion", "being deleted"),
    Scene("validation:check", "being deleted"),
    *(Scene("privacy:export", f"export {state}") for state in ("under way", "ready", "failed", "over")),
    Scene("validation:log", "owner", query="?verdict=invalid"),
    Scene("validation:erase_log", "owner", query="?verdict=valid"),
    # Second pages.
    Scene("accounts:history", "owner", click="a[rel=next]"),
    Scene("validation:log", "owner", click="a[rel=next]"),
    # What opens.
    Scene("validation:check", "owner", click=".menu summary"),
    Scene("accounts:users", "owner", unfold=True),
    Scene("apikeys:keys", "owner", unfold=True),
    Scene("accounts:overview", "owner", unfold=True),
    Scene("validation:check", fields={"iban": "DE89370400440532013000"}, unfold=True),
    Scene("mfa_activate_totp", "owner", unfold=True),
    Scene("security", unfold=True),
    Scene("validation:api_docs", unfold=True),
)  # fmt: skip

_CASE: Final = {"ticket": "", "words": "short"}
SENT: Final = (
    Scene("validation:check", fields={"iban": ""}),
    Scene("validation:check", fields={"iban": "SE4550000000058398257466"}),
    Scene("validation:check", fields={"iban": "DE89370400440532013001"}),
    Scene("validation:check", fields={"iban": "LC55HEMM000100010012001200023015"}),
    Scene("validation:check", fields={"iban": "x" * 128}),
    Scene("contact", fields={"email": "not an address"}),
    Scene("deletion:verify", fields={"pasted": "{}"}),
    Scene("account_signup", fields={"email": "not an address"}),
    Scene("account_login", fields={"login": "somebody@example.com", "password": "wrong"}),
    Scene("account_reset_password", fields={"email": "not an address"}),
    Scene("account_signup_code", "signing up", fields={"code": "wrong"}),
    Scene("account_confirm_password_reset_code", "forgetful", fields={"code": "wrong"}),
    Scene("account_complete_password_reset", "forgetful with a code", fields={"password1": "x", "password2": "y"}),
    Scene("account_confirm_login_code", "guessed at", fields={"code": "wrong"}),
    Scene("account_email_verification_sent", "unverified", fields={"code": "wrong"}),
    Scene("mfa_authenticate", "with an app", fields={"code": "000000"}),
    Scene("accounts:accept", fields={"name": "", "password": "x"}),
    Scene("account_set_password", "without a password", fields={"password1": "x", "password2": "y"}),
    Scene("account_email", "owner", fields={"email": "not an address"}),
    Scene("account_email", "changing the address", fields={"new_code": "x", "old_code": "y"}),
    Scene("account_change_password", "owner", fields={"oldpassword": "x", "password1": "x", "password2": "y"}),
    Scene("account_reauthenticate", "owner", fields={"password": "wrong"}),
    Scene("mfa_reauthenticate", "careful", fields={"code": "wrong"}),
    Scene("mfa_activate_totp", "owner", fields={"code": "wrong"}),
    Scene("mfa_edit_webauthn", "careful", fields={"name": ""}),
    Scene("accounts:profile", "owner", fields={"name": "x" * 300}),
    Scene("accounts:contact", "owner", fields={"company": "x" * 300}),
    Scene("accounts:billing", "owner", fields={"company": "x" * 300, "vat_number": "not one"}),
    Scene("accounts:users", "owner", fields={"email": "not an address"}),
    Scene("accounts:history", "owner", query="?since=2026-12-31&until=2026-01-01", status=422),
    Scene("accounts:history", "owner", fields={"checkpoint": "not one"}),
    Scene("accounts:support_access", "owner", fields={"length": ""}),
    Scene("privacy:security_and_privacy", "owner", fields={"mode": "full", "days": "9999"}),
    Scene("privacy:documents", "owner", fields={"kind": "agreement", "language": "xx"}),
    Scene("privacy:deletion", "owner", fields={"days": "99"}),
    Scene("apikeys:create", "owner", fields={"name": ""}),
    Scene("apikeys:edit", "owner", fields={"name": ""}),
    Scene("apikeys:rotate", "owner", fields={"overlap": "9999"}),
    Scene("apikeys:key", "owner", fields={"network": "not one"}),
    Scene("validation:log", "owner", fields={"iban": ""}),
    Scene("validation:log", "owner", query="?since=2026-12-31&until=2026-01-01", status=422),
    Scene("admin:set_block", "staff", fields={**_CASE, "network": "not one"}),
    Scene("admin:set_quota", "staff", fields={**_CASE, "units": "-1"}),
    Scene("admin:set_user_limit", "staff", fields={**_CASE, "most": "0"}),
    Scene("admin:suspend_client", "staff", fields=_CASE),
    Scene("admin:note_client", "staff", fields=_CASE),
    Scene("admin:client_details", "staff", fields=_CASE),
    Scene("admin:find_leaked_key", "staff", fields={"text": "not one"}),
    Scene("admin:change_staff", "staff", fields=_CASE),
)

OFFICE: Final = (
    *_office_lists(),
    *_seen(
        "staff",
        "admin:index", "admin:notes", "admin:note_client", "admin:suspend_client", "admin:reopen_client",
        "admin:set_quota", "admin:set_user_limit", "admin:resend_invitation", "admin:withdraw_invitation",
        "admin:sign_out_user", "admin:sign_out_session", "admin:sign_out_actor", "admin:sign_out_staff",
        "admin:set_block", "admin:lift_block", "admin:find_leaked_key", "admin:revoke_key", "admin:client_details",
        "admin:verify_client", "admin:verify_staff", "admin:staff", "admin:change_staff", "admin:refused_calls",
    ),
    Scene("admin:index", "owner", status=403),
    Scene("admin:accounts_historyentry_changelist", "staff", query="?p=2"),
    Scene("admin:index", "staff", unfold=True),
    Scene("admin:refused_calls", "staff", unfold=True),
    Scene("admin:index", "staff", click=".menu summary"),
)  # fmt: skip

SCENES: Final = (*PUBLIC, *ACCOUNT, *SENT, *OFFICE)

NO_PAGE: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "language", "mfa_login_webauthn", "usersessions_end", "usersessions_end_others", "accounts:invite",
            "accounts:resend_invitation", "accounts:withdraw_invitation", "accounts:verify_history",
            "accounts:export_history", "accounts:grant_support_access", "accounts:end_support_access",
            "privacy:change_logging", "privacy:second_factor", "privacy:make_document", "privacy:request_export",
            "privacy:request_deletion", "privacy:cancel_deletion", "apikeys:add_network", "apikeys:choose_addresses",
            "apikeys:remove_network", "validation:find_in_log",
        ),
        "only takes a form of another page, and leads back to it",
    ),
    **dict.fromkeys(
        (
            "mfa_download_recovery_codes", "privacy:download_document", "privacy:download_export",
            "deletion:receipt_file", "validation:export_log",
        ),
        "sends a file",
    ),
    **dict.fromkeys(("security_txt", "validation:health_live", "validation:health_ready", "validation:health_unknown"),
        "is for programs"),
    **dict.fromkeys(("admin:login", "mfa_list_webauthn"), "leads to another page"),
}  # fmt: skip
"""What has a URL and no page, each with the reason."""
