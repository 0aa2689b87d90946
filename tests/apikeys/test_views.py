"""The pages of API keys: what owners see and do there, and what comes of wrong input and strangers' ids."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.test import override_settings
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import client_log
from accounts.models import User
from apikeys import keys, tokens
from apikeys.models import AllowedNetwork, ApiKey, KeyUsageDay
from tests.base import PASSWORD, BaseTest
from tests.support.two_factor_proof import proven

if TYPE_CHECKING:
    from tests.base import PageResponse

XSS = "<script>alert(1)</script>"


class KeyPageTest(BaseTest):
    def form(self, **changed: Any) -> dict[str, Any]:
        """Return the form of a new key as Alice would fill it in."""
        filled = {
            "attempt": str(uuid4()),
            "name": "Accounting",
            "kind": "live",
            "scopes": ["validate"],
            "addresses": "any",
            "networks": "",
            "expires_on": (timezone.localdate() + timedelta(days=90)).isoformat(),
            "rate_per_minute": "600",
        }
        return {**filled, **changed}

    def makes(self, **changed: Any) -> "PageResponse":
        return self.alice.posts("/keys/new/", self.form(**changed))

    def key(self, **draft: Any) -> ApiKey:
        """Return a key of Alice's that was made without the page."""
        return ApiKey.objects.get(identifier=tokens.split(self.alice.key(**draft)).identifier)

    def text_in(self, response: "PageResponse") -> str:
        found = re.search(tokens.PATTERN, response.content.decode())
        assert found
        return found.group()

    def trail(self) -> list[str]:
        return [entry.tag for entry in client_log.entries(self.alice.client).order_by("number")]


class KeyListTests(KeyPageTest):
    def test_an_empty_list_says_what_to_do_next(self) -> None:
        page = self.alice.opens("/keys/")

        self.assertContains(page, "No keys yet")
        self.assertContains(page, 'href="/keys/new/"')

    def test_a_key_is_shown_with_prefix_kind_scopes_addresses_use_and_end(self) -> None:
        key = self.key(networks=["192.0.2.0/24", "2001:db8::/48"], is_test=True, scopes=("validate", "usage"))
        ApiKey.objects.update(expires_at=timezone.now() + timedelta(days=12), last_used_on=timezone.localdate())
        KeyUsageDay.objects.create(key=key, day=datetime.now(ZoneInfo("UTC")).date(), calls=1234)

        page = self.alice.opens("/keys/")

        for text in (
            "Accounting",
            f"{key.prefix}…",
            "test",
            "2 IP addresses or networks",
            "Check IBANs, Read usage",
            "1,234",
        ):
            self.assertContains(page, text)
        self.assertContains(page, "expires in 12 days")

    def test_each_state_is_reported_in_words_and_what_has_ended_is_folded_away(self) -> None:
        keys.revoke(self.key(name="Old shop"), by=self.alice.actor)
        expired = self.key(name="Older shop")
        ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(days=1))
        keys.rotate(self.key(name="Shop"), timedelta(days=7), by=self.alice.actor)

        page = self.alice.opens("/keys/").content.decode()

        in_use, _, ended = page.partition('<details class="card">')
        self.assertIn("2 revoked or expired keys", ended)
        for state in ("revoked", "expired"):
            self.assertNotRegex(in_use, rf"</svg>\s*{state}")
            self.assertRegex(ended, rf"</svg>\s*{state}")
        self.assertIn("replaced, expires in 7 days", in_use)

    def test_a_key_that_works_from_nowhere_is_marked(self) -> None:
        self.key(any_address=False)

        self.assertContains(self.alice.opens("/keys/"), "none</span>")

    def test_names_are_text_and_nothing_else(self) -> None:
        key = self.key(name=XSS)
        keys.allow(key, "192.0.2.7", XSS, by=self.alice.actor)

        for path in ("/keys/", f"/keys/{key.pk}/", f"/keys/{key.pk}/edit/", f"/keys/{key.pk}/revoke/"):
            page = self.alice.opens(path)
            self.assertNotContains(page, XSS)
            self.assertContains(page, "&lt;script&gt;")

    def test_the_number_of_queries_does_not_grow_with_the_keys(self) -> None:
        self.key(networks=["192.0.2.7"])
        self.alice.opens("/keys/")
        with self.assertNumQueries(4):
            self.alice.opens("/keys/")
        for number in range(10):
            self.key(networks=[f"192.0.2.{number}"])
        with self.assertNumQueries(4):
            self.alice.opens("/keys/")


