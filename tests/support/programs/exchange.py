"""The exchange of keys: what was made before and must hold afterwards, and a move that is killed."""

import os
import signal
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import connections

from accounts.audit import signatures
from apikeys import authentication, keys, peppers
from apikeys.models import ApiKey
from tests.support.programs import site


def sign() -> dict[str, str]:
    """Return a signed link and a signature."""
    return {"link": signing.dumps("link", salt="test"), "signature": signatures.sign("text", purpose="test")}


def verify(link: str, signature: str, key_id: str) -> None:
    """Fail unless both still hold, the sealed name opens, and the second key signs."""
    assert signing.loads(link, salt="test") == "link"
    assert signatures.is_ours("text", signature, purpose="test")
    assert signatures.sign("text", purpose="test").startswith("2:")
    assert keys.name(ApiKey.objects.get(pk=key_id)) == "Tests"


def rotate() -> str:
    """Move peppers and master keys to the newest; return what the commands print."""
    return site.run_command("rotate_pepper") + site.run_command("rotate_master_key")


def move_key_killed_at_write(token: str, key_id: str) -> None:
    """Use a key in processes that are killed just before and just after they write its new digest."""
    settings.PEPPERS = {1: bytes(range(32)), 2: bytes(range(1, 33))}
    peppers.begin()
    assert _authenticate_killed(token, before_write=True) == -signal.SIGKILL
    assert _peppers(key_id) == (1, 2)
    assert _authenticate_killed(token, before_write=False) == -signal.SIGKILL
    assert _peppers(key_id) == (2, None)
    settings.PEPPERS = {2: bytes(range(1, 33))}
    _authenticate(token)


def _authenticate(token: str) -> None:
    authentication.authenticate(f"Bearer {token}", ip_address="192.0.2.7", scope=None)


def _peppers(key_id: str) -> tuple[int, int | None]:
    row = ApiKey.objects.get(pk=key_id)
    return row.pepper, row.next_pepper


def _authenticate_killed(token: str, *, before_write: bool) -> int:
    """Return the exit code of a process that authenticates and dies at its write."""
    for connection in connections.all():
        connection.close()
        getattr(connection, "close_pool", lambda: None)()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def die_at_write(execute: Any, sql: str, *arguments: Any) -> Any:
        is_the_write = sql.startswith("UPDATE") and "digest" in sql
        if is_the_write and before_write:
            os.kill(os.getpid(), signal.SIGKILL)
        result = execute(sql, *arguments)
        if is_the_write:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    try:
        with connections["default"].execute_wrapper(die_at_write):
            _authenticate(token)
    finally:
        os._exit(1)
