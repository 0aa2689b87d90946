"""Starting ibanse: the errors when it cannot start, and how it stops."""

import base64
import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

import pytest

from tests.support import services
from tests.support.production import Production
from tests.support.programs import site as site_programs

ROOT = Path(__file__).resolve().parent.parent.parent


class StartTests(unittest.TestCase):
    def setUp(self) -> None:
        self.data = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = services.environment(**{"IBANSE_DATA_DIR": str(self.data)} | settings)
        command = [sys.executable, "-m", "deploy.start"]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def test_taken_port_stops_the_start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other_program:
            port = other_program.getsockname()[1]
            result = self.start(PORT=str(port))

        assert (
            result.stderr
            == f"Port {port} is taken by another program. Choose another one, such as: PORT=8123 make run\n"
        )
        assert result.returncode == 1
        assert list(self.data.iterdir()) == []

    def test_malformed_port_stops_the_start(self) -> None:
        for port in ("abc", "0", "-1", "99999"):
            with self.subTest(port=port):
                result = self.start(PORT=port)

                assert re.search(rf"\APORT is '{port}'; it must be a whole number .*\n\Z", result.stderr)
                assert result.returncode == 1

    def test_wrong_master_key_stops_the_start(self) -> None:
        seal = (
            "import django, uuid; django.setup(); from privacy import vault; "
            "from django.core.management import call_command; call_command('migrate', 'vault', database='keyring'); "
            "vault.seal(uuid.uuid4(), 'x', purpose='test', record='1')"
        )
        environment = services.environment(IBANSE_DATA_DIR=str(self.data), DJANGO_SETTINGS_MODULE="ibanse.settings")
        subprocess.run(
            [sys.executable, "-c", seal], cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60
        )
        (self.data / "master_keys").unlink()

        result = self.start(PORT=str(services.free_port()))

        assert re.search(r"\AMaster key 1 does not open a data key: .*\n\Z", result.stderr)
        assert result.returncode == 1

    def test_data_of_another_version_stop_the_start(self) -> None:
        for file, app, name in (("site", "accounts", "0001_users"), ("keyring", "vault", "0001_data_keys")):
            with self.subTest(file=file):
                path = self.data / file / f"{file}.sqlite3"
                path.parent.mkdir()
                with contextlib.closing(sqlite3.connect(path)) as database, database:
                    database.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app, name, applied)")
                    database.execute("INSERT INTO django_migrations (app, name) VALUES (?, ?)", (app, name))

                result = self.start(PORT=str(services.free_port()), IBANSE_DATA_DIR=str(path.parent))

                assert result.returncode == 1
                assert result.stderr == (
                    f"The data in {path.parent} was made by another version of ibanse, which this one cannot read. "
                    "Move that folder away, or remove it, and start again.\n"
                )
                with contextlib.closing(sqlite3.connect(path)) as database:
                    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                assert tables == [("django_migrations",)]

    def test_production_is_refused(self) -> None:
        result = self.start(IBANSE_MODE="production")

        assert re.search(r"\A.*gunicorn -c deploy/gunicorn\.conf\.py\n\Z", result.stderr)
        assert result.returncode == 1