class CreateKeyPageTests(KeyPageTest):
    def test_a_key_is_made_and_shown_once(self) -> None:
        response = self.makes()

        self.assertEqual(response.status_code, 201)
        self.assertIn("no-store", response.headers["Cache-Control"])
        text, key = self.text_in(response), ApiKey.objects.get()
        self.assertTrue(tokens.split(text).identifier == key.identifier)
        self.assertContains(response, "this is the only time we show it", status_code=201)
        self.assertContains(response, "curl http://localhost:8000/api/v1/validate -H", status_code=201)
        self.assertEqual(self.trail(), ["keys.created"])
        for path in ("/keys/", f"/keys/{key.pk}/", "/account/history/"):
            self.assertNotContains(self.alice.opens(path), text[-49:])

    def test_a_second_click_makes_no_second_key_and_shows_nothing(self) -> None:
        form = self.form()
        text = self.text_in(self.alice.posts("/keys/new/", form))

        again = self.alice.posts("/keys/new/", form, follow=True)

        self.assertEqual(ApiKey.objects.count(), 1)
        self.assertRedirects(again, f"/keys/{ApiKey.objects.get().pk}/")
        self.assertContains(again, "which was shown once")
        self.assertNotContains(again, text[-49:])

    def test_the_attempt_of_another_client_is_no_way_to_its_key(self) -> None:
        form = self.form()
        self.alice.posts("/keys/new/", form)
        alices = ApiKey.objects.get()

        for attempt in (form["attempt"], str(alices.pk)):
            response = self.mallory.posts("/keys/new/", {**form, "attempt": attempt})
            self.assertEqual(response.status_code, 201)
        self.assertEqual(ApiKey.objects.filter(client=self.mallory.client).count(), 2)
        self.assertEqual(ApiKey.objects.get(client=self.alice.client), alices)

    def test_the_last_day_ends_in_the_time_zone_of_whoever_chose_it(self) -> None:
        self.alice.user.time_zone = "America/New_York"
        self.alice.user.save()

        self.makes(expires_on="2027-06-30")

        wanted = datetime(2027, 6, 30, 23, 59, 59, tzinfo=ZoneInfo("America/New_York"))
        self.assertEqual(ApiKey.objects.get().expires_at, wanted)

    def test_it_can_be_bound_to_addresses_from_the_start(self) -> None:
        self.makes(addresses="only", networks=" 192.0.2.7/24\r\n\r\n2001:DB8::1\r\n192.0.2.0/24")

        key = ApiKey.objects.get()
        self.assertFalse(key.any_address)
        self.assertEqual([entry.network for entry in key.networks.all()], ["192.0.2.0/24", "2001:db8::1/128"])

    def test_an_empty_list_is_warned_of_at_once(self) -> None:
        self.assertContains(self.makes(addresses="only"), "The key does not work yet", status_code=201)

    def test_wide_networks_are_warned_of_at_once(self) -> None:
        response = self.makes(addresses="only", networks="10.0.0.0/8\n192.0.2.0/24")

        self.assertContains(response, "10.0.0.0/8 is a very large network", status_code=201)
        self.assertNotContains(response, "192.0.2.0/24 is a very", status_code=201)

    def test_wrong_fields_are_reported_at_the_field_and_nothing_typed_is_lost(self) -> None:
        today = timezone.localdate()
        cases: list[tuple[dict[str, Any], str, str]] = [
            ({"name": ""}, "name", "required"),
            ({"name": "A\u202eB"}, "name", "U+202E"),
            ({"name": "x" * 101}, "name", "at most 100"),
            ({"scopes": []}, "scopes", "Choose at least one."),
            ({"scopes": ["root"]}, "scopes", "root"),
            ({"kind": "gold"}, "kind", "gold"),
            ({"addresses": "some"}, "addresses", "some"),
            ({"expires_on": today.isoformat()}, "expires_on", "tomorrow"),
            ({"expires_on": "1999-01-01"}, "expires_on", "tomorrow"),
            ({"expires_on": (today + timedelta(days=3 * 365 + 1)).isoformat()}, "expires_on", "three years"),
            ({"expires_on": "9999-12-31"}, "expires_on", "three years"),
            ({"expires_on": "soon"}, "expires_on", "valid date"),
            ({"rate_per_minute": "0"}, "rate_per_minute", "greater than or equal to 1"),
            ({"rate_per_minute": "6001"}, "rate_per_minute", "less than or equal to 6"),
            ({"rate_per_minute": "many"}, "rate_per_minute", "whole number"),
            ({"addresses": "only", "networks": "192.0.2.7\n0.0.0.0/0"}, "networks", "“0.0.0.0/0”: A network ending"),
            ({"addresses": "only", "networks": "fe80::1%eth0"}, "networks", "zone"),
        ]
        for changed, field, message in cases:
            with self.subTest(changed=changed):
                response = self.makes(**{"name": "Typed <text>", **changed})
                self.assertEqual(response.status_code, 422)
                problem = re.search(rf'id="id_{field}_error">(.*?)</p>', response.content.decode(), re.DOTALL)
                assert problem, field
                self.assertIn(message, problem[1])
                if "name" not in changed:
                    self.assertContains(response, "Typed &lt;text&gt;", status_code=422)
        self.assertFalse(ApiKey.objects.exists())

    def test_a_form_without_its_attempt_is_refused(self) -> None:
        self.assertEqual(self.makes(attempt="").status_code, 422)
        self.assertEqual(self.makes(attempt="not-a-uuid").status_code, 422)

    def test_the_fifty_first_key_is_refused(self) -> None:
        with patch.object(keys, "MOST_KEYS", 2):
            self.makes()
            self.makes()

            response = self.makes()

            self.assertContains(response, "You have reached the limit of 2 keys.", status_code=422)
            self.assertContains(self.alice.opens("/keys/new/"), "You have reached the limit of 2 keys")
            self.assertContains(self.alice.opens("/keys/"), "You have reached the limit of 2 keys")
        self.assertEqual(ApiKey.objects.count(), 2)

    def test_whoever_has_not_proven_themselves_lately_makes_no_key(self) -> None:
        proven(self.alice, minutes_ago=6)

        response = self.makes()

        again = "/account/again/?next=%2Fkeys%2Fnew%2F"
        self.assertRedirects(response, again, fetch_redirect_response=False)
        self.assertFalse(ApiKey.objects.exists())
        response = self.alice.posts(again, {"password": PASSWORD, "next": "/keys/new/"})
        self.assertRedirects(response, "/keys/new/")
        self.assertFalse(ApiKey.objects.exists())
        response = self.makes()
        self.assertEqual(response.status_code, 201)
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertIn(ApiKey.objects.get().prefix, self.text_in(response))


