"""The back-office: every URL × every group × everybody else, from where, with which proof, and what is recorded.

A new URL fails here until it has a line in ROUTES.
"""

from collections.abc import Iterator
from io import StringIO
from typing import Any, Final
from unittest.mock import patch
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts import audit
from accounts.actor import SYSTEM, Actor
from accounts.audit import staff_log
from accounts.audit.events import AuditEvent, StaffEvent
from accounts.guard import blocks
from accounts.guard.models import Block
from accounts.models import BillingDetails, Client, ContactDetails, HistoryEntry, Invitation, StaffEntry, UsageDay, User
from accounts.profile import details
from accounts.staff import groups as staff_groups
from accounts.team import invitations
from apikeys.models import ApiKey, QuotaMonth
from ibanse import checks
from ibanse.backoffice import actions
from ibanse.backoffice.site import PAGES
from ibanse.config import env
from privacy import vault
from tests.base import PASSWORD, BaseTest, Person, Visitor

STAFF: Final = frozenset({*staff_groups.GROUPS, "none"})
"""All staff, in a group or in none."""
SUPPORT, BILLING, SECURITY, LEAD = ({name} for name in staff_groups.GROUPS)

ROUTES: Final[dict[str, set[str] | frozenset[str]]] = {
    "admin:index": STAFF,
    "admin:login": STAFF,
    "admin:refused_calls": SECURITY,
    "admin:accounts_client_changelist": SUPPORT | BILLING | SECURITY,
    "admin:accounts_client_change": SUPPORT | BILLING | SECURITY,
    "admin:accounts_user_changelist": SUPPORT,
    "admin:accounts_user_change": SUPPORT,
    "admin:accounts_invitation_changelist": SUPPORT,
    "admin:accounts_invitation_change": SUPPORT,
    "admin:accounts_contactdetails_changelist": SUPPORT,
    "admin:accounts_contactdetails_change": SUPPORT,
    "admin:accounts_billingdetails_changelist": BILLING,
    "admin:accounts_billingdetails_change": BILLING,
    "admin:accounts_usageday_changelist": BILLING,
    "admin:accounts_usageday_change": BILLING,
    "admin:apikeys_quotamonth_changelist": BILLING,
    "admin:apikeys_quotamonth_change": BILLING,
    "admin:accounts_historyentry_changelist": SECURITY,
    "admin:accounts_historyentry_change": SECURITY,
    "admin:verify_client": SECURITY,
    "admin:apikeys_apikey_changelist": SECURITY,
    "admin:apikeys_apikey_change": SECURITY,
    "admin:usersessions_usersession_changelist": SECURITY,
    "admin:usersessions_usersession_change": SECURITY,
    "admin:guard_block_changelist": SECURITY,
    "admin:guard_block_change": SECURITY,
    "admin:accounts_staffentry_changelist": SECURITY | LEAD,
    "admin:accounts_staffentry_change": SECURITY | LEAD,
    "admin:client_details": SUPPORT | BILLING,
    "admin:notes": SUPPORT | SECURITY,
    "admin:note_client": SUPPORT | SECURITY,
    "admin:suspend_client": BILLING | SECURITY,
    "admin:reopen_client": BILLING | SECURITY,
    "admin:set_quota": BILLING,
    "admin:set_user_limit": BILLING,
    "admin:resend_invitation": SUPPORT,
    "admin:withdraw_invitation": SUPPORT,
    "admin:sign_out_user": SUPPORT | SECURITY,
    "admin:sign_out_staff": SECURITY | LEAD,
    "admin:sign_out_session": SUPPORT | SECURITY,
    "admin:sign_out_actor": SECURITY | LEAD,
    "admin:set_block": SECURITY,
    "admin:lift_block": SECURITY,
    "admin:find_leaked_key": SECURITY,
    "admin:revoke_key": SECURITY,
    "admin:verify_staff": SECURITY | LEAD,
    "admin:staff": LEAD,
    "admin:change_staff": LEAD,
}
"""Name of the URL → the groups that may look at it. `ROWS` says what is put into those that take an argument."""

CHANGING: Final = frozenset(f"admin:{page.name}" for page in PAGES if page.changes)
"""URLs that a form is sent to. Every other one of the table only shows something, and refuses a form."""


