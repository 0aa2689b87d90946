"""What an owner takes away is gone on every worker within two seconds, also for a program that keeps its connection.

A worker reads the mark of changes once a second (accounts/guard/revisions.py). Measured from the end of the owner's
transaction to the last call that was sent and still admitted.
"""

import time
from itertools import chain
from threading import Event, Thread
from typing import NamedTuple

import pytest

from tests.support.production import Caller, Production, Program, Server

pytestmark = pytest.mark.postgresql

WORKERS = 3
WITHIN_SECONDS = 2.0
# The deed's process notes the time after its transaction has ended, and this process notes when it sends a call: no
# scheduling comes between that would make the worker look better. On a busy machine the worker itself may be held up
# while it decides, after our note; half a second allows for that.
SLACK_SECONDS = 0.5

TAKE_AWAY = """
import time
from accounts.actor import SYSTEM, Actor
from accounts.staff import suspension
from accounts.staff.justification import Justification
from accounts.models import User
from apikeys import keys
from apikeys.models import ApiKey

sten, _is_new = User.objects.get_or_create(email="sten@operator.example", is_staff=True)

def key(number): return ApiKey.objects.get(pk=told["keys"][number])
def suspend(): suspension.suspend(key(3).client, Justification(Actor(sten), "T-1204", "Invoices are unpaid"))

for deed in (
    lambda: keys.revoke(key(0), by=SYSTEM),
    lambda: keys.disallow(key(1).networks.get(), by=SYSTEM),
    lambda: keys.allow(key(2), "192.0.2.0/24", by=SYSTEM),
    suspend,
):
    deed()
    print(time.time())
"""


class Change(NamedTuple):
    """What is changed, where the key works from to begin with, and what its calls are told before and after."""

    what: str
    networks: tuple[str, ...]
    before: int
    after: int


CHANGES = (
    Change("a revoked key", (), 200, 401),
    Change("an address taken from the list", ("192.0.2.7",), 200, 403),
    Change("an address added to the list", ("198.51.100.0/24",), 403, 200),
    Change("a suspended client", (), 200, 401),
)


class Poller(Thread):
    """A program that keeps a connection to one worker and calls all the time; notes what each call was told."""

    def __init__(self, server: Server, program: Program, worker: int) -> None:
        super().__init__(daemon=True)
        self.calls: list[tuple[float, int]] = []
        self.is_over = Event()
        self._caller = Caller(server.port, program)
        with server.only(worker):
            assert self._caller.connect()
            self._call()

    def run(self) -> None:
        while not self.is_over.wait(0.05):
            self._call()
        self._caller.close()

    def _call(self) -> None:
        sent = time.time()
        self.calls.append((sent, self._caller.call()))


@pytest.mark.claim("prompt_changes")
def test_a_change_is_known_to_every_worker_within_two_seconds(
    production: Production, subtests: pytest.Subtests
) -> None:
    programs = [production.program(networks=change.networks) for change in CHANGES]
    with production.serving(workers=WORKERS) as server:
        pollers = [[Poller(server, program, worker) for worker in server.workers()] for program in programs]
        for poller in chain(*pollers):
            poller.start()
        time.sleep(1.2)  # Every worker holds the keys, and has found them unchanged.
        done = production.does(TAKE_AWAY, keys=[str(program.key) for program in programs]).split()
        time.sleep(WITHIN_SECONDS + SLACK_SECONDS + 0.5)
        for poller in chain(*pollers):
            poller.is_over.set()
            poller.join()

    for change, at, of_workers in zip(CHANGES, done, pollers, strict=True):
        for number, poller in enumerate(of_workers):
            with subtests.test(change.what, worker=number):
                statuses = [status for _, status in poller.calls]
                last = max(sent for sent, status in poller.calls if status == change.before)
                assert set(statuses) == {change.before, change.after}
                assert statuses == sorted(statuses, key=(change.before, change.after).index)
                assert last - float(at) < WITHIN_SECONDS + SLACK_SECONDS


SWITCH_OFF = """
import time
from accounts.actor import Actor
from accounts.models import Client, User
from privacy.check_logging import mode
from privacy.models import Mode

by = User.objects.create_user(told["client"] + "@example.com")
client = Client.objects.get(pk=told["client"])
mode.choose(client, mode.Choice(Mode.OFF), by=Actor(by))
print(time.time())
"""
COUNT = """
from datetime import datetime, UTC
from validation.models import ValidationRecord

rows = ValidationRecord.objects.filter(client=told["client"])
print(rows.count(), rows.filter(at__gt=datetime.fromtimestamp(told["since"], UTC)).count())
"""


@pytest.mark.claim("off_everywhere")
def test_a_log_that_is_switched_off_is_off_on_every_worker_within_two_seconds(production: Production) -> None:
    program = production.program()
    client = str(program.client)
    with production.serving(workers=WORKERS) as server:
        pollers = [Poller(server, program, worker) for worker in server.workers()]
        for poller in pollers:
            poller.start()
        time.sleep(1)
        changed = float(production.does(SWITCH_OFF, client=client).splitlines()[-1])
        time.sleep(WITHIN_SECONDS + 3)
        for poller in pollers:
            poller.is_over.set()
        for poller in pollers:
            poller.join()
        server.ends()  # Then everything is written.

    # Records bear whole seconds, the one in which they were made.
    effective = changed + WITHIN_SECONDS + SLACK_SECONDS
    written, late = map(int, production.does(COUNT, client=client, since=effective).split())
    after = [status for poller in pollers for sent, status in poller.calls if sent > effective + 1]
    assert written > 0
    assert late == 0
    assert len(after) > WORKERS
    assert set(after) == {200}