class EditKeyPageTests(KeyPageTest):
    def test_a_key_is_changed(self) -> None:
        key = self.key()
        form = {**self.form(), "name": "Shop", "scopes": ["usage", "tools"], "rate_per_minute": "60"}

        response = self.alice.posts(f"/keys/{key.pk}/edit/", form, follow=True)

        self.assertContains(response, "The key has been saved.")
        key.refresh_from_db()
        self.assertEqual((keys.name(key), key.scopes, key.rate_per_minute), ("Shop", ["tools", "usage"], 60))
        entry = client_log.open_entries(self.alice.client, client_log.entries(self.alice.client, tag="keys.changed"))[0]
        self.assertEqual(entry.details["fields"], "name, scopes, rate_per_minute, expires_at")

    def test_saving_from_another_time_zone_leaves_the_end_as_it_is(self) -> None:
        key = self.key()
        self.alice.user.time_zone = "Pacific/Auckland"
        self.alice.user.save()
        shown = re.search(
            r'name="expires_on" value="([\d-]+)"', self.alice.opens(f"/keys/{key.pk}/edit/").content.decode()
        )
        assert shown

        form = {"name": "Accounting", "scopes": key.scopes, "expires_on": shown[1], "rate_per_minute": "600"}
        self.assertEqual(self.alice.posts(f"/keys/{key.pk}/edit/", form).status_code, 302)

        self.assertEqual(ApiKey.objects.get().expires_at, key.expires_at)
        self.assertEqual(self.trail(), ["keys.created"])

    def test_a_wrong_field_changes_nothing(self) -> None:
        key = self.key()

        response = self.alice.posts(f"/keys/{key.pk}/edit/", self.form(scopes=[]))

        self.assertContains(response, "Choose at least one.", status_code=422)
        self.assertEqual(self.trail(), ["keys.created"])

    def test_a_key_is_replaced_and_the_new_text_shown(self) -> None:
        key = self.key(networks=["192.0.2.7"])

        response = self.alice.posts(f"/keys/{key.pk}/rotate/", {"overlap": "168"})

        self.assertEqual(response.status_code, 201)
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertNotIn(key.prefix, self.text_in(response))
        self.assertContains(response, f"The old key, {key.prefix}…, works until", status_code=201)
        again = self.alice.posts(f"/keys/{key.pk}/rotate/", {"overlap": "168"}, follow=True)
        self.assertContains(again, "has already been replaced by another one")
        self.assertEqual(ApiKey.objects.count(), 2)

    def test_replacing_at_once_says_that_the_old_one_is_revoked(self) -> None:
        key = self.key()

        response = self.alice.posts(f"/keys/{key.pk}/rotate/", {"overlap": "0"})

        self.assertContains(response, f"The old key, {key.prefix}…, has been revoked.", status_code=201)

    def test_an_overlap_that_is_not_offered_is_refused(self) -> None:
        key = self.key()

        for overlap in ("", "1000", "-1", "x"):
            self.assertEqual(self.alice.posts(f"/keys/{key.pk}/rotate/", {"overlap": overlap}).status_code, 422)
        self.assertEqual(ApiKey.objects.count(), 1)

    def test_revoking_is_asked_for_and_said_to_be_for_ever(self) -> None:
        key = self.key()

        self.assertContains(self.alice.opens(f"/keys/{key.pk}/revoke/"), "This cannot be undone.")
        self.assertIsNone(ApiKey.objects.get().revoked_at)
        for _ in range(2):
            self.assertRedirects(self.alice.posts(f"/keys/{key.pk}/revoke/"), "/keys/")
        self.assertIsNotNone(ApiKey.objects.get().revoked_at)
        self.assertEqual(self.trail(), ["keys.created", "keys.revoked"])

    def test_what_has_ended_can_be_looked_at_and_nothing_else(self) -> None:
        key = self.key(networks=["192.0.2.7"])
        keys.revoke(key, by=self.alice.actor)

        page = self.alice.opens(f"/keys/{key.pk}/")

        self.assertNotContains(page, f"/keys/{key.pk}/edit/")
        self.assertNotContains(page, "Add an IP address")
        for action, fields in (
            ("networks/add", {"network": "192.0.2.8"}),
            ("networks/choose", {}),
            ("rotate", {"overlap": "0"}),
        ):
            response = self.alice.posts(f"/keys/{key.pk}/{action}/", fields, follow=True)
            self.assertContains(response, "This key has expired or been revoked and can no longer be changed")
        self.assertContains(
            self.alice.posts(f"/keys/{key.pk}/edit/", self.form()),
            "This key has expired or been revoked",
            status_code=422,
        )


