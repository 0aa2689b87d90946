"""Every URL of the site × every kind of person × GET and POST: who is allowed is one table with nothing missing.

A new URL fails here until it has a line in ROUTES. "In" means that the page itself responds, also with errors to an
empty form; a page of an action is compared with the matrix in accounts/roles.py as well.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts import roles
from accounts.audit import client_log
from accounts.models import Invitation, User
from accounts.team import invitations
from apikeys.models import AllowedNetwork
from privacy.models import ClientDocument, DataExport
from tests.base import BaseTest, Person, Visitor
from validation.models import ValidationRecord

Outcome = Literal["in", "sign-in", "refused", "absent"]
EVERYBODY: Final = "everyone"
SIGNED_IN: Final = "everyone who is signed in"
MEMBERS: Final = "owner and members of a client"
OWNERS: Final = "owners, each of their own client"

ROUTES: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "validation:check",
            "validation:countries",
            "validation:country",
            "validation:api_docs",
            "validation:health_live",
            "validation:health_ready",
            "validation:health_unknown",
            "language",
            "contact",
            "contact_sent",
            "terms",
            "privacy",
            "security",
            "security_txt",
            "account_signup",
            "account_signup_code",
            "account_login",
            "account_confirm_login_code",
            "account_email_verification_sent",
            "account_inactive",
            "account_reset_password",
            "account_confirm_password_reset_code",
            "account_complete_password_reset",
            "account_password_reset_completed",
            "account_logout",
            "mfa_login_webauthn",
            "mfa_authenticate",
            "accounts:accept",
            "accounts:cancel_recovery",
            "deletion:confirm",
            "deletion:cancel",
            "deletion:receipt",
            "deletion:receipt_file",
            "deletion:verify",
        ),
        EVERYBODY,
    ),
    **dict.fromkeys(
        (
            "account_reauthenticate",
            "account_email",
            "account_change_password",
            "account_set_password",
            "mfa_reauthenticate",
            "mfa_reauthenticate_webauthn",
            "mfa_index",
            "mfa_activate_totp",
            "mfa_deactivate_totp",
            "mfa_list_webauthn",
            "mfa_add_webauthn",
            "mfa_edit_webauthn",
            "mfa_remove_webauthn",
            "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
            "mfa_download_recovery_codes",
            "usersessions_list",
            "usersessions_end",
            "usersessions_end_others",
        ),
        SIGNED_IN,
    ),
    **dict.fromkeys(("accounts:account", "accounts:profile"), MEMBERS),
    **dict.fromkeys(
        (
            "accounts:overview",
            "accounts:contact",
            "accounts:billing",
            "accounts:users",
            "accounts:invite",
            "accounts:change_user",
            "accounts:resend_invitation",
            "accounts:withdraw_invitation",
            "accounts:history",
            "accounts:verify_history",
            "accounts:export_history",
            "accounts:settings",
            "accounts:support_access",
            "accounts:grant_support_access",
            "accounts:end_support_access",
            "privacy:security_and_privacy",
            "privacy:change_logging",
            "privacy:second_factor",
            "privacy:documents",
            "privacy:make_document",
            "privacy:delete_document",
            "privacy:download_document",
            "privacy:export",
            "privacy:request_export",
            "privacy:download_export",
            "privacy:deletion",
            "privacy:request_deletion",
            "privacy:cancel_deletion",
            "privacy:erase_part",
            "privacy:erase_user",
            "apikeys:keys",
            "apikeys:create",
            "apikeys:key",
            "apikeys:edit",
            "apikeys:rotate",
            "apikeys:revoke",
            "apikeys:add_network",
            "apikeys:choose_addresses",
            "apikeys:remove_network",
            "validation:log",
            "validation:find_in_log",
            "validation:log_row",
            "validation:erase_log",
            "validation:erase_log_row",
            "validation:export_log",
        ),
        OWNERS,
    ),
}
# Pages that only show something: a POST gets 405, before the page is looked up.
READ_ONLY: Final = frozenset({"apikeys:key", "validation:log", "validation:log_row"})
KEY_PAGES: Final = tuple(name for name in ROUTES if name.startswith("apikeys:") and name[8:] not in ("keys", "create"))
DOCUMENT_PAGES: Final = ("privacy:download_document", "privacy:delete_document")
ROW_PAGES: Final = ("validation:log_row", "validation:erase_log_row")
# Pages that respond with 404 when there is nothing to show, such as factors that a user does not have.
MAY_BE_EMPTY: Final = frozenset(
    {
        "mfa_deactivate_totp",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
        "usersessions_end",
        "accounts:accept",
        "accounts:cancel_recovery",
        "contact_sent",
        "security_txt",
        "validation:health_unknown",
    }
)
# The route of all other paths below /health is a pattern with a choice in it, which Django cannot reverse.
UNKNOWN_HEALTH_PATH: Final = "/health/unknown"


def views(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every URL with its name, except those of the back-office, which have their own test.

    One without a name cannot be put into the table.
    """
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace == "admin":
                continue
            yield from views(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        else:
            yield f"{prefix}{entry.name}", entry


@pytest.mark.claim("roles")
class RoleWalkTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        # With a second factor: without one, staff see only the page where they add it.
        Authenticator.objects.create(user=self.sten.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        self.people: dict[str, User | None] = {
            "a visitor": None,
            "Alice": self.alice.user,
            "Vera": self.vera.user,
            "Mallory": self.mallory.user,
            "Sten": self.sten.user,
        }
        self.visitors: dict[User | None, tuple[Visitor, str]] = {}

    def test_every_url_is_in_the_table_and_the_table_holds_no_other(self) -> None:
        self.assertEqual({name for name, _ in views()}, set(ROUTES))

    def test_every_action_of_a_page_is_in_the_matrix_as_the_table_says(self) -> None:
        for name, pattern in views():
            permission = getattr(pattern.callback, "permission", None)
            with self.subTest(name=name):
                if permission is None:
                    self.assertIn(ROUTES[name], (EVERYBODY, SIGNED_IN))
                else:
                    self.assertTrue(roles.may(roles.OWNER, permission))
                    self.assertEqual(roles.may(roles.MEMBER, permission), ROUTES[name] == MEMBERS)

    def test_everyone_is_allowed_exactly_where_the_table_says(self) -> None:
        requests = 0
        for user in self.people.values():
            self.visitor_for(user)
        for name in ROUTES:
            for who, user in self.people.items():
                for method in ("get", "post"):
                    with self.subTest(page=name, who=who, method=method), transaction.atomic():
                        expected = self.expected(name, who, method)
                        outcome = self.request(name, user, method)
                        transaction.set_rollback(True)  # The next request finds the data unchanged.
                        self.assertEqual(outcome, expected)
                        requests += 1
        print(f"\n{len(ROUTES)} URLs × {len(self.people)} people × 2 methods: {requests} requests")

    def expected(self, name: str, who: str, method: str) -> Outcome:
        allowed = ROUTES[name]
        if allowed == EVERYBODY:
            return "in"
        if who == "a visitor":
            return "sign-in"
        if allowed == SIGNED_IN or (allowed == MEMBERS and who != "Sten"):
            return "in"
        if who in ("Vera", "Sten"):
            return "refused"
        foreign = who == "Mallory" and "pk" in self.arguments(name) and not (method == "post" and name in READ_ONLY)
        return "absent" if foreign else "in"

    def request(self, name: str, user: User | None, method: str) -> Outcome:
        visitor = self.visitor_for(user)
        response = getattr(visitor.browser, method)(self.path(name))
        if response.status_code == 302 and response.headers["Location"].startswith("/sign-in/?"):
            return "sign-in"
        if response.status_code == 404:
            return "in" if name in MAY_BE_EMPTY else "absent"
        self.assertLess(response.status_code, 500)
        return "refused" if response.status_code == 403 else "in"

    def visitor_for(self, user: User | None) -> Visitor:
        """Return a person's browser, signed in once: what a request did to the session is rolled back."""
        if user not in self.visitors:
            visitor = Person(user) if user else Visitor()
            # This is about roles; CSRF tokens have their own tests.
            visitor.browser.handler.enforce_csrf_checks = False
            self.visitors[user] = visitor, visitor.browser.cookies.output()
        visitor, cookies = self.visitors[user]
        visitor.browser.cookies.clear()
        visitor.browser.cookies.load(cookies.replace("Set-Cookie: ", ""))
        return visitor

    def path(self, name: str) -> str:
        if name == "validation:health_unknown":
            return UNKNOWN_HEALTH_PATH
        return reverse(name, kwargs=self.arguments(name))

    def arguments(self, name: str) -> dict[str, Any]:
        """Return the arguments of the URL, of things that belong to Alice."""
        if name in ("accounts:change_user", "privacy:erase_user"):
            return {"pk": self.vera.user.pk} | ({"action": "deactivate"} if name == "accounts:change_user" else {})
        if name in ("accounts:resend_invitation", "accounts:withdraw_invitation"):
            return {"pk": self.invitation().pk}
        if name == "privacy:download_export" or name in DOCUMENT_PAGES:
            return {"pk": (self.document() if name in DOCUMENT_PAGES else self.data_export()).pk}
        if name in KEY_PAGES:
            entry = self.allowed_network()
            return {"pk": entry.key.pk} | ({"entry": entry.pk} if name == "apikeys:remove_network" else {})
        if name in ROW_PAGES:
            return {"pk": self.check_record().pk}
        others: dict[str, dict[str, Any]] = {
            "validation:country": {"code": "se"},
            "contact_sent": {"pk": uuid4()},
            "mfa_edit_webauthn": {"pk": 1},
            "mfa_remove_webauthn": {"pk": 1},
            "usersessions_end": {"pk": 1},
            "accounts:accept": {"token": "not-ours"},
            "accounts:cancel_recovery": {"token": "not-ours"},
            "deletion:confirm": {"token": "not-ours"},
            "deletion:cancel": {"token": "not-ours"},
            "deletion:receipt": {"token": "not-ours"},
            "deletion:receipt_file": {"token": "not-ours"},
            "privacy:erase_part": {"scope": "log"},
        }
        return others.get(name, {})

    def invitation(self) -> Invitation:
        return Invitation.objects.get_or_create(
            client=self.alice.client,
            email="nina@example.com",
            defaults={"expires_at": timezone.now() + invitations.VALID_FOR},
        )[0]

    def data_export(self) -> DataExport:
        return DataExport.objects.get_or_create(client=self.alice.client, state="over")[0]

    def document(self) -> ClientDocument:
        """Return a document of Alice's client."""
        fields = {"kind": "agreement", "language": "en", "version": "1", "made_on": timezone.localdate()}
        return ClientDocument.objects.get_or_create(client=self.alice.client, defaults=fields)[0]

    def allowed_network(self) -> AllowedNetwork:
        found = AllowedNetwork.objects.filter(key__client=self.alice.client).first()
        if found is None:
            self.alice.key(networks=["192.0.2.7"])
        return found or AllowedNetwork.objects.get(key__client=self.alice.client)

    def check_record(self) -> ValidationRecord:
        """Return the stored record of a check by Alice."""
        if not ValidationRecord.objects.filter(client=self.alice.client).exists():
            self.alice.checks("SE4550000000058398257466")
        return ValidationRecord.objects.get(client=self.alice.client)

    @pytest.mark.claim("customers_apart")
    def test_an_id_of_another_client_is_like_an_unknown_one(self) -> None:
        for name in (
            "accounts:change_user",
            "accounts:resend_invitation",
            "accounts:withdraw_invitation",
            "privacy:download_export",
            *DOCUMENT_PAGES,
            "privacy:erase_user",
            *KEY_PAGES,
            *ROW_PAGES,
        ):
            arguments = self.arguments(name)
            for method in ("get", "post"):
                with self.subTest(page=name, method=method):
                    send = getattr(self.mallory.browser, method)
                    self.mallory.browser.handler.enforce_csrf_checks = False
                    foreign = send(reverse(name, kwargs=arguments))
                    unknown = send(reverse(name, kwargs={**arguments, "pk": uuid4()}))
                    status = 405 if method == "post" and name in READ_ONLY else 404
                    self.assertEqual((foreign.status_code, unknown.status_code), (status, status))
                    self.assertEqual(len(foreign.content), len(unknown.content))

    def test_a_refused_page_is_in_the_audit_log_once_a_day(self) -> None:
        for _ in range(3):
            self.vera.opens("/account/history/")
        self.vera.opens("/account/users/")

        rows = client_log.open_entries(self.alice.client, client_log.entries(self.alice.client, tag="users.refused"))
        self.assertEqual([entry.details["page"] for entry in rows], ["users", "history"])
        self.assertEqual({entry.who for entry in rows}, {"vera@example.com"})

    @pytest.mark.claim("second_factor")
    def test_staff_without_a_second_factor_see_only_where_to_add_one(self) -> None:
        Authenticator.objects.filter(user=self.sten.user).delete()

        for path in ("/overview/", "/account/users/", "/account/history/", "/account/password/"):
            self.assertRedirects(self.sten.opens(path), "/account/second-factor/", fetch_redirect_response=False)
        self.assertEqual(self.sten.opens("/account/second-factor/").status_code, 200)

    def test_a_member_sees_no_link_to_pages_of_owners(self) -> None:
        page = self.vera.opens("/account/profile/").content.decode()

        for name, allowed in ROUTES.items():
            if allowed == OWNERS and not self.arguments(name):
                self.assertNotIn(f'href="{reverse(name)}"', page, name)

    def test_a_client_that_is_not_active_lets_nobody_in(self) -> None:
        for state in ("suspended", "closing", "gone"):
            self.alice.client.state = state
            self.alice.client.save()
            for person in (self.alice, self.vera):
                self.assertEqual(person.opens("/account/profile/").status_code, 403)
