"""Killed, stopped and reloaded under load: every answered call counts once, and no unit of a quota stays taken."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import services
from tests.support.production import NO_LIMIT, Caller, Load, Production, Program, Server, wait_until
from tests.support.programs import recording


def spools(site: Production) -> list[Path]:
    return list(site.spools.glob("*.spool"))


def assert_every_response_counts_once(site: Production, program: Program, load: Load) -> None:
    """Fail if a call is lost, doubled or still leased; one whose connection broke may count or not."""
    counted = site.settled(program, lambda now: now.units >= load.answered and not now.leases)

    assert load.answered > 0
    assert load.answered <= counted.units <= load.sent
    assert counted.by_key == counted.units
    assert counted.taken == counted.units
    assert counted.leases == 0
    assert spools(site) == []


@pytest.mark.claim("nothing_lost")
@pytest.mark.postgresql
@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.long)])
def test_killing_workers_and_then_everything_loses_no_answered_call(production: Production, kills: int) -> None:
    program = production.program()
    with production.serving() as server:
        with Load(server, program) as load:
            for _ in range(kills):
                load.wait_for_calls()
                os.kill(server.workers()[0], signal.SIGKILL)
            load.wait_for_calls()
            server.kill_everything()
        left_behind = len(spools(production))
    with production.serving() as server:
        # The new workers share the spools that the killed ones left.
        wait_until(lambda: len(spools(production)) == len(server.workers()))
        server.ends()

    assert left_behind >= 2
    assert set(load.seen) <= {0, 200}
    assert_every_response_counts_once(production, program, load)


@pytest.mark.claim("nothing_lost")
def test_what_a_killed_worker_left_is_counted_by_the_one_in_its_place(production: Production) -> None:
    program = production.program(quota=1_000)
    with production.serving(workers=1) as server:
        caller = Caller(server.port, program)
        statuses = [caller.call() for _ in range(5)]
        os.kill(server.workers()[0], signal.SIGKILL)
        counted = production.settled(program, lambda now: now.units == 5 and not now.leases)
        caller.close()

    assert statuses == [200] * 5
    assert counted == (5, 5, 5, 0)


@pytest.mark.postgresql
@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_ending_under_load_loses_no_answered_call(production: Production, signal_number: int) -> None:
    program = production.program()
    with production.serving() as server:
        with Load(server, program) as load:
            load.wait_for_calls()
            server.send_signal(signal_number)
            wait_until(lambda: not server.runs())
        left_behind = spools(production)
    # SIGINT, that is Ctrl-C, ends at once; what is left waits for the next start.
    assert bool(left_behind) == (signal_number == signal.SIGINT)
    production.run(recording.replay_spools)

    assert_every_response_counts_once(production, program, load)


@pytest.mark.postgresql
def test_a_reload_under_load_loses_no_call(production: Production) -> None:
    program = production.program()
    with production.serving() as server:
        before = set(server.workers())
        with Load(server, program) as load:
            load.wait_for_calls()
            server.send_signal(signal.SIGHUP)
            wait_until(lambda: not before & set(server.workers()))
            load.wait_for_calls()
        server.ends()

    assert set(load.seen) <= {0, 200}
    assert_every_response_counts_once(production, program, load)


@pytest.mark.database
@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="a start at the terminal uses SQLite")
def test_ctrl_c_at_the_terminal_loses_no_answered_call(tmp_path: Path) -> None:
    site = Production(tmp_path, f"sqlite:///{tmp_path / 'site.sqlite3'}", "")
    site.environment["IBANSE_MODE"] = "embedded"
    site.environment["IBANSE_DEMO"] = "0"
    port = services.free_port()
    site.environment["PORT"] = str(port)
    with services.serving([sys.executable, "-m", "deploy.start"], tmp_path, port, site.environment) as process:
        program = site.program(rate=NO_LIMIT)
        with Load(Server(process, port), program) as load:
            load.wait_for_calls()
            # As a terminal does it: to the whole process group.
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=20)
    site.run(recording.replay_spools)

    assert_every_response_counts_once(site, program, load)


def test_an_unusable_spool_folder_is_reported_in_one_line(production: Production, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = production.environment | {"IBANSE_SPOOL_DIR": str(tmp_path / "file" / "spool"), "IBANSE_WORKERS": "2"}
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", "127.0.0.1:0"]
    result = subprocess.run(
        command, cwd=services.ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert f"\nIBANSE_SPOOL_DIR, {tmp_path}/file/spool, cannot be written to: " in f"\n{result.stderr}"