class TestProductionStart:
    def refusal(self, production: Production, **changed: str) -> str:
        """Return the error of a gunicorn that does not start."""
        result = subprocess.run(
            [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"],
            cwd=ROOT, env=production.environment | changed, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert result.returncode != 0
        assert "Traceback" not in result.stderr
        return result.stderr

    def test_wrong_or_missing_master_key_stops_the_start(self, production: Production, tmp_path: Path) -> None:
        production.run(site_programs.create_data_key)
        other = base64.b64encode(b"another master key of 32 bytes..").decode()
        here = {"IBANSE_SOCKET": str(tmp_path / "gunicorn.sock")}

        assert re.search(
            r"Master key 1 does not open a data key: .*\n",
            self.refusal(production, IBANSE_MASTER_KEYS=f"1:{other}", **here),
        )
        assert re.search(
            r"Master key 1 wraps a data key, but it is not in IBANSE_MASTER_KEYS\.\n",
            self.refusal(production, IBANSE_MASTER_KEYS=f"2:{other}", **here),
        )

    def test_unreadable_keyring_stops_the_start(self, production: Production, tmp_path: Path) -> None:
        nowhere = {"KEYRING_DATABASE_URL": f"sqlite:///{tmp_path / 'no' / 'keyring.sqlite3'}"}

        error = self.refusal(production, IBANSE_SOCKET=str(tmp_path / "gunicorn.sock"), **nowhere)

        assert "KEYRING_DATABASE_URL: the keyring cannot be read (OperationalError)." in error

    def test_unwritable_log_folder_stops_the_start(self, production: Production, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        nowhere = {"IBANSE_LOG_DIR": str(tmp_path / "file" / "logs")}

        error = self.refusal(production, IBANSE_SOCKET=str(tmp_path / "gunicorn.sock"), **nowhere)

        assert f"IBANSE_LOG_DIR, {tmp_path}/file/logs, cannot be written to: Not a directory." in error


class StopTests(unittest.TestCase):
    def test_ctrl_c_stops_make_run_quietly(self) -> None:
        if not (Path(sys.prefix) / "installed").exists():
            self.skipTest("make run would install into this environment, which deploy/bootstrap did not make")
        port = services.free_port()
        environment = services.environment(
            IBANSE_VENV=sys.prefix,
            IBANSE_DATA_DIR=self.enterContext(tempfile.TemporaryDirectory()),
            PORT=str(port),
        )
        # A process group of its own, as in a terminal; Ctrl-C goes to the whole group.
        terminal = subprocess.Popen(
            ["make", "--no-print-directory", "run"], cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.addCleanup(self.end, terminal)
        greetings = self.output_until_ready(terminal)
        status = self.request_status(port)
        os.killpg(terminal.pid, signal.SIGINT)
        output, _ = terminal.communicate(timeout=20)

        assert re.search(
            r"^Created .*/master_keys\. Nothing encrypted can be read without it: keep a copy", greetings, re.MULTILINE
        )
        assert re.search(r"^ +owner +owner@demo\.example +\S{16}$", greetings, re.MULTILINE)
        assert re.search(r"^ +member +colleague@demo\.example +\S{16}$", greetings, re.MULTILINE)
        assert f"http://localhost:{port} " in greetings
        assert status < 500
        assert output == ""
        with pytest.raises(ProcessLookupError):
            os.killpg(terminal.pid, 0)

    def output_until_ready(self, terminal: "subprocess.Popen[str]") -> str:
        """Return the output up to the line that the site is ready."""
        assert terminal.stdout is not None
        output = ""
        for line in terminal.stdout:
            output += line
            if "is ready at" in line:
                break
        return output

    def end(self, terminal: "subprocess.Popen[str]") -> None:
        """Leave no process running, also when the test fails."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(terminal.pid, signal.SIGKILL)
        terminal.communicate()

    def request_status(self, port: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/")
        status = connection.getresponse().status
        connection.close()
        return status


# Stands in for every Python that deploy/bootstrap may find: it logs its arguments and obeys OLD, BARE (without
# ensurepip) and PIP_STATUS.
FAKE_PYTHON = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
    *"< (3, 11)"*) [ -z "${OLD:-}" ] ;;
    *ensurepip*) [ -z "${BARE:-}" ] ;;
    *"-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *"-m pip install "*) exit "${PIP_STATUS:-0}" ;;
    *"version_info[:2]"*) echo "(3, 11)" ;;
esac
"""


class BootstrapTests(unittest.TestCase):
    def setUp(self) -> None:
        self.project = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.calls = self.project / "calls"
        self.lock = self.project / "deploy" / "requirements" / "run.txt"
        self.lock.parent.mkdir(parents=True)
        self.lock.write_text("django==5.2\n")
        shutil.copy(ROOT / "deploy" / "bootstrap", self.project / "deploy")
        # Only these tools, since the machine's real Pythons must not be found.
        self.path = self.project / "bin"
        self.path.mkdir()
        for tool in ("cksum", "cp", "grep", "mkdir", "mv", "rm"):
            (self.path / tool).symlink_to(shutil.which(tool) or tool)

    def install_python(self) -> None:
        (self.path / "python3").write_text(FAKE_PYTHON)
        (self.path / "python3").chmod(0o755)

    def bootstrap(self, **variables: str) -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        environment = {"PATH": str(self.path), "CALLS": str(self.calls), **variables}
        command = [str(self.project / "deploy" / "bootstrap")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)

    def assert_refused(self, result: subprocess.CompletedProcess[str], message: str) -> None:
        assert result.returncode == 1
        assert re.search(rf"\A{message}\n\Z", result.stderr)

    def test_missing_python_is_named(self) -> None:
        result = self.bootstrap()

        self.assert_refused(result, "ibanse needs Python 3.11 or newer: .*apt-get install python3 python3-venv.*")

    def test_old_python_is_refused(self) -> None:
        self.install_python()

        result = self.bootstrap(OLD="1")

        self.assert_refused(result, "ibanse needs Python 3.11 or newer: .*apt-get install python3 python3-venv.*")

    def test_python_without_venv_is_refused(self) -> None:
        self.install_python()

        result = self.bootstrap(BARE="1")

        self.assert_refused(result, "python3 cannot make a virtual environment: .*apt-get install python3-venv.*")

    def test_second_start_installs_nothing(self) -> None:
        self.install_python()
        first = self.bootstrap()

        second = self.bootstrap()

        assert (first.returncode, first.stderr) == (0, "")
        assert (second.returncode, second.stdout + second.stderr) == (0, "")
        assert "pip" not in self.calls.read_text()

    def test_changed_lock_is_installed(self) -> None:
        self.install_python()
        self.bootstrap()
        self.lock.write_text("django==5.2.1\n")

        self.bootstrap()

        assert "-m pip install" in self.calls.read_text()
        assert "-m venv" not in self.calls.read_text()

    def test_interrupted_installation_is_repeated(self) -> None:
        self.install_python()
        interrupted = self.bootstrap(PIP_STATUS="1")

        again = self.bootstrap()

        assert (interrupted.returncode, again.returncode) == (1, 0)
        assert "-m pip install" in self.calls.read_text()


@pytest.mark.claim("locked_dependencies")
class LockTests(unittest.TestCase):
    PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[0-9][0-9a-z.]*)( ; [^/]+)? \\")
    HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")

    def pins(self, lock: str) -> set[tuple[str, str]]:
        lines = (ROOT / "deploy" / "requirements" / f"{lock}.txt").read_text().splitlines()
        return {(pin["name"], pin["version"]) for pin in map(self.PIN.fullmatch, lines) if pin}

    def test_locks_contain_names_versions_and_hashes_only(self) -> None:
        for lock in (ROOT / "deploy" / "requirements").iterdir():
            lines = lock.read_text().splitlines()
            others = [line for line in lines if not (self.PIN.fullmatch(line) or self.HASH.fullmatch(line))]

            assert others == [], lock.name

    def test_tests_use_the_versions_of_production(self) -> None:
        assert self.pins("run") < self.pins("dev")

    def test_every_dependency_of_the_project_is_locked(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        required = {"run": project["dependencies"], "dev": project["optional-dependencies"]["dev"]}
        for lock, requirements in required.items():
            names = {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in requirements}

            assert names <= {name for name, _ in self.pins(lock)}, lock