def office_urls() -> Iterator[tuple[str, URLPattern]]:
    """Yield every URL of the back-office with its name."""
    [office] = [entry for entry in get_resolver().url_patterns if getattr(entry, "namespace", "") == "admin"]
    assert isinstance(office, URLResolver)
    waiting = list(office.url_patterns)
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, URLResolver):
            waiting += entry.url_patterns
        else:
            yield f"admin:{entry.name}", entry


IBAN: Final = "SE4550000000058398257466"


class OfficeTest(BaseTest):
    """Alice's client, with something of everything."""

    def setUp(self) -> None:
        super().setUp()
        client, by = self.alice.client, self.alice.user
        details.save_contact(client, details.Contact(company="Alfa AB", person="Alice Ek"), by=Actor(by))
        details.save_billing(client, details.Billing(company="Alfa AB"), by=Actor(by))
        until = timezone.now() + invitations.VALID_FOR
        self.key = self.alice.key(networks=["192.0.2.0/24"])
        self.alice.opens("/overview/")
        self.alice.checks(IBAN)
        QuotaMonth.objects.create(client=client, month=timezone.localdate().replace(day=1), taken=7)
        audit.record(
            AuditEvent.KEY_REFUSED, client=client, by=SYSTEM, detail={"key": "ibanse_live_abc", "reason": "address"}
        )
        blocks.block("203.0.113.0/24", reason="a flood")
        self.colleague = self.staff()
        audit.record_staff(StaffEvent.PAGE_VIEWED, by=self.colleague.actor)
        self.invitation = Invitation.objects.create(client=client, email="nina@example.com", expires_at=until)

    def path(self, name: str) -> str:
        """Return the path of a page, with something of Alice's in it."""
        taken = dict(office_urls())[name].pattern.converters
        return reverse(name, kwargs=dict.fromkeys(taken, self.rows()[name])) if taken else reverse(name)

    def rows(self) -> dict[str, Any]:
        """Return the key of the row for each URL that takes one."""
        client = self.alice.client
        return {
            "admin:accounts_client_change": client.pk,
            "admin:client_details": client.pk,
            "admin:accounts_user_change": self.alice.user.pk,
            "admin:accounts_invitation_change": self.invitation.pk,
            "admin:accounts_contactdetails_change": client.pk,
            "admin:accounts_billingdetails_change": client.pk,
            "admin:accounts_usageday_change": self.first(UsageDay),
            "admin:apikeys_quotamonth_change": self.first(QuotaMonth),
            "admin:accounts_historyentry_change": self.first(HistoryEntry),
            "admin:verify_client": client.pk,
            "admin:apikeys_apikey_change": self.first(ApiKey),
            "admin:usersessions_usersession_change": self.first(UserSession),
            "admin:guard_block_change": self.first(Block),
            "admin:accounts_staffentry_change": self.first(StaffEntry),
            "admin:change_staff": self.colleague.user.pk,
            **dict.fromkeys((f"admin:{page.name}" for page in actions.PAGES if page.on is Client), client.pk),
            "admin:resend_invitation": self.invitation.pk,
            "admin:withdraw_invitation": self.invitation.pk,
            "admin:sign_out_user": self.alice.user.pk,
            "admin:sign_out_staff": self.colleague.user.pk,
            "admin:sign_out_session": self.first(UserSession),
            "admin:sign_out_actor": self.first(StaffEntry),
            "admin:lift_block": self.first(Block),
            "admin:revoke_key": self.first(ApiKey),
        }

    def first(self, model: type[Model]) -> Any:
        """Return the key of a row of Alice's, or of nobody's."""
        row = model._default_manager.order_by("pk").first()
        assert row is not None
        return row.pk

    def recorded(self, **filters: Any) -> list[tuple[str, dict[str, str]]]:
        """Return tag and details of what is in the staff's history, the newest first."""
        return [(row.tag, row.details) for row in staff_log.open_entries(staff_log.entries(**filters))]


