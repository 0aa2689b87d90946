"""Every kind of key is exchanged while the site serves and its workers are killed: nobody is refused for it."""

import base64
import os
import signal
import time

import pytest

from tests.support.production import Caller, Load, Production

pytestmark = pytest.mark.postgresql

OLD = base64.b64encode(bytes(range(32))).decode()
NEW = base64.b64encode(bytes(range(1, 33))).decode()
OLD_SECRET, NEW_SECRET = "only-for-tests-0123456789-" * 2, "another-one-for-tests-987654321-" * 2
NUMBERED = ("IBANSE_MASTER_KEYS", "IBANSE_PEPPERS", "IBANSE_SIGNING_KEYS")
KEYS = {"old": f"1:{OLD}", "both": f"1:{OLD},2:{NEW}", "new": f"2:{NEW}"}
SECRETS = {"old": OLD_SECRET, "both": f"{NEW_SECRET} {OLD_SECRET}", "new": NEW_SECRET}

# Uses a key in processes that are killed just before and just after they write its new digest.
KILLED = """
import os, signal
from django.conf import settings
from django.db import connections
from apikeys import authentication, peppers
from apikeys.models import ApiKey

def works():
    return authentication.authenticate(f"Bearer {told['token']}", ip_address="192.0.2.7", scope=None)

def pepper():
    row = ApiKey.objects.get(pk=told["key"])
    return row.pepper, row.next_pepper

def dies(when):
    for connection in connections.all():
        connection.close()
        getattr(connection, "close_pool", lambda: None)()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    def watch(execute, sql, params, many, context):
        is_it = sql.startswith("UPDATE") and "digest" in sql
        if is_it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = execute(sql, params, many, context)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    try:
        with connections["default"].execute_wrapper(watch):
            works()
    finally:
        os._exit(1)

settings.PEPPERS = {1: bytes(range(32)), 2: bytes(range(1, 33))}
peppers.begin()
assert dies("before") == -signal.SIGKILL
assert pepper() == (1, 2)
assert dies("after") == -signal.SIGKILL
assert pepper() == (2, None)
settings.PEPPERS = {2: bytes(range(1, 33))}
works()
"""
# What was made before the exchange, and must hold after it: a signed link, a signature, a sealed name.
MADE_BEFORE = """
from accounts.audit import signatures
from apikeys import keys
from apikeys.models import ApiKey
from django.core import signing
print(signing.dumps("link", salt="test"), signatures.sign("text", purpose="test"))
"""
HOLDS = """
from accounts.audit import signatures
from apikeys import keys
from apikeys.models import ApiKey
from django.core import signing
assert signing.loads(told["link"], salt="test") == "link"
assert signatures.is_ours("text", told["signature"], purpose="test")
assert signatures.sign("text", purpose="test").startswith("2:")
assert keys.name(ApiKey.objects.get(pk=told["key"])) == "Tests"
"""
ROTATE = """
from django.core.management import call_command
call_command("rotate_pepper")
call_command("rotate_master_key")
"""


@pytest.fixture
def production(production_of_its_own: Production) -> Production:
    """Exchange nobody else's keys."""
    return production_of_its_own


def under(site: Production, which: str, patch: pytest.MonkeyPatch) -> None:
    """Start from now on with the old keys, the new ones or both."""
    for name in NUMBERED:
        patch.setitem(site.environment, name, KEYS[which])
    patch.setitem(site.environment, "IBANSE_SECRET_KEY", SECRETS[which])


def test_everything_is_exchanged_under_load_and_no_call_is_refused_for_it(
    production: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    under(production, "old", monkeypatch)
    program, unused = production.program(), production.program()
    link, signature = production.does(MADE_BEFORE).split()
    before = {"link": link, "signature": signature, "key": str(program.key)}

    under(production, "both", monkeypatch)
    with production.serving() as server, Load(server, program) as load:
        time.sleep(0.5)
        os.kill(server.workers()[0], signal.SIGKILL)
        told = production.does(ROTATE)
        os.kill(server.workers()[0], signal.SIGKILL)
        time.sleep(1)
    production.does(HOLDS, **before)
    told_again = production.does(ROTATE)

    # Receipts and checkpoints are verified by old signatures for ever: signing keys are added and never taken out.
    under(production, "new", monkeypatch)
    monkeypatch.setitem(production.environment, "IBANSE_SIGNING_KEYS", KEYS["both"])
    with production.serving() as server:
        callers = [Caller(server.port, each) for each in (program, unused)]
        statuses = [caller.call() for caller in callers]
        for caller in callers:
            caller.close()

    assert set(load.seen) <= {0, 200}
    assert load.answered > 0
    assert "Master key 1 wraps nothing." in told
    assert f"ibanse_live_{program.token[12:22]}…" not in told_again
    assert f"ibanse_live_{unused.token[12:22]}…" in told_again
    # The one that nobody had used needs the old pepper, as the command has said.
    assert statuses == [200, 401]


def test_killed_while_a_key_moves_it_hangs_on_the_one_or_the_other_pepper_and_works(production: Production) -> None:
    program = production.program()

    production.does(KILLED, token=program.token, key=str(program.key))
