"""A thief of a staff session, of any groups, reads no IBAN, no key, nothing sealed and no other session.

Every page that a link or the URLconf leads to is opened, posted to and guessed at, with an unmasking open, and each
answer is searched for what must not be in it, in every spelling. That the search would find it is shown first.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any, Final

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpResponse

from accounts.actor import Actor
from accounts.personal_data.declaration import StoredForm
from accounts.staff import groups as staff_groups
from accounts.staff import support_access, unmasking
from accounts.staff.justification import Justification
from privacy.check_logging import mode
from privacy.check_logging.mode import Choice
from privacy.export import exports
from privacy.inventory import registry
from privacy.models import Mode
from tests.base import PASSWORD, Person
from tests.ibanse.backoffice.test_back_office import CHANGING, IBAN, ROUTES, OfficeTest
from tests.support.canary import spellings
from validation.models import ValidationRecord

pytestmark = pytest.mark.claim("staff_read_no_iban")

OTHER_IBAN: Final = "DE89370400440532013000"
TOTP: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
MOST_PAGES: Final = 400
LEAST_BYTES: Final = 10
GUESSES: Final = (
    "?q=", "?all=1", "?o=1.2", "?e=1", "?_popup=1", "?_to_field=sealed", "?sealed__isnull=False",
    "?password__startswith=a",
)  # fmt: skip
REASON: Final = {"ticket": "T-1042", "words": "Somebody is looking for what is not there"}
_LINK: Final = re.compile(r"""(?:href|action)="(/admin/[^"#]*)""")


