"""Run as a process of the live site: makes people with content, in a language, and prints their sessions and links."""

import json
import re
import sys
import time
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import django

django.setup()

from allauth.account.internal.userkit import user_id_to_str
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail
from django.test import RequestFactory, override_settings
from django.utils import timezone, translation

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.auth import wrong_passwords
from accounts.auth.adapters import FactorAdapter
from accounts.guard.models import Block
from accounts.models import Client, StaffEntry, User
from accounts.profile import details
from accounts.staff import groups
from accounts.team import owner_recovery
from apikeys.models import QuotaMonth
from ibanse.backoffice.site import SECTIONS
from privacy import vault
from privacy.check_logging import mode
from privacy.models import ClientDocument, DataExport, Mode
from tests.base import PASSWORD, Person, Visitor
from tests.support.entrance import CODE, SIGN_UP
from validation.models import ValidationRecord
from validation.recording import writer

HERE: Final = "127.0.0.1"
IBANS: Final = (
    *["SE4550000000058398257466"] * 50,
    "DE89370400440532013001",
    "LC55HEMM000100010012001200023015",
    "x" * 128,
)
PASSKEY: Final = {
    "id": "bG9vay1hdC10aGUta2V5cw",
    "rawId": "bG9vay1hdC10aGUta2V5cw",
    "type": "public-key",
    "response": {
        # {"type":"webauthn.create","challenge":…,"origin":"http://localhost","crossOrigin":false}
        "clientDataJSON": (
            "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiTURBd01EQXdNREF3TURBd01EQXdNREF3TURBd01EQXdN"
            "REF3TURBd01EQSIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3QiLCJjcm9zc09yaWdpbiI6ZmFsc2V9"
        ),
        # Attested by nobody, of a key pair that is in no device.
        "attestationObject": (
            "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABFAAAAAAAAAAAA"
            "AAAAAAAAAAAAAAAAEGxvb2stYXQtdGhlLWtleXOlAQIDJiABIVggjlM7b6C_e0YluzBmfAH7YH75-LioD-9bMAYocDGHsqMi"
            "WCBz6x294DMYNm0Gn4Om9ZAAU8c2M8sEGyHFXhqGwfQAtA"
        ),
    },
    "clientExtensionResults": {"credProps": {"rk": True}},
}
PAGE_OF_ENTRIES: Final = 55
DELETION: Final = "/account/settings/security-and-privacy/deletion/"
LINK: Final = re.compile(r"https?://[^/\s]+/(invitations|recovery|deletion)/(\S+?)/(?:(confirm|cancel)/)?(?=\s|$)")


