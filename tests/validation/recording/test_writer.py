"""The durable writer: what was answered is counted, once, whatever happens to the process, the disk or the database."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Sum

from accounts import reconnect
from accounts.models import UsageDay
from accounts.usage import counts as usage_counts
from apikeys import tokens
from apikeys.limits import key_usage, quota
from apikeys.models import ApiKey, KeyUsageDay, QuotaLease, QuotaMonth
from tests.base import BaseTest
from tests.support.production import Production, Program
from tests.support.programs import recording
from validation.models import SpoolPosition
from validation.recording import spool, writer
from validation.recording.record import CallRecord


class WriterTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.token = self.alice.key()
        self.key = ApiKey.objects.get(identifier=tokens.split(self.token).identifier)
        # The test's own leases come back afterwards.
        self.enterContext(patch.object(quota, "leases", quota.leases))
        self.writer, self.spool = self.begin()

    def begin(self) -> tuple[writer.Writer, spool.Spool]:
        """Return a new writer, whose thread does not run, and its spool. To close that is to kill the process."""
        made: list[spool.Spool] = []
        create = spool.create

        def make(folder: Path) -> spool.Spool:
            made.append(create(folder))
            return made[-1]

        with patch.object(spool, "create", make):
            begun = writer.Writer(self.folder)
        self.addCleanup(made[0].close)
        return begun, made[0]

    def record(self, **changed: Any) -> CallRecord:
        fields: dict[str, Any] = {"client": self.alice.client.pk, "key": self.key.pk, "day": usage_counts.today()}
        return CallRecord(**{**fields, "valid": 1, "invalid": 0, "units": 1, "is_test": False, **changed})

    def put(self, number: int = 1, **changed: Any) -> None:
        for _ in range(number):
            self.writer.put(self.record(**changed))

    def counted(self) -> int:
        """Return how many calls are in the database; fail if the tables do not agree."""
        calls = KeyUsageDay.objects.filter(key=self.key).aggregate(sum=Sum("calls", default=0))["sum"]
        units = UsageDay.objects.filter(client=self.alice.client).aggregate(sum=Sum("units", default=0))["sum"]
        self.assertEqual(calls, units)
        return int(calls)

    def names(self) -> list[str]:
        return [path.name for path in self.folder.iterdir()]

    def assert_nothing_is_left(self) -> None:
        self.assertEqual(self.names(), [])
        self.assertFalse(SpoolPosition.objects.exists())
        self.assertFalse(QuotaLease.objects.exists())

    @contextmanager
    def failing(self, place: object, name: str, error: BaseException | None = None) -> Iterator[None]:
        with patch.object(place, name, side_effect=error or OperationalError("away")):
            yield


@contextmanager
def dead_at_first(place: object, name: str, *, times: int) -> Iterator[None]:
    """Let a function meet a dead connection so many times, and then work as it does."""
    work = getattr(place, name)
    met: list[str] = []

    def meet(*arguments: Any, **named: Any) -> Any:
        if len(met) < times:
            met.append(name)
            raise OperationalError("server closed the connection unexpectedly")
        return work(*arguments, **named)

    with patch.object(place, name, meet):
        yield
    assert len(met) == times


class CountTests(WriterTest):
    def test_a_record_is_counted_at_the_next_write_and_not_at_another(self) -> None:
        self.put(2)
        before = self.counted()
        self.writer.write()
        self.writer.write()

        self.assertEqual((before, self.counted()), (0, 2))

    def test_a_call_of_a_test_key_counts_for_the_key_alone(self) -> None:
        self.put(units=0, is_test=True)
        self.writer.write()

        self.assertEqual(KeyUsageDay.objects.get().calls, 1)
        self.assertFalse(UsageDay.objects.exists())

    def test_days_and_sources_are_counted_apart(self) -> None:
        yesterday = usage_counts.today().replace(year=usage_counts.today().year - 1)
        self.put(day=yesterday)
        self.put(key=None, units=0, source="page")
        self.put()
        self.writer.write()

        self.assertEqual(
            set(UsageDay.objects.values_list("day", "source", "valid")),
            {(yesterday, "api", 1), (usage_counts.today(), "api", 1), (usage_counts.today(), "page", 1)},
        )

    def test_a_writer_that_ends_leaves_nothing_and_takes_nothing_more(self) -> None:
        self.put()
        self.writer.stop()

        self.assertEqual(self.counted(), 1)
        self.assert_nothing_is_left()
        with pytest.raises(spool.SpoolFull):
            self.put()

    def test_without_a_writer_a_record_is_written_at_once(self) -> None:
        writer.put(self.record())

        self.assertEqual(self.counted(), 1)


class CrashTests(WriterTest):
    def test_what_a_killed_process_left_is_counted_once_however_often_one_looks(self) -> None:
        self.put(3)
        self.spool.close()
        writer.replay(self.folder)
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 3)
        self.assert_nothing_is_left()

    def test_only_what_lies_behind_the_position_is_replayed(self) -> None:
        self.put(2)
        self.writer.write()
        self.put(1)
        self.spool.close()
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 3)

    def test_a_replay_that_is_killed_at_any_step_is_done_again_without_counting_twice(self) -> None:
        steps: list[tuple[object, str]] = [
            (quota, "settle"),  # In the transaction.
            (quota, "close"),  # After it.
            (spool.Spool, "remove"),
            (Path, "unlink"),
        ]
        for number, (place, name) in enumerate(steps, 1):
            with self.subTest(name):
                self.writer, self.spool = self.begin()
                self.put()
                self.spool.close()
                with self.failing(place, name, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
                    writer.replay(self.folder)
                writer.replay(self.folder)

                self.assertEqual(self.counted(), number)

    def test_the_units_that_a_killed_process_held_go_back_to_the_quota(self) -> None:
        quota.leases.take(self.alice.client.pk, 1, quota=10_000)
        self.put()
        taken = QuotaMonth.objects.get().taken
        self.spool.close()
        writer.replay(self.folder)

        self.assertEqual((taken, QuotaMonth.objects.get().taken), (100, 1))
        self.assert_nothing_is_left()

    def test_a_living_process_is_left_alone(self) -> None:
        self.put()
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 0)
        self.assertEqual(self.names(), [f"{self.spool.id}.spool"])

    def test_lines_that_are_no_records_are_left_out_and_said(self) -> None:
        self.put()
        with (self.folder / f"{self.spool.id}.spool").open("ab") as file:
            file.write(b"\0\0\0\n[1,2]\n")
        self.spool.close()
        begun, self.spool = self.begin()
        begun.put(self.record())
        self.spool.close()
        with self.assertLogs("validation.recording.writer", "WARNING") as logged:
            writer.replay(self.folder)

        self.assertEqual(self.counted(), 2)
        self.assert_nothing_is_left()
        self.assertIn("Left out 2 lines of a spool that are no records.", "".join(logged.output))

    def test_records_of_a_version_without_a_log_are_still_read(self) -> None:
        line = f'["{self.alice.client.pk}","{self.key.pk}","{usage_counts.today()}",1,0,1,false]\n'
        self.spool.append(line.encode())
        self.spool.close()
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 1)

    def test_records_of_clients_and_keys_that_are_gone_hold_up_nobody(self) -> None:
        self.put(client=uuid4())
        self.put(key=uuid4())
        self.put()
        with self.assertLogs("validation.recording.writer", "WARNING") as logged:
            self.writer.write()

        self.assertEqual(self.counted(), 1)
        self.assertIn("Left out 2 records of clients or keys that are gone.", logged.output[0])


class DatabaseTests(WriterTest):
    def test_an_error_in_the_middle_leaves_nothing_half_and_nothing_is_lost(self) -> None:
        for place, name in ((usage_counts, "add"), (key_usage, "add"), (quota, "settle")):
            with self.subTest(place.__name__):
                before = self.counted()
                self.put(2)
                with self.failing(place, name), pytest.raises(OperationalError):
                    self.writer.write()
                in_between = self.counted()
                self.put(1)
                self.writer.write()

                self.assertEqual((in_between, self.counted()), (before, before + 3))

    def test_a_transaction_that_was_done_although_nobody_heard_is_not_counted_again(self) -> None:
        self.put(2)
        with self.response_is_lost(), pytest.raises(OperationalError):
            self.writer.write()
        done = self.counted()
        self.put(1)
        self.writer.write()

        self.assertEqual((done, self.counted()), (2, 3))

    def test_nor_does_a_replay_count_it_again(self) -> None:
        self.put(2)
        with self.response_is_lost(), pytest.raises(OperationalError):
            self.writer.write()
        self.put(1)
        self.spool.close()
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 3)

    @contextmanager
    def response_is_lost(self) -> Iterator[None]:
        """Let transactions be done, and then break the connection."""
        atomic = transaction.atomic

        @contextmanager
        def broken() -> Iterator[None]:
            with atomic():
                yield
            raise OperationalError("the connection is lost")

        with patch.object(writer, "transaction", SimpleNamespace(atomic=broken)):
            yield

    def test_a_client_that_vanishes_between_the_look_and_the_end_is_looked_for_again(self) -> None:
        self.put()
        add = usage_counts.add
        tries: list[int] = []

        def add_too_late(counts: Any) -> None:
            tries.append(len(counts))
            if len(tries) == 1:
                raise IntegrityError("no such client any more")
            add(counts)

        with patch.object(usage_counts, "add", add_too_late):
            self.writer.write()

        self.assertEqual((len(tries), self.counted()), (2, 1))

    def test_trouble_with_what_others_left_holds_up_nothing_of_ours(self) -> None:
        other, theirs = self.begin()
        other.put(self.record())
        theirs.close()
        self.put()
        with (
            patch.object(self.writer._wake, "wait", side_effect=lambda _: self.writer._stop.set()),
            patch.object(writer, "close_old_connections"),  # The test's own.
            self.failing(writer, "_replay"),
            self.assertLogs("validation.recording.writer", "WARNING"),
        ):
            self.writer._run()

        self.assertEqual(self.counted(), 1)
        self.assertIn(f"{theirs.id}.spool", self.names())

    def test_ending_on_dead_connections_tries_new_ones_and_leaves_nothing(self) -> None:
        steps: list[tuple[object, str]] = [
            (writer, "_count"),
            (quota, "close"),
            (spool.Spool, "remove"),
        ]
        self.enterContext(patch.object(reconnect, "PAUSE_SECONDS", 0.0))
        self.writer.stop()
        for number, (place, name) in enumerate(steps, 1):
            with self.subTest(name):
                self.writer, self.spool = self.begin()
                quota.leases.take(self.alice.client.pk, 1, quota=10_000)
                self.put()
                with dead_at_first(place, name, times=4):
                    self.writer.stop()

                self.assertEqual((self.counted(), QuotaMonth.objects.get().taken), (number, number))
                self.assert_nothing_is_left()

    def test_ending_while_the_database_is_away_leaves_all_for_the_next_start(self) -> None:
        self.put(2)
        self.enterContext(patch.object(reconnect, "PAUSE_SECONDS", 0.0))
        with self.failing(writer, "_count"), self.assertLogs("validation.recording.writer", "WARNING"):
            self.writer.stop()
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 2)
        self.assert_nothing_is_left()


class TooMuchTests(WriterTest):
    def test_when_too_many_wait_a_call_writes_them_itself(self) -> None:
        for name, most in (("MAX_WAITING", 2), ("MAX_WAITING_BYTES", 200)):
            with self.subTest(name), patch.object(writer, name, most):
                before = self.counted()
                self.put(2)
                still = self.counted()
                self.put(1)

                self.assertEqual((still, self.counted()), (before, before + 2))
                self.writer.write()

    def test_and_while_the_database_is_away_too_the_call_is_refused_and_leaves_nothing(self) -> None:
        with patch.object(writer, "MAX_WAITING", 2):
            self.put(2)
            end = self.spool.end
            with self.failing(writer, "_count"), pytest.raises(OperationalError):
                self.put()
            self.assertEqual(self.spool.end, end)
            self.put()
        self.writer.write()

        self.assertEqual(self.counted(), 3)

    def test_a_full_disk_makes_the_call_unavailable_and_costs_nothing(self) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        with patch.object(writer, "_writer", self.writer), self.assertLogs("validation.api.pipeline", "ERROR"):
            with patch.object(os, "pwrite", side_effect=full):
                refused = self.calls(self.token, "/api/v1/validate", {"iban": "SE45 5000 0000 0583 9825 7466"})
            answered = self.calls(self.token, "/api/v1/validate", {"iban": "SE45 5000 0000 0583 9825 7466"})
        self.writer.stop()

        self.assert_problem(refused, "unavailable", 503)
        self.assertEqual(answered.status_code, 200)
        self.assertEqual(self.counted(), 1)
        self.assertEqual(QuotaMonth.objects.get().taken, 1)
        self.assert_nothing_is_left()


class EmptyingTests(WriterTest):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(writer, "_EMPTY_AFTER_BYTES", 100))

    def write_under_load(self) -> None:
        """Write, while another call comes at the very moment at which the batch is in the database."""
        count: Callable[..., None] = writer._count
        came: list[bool] = []

        def count_and_be_called(*batch: Any) -> None:
            count(*batch)
            if not came:
                came.append(True)
                self.put()

        with patch.object(writer, "_count", count_and_be_called):
            self.writer.write()

    def test_a_large_spool_begins_again_also_under_load(self) -> None:
        self.put(2)
        self.write_under_load()

        self.assertEqual(self.spool.end, 0)
        self.assertEqual(self.counted(), 3)
        self.assertEqual(SpoolPosition.objects.get().position, 0)

    def test_what_comes_after_that_is_replayed(self) -> None:
        self.put(2)
        self.writer.write()
        self.put(1)
        self.spool.close()
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 3)
        self.assert_nothing_is_left()

    def test_killed_between_the_cut_and_the_new_position_nothing_counts_twice(self) -> None:
        self.put(2)
        with self.failing(writer.Writer, "_place_at_beginning"), pytest.raises(OperationalError):
            self.writer.write()
        self.spool.close()
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 2)
        self.assert_nothing_is_left()

    def test_until_the_position_is_known_no_record_goes_where_a_replay_would_not_look(self) -> None:
        self.put(2)
        with self.failing(writer.Writer, "_place_at_beginning"):
            for action in (self.writer.write, self.put):
                with pytest.raises(OperationalError):
                    action()
        self.put(1)
        self.spool.close()
        writer.replay(self.folder)

        self.assertEqual(self.counted(), 3)


@pytest.mark.parametrize("rounds", [15, pytest.param(150, marks=pytest.mark.long)])
def test_writers_that_add_to_the_same_counts_at_the_same_time_lose_none_and_never_wait_for_each_other(
    production: Production, rounds: int
) -> None:
    clients, writers = 20, 4
    pairs = production.run(recording.create_clients_with_keys, clients)
    with ThreadPoolExecutor(writers) as processes:
        added = [processes.submit(production.run, recording.count_calls, pairs, rounds) for _ in range(writers)]
    for each in added:
        each.result()

    for client, key in pairs:
        counted = production.counted(Program(UUID(client), UUID(key), ""))
        assert (counted.units, counted.by_key) == (rounds * writers, rounds * writers)


@pytest.mark.postgresql
def test_a_pool_full_of_dead_connections_keeps_nothing_from_the_database(production: Production) -> None:
    program = production.program(quota=10_000)

    was_full = production.run(
        recording.stop_writer_after_restart, str(program.client), str(program.key), os.environ["DATABASE_URL"]
    )

    assert was_full
    assert production.counted(program) == (1, 1, 1, 0)
    assert list(production.spools.glob("*.spool")) == []