class NetworkListTests(KeyPageTest):
    def adds(self, key: ApiKey, network: str, note: str = "") -> "PageResponse":
        return self.alice.posts(f"/keys/{key.pk}/networks/add/", {"network": network, "note": note}, follow=True)

    def test_an_address_is_added_in_its_canonical_form_with_its_note(self) -> None:
        key = self.key()

        page = self.adds(key, " 2001:DB8:0::7/64 ", "Head office")

        self.assertContains(page, "2001:db8::/64 has been added.")
        self.assertContains(page, "Head office")
        self.assertEqual([entry.network for entry in key.networks.all()], ["2001:db8::/64"])

    def test_a_network_with_host_bits_is_shown_as_the_network_it_is(self) -> None:
        self.assertContains(self.adds(self.key(), "192.0.2.7/24"), "192.0.2.0/24 has been added.")

    def test_wrong_addresses_are_refused_with_the_reason(self) -> None:
        key = self.key()
        for typed, message in (
            ("0.0.0.0/0", "contains every IP address there is"),
            ("::/0", "contains every IP address there is"),
            ("010.0.0.1", "zeros at the beginning"),
            ("192.0.2.7:443", "without a port"),
            ("192.0.2.7, 192.0.2.8", "one IP address at a time"),
            ("fe80::1%eth0", "percent sign"),
            ("::ffff:192.0.2.0/120", "Write it as IPv4"),
            ("192.0.2.1-192.0.2.9", "Enter a range as a network"),
            ("office.example", "This is not an IP address."),
            ("١٩٢.0.2.7", "This is not an IP address."),
            ("0.0.0.0", "This IP address is reserved"),  # noqa: S104 - what somebody types
            ("", "required"),
            (XSS, "not an IP address"),
        ):
            with self.subTest(typed=typed):
                response = self.adds(key, typed, "Typed note")
                self.assertEqual(response.status_code, 422)
                problem = re.search(r'id="id_network_error">(.*?)</p>', response.content.decode(), re.DOTALL)
                assert problem
                self.assertIn(message, problem[1])
                self.assertContains(response, "Typed note", status_code=422)
        self.assertFalse(key.networks.exists())

    def test_the_machine_itself_is_let_in_only_while_trying_out(self) -> None:
        key = self.key()
        with override_settings(EMBEDDED=False):
            response = self.adds(key, "127.0.0.1")
            self.assertContains(response, "that a computer uses for itself", status_code=422)
            self.assertEqual(self.adds(key, "0.0.0.0/1").status_code, 422)

        self.assertContains(self.adds(key, "127.0.0.1"), "127.0.0.1/32 has been added.")

    def test_adding_twice_says_that_it_is_there(self) -> None:
        key = self.key()
        self.adds(key, "192.0.2.0/24")

        response = self.adds(key, "192.0.2.9/24")

        self.assertContains(response, "192.0.2.0/24 is already in the list.", status_code=422)
        self.assertEqual(key.networks.count(), 1)

    def test_a_wide_network_is_warned_of(self) -> None:
        for network in ("10.0.0.0/8", "2001::/20"):
            self.assertContains(self.adds(self.key(), network), "is a very large network")

    def test_ones_own_address_is_added_with_one_click(self) -> None:
        key = self.key()
        self.assertContains(self.alice.opens(f"/keys/{key.pk}/"), "Add my current IP address (192.0.2.7)")

        page = self.alice.posts(f"/keys/{key.pk}/networks/add/", {"own": "1", "network": "", "note": "Me"}, follow=True)

        self.assertContains(page, "192.0.2.7/32 has been added.")

    def test_a_forged_header_is_not_ones_own_address(self) -> None:
        key = self.key()

        forged = {"HTTP_X_FORWARDED_FOR": "198.51.100.9", "HTTP_X_REAL_IP": "198.51.100.9"}
        self.alice.posts(f"/keys/{key.pk}/networks/add/", {"own": "1"}, **forged)

        self.assertEqual([entry.network for entry in key.networks.all()], ["192.0.2.7/32"])

    def test_an_address_is_removed_and_removing_it_twice_does_no_harm(self) -> None:
        key = self.key(networks=["192.0.2.7"])
        entry = key.networks.get()

        path = f"/keys/{key.pk}/networks/{entry.pk}/remove/"
        self.assertContains(self.alice.posts(path, follow=True), "192.0.2.7/32 has been removed.")
        self.assertEqual(self.alice.posts(path).status_code, 404)
        self.assertEqual(self.trail(), ["keys.created", "keys.network_removed"])

    def test_only_these_with_an_empty_list_is_warned_of(self) -> None:
        key = self.key()

        page = self.alice.posts(f"/keys/{key.pk}/networks/choose/", {"addresses": "only"}, follow=True)

        self.assertContains(page, "every call is refused")
        self.assertFalse(ApiKey.objects.get().any_address)
        page = self.alice.posts(f"/keys/{key.pk}/networks/choose/", {"addresses": "any"}, follow=True)
        self.assertContains(page, "anyone who has the key can use it from anywhere")
        self.assertEqual(self.trail(), ["keys.created", "keys.changed", "keys.changed"])

    def test_a_choice_that_is_none_never_opens_the_key(self) -> None:
        key = self.key(networks=["192.0.2.7"])

        self.alice.posts(f"/keys/{key.pk}/networks/choose/", {"addresses": "everything"})

        self.assertFalse(ApiKey.objects.get().any_address)