@pytest.mark.claim("staff_entry")
class WalkTests(OfficeTest):
    def test_every_url_is_in_the_table_and_the_table_holds_no_other(self) -> None:
        self.assertEqual({name for name, _ in office_urls()}, set(ROUTES))

    def test_everybody_gets_through_just_the_urls_that_are_theirs(self) -> None:
        people: dict[str, Person | Visitor] = {name: self.staff(name) for name in staff_groups.GROUPS}
        people |= {"none": self.staff(), "Alice": self.alice, "Vera": self.vera, "a stranger": Visitor()}
        for name in ROUTES:
            path = self.path(name)
            for who, person in people.items():
                for method in ("get", "post"):
                    with self.subTest(page=name, who=who, method=method), transaction.atomic():
                        person.browser.handler.enforce_csrf_checks = False
                        response = getattr(person.browser, method)(path)
                        transaction.set_rollback(True)
                        self.assertEqual(self.outcome(response, name), self.expected(name, who, method))

    def outcome(self, response: Any, name: str) -> str:
        place = response.headers.get("Location", "")
        if place.startswith("/sign-in/?"):
            return "sign-in"
        if name == "admin:login" and place == "/admin/":
            return "in"
        self.assertNotIn(response.status_code, (404, 500))
        return "refused" if response.status_code == 403 else "in"

    def expected(self, name: str, who: str, method: str) -> str:
        if who == "a stranger":
            return "sign-in"
        if name == "admin:login":  # Leads to where it is decided.
            return "in"
        if who not in ROUTES[name]:
            return "refused"
        return "refused" if method == "post" and name not in CHANGING | {"admin:index"} else "in"

    def test_a_right_without_a_group_is_no_right(self) -> None:
        sten = self.staff()
        sten.user.user_permissions.set(Permission.objects.all())

        self.assertEqual(sten.opens("/admin/accounts/client/").status_code, 403)

    def test_a_group_without_being_staff_opens_nothing(self) -> None:
        lead = self.staff(*staff_groups.GROUPS)
        User.objects.filter(pk=lead.user.pk).update(is_staff=False)

        self.assertEqual(lead.opens("/admin/").status_code, 403)

    def test_a_menu_shows_just_what_opens(self) -> None:
        for name in staff_groups.GROUPS:
            page = self.staff(name).opens("/admin/").content.decode()
            for url in ROUTES:
                if url.endswith("_changelist"):
                    with self.subTest(group=name, url=url):
                        self.assertEqual(f'href="{reverse(url)}"' in page, name in ROUTES[url])