class StolenSessionTests(OfficeTest):
    def setUp(self) -> None:
        super().setUp()
        self.of_alice, by = self.alice.client, self.alice.user
        mode.choose(self.of_alice, Choice(Mode.FULL, 90), by=Actor(by))
        self.alice.checks(IBAN)
        self.calls(self.key, "/api/v1/validate", {"iban": OTHER_IBAN, "reference": "Invoice of Alice"})
        Authenticator.objects.create(user=by, type=Authenticator.Type.TOTP, data={"secret": TOTP})
        exports.request_export(self.of_alice, by=Actor(by))
        self.secrets = self.everything_secret()

    def everything_secret(self) -> dict[str, set[bytes]]:
        """Return what no answer may hold: each with all its spellings, by a name that says what it is."""
        record = ValidationRecord.objects.exclude(sealed=b"").first()
        assert record is not None, "nothing was logged in full"
        session = self.alice.browser.session.session_key or ""
        texts = {
            "the key's secret": self.key[24:],
            "a session": session,
            "the secret of a second factor": TOTP,
            "a password": PASSWORD,
            "the hash of a password": self.alice.user.password,
            "the nonce of an invitation": str(self.invitation.nonce),
            "what was referred to": "Invoice of Alice",
        }
        found = {name: _written(text.encode()) for name, text in texts.items()}
        found |= {f"an IBAN: {iban}": spellings(iban) for iban in (IBAN, OTHER_IBAN)}
        return found | {f"{name} {place}": _written(value) for place, (name, value) in enumerate(_every_sealed_value())}

    def leaks(self, response: Any) -> set[str]:
        """Return what an answer holds that it may not, whether in its body or its headers."""
        body = b"".join(response.streaming_content) if getattr(response, "streaming", False) else response.content
        said = [body, unescape(body.decode(errors="replace")).encode(), "\n".join(response.headers.values()).encode()]
        return {
            name
            for name, written in self.secrets.items()
            if any(spelling in part for part in said for spelling in written)
        }

    def thief(self, *groups: str) -> Person:
        """Return a visitor with the session of a member of these groups, who had unmasked Alice's client."""
        victim = self.staff(*groups)
        user = victim.user
        if user.has_perm(unmasking.PERMISSION):
            form = unmasking.form_token(self.of_alice, user)
            unmasking.open(self.of_alice, Justification(Actor(user), REASON["ticket"], REASON["words"]), form=form)
        victim.browser.handler.enforce_csrf_checks = False
        return victim

    def crawls(self, thief: Person, begins: Iterable[str]) -> dict[str, set[str]]:
        """Open every page that links lead to from where it begins; return what leaked, by page."""
        waiting, seen, leaked = list(begins), set[str](), dict[str, set[str]]()
        while waiting and len(seen) < MOST_PAGES:
            path = unescape(waiting.pop(0))
            if path in seen:
                continue
            seen.add(path)
            response = thief.opens(path)
            self.assertLess(response.status_code, 500, path)
            if found := self.leaks(response):
                leaked[path] = found
            waiting += _LINK.findall(response.content.decode())
        self.assertGreater(len(seen), 3)
        self.assertLess(len(seen), MOST_PAGES, "there are more pages than were looked at")
        self.looked_at = seen
        return leaked

    def test_the_search_finds_each_of_them(self) -> None:
        for name, written in self.secrets.items():
            for spelling in written:
                response = HttpResponse(b"<td>" + spelling + b"</td>")
                self.assertIn(name, self.leaks(response))
                if spelling.isascii() and spelling.decode().isprintable():
                    self.assertIn(name, self.leaks(HttpResponse(headers={"X-Found": spelling.decode()})))

        own = self.alice.opens("/log/")
        self.assertIn(f"an IBAN: {IBAN}", self.leaks(own))
        self.assertEqual(self.leaks(HttpResponse(b"<td>nothing</td>")), set())

    def test_no_page_holds_one_wherever_links_lead(self) -> None:
        begins = ["/admin/", *(self.path(name) for name in ROUTES)]

        self.assertEqual(self.crawls(self.thief(*staff_groups.GROUPS), begins), {})

        self.assertGreater(len(self.looked_at), len(ROUTES))

    def test_no_page_of_any_group_holds_one(self) -> None:
        support_access.grant(self.of_alice, "hour", by=self.alice.actor)
        for group in staff_groups.GROUPS:
            thief, opened = self.thief(group), 0
            for name in ROUTES:
                response = thief.opens(self.path(name))
                self.assertEqual(self.leaks(response), set(), (group, name))
                opened += response.status_code == 200
            self.assertGreater(opened, 2, group)

    def test_no_form_that_is_sent_is_answered_with_one(self) -> None:
        thief = self.thief(*staff_groups.GROUPS)
        fields = {**REASON, "attempt": "", "number": "", "pk": str(self.of_alice.pk), "q": "a", "action": "export"}
        for name in {*ROUTES, *CHANGING}:
            for sent in (fields, {**fields, "action": "look"}):
                with self.subTest(page=name, sent=sent), transaction.atomic():
                    response = thief.browser.post(self.path(name), sent)
                    self.assertLess(response.status_code, 500)
                    self.assertEqual(self.leaks(response), set())
                    transaction.set_rollback(True)

    def test_no_table_can_be_guessed_open(self) -> None:
        thief = self.thief(*staff_groups.GROUPS)
        for model in apps.get_models(include_auto_created=True):
            meta = model._meta
            place = f"/admin/{meta.app_label}/{meta.model_name}/"
            row = model._default_manager.first()
            # Who guesses the key of a session knows it already: it would stand in the answer as they wrote it.
            key = row.pk if row and model is not Session else "guessed"
            pages = [f"{key}/{page}/" for page in ("change", "delete", "history")]
            for path in (place, *(place + page for page in (*pages, "add/"))):
                response = thief.opens(path)
                self.assertLess(response.status_code, 500, path)
                self.assertEqual(self.leaks(response), set(), path)
        for guess in GUESSES:
            for name in ROUTES:
                if name.endswith("_changelist"):
                    response = thief.opens(self.path(name) + guess)
                    self.assertLess(response.status_code, 500, name + guess)
                    self.assertEqual(self.leaks(response), set(), name + guess)

    def test_no_page_of_the_client_area_opens_to_staff(self) -> None:
        thief = self.thief(*staff_groups.GROUPS)
        record = ValidationRecord.objects.filter(client=self.of_alice).first()
        assert record is not None
        for path in ("/log/", f"/log/{record.pk}/", "/keys/", "/account/history/", "/account/export/", "/overview/"):
            response = thief.opens(path)
            self.assertIn(response.status_code, (403, 404), path)
            self.assertEqual(self.leaks(response), set(), path)


def _written(value: bytes) -> set[bytes]:
    """Return how bytes may stand in a page: as they are, as Python shows them, in hexadecimal digits and in base64."""
    ways = {value, value.hex().encode(), value.hex().upper().encode(), repr(value).encode()[2:-1]}
    encoded = base64.b64encode(value).rstrip(b"=")
    # The last sign depends on what follows, if anything does.
    return {
        way
        for way in ways | {encoded[:-1], encoded[:-1].translate(bytes.maketrans(b"+/", b"-_"))}
        if len(way) > LEAST_BYTES
    }


def _every_sealed_value() -> Iterator[tuple[str, bytes]]:
    """Yield what the tables hold sealed, and the hashes that prove keys and find IBANs, with the field's name."""
    for table in registry.tables():
        rows = table.model._default_manager
        for field in table.fields:
            if field.form == StoredForm.SEALED or field.name in ("digest", "blind_index", "session_key"):
                for value in rows.values_list(field.name, flat=True)[:5]:
                    stored = bytes(value) if isinstance(value, bytes | memoryview) else str(value or "").encode()
                    if len(stored) > LEAST_BYTES:
                        yield f"{table.label}.{field.name}", stored