class OtherClientsKeyTests(KeyPageTest):
    def test_the_entry_of_another_key_is_not_removed_through_ones_own(self) -> None:
        entry = self.key(networks=["192.0.2.7"]).networks.get()
        own = ApiKey.objects.get(identifier=tokens.split(self.mallory.key()).identifier)

        response = self.mallory.posts(f"/keys/{own.pk}/networks/{entry.pk}/remove/")

        self.assertEqual(response.status_code, 404)
        self.assertTrue(AllowedNetwork.objects.filter(pk=entry.pk).exists())

    def test_an_owner_who_has_just_become_a_sub_user_changes_nothing_more(self) -> None:
        key = self.key()
        stale = User.objects.get(pk=self.alice.user.pk)
        User.objects.filter(pk=stale.pk).update(role=User.Role.MEMBER)

        self.assertEqual(self.alice.posts(f"/keys/{key.pk}/revoke/").status_code, 403)
        with self.assertRaisesMessage(Exception, "no_longer_owner"):
            keys.revoke(key, by=Actor(stale))


class KeyUsagePageTests(KeyPageTest):
    def test_the_last_days_are_drawn_and_described(self) -> None:
        key = self.key()
        self.assertContains(self.alice.opens(f"/keys/{key.pk}/"), "No program has used this key in this period.")
        today = datetime.now(ZoneInfo("UTC")).date()
        KeyUsageDay.objects.create(key=key, day=today, calls=7, valid=1500, invalid=500, units=2000)
        KeyUsageDay.objects.create(key=key, day=today - timedelta(days=30), calls=77_777, valid=1)

        page = self.alice.opens(f"/keys/{key.pk}/")

        self.assertContains(page, '<td class="figure">1,500</td>', html=True)
        self.assertContains(page, "<rect", count=60)
        self.assertNotContains(page, "77,777")