@pytest.mark.claim("staff_entry")
class EntryTests(OfficeTest):
    def test_who_is_not_signed_in_is_led_to_the_one_sign_in_page_and_back(self) -> None:
        self.assertRedirects(
            self.visitor.opens("/admin/accounts/client/"),
            "/sign-in/?next=/admin/accounts/client/",
            fetch_redirect_response=False,
        )
        self.assertNotIn(b'type="password"', self.visitor.opens("/admin/login/").content)

    def test_a_session_that_never_gave_the_factor_must_give_it_first(self) -> None:
        sten = self.staff("support")
        sten = Person(sten.user)  # Signed in again, by password alone.

        response = sten.opens("/admin/accounts/client/")

        self.assertRedirects(
            response, "/account/again/?next=%2Fadmin%2Faccounts%2Fclient%2F", fetch_redirect_response=False
        )
        sten.proves_themselves("mfa")
        self.assertEqual(sten.opens("/admin/accounts/client/").status_code, 200)

    def test_a_cookie_in_another_network_must_give_the_factor_there_and_raises_the_alarm(self) -> None:
        watch, sten = self.staff("security"), self.staff("support")
        self.assertEqual(sten.opens("/admin/").status_code, 200)

        with self.captureOnCommitCallbacks(execute=True):
            elsewhere = sten.opens("/admin/accounts/client/", REMOTE_ADDR="198.51.100.9")

        self.assertTrue(elsewhere.headers["Location"].startswith("/account/again/"))
        self.assertEqual([message.to for message in mail.outbox], [[watch.user.email]])
        self.assertEqual(sten.opens("/admin/").status_code, 200)  # At the old place nothing has changed.
        sten.proves_themselves("mfa")
        self.assertEqual(sten.opens("/admin/", REMOTE_ADDR="198.51.100.9").status_code, 200)

    def test_staff_come_in_from_the_networks_of_the_operator_only(self) -> None:
        here, away = self.staff("support"), self.staff("support", address="198.51.100.9")
        with override_settings(STAFF_NETWORKS=[*env_networks("192.0.2.0/24, 2001:db8::/32")]):
            self.assertEqual(here.opens("/admin/").status_code, 200)
            response = away.opens("/admin/accounts/client/")

        self.assertContains(response, "only available from our own networks", status_code=403)
        [(tag, details), *_] = self.recorded(actor=away.user.pk)
        self.assertEqual((tag, details["reason"]), ("office.refused", "address"))

    def test_a_network_of_the_operator_that_is_none_is_named(self) -> None:
        for wrong in ("192.0.2.7/24", "office", "192.0.2.0/24 10.0.0.0/8", "::/129"):
            with (
                self.subTest(wrong=wrong),
                self.assertRaisesMessage(ImproperlyConfigured, f"STAFF_NETWORKS: '{wrong}'"),
            ):
                env_networks(wrong)
        self.assertEqual(env_networks(""), [])

    def test_half_an_hour_without_a_visit_signs_staff_out(self) -> None:
        sten, now = self.staff("support"), timezone.now().timestamp()
        for minutes, status in ((0, 200), (28, 200), (57, 200), (88, 302)):
            with patch("accounts.auth.presence.time.time", return_value=now + minutes * 60):
                self.assertEqual(sten.opens("/admin/").status_code, status, minutes)

    def test_visits_do_not_keep_a_session_of_staff_alive_for_more_than_a_working_day(self) -> None:
        sten, now = self.staff("support"), timezone.now().timestamp()
        for minutes in range(0, 12 * 60, 20):
            with patch("accounts.auth.presence.time.time", return_value=now + minutes * 60):
                self.assertEqual(sten.opens("/account/sessions/").status_code, 200, minutes)
        with patch("accounts.auth.presence.time.time", return_value=now + 12 * 3600 + 60):
            self.assertEqual(sten.opens("/admin/").status_code, 302)

    def test_who_may_do_everything_does_nothing_in_production(self) -> None:
        root = self.staff(*staff_groups.GROUPS)
        User.objects.filter(pk=root.user.pk).update(is_superuser=True)
        self.assertEqual(root.opens("/admin/").status_code, 200)

        with override_settings(EMBEDDED=False):
            self.assertEqual(root.opens("/admin/").status_code, 302)
            refused = checks.check_superusers(None, databases=["default"])
            with self.assertRaises(ValidationError):
                User.objects.create_superuser("root@operator.example", PASSWORD)
            call_command("demote_superusers", stdout=StringIO())
            allowed = checks.check_superusers(None, databases=["default"])

        self.assertEqual([(error.id, str(root.user.pk) in error.msg) for error in refused], [("ibanse.E005", True)])
        self.assertEqual((allowed, [tag for tag, _ in self.recorded(tag="staff.demoted")]), ([], ["staff.demoted"]))


def env_networks(text: str) -> list[Any]:
    """Return the networks that a setting's text means."""
    with patch.dict("os.environ", {"IBANSE_STAFF_NETWORKS": text}):
        return list(env.networks("IBANSE_STAFF_NETWORKS"))