class Cast:
    """Everybody who looks at a page, and what the paths of the pages need."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.sessions: dict[str, str] = {}
        self.arguments: dict[str, dict[str, Any]] = {"unknown": {"code": "xx"}, "foreign": {"token": "not-ours"}}

    def visitor(self) -> Visitor:
        """Return somebody new without an account."""
        found = Visitor(HERE, self.language)
        found.browser.defaults["SERVER_NAME"] = "localhost"
        return found

    def come_in(self, who: str, found: Visitor) -> None:
        """Keep the session of somebody under a name."""
        self.sessions[who] = found.browser.cookies[settings.SESSION_COOKIE_NAME].value

    def user(self, name: str, **fields: Any) -> User:
        """Make a user whose address is proven."""
        email = f"{name}.{uuid4().hex[:6]}@customer-with-a-long-name.example"
        user = User.objects.create_user(email, PASSWORD, **{"language": self.language, **fields})
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user

    def owner(self, name: str, **fields: Any) -> User:
        """Make the owner of a client of their own."""
        return self.user(name, client=Client.objects.create(**fields), role=User.Role.OWNER)

    def person(self, who: str, user: User, method: str = "password") -> Person:
        """Return somebody who has signed in, and has proven themselves for as long as anybody looks."""
        person = Person(user, HERE)
        person.browser.defaults["SERVER_NAME"] = "localhost"
        session = person.browser.session
        later = time.time() + 24 * 3600
        session["account_authentication_methods"] = [{"method": method, "at": later, "reauthenticated": True}]
        session["account_authentication_methods_user"] = user_id_to_str(user)
        session.save()
        self.come_in(who, person)
        return person


def main(language: str) -> None:
    """Print sessions and arguments as JSON."""
    cast = Cast(language)
    with (
        translation.override(language),
        override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"),
    ):
        mail.outbox = []
        owner = company(cast)
        in_the_middle(cast)
        factors(cast)
        endings(cast)
        exports(cast)
        office(cast, owner.client)
    print(json.dumps({"sessions": cast.sessions, "arguments": cast.arguments}))


def company(cast: Cast) -> Person:
    """Make an owner with something in every list, a colleague, and somebody who has just begun."""
    user = cast.owner("olga-lundstroem")
    olga = cast.person("owner", user)
    client = olga.client
    mode.choose(client, mode.Choice(Mode.FULL, 30), by=Actor(user))
    names = {"company": "Lundström & Söners Elektriska Byrå Aktiebolag", "street": "Stora Södergatan 1", "city": "Lund"}
    details.save_contact(client, details.Contact(**names, postcode="222 22", country="SE"), by=Actor(user))
    details.save_billing(client, details.Billing(**names, postcode="222 22", country="SE"), by=Actor(user))
    vera = cast.user("vera", client=client, role=User.Role.MEMBER)
    cast.person("member", vera)
    olga.posts("/account/users/invite/", {"email": "nina@example.com"})
    owner_recovery.request(vera, reason="lost")
    olga.key(networks=["192.0.2.7", "2001:db8:1234:5678:9abc:def0:1234:5678"], name="Accounting in the headquarters")
    for iban in IBANS:
        olga.checks(iban)
    writer.replay(settings.SPOOL_DIR)
    for _ in range(PAGE_OF_ENTRIES):
        audit.record(AuditEvent.PAGE_REFUSED, client=client, by=Actor(vera), detail={"page": "users"})
    olga.posts("/account/settings/documents/make/", {"kind": "agreement", "language": cast.language})
    key, record = client.keys.get(), ValidationRecord.objects.filter(client=client).first()
    document = ClientDocument.objects.filter(client=client).first()
    assert record, "no check was stored"
    assert document, "no document was made"
    cast.arguments |= {
        **{f"apikeys:{page}": {"pk": str(key.pk)} for page in ("key", "edit", "rotate", "revoke")},
        **{f"validation:{page}": {"pk": str(record.pk)} for page in ("log_row", "erase_log_row")},
        "privacy:delete_document": {"pk": str(document.pk)},
        "privacy:erase_user": {"pk": str(vera.pk)},
        "privacy:erase_part": {"scope": "log"},
        "accounts:change_user": {"pk": str(vera.pk), "action": "deactivate"},
        "validation:country": {"code": "pl"},
    }
    take_links(cast)
    cast.person("newcomer", cast.owner("new"))
    return olga


def take_links(cast: Cast) -> None:
    """Keep what the links of the mails end in."""
    pages = {"invitations": "accounts:accept", "recovery": "accounts:cancel_recovery"}
    for letter in mail.outbox:
        for kind, token, page in LINK.findall(str(letter.body)):
            cast.arguments[pages.get(kind, f"deletion:{page}")] = {"token": token}
    mail.outbox.clear()


def in_the_middle(cast: Cast) -> None:
    """Make visitors who have begun to sign up, to sign in or to choose a new password."""

    def begin(who: str, path: str, fields: dict[str, str]) -> Visitor:
        visitor = cast.visitor()
        response = visitor.posts(path, fields)
        assert response.status_code == 302, (who, response.status_code)
        cast.come_in(who, visitor)
        return visitor

    begin("signing up", "/sign-up/", {**SIGN_UP, "email": f"nora.{uuid4().hex[:6]}@newcomer.example"})
    forgetful = cast.owner("forgetful")
    begin("forgetful", "/sign-in/forgotten/", {"email": forgetful.email})
    with_code = begin("forgetful with a code", "/sign-in/forgotten/", {"email": forgetful.email})
    found = CODE.search(str(mail.outbox[-1].body))
    assert found
    with_code.posts("/sign-in/forgotten/code/", {"code": found.group()})
    cast.come_in("forgetful with a code", with_code)

    unverified = cast.owner("unverified")
    EmailAddress.objects.filter(user=unverified).update(verified=False)
    guessed_at = cast.owner("guessed-at")
    for number in range(wrong_passwords.MOST_A_DAY):
        request = RequestFactory(REMOTE_ADDR=f"198.51.100.{number}").post("/sign-in/")
        wrong_passwords.record_failure(request, guessed_at.email)
    with_app = cast.owner("with-app")
    Authenticator.objects.create(
        user=with_app, type=Authenticator.Type.TOTP, data={"secret": sealed(with_app, "JBSWY3DPEHPK3PXP")}
    )
    for who, user in (("unverified", unverified), ("guessed at", guessed_at), ("with an app", with_app)):
        begin(who, "/sign-in/", {"login": user.email, "password": PASSWORD})

    changing = cast.person("changing the address", cast.owner("changing"))
    changing.posts("/account/email/", {"email": f"other.{uuid4().hex[:6]}@example.com"})


def sealed(user: User, text: str) -> str:
    """Seal a secret of a factor, as is done for who is signed in."""
    return vault.seal_named(user.key_owner, text, purpose=FactorAdapter.PURPOSE)


def factors(cast: Cast) -> None:
    """Make users with each kind of second factor, and one without a password."""
    careful = cast.owner("careful")
    kinds = Authenticator.Type
    for kind, data in (
        (kinds.TOTP, {"secret": sealed(careful, "JBSWY3DPEHPK3PXP")}),
        (kinds.RECOVERY_CODES, {"seed": sealed(careful, "0" * 80), "used_mask": 3}),
        (kinds.WEBAUTHN, {"name": "Blue key on the ring", "credential": PASSKEY}),
    ):
        made = Authenticator.objects.create(user=careful, type=kind, data=data)
    cast.arguments |= {page: {"pk": made.pk} for page in ("mfa_edit_webauthn", "mfa_remove_webauthn")}
    cast.person("careful", careful)
    app_only = cast.owner("app-only")
    Authenticator.objects.create(user=app_only, type=kinds.TOTP, data={"secret": "x"})
    cast.person("with an app only", app_only)
    without = cast.owner("without-password")
    without.set_unusable_password()
    without.save()
    cast.person("without a password", without)


def endings(cast: Cast) -> None:
    """Make clients that are suspended, or at each step of a deletion, and a receipt of one."""
    cast.person("suspended", cast.owner("suspended", state=Client.State.SUSPENDED, suspended_at=timezone.now()))
    closing = cast.person("being deleted", cast.owner("closing"))
    asked = cast.person("asked to be deleted", cast.owner("asked"))
    mail.outbox.clear()
    closing.posts(f"{DELETION}request/", {"days": "7"})
    take_links(cast)
    closing.posts(f"/deletion/{cast.arguments['deletion:confirm']['token']}/confirm/")
    asked.posts(f"{DELETION}request/", {"days": "7"})
    take_links(cast)

    details.save_contact(asked.client, details.Contact(company="Asked AB"), by=Actor(asked.user))
    response = asked.posts(f"{DELETION}contact/")
    found = re.fullmatch(r"/receipts/(.+)/", response.headers.get("Location", ""))
    assert found, (response.status_code, response.headers)
    cast.arguments["deletion:receipt"] = {"token": found[1]}
    written = {"subject": "question", "email": "nora@example.com", "message": "What does it cost?"}
    response = cast.visitor().posts("/contact/", written)
    cast.arguments["contact_sent"] = {"pk": response.headers["Location"].split("/")[-2]}


def exports(cast: Cast) -> None:
    """Make a client for each state that a copy of its data can be in."""
    now = timezone.now()
    # One at work whose worker gives a sign of life tomorrow is taken by no other.
    tomorrow = now + timedelta(days=1)
    states: dict[str, dict[str, Any]] = {
        "under way": {"state": "running", "attempt": 1, "heartbeat_at": tomorrow},
        "ready": {"state": "ready", "rows": 1234, "bytes": 5_678_901, "expires_at": tomorrow},
        "failed": {"state": "failed", "problem": "damaged"},
        "over": {"state": "over"},
    }
    for state, fields in states.items():
        person = cast.person(f"export {state}", cast.owner(f"export-{state.replace(' ', '-')}"))
        DataExport.objects.create(client=person.client, requested_by=person.user, **fields)


def office(cast: Cast, client: Client) -> None:
    """Make somebody of the staff who is in every group, and a row for each list of the back-office."""
    if not Group.objects.exists():
        groups.sync()
    sten = cast.user("sten", is_staff=True)
    sten.groups.set(Group.objects.all())
    Authenticator.objects.create(user=sten, type=Authenticator.Type.TOTP, data={"secret": "x"})
    colleague = cast.user("stina", is_staff=True)
    colleague.groups.set(Group.objects.all()[:1])
    cast.person("staff", sten, "mfa").opens("/admin/")
    block, _ = Block.objects.get_or_create(network="203.0.113.0/24", defaults={"reason": "guesses passwords"})
    QuotaMonth.objects.get_or_create(client=client, month=timezone.localdate().replace(day=1))
    entry = StaffEntry.objects.filter(actor=sten.pk).first()
    session = UserSession.objects.filter(user__client=client).first()
    suspended = Client.objects.filter(state=Client.State.SUSPENDED).first()
    vera = client.users.filter(role=User.Role.MEMBER).get()
    rows = {
        **dict.fromkeys(
            ("notes", "note_client", "suspend_client", "set_quota", "set_user_limit", "client_details",
             "verify_client"), client
        ),
        "reopen_client": suspended,
        **dict.fromkeys(("resend_invitation", "withdraw_invitation"), client.invitations.first()),
        "sign_out_user": vera,
        "sign_out_session": session,
        "sign_out_actor": entry,
        **dict.fromkeys(("sign_out_staff", "change_staff"), colleague),
        "lift_block": block,
        "revoke_key": client.keys.first(),
    }  # fmt: skip
    for page, row in rows.items():
        assert row is not None, page
        cast.arguments[f"admin:{page}"] = {"pk": str(row.pk)}
    for section in SECTIONS.values():
        for model, _shown_by in section.models:
            meta = model._meta
            # Of the users, none who works for the operator: they have a list of their own.
            shown = vera if model is User else model._default_manager.last()
            assert shown is not None, meta.label
            cast.arguments[f"admin:{meta.app_label}_{meta.model_name}_change"] = {"object_id": str(shown.pk)}


if __name__ == "__main__":
    main(sys.argv[1])
