"""Wrong passwords for one mailbox over a whole day, from any network: the slow limit against patient guessing.

The quick limits count each network alone, so an attacker with many networks could continue for ever. After `MOST_A_DAY`
wrong passwords from unknown browsers, such a browser needs a mailed code besides the right password. It locks nobody
out: known browsers (devices.py) and passkeys work as before.

A mailbox without an account is counted in the same way, with the same cache calls. Whether it has an owner to mail is
looked up later, in the background.
"""

from collections import deque
from datetime import timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db import Error
from django.http import HttpRequest

from accounts import mail
from accounts.auth import devices
from accounts.models import Client, User

MOST_A_DAY: Final = 100
WITHIN: Final = timedelta(days=1)
"""From the first wrong password on; when there were too many, from the last."""
CODE_OWED_FOR: Final = timedelta(days=30)
_MOST_WAITING: Final = 1_000


class Attack(NamedTuple):
    """What the owner of a mailbox is mailed."""

    email: str
    failures: int
    networks: int


# When the process is killed the mail is lost, but not the limit.
_waiting: deque[Attack] = deque(maxlen=_MOST_WAITING)


def record_failure(request: HttpRequest, email: str) -> None:
    """Count a wrong password, unless the browser is known: then its own limit applies."""
    if devices.known_device(request, email):
        return
    failures_key, networks_key = _key(email, "failures"), _key(email, "networks")
    failures = _add_one(failures_key)
    if cache.add(_key(email, f"from:{devices.network_of(request)}"), 1, WITHIN.total_seconds()):
        _add_one(networks_key)
    if failures < MOST_A_DAY:
        return
    # The limit lasts as long as the attack.
    for key in (failures_key, networks_key):
        cache.touch(key, WITHIN.total_seconds())
    if cache.add(_key(email, "mailed"), 1, WITHIN.total_seconds()):
        _waiting.append(Attack(email.strip().lower(), failures, cache.get(networks_key, 1)))


def is_code_needed(request: HttpRequest, email: str) -> bool:
    """Return whether this browser needs a mailed code besides the right password."""
    if devices.known_device(request, email):
        return False
    failures_key, owed_key = _key(email, "failures"), _key(email, "code_owed")
    found = cache.get_many([failures_key, owed_key])
    return owed_key in found or found.get(failures_key, 0) >= MOST_A_DAY


def require_code(email: str) -> None:
    """Note that the right password was typed and a code was required.

    An attacker who guessed it must not get in by waiting until the wrong ones are forgotten.
    """
    cache.set(_key(email, "code_owed"), 1, CODE_OWED_FOR.total_seconds())


def forget(email: str) -> None:
    """Reset the counts: the user typed the code or chose another password."""
    cache.delete_many([_key(email, name) for name in ("failures", "networks", "code_owed")])


def mail_owners() -> None:
    """Mail the owners of attacked mailboxes. Raises a database error; what was not mailed stays in the queue."""
    while _waiting:
        attack = _waiting.popleft()
        try:
            user = (
                User.objects.filter(email=attack.email, is_active=True).exclude(client__state=Client.State.GONE).first()
            )
        except Error:
            _waiting.appendleft(attack)
            raise
        if user is not None:
            context = {"failures": attack.failures, "networks": attack.networks, "site": settings.SITE_URL}
            mail.send_on_commit("auth/wrong_passwords", to=user.email, language=user.language, context=context)


def _key(email: str, name: str) -> str:
    return f"wrong_passwords:{devices.mailbox_hash(email)}:{name}"


def _add_one(key: str) -> int:
    cache.add(key, 0, WITHIN.total_seconds())
    try:
        return cache.incr(key)
    except ValueError:  # The key expired between the two calls.
        return 1