@pytest.mark.claim("staff_entry")
class RecordTests(OfficeTest):
    def test_each_look_is_on_record_with_the_client_and_what_was_searched_for(self) -> None:
        sten = self.staff("support")
        sten.opens("/admin/accounts/client/", QUERY_STRING="q=alice@example.com")
        sten.opens(self.path("admin:accounts_user_change"))

        looks = staff_log.open_entries(staff_log.entries(actor=sten.user.pk))
        self.assertEqual(
            [(row.tag, row.client, row.details) for row in looks],
            [
                ("office.viewed", self.alice.client.pk, {"page": "accounts_user_change"}),
                ("office.viewed", None, {"page": "accounts_client_changelist", "searched": "alice@example.com"}),
            ],
        )
        self.assertTrue(staff_log.verify().ok)

    def test_trying_many_urls_looks_deliberate_and_is_mailed_to_security(self) -> None:
        watch, sten = self.staff("security"), self.staff("billing")
        with self.captureOnCommitCallbacks(execute=True):
            for _ in range(5):
                self.assertEqual(sten.opens("/admin/accounts/user/").status_code, 403)
        self.assertEqual(mail.outbox, [])

        with self.captureOnCommitCallbacks(execute=True):
            sten.opens(self.path("admin:accounts_user_change"))

        self.assertEqual([message.to for message in mail.outbox], [[watch.user.email]])
        self.assertEqual(
            [tag for tag, _ in self.recorded(actor=sten.user.pk)], ["office.misused", *["office.refused"] * 5]
        )

    def test_pages_of_a_client_whose_key_is_destroyed_open_without_what_was_sealed(self) -> None:
        everybody = self.staff(*staff_groups.GROUPS)
        refused = HistoryEntry.objects.get(tag="keys.refused")
        page = f"/admin/accounts/historyentry/{refused.pk}/change/"
        self.assertContains(everybody.opens(page), "ibanse_live_abc")
        vault.destroy(self.alice.client.pk)
        for name in ROUTES:
            if name.endswith("_change"):
                with self.subTest(page=name):
                    self.assertEqual(everybody.opens(self.path(name)).status_code, 200)
        self.assertNotContains(everybody.opens(page), "ibanse_live_abc")

    def test_an_edited_id_is_nobodys_and_on_record(self) -> None:
        sten = self.staff("support")
        for wild in (uuid4(), "1", "-1", "9" * 60, "%00", "alice@example.com", "..%2F", "a" * 2000):
            with self.subTest(id=wild):
                self.assertEqual(sten.opens(f"/admin/accounts/client/{wild}/change/").status_code, 404)
        self.assertEqual({details["reason"] for _, details in self.recorded(actor=sten.user.pk)}, {"unknown"})

    def test_of_a_stranger_with_an_account_one_try_a_day_is_on_record(self) -> None:
        for _ in range(3):
            self.assertEqual(self.vera.opens("/admin/").status_code, 403)

        self.assertEqual([details["reason"] for _, details in self.recorded(actor=self.vera.user.pk)], ["not_staff"])


@pytest.mark.claim("staff_entry")
class SearchTests(OfficeTest):
    def shown(self, person: Person, query: str) -> bool:
        response = person.opens("/admin/accounts/user/", QUERY_STRING=query)
        return str(self.alice.user.pk) in response.content.decode()

    def test_only_what_is_exactly_that_is_found(self) -> None:
        sten = self.staff("support")
        for query, is_found in (
            ("q=alice@example.com", True),
            ("q=%20Alice@Example.COM%20", True),
            (f"q={self.alice.user.pk}", True),
            (f"q={self.alice.user.pk.hex}", True),
            ("q=alice", False),
            ("q=%25", False),
            ("q=alice@example.co", False),
            (f"q={str(self.alice.user.pk)[:8]}", False),
            (f"client={self.alice.client.pk}", True),
            (f"client={uuid4()}", False),
            ("role__exact=owner", True),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.shown(sten, query), is_found)

    def test_an_address_that_asks_for_parts_of_what_is_masked_is_refused_and_raises_the_alarm(self) -> None:
        sten = self.staff("support")
        for query in (
            "email__startswith=a",
            "email=alice@example.com",
            "password__contains=argon",
            "client__users__email__gt=a",
            "role=%00",
            "_to_field=email",
        ):
            with self.subTest(query=query):
                self.assertEqual(sten.opens("/admin/accounts/user/", QUERY_STRING=query).status_code, 400)
        self.assertEqual({tag for tag, _ in self.recorded(actor=sten.user.pk)}, {"office.misused"})

    def test_every_list_is_searched_with_whatever_somebody_pastes(self) -> None:
        everybody = self.staff(*staff_groups.GROUPS)
        pasted = (
            str(self.alice.client.pk),
            "alice@example.com",
            self.key,
            "2026-02-31",
            "9" * 40,
            "192.0.2.0/24",
            "ä'%",
        )
        for name in ROUTES:
            if name.endswith("_changelist"):
                for term in pasted:
                    with self.subTest(list=name, term=term):
                        response = everybody.opens(reverse(name), query_params={"q": term})
                        self.assertEqual(response.status_code, 200)
        found = everybody.opens("/admin/apikeys/apikey/", query_params={"q": self.key})
        self.assertContains(found, self.key[:22])

    def test_odd_pages_orders_and_popups_do_no_harm(self) -> None:
        sten = self.staff("support")
        for query in ("p=9999", "p=x", "o=1.2.-9", "_popup=1", "all=", "e=1", "client=nonsense", "q=" + "x" * 5000):
            with self.subTest(query=query):
                self.assertIn(sten.opens("/admin/accounts/user/", QUERY_STRING=query).status_code, (200, 302))


