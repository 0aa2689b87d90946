"""Every kind of key is exchanged while the site serves and its workers are killed: no call is refused for it."""

import base64
import os
import signal

import pytest

from tests.support.production import Caller, Load, Production
from tests.support.programs import exchange

pytestmark = pytest.mark.postgresql

OLD = base64.b64encode(bytes(range(32))).decode()
NEW = base64.b64encode(bytes(range(1, 33))).decode()
OLD_SECRET, NEW_SECRET = "only-for-tests-0123456789-" * 2, "another-one-for-tests-987654321-" * 2
NUMBERED = ("IBANSE_MASTER_KEYS", "IBANSE_PEPPERS", "IBANSE_SIGNING_KEYS")
KEYS = {"old": f"1:{OLD}", "both": f"1:{OLD},2:{NEW}", "new": f"2:{NEW}"}
SECRETS = {"old": OLD_SECRET, "both": f"{NEW_SECRET} {OLD_SECRET}", "new": NEW_SECRET}


@pytest.fixture
def production(production_of_its_own: Production) -> Production:
    """Exchange the keys of no other test's site."""
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
    before = production.run(exchange.sign)

    under(production, "both", monkeypatch)
    with production.serving() as server, Load(server, program) as load:
        load.wait_for_calls()
        os.kill(server.workers()[0], signal.SIGKILL)
        output = production.run(exchange.rotate)
        os.kill(server.workers()[0], signal.SIGKILL)
        load.wait_for_calls()
    production.run(exchange.verify, before["link"], before["signature"], str(program.key))
    later_output = production.run(exchange.rotate)

    # Old signatures of receipts and checkpoints are verified for ever: signing keys are added and never removed.
    under(production, "new", monkeypatch)
    monkeypatch.setitem(production.environment, "IBANSE_SIGNING_KEYS", KEYS["both"])
    with production.serving() as server:
        callers = [Caller(server.port, each) for each in (program, unused)]
        statuses = [caller.call() for caller in callers]
        for caller in callers:
            caller.close()

    assert set(load.seen) <= {0, 200}
    assert load.answered > 0
    assert "Master key 1 wraps nothing." in output
    assert f"ibanse_live_{program.token[12:22]}…" not in later_output
    assert f"ibanse_live_{unused.token[12:22]}…" in later_output
    # The unused key needs the old pepper, as the command has printed.
    assert statuses == [200, 401]


def test_killed_while_a_key_moves_it_hangs_on_the_one_or_the_other_pepper_and_works(production: Production) -> None:
    program = production.program()

    production.run(exchange.move_key_killed_at_write, program.token, str(program.key))
