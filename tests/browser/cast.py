"""Run as a process of the live site: makes people with content and sessions, and prints who may open which page."""

import json
from uuid import uuid4

import django

django.setup()

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from accounts.models import Client, Invitation, User
from accounts.staff import groups
from accounts.team import invitations
from apikeys.models import ApiKey
from ibanse.backoffice.site import SECTIONS
from privacy.check_logging import mode
from privacy.models import Mode
from tests.base import Person
from validation.models import ValidationRecord

HERE = "127.0.0.1"
IBANS = ("SE4550000000058398257466", "DE89370400440532013001", "LC55HEMM000100010012001200023015", "x" * 128)


def main() -> None:
    """Print the pages and cookies as JSON."""
    client = Client.objects.create()
    owner = User.objects.create_user(
        f"olga.{uuid4().hex[:6]}-lundstroem@customer-with-a-long-name.example",
        "x",
        client=client,
        role=User.Role.OWNER,
        language="en",
    )
    mode.choose(client, mode.Choice(Mode.FULL, 30), by=owner)
    alice = Person(owner, HERE)
    alice.browser.defaults["SERVER_NAME"] = "localhost"
    User.objects.create_user(
        f"vera.{uuid4().hex[:6]}@example.com", "x", client=client, role=User.Role.MEMBER, language="en"
    )
    Invitation.objects.create(
        client=client, email="nina@example.com", expires_at=timezone.now() + invitations.VALID_FOR
    )
    alice.key(networks=["192.0.2.7", "2001:db8:1234:5678:9abc:def0:1234:5678"], name="Accounting in the headquarters")
    for iban in IBANS:
        alice.checks(iban)
    from validation.recording import writer

    writer.replay(settings.SPOOL_DIR)
    if not Group.objects.exists():
        groups.sync()
    sten = User.objects.create_user(f"sten.{uuid4().hex[:6]}@operator.example", "x", is_staff=True, language="en")
    sten.groups.set(Group.objects.all())
    Authenticator.objects.create(user=sten, type=Authenticator.Type.TOTP, data={"secret": "x"})
    office = Person(sten, HERE)
    office.proves_themselves("mfa")
    alice.proves_themselves()

    key = ApiKey.objects.filter(client=client).first()
    record = ValidationRecord.objects.filter(client=client).first()
    pages: dict[str, list[str]] = {"stranger": stranger(), "owner": owners(key, record), "staff": staffs(client)}
    people = {"owner": alice, "staff": office}
    sessions = {who: person.browser.cookies[settings.SESSION_COOKIE_NAME].value for who, person in people.items()}
    print(json.dumps({"pages": pages, "sessions": sessions}))


def stranger() -> list[str]:
    """Return what everybody may open."""
    names = (
        "validation:check", "validation:countries", "validation:api_docs", "contact", "terms", "privacy", "security",
        "account_signup", "account_login", "account_reset_password", "account_inactive",
        "account_password_reset_completed", "deletion:verify",
    )  # fmt: skip
    return [reverse(name) for name in names] + [reverse("validation:country", kwargs={"code": "pl"}), "/no-such-page/"]


def owners(key: ApiKey | None, record: ValidationRecord | None) -> list[str]:
    """Return what an owner may open."""
    names = (
        "validation:check", "accounts:overview", "accounts:account", "accounts:profile", "accounts:contact",
        "accounts:billing", "accounts:users", "accounts:history", "accounts:settings", "accounts:support_access",
        "privacy:security_and_privacy", "privacy:documents", "privacy:export",
        "privacy:deletion", "apikeys:keys", "apikeys:create", "validation:log", "account_email",
        "account_change_password", "account_reauthenticate", "account_logout", "mfa_index", "mfa_activate_totp",
        "mfa_add_webauthn", "usersessions_list",
    )  # fmt: skip
    found = [reverse(name) for name in names] + ["/log/?verdict=invalid", "/log/delete/?verdict=valid"]
    if key:
        found += [reverse(f"apikeys:{name}", kwargs={"pk": key.pk}) for name in ("key", "edit", "rotate", "revoke")]
    if record:
        found += [reverse(f"validation:{name}", kwargs={"pk": record.pk}) for name in ("log_row", "erase_log_row")]
    return found


def staffs(client: Client) -> list[str]:
    """Return what somebody of the staff may open: every list, a row, a deed."""
    found = [
        reverse("admin:index"),
        reverse("admin:staff"),
        reverse("admin:refused_calls"),
        reverse("admin:client_details", kwargs={"pk": client.pk}),
    ]
    for section in SECTIONS.values():
        for model, _ in section.models:
            found.append(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    return [*found, reverse("admin:accounts_client_change", args=[client.pk])]


if __name__ == "__main__":
    main()