class ManyRowsTests(OfficeTest):
    def test_no_list_asks_the_database_more_than_twelve_times_however_many_rows_it_has(self) -> None:
        self.fill(300)
        for name, groups in ROUTES.items():
            if not name.endswith("_changelist") and name != "admin:staff":
                continue
            person = self.staff(next(iter(groups)))
            person.opens("/admin/")
            for query in ("", f"client={self.alice.client.pk}"):
                with self.subTest(list=name, query=query), CaptureQueriesContext(connection) as captured:
                    response = person.opens(reverse(name), QUERY_STRING=query)
                    self.assertIn(response.status_code, (200, 400))
                    said = [one["sql"] for one in captured.captured_queries if "SAVEPOINT" not in one["sql"]]
                    self.assertLessEqual(len(said), 12, "\n".join(said))

    def fill(self, number: int) -> None:
        """Make many clients with a row of everything."""
        now, day = timezone.now(), timezone.localdate()
        clients = Client.objects.bulk_create(Client() for _ in range(number))
        users = User.objects.bulk_create(
            User(client=client, role="owner", email=f"{client.pk}@example.org", password="!") for client in clients
        )
        Invitation.objects.bulk_create(Invitation(client=c, email=f"{c.pk}@e.org", expires_at=now) for c in clients)
        ContactDetails.objects.bulk_create(ContactDetails(client=client, sealed=b"") for client in clients)
        BillingDetails.objects.bulk_create(BillingDetails(client=client, sealed=b"") for client in clients)
        UsageDay.objects.bulk_create(UsageDay(client=client, day=day, source="api") for client in clients)
        QuotaMonth.objects.bulk_create(QuotaMonth(client=client, month=day) for client in clients)
        ApiKey.objects.bulk_create(
            ApiKey(client=c, identifier=f"k{n:09}", digest=b"", pepper=1, expires_at=now) for n, c in enumerate(clients)
        )
        UserSession.objects.bulk_create(
            UserSession(user=user, ip="192.0.2.7", session_key=user.pk.hex, user_agent="Firefox/1") for user in users
        )
        Block.objects.bulk_create(Block(network=f"203.0.{n // 250}.{n % 250}/32") for n in range(number))
        for user, client in zip(users[:20], clients, strict=False):
            audit.record(AuditEvent.SIGNED_IN, client=client, by=Actor(user))
            audit.record_staff(StaffEvent.PAGE_VIEWED, by=Actor(user))


class SecretTests(OfficeTest):
    def test_no_page_shows_a_number_a_key_a_session_a_name_or_what_is_sealed(self) -> None:
        """A thief with a session of every group reads none of it."""
        person = self.staff(*staff_groups.GROUPS)
        key = ApiKey.objects.get()
        hidden = {IBAN, IBAN[4:], "SE45 5000", self.key, self.key[23:], bytes(key.digest).hex(), "alice@example.com"}
        hidden |= {
            "nina@example.com",
            "Alfa AB",
            "Alice Ek",
            *UserSession.objects.values_list("session_key", flat=True),
        }
        for name in ROUTES:
            page = person.opens(self.path(name), follow=True).content.decode()
            for secret in hidden:
                with self.subTest(page=name, secret=secret):
                    self.assertNotIn(secret, page)
        self.assertFalse(LogEntry.objects.exists())


@pytest.mark.claim("staff_entry")
class GroupTests(BaseTest):
    def test_groups_become_what_the_table_says_and_stay_so(self) -> None:
        sten = self.staff("support")
        sten.user.user_permissions.add(Permission.objects.first())  # type: ignore[arg-type]  # there are some
        group = sten.user.groups.get()
        group.permissions.clear()
        sten.user.groups.create(name="friends")

        changes = staff_groups.sync()

        self.assertIn("Removed the group friends, which is not in the table.", changes)
        self.assertIn("support may now accounts.view_client.", changes)
        self.assertIn(f"Took the rights that user {sten.user.pk} had apart from groups.", changes)
        self.assertEqual(staff_groups.sync(), [])
        self.assertEqual(staff_groups.of(sten.user), ["support"])

    def test_a_permission_that_no_model_has_is_named_and_nothing_is_changed(self) -> None:
        wrong = {"odd": staff_groups.Group("Odd", "Odd", frozenset({"accounts.fly_client"}))}  # type: ignore[arg-type]  # plain words do
        with (
            patch.dict(staff_groups.GROUPS, wrong),
            self.assertRaisesMessage(staff_groups.UnknownPermission, "accounts.fly_client"),
        ):
            staff_groups.sync()

    def change(self, lead: Person, member: Person, *groups: str, **fields: Any) -> Any:
        """Send the form that changes a person's groups."""
        said = {"groups": groups, "is_active": "on", "ticket": "T-7", "words": "Moves to another team", **fields}
        return lead.posts(f"/admin/staff/{member.user.pk}/", {k: v for k, v in said.items() if v is not None})

    def test_a_lead_moves_somebody_with_a_reason_and_security_is_notified(self) -> None:
        watch, lead, sten = self.staff("security"), self.staff("lead"), self.staff("support")
        with self.captureOnCommitCallbacks(execute=True):
            for _click in range(2):
                self.assertRedirects(self.change(lead, sten, "billing"), "/admin/staff/", fetch_redirect_response=False)

        self.assertEqual(staff_groups.of(sten.user), ["billing"])
        self.assertEqual(sten.opens("/admin/accounts/user/").status_code, 403)
        changes = staff_log.open_entries(staff_log.entries(tag="staff.groups_changed"))
        said = {"user": sten.user.email, "before": "support", "groups": "billing"}
        said |= {"ticket": "T-7", "reason": "Moves to another team"}
        self.assertEqual([row.details for row in changes], [said])
        self.assertEqual([message.to for message in mail.outbox], [[watch.user.email]])

    def test_nobody_changes_their_own_groups_not_even_a_lead(self) -> None:
        lead = self.staff("lead")

        self.assertEqual(self.change(lead, lead, "lead", "support").status_code, 409)
        self.assertEqual(staff_groups.of(lead.user), ["lead"])

    def test_whoever_is_shut_out_is_signed_out_at_once_and_can_be_let_in_again(self) -> None:
        lead, sten = self.staff("lead"), self.staff("support")
        self.assertEqual(sten.opens("/admin/").status_code, 200)

        self.change(lead, sten, "support", is_active=None)
        self.assertEqual(sten.opens("/admin/").status_code, 302)
        self.change(lead, sten, "support")

        tags = [entry.tag for entry in staff_log.entries() if entry.tag.startswith("staff.")]
        self.assertEqual(tags, ["staff.let_in", "staff.shut_out"])

    def test_a_change_without_a_reason_or_into_an_unknown_group_changes_nothing(self) -> None:
        lead, sten = self.staff("lead"), self.staff("support")
        for wrong in ({"ticket": ""}, {"words": ""}, {"words": "short"}, {"groups": ["wheel"]}):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.change(lead, sten, **{"groups": ["billing"], **wrong}).status_code, 422)
        self.assertEqual(self.change(lead, self.alice, "lead").status_code, 404)
        self.assertEqual(staff_groups.of(sten.user), ["support"])

    def test_no_group_sees_all(self) -> None:
        everything = set().union(*(group.permissions for group in staff_groups.GROUPS.values()))
        for name, group in staff_groups.GROUPS.items():
            self.assertLess(group.permissions, everything, name)
        self.assertFalse({of for of in staff_groups.GROUPS["lead"].permissions if "client" in of or "user" in of})
