"""deploy/install, upgrade and rollback, for real: in an empty Debian, first without booting it, then booted."""

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from deploy import release
from tests.support import services
from tests.support.debian import Debian, debian
from tests.support.signing import allow, make_key

pytestmark = pytest.mark.deploy

HOST: Final = "ibanse.example"
FIRST: Final = (
    "--host",
    HOST,
    "--mail-from",
    f"noreply@{HOST}",
    "--log-key",
    "plain",
    "--allowed-signers",
    "/root/signers",
)
MAIL: Final = {"EMAIL_URL": "smtp+tls://user:a-password-of-the-mail-server@mail.example:587"}
SCRIPTS: Final = ("install", "upgrade", "rollback", "manage", "production.sh", "bootstrap", "verify")
ASK: Final = (
    "curl", "--silent", "--insecure", "--max-time", "20", "--resolve", f"{HOST}:443:127.0.0.1",
    "--output", "/dev/null", "--write-out", "%{http_code}",
)  # fmt: skip
# Asks for pages, each on a connection of its own as nginx does, until it is killed; then tells what it saw.
LOAD: Final = """
import collections, http.client, json, os, signal, socket, time
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect("/run/ibanse/gunicorn.sock")
told = {"Host": "ibanse.example", "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.7", "Connection": "close"}
seen, over = collections.Counter(), []
signal.signal(signal.SIGTERM, lambda *_: over.append(1))
open("/root/load.pid", "w").write(str(os.getpid()))
while not over:
    try:
        asked = Connection("x")
        asked.request("GET", "/", headers=told)
        answer = asked.getresponse()
        answer.read()
        asked.close()
        seen[str(answer.status)] += 1
    except OSError as error:
        seen[repr(error)] += 1
    time.sleep(0.03)  # The upgrade itself wants to get on.
open("/root/load.seen", "w").write(json.dumps(seen))
"""


def test_the_scripts_are_without_a_known_mistake() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip(services.missing("shellcheck"))
    scripts = [str(services.ROOT / "deploy" / name) for name in SCRIPTS]
    done = subprocess.run(
        ["shellcheck", "--external-sources", "--severity=warning", "--source-path=SCRIPTDIR", *scripts],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the key that signs the releases."""
    return make_key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def machine(key: Path) -> Iterator[Debian]:
    """Make the Debian that all tests of this file use, one after the other, with a signed release on it."""
    with debian() as made:
        evidence = {"version": "0.1.0", "commit": "0" * 40, "date": "2026-11-26", "claims": {}}
        (made.root / "root/ibanse/evidence.json").write_text(json.dumps(evidence), encoding="ascii")
        release.sign_folder(made.root / "root/ibanse", key)
        allow(key, made.root / "root/signers")
        yield made


class TestInstall:
    """In the order of a machine's life: each goes on where the one before stopped."""

    def test_a_dry_run_says_what_would_be_done_and_touches_nothing(self, machine: Debian) -> None:
        before = machine.tree()

        said = machine.installs("--dry-run", *FIRST, environment=MAIL)

        assert machine.tree() == before
        assert re.search(r"Would: Install .*postgresql", said)
        assert "Would: Create the secret /etc/ibanse/credentials/IBANSE_MASTER_KEYS" in said
        assert said.rstrip().endswith("changes would be made; none was made.")
        assert "a-password-of-the-mail-server" not in said

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ((), "Missing: the sender of mails. Add --mail-from"),
            (FIRST, "Missing: the mail server. Set EMAIL_URL="),
            (FIRST[:4], "Missing: the public key that encrypts the log. Add --log-key"),
            (FIRST[:6], "Missing: the keys whose releases are accepted. Add --allowed-signers"),
            (("--host", "Ibanse Example", *FIRST[2:]), "Missing or malformed: the site's host name. Add --host"),
            (("--force",), "Unknown option: --force. Usage:"),
        ],
    )
    def test_what_is_missing_is_said_with_the_remedy(
        self, machine: Debian, arguments: tuple[str, ...], sentence: str
    ) -> None:
        environment = {} if arguments == FIRST else MAIL
        done = machine.runs("/root/ibanse/deploy/install", *arguments, environment=environment, must=False)

        assert done.returncode == 1
        assert sentence in done.stderr

    def test_a_step_that_fails_names_itself_and_the_remedy(self, machine: Debian) -> None:
        sources = machine.root / "etc/apt/sources.list"
        right = sources.read_bytes()
        sources.write_text("deb file:///no/such/mirror stable main\n", encoding="ascii")
        shutil.rmtree(machine.root / "var/lib/apt/lists")
        try:
            done = machine.runs("/root/ibanse/deploy/install", *FIRST, environment=MAIL, must=False)
        finally:
            sources.write_bytes(right)

        assert done.returncode != 0
        assert "Failed at: installing packages." in done.stderr
        assert "apt-get update must reach a mirror" in done.stderr

    def test_an_empty_machine_becomes_one_that_serves(self, machine: Debian) -> None:
        said = machine.installs(*FIRST, environment=MAIL)

        assert "a-password-of-the-mail-server" not in said
        assert "Skipped, since systemd does not run here" in said
        secrets = sorted((machine.root / "etc/ibanse/credentials").iterdir())
        assert [path.name for path in secrets] == [
            "EMAIL_URL", "IBANSE_MASTER_KEYS", "IBANSE_PEPPERS", "IBANSE_SECRET_KEY", "IBANSE_SIGNING_KEYS",
        ]  # fmt: skip
        assert {(stat.S_IMODE(path.stat().st_mode), path.stat().st_uid) for path in secrets} == {(0o600, 0)}
        assert stat.S_IMODE(secrets[0].parent.stat().st_mode) == 0o700
        assert len({path.read_text(encoding="ascii") for path in secrets}) == 5
        assert (machine.root / "var/lib/ibanse/static/staticfiles.json").is_file()

    def test_again_it_changes_nothing_and_says_so(self, machine: Debian) -> None:
        places = ("etc", "opt", "var/lib/ibanse", "root/ibanse", "usr/local")
        before = machine.tree(*places)

        said = machine.installs() + machine.runs("/opt/ibanse/current/deploy/install").stdout

        assert said.count("Nothing to change: 0.1.0-") == 2
        after = machine.tree(*places)
        assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == set()

    def test_a_release_that_was_changed_is_refused(self, machine: Debian) -> None:
        changed = machine.root / "root/ibanse/deploy/postgresql/roles.sql"
        before, content = machine.tree("etc", "opt"), changed.read_bytes()
        changed.write_bytes(content + b"\n")
        try:
            done = machine.runs("/root/ibanse/deploy/install", must=False)
        finally:
            changed.write_bytes(content)

        assert done.returncode == 1
        assert "deploy/postgresql/roles.sql: FAILED" in done.stderr
        assert "Failed at: verifying /root/ibanse." in done.stderr
        assert machine.tree("etc", "opt") == before

    def test_a_folder_that_nobody_signed_is_refused(self, machine: Debian) -> None:
        machine.runs("cp", "-a", "/root/ibanse", "/root/unsigned")
        (machine.root / "root/unsigned/SHA256SUMS.sig").unlink()

        for command in (["/root/unsigned/deploy/install"], ["/root/ibanse/deploy/upgrade", "/root/unsigned"]):
            done = machine.runs(*command, must=False)

            assert done.returncode == 1
            assert re.search("not a signed release|Not a signed release", done.stderr)

    def test_what_somebody_changed_is_put_right_and_secrets_stay(self, machine: Debian) -> None:
        secret = machine.root / "etc/ibanse/credentials/IBANSE_MASTER_KEYS"
        kept = secret.read_bytes()
        secret.chmod(0o644)
        (machine.root / "etc/nftables.conf").write_text("# open\n", encoding="ascii")

        said = machine.installs()

        assert "Let only root read /etc/ibanse/credentials/IBANSE_MASTER_KEYS" in said
        assert "Write /etc/nftables.conf" in said
        assert "2 changes made." in said
        assert (secret.read_bytes(), stat.S_IMODE(secret.stat().st_mode)) == (kept, 0o600)

    def test_a_unit_of_an_earlier_release_is_removed_and_an_operators_own_stays(self, machine: Debian) -> None:
        units = machine.root / "etc/systemd/system"
        for name, documentation in (
            ("ibanse-gone", "/opt/ibanse/current/deploy/README.md"),
            ("ibanse-own", "/root/own"),
        ):
            unit = f"[Unit]\nDocumentation=file:{documentation}\n[Timer]\nOnCalendar=daily\n"
            (units / f"{name}.timer").write_text(f"{unit}[Install]\nWantedBy=timers.target\n", encoding="ascii")
            machine.runs("systemctl", "enable", "--quiet", f"{name}.timer")

        said = machine.installs()

        assert "Remove the unit /etc/systemd/system/ibanse-gone.timer" in said
        assert "1 changes made." in said
        assert not (units / "ibanse-gone.timer").exists()
        assert not (units / "timers.target.wants/ibanse-gone.timer").is_symlink()
        assert (units / "timers.target.wants/ibanse-own.timer").is_symlink()
        machine.runs("systemctl", "disable", "--quiet", "ibanse-own.timer")
        (units / "ibanse-own.timer").unlink()

    def test_no_user_can_take_another_ones_role(self, machine: Debian) -> None:
        script = (
            "pg_ctlcluster --skip-systemctl-redirect $(ls /etc/postgresql) main start; "
            "for user in ibanse ibanse-erase ibanse-owner www-data; do for role in app erase owner; do "
            'setpriv --reuid=$user --regid=nogroup --clear-groups psql --no-psqlrc -qc "" '
            '"postgres://ibanse_$role@%2Frun%2Fpostgresql/ibanse" 2>/dev/null && echo $user is $role; done; done; true'
        )

        said = machine.runs("sh", "-c", script).stdout

        found = [line for line in said.splitlines() if " is " in line]
        assert found == ["ibanse is app", "ibanse-erase is erase", "ibanse-owner is owner"]

    def test_its_own_programs_understand_what_was_written(self, machine: Debian) -> None:
        units = sorted(path.name for path in (services.ROOT / "deploy" / "systemd").glob("ibanse*"))
        # In the same stream, since systemd-nspawn talks on the other as well.
        done = machine.runs("sh", "-c", f"systemd-analyze verify --man=no {' '.join(units)} 2>&1")
        assert done.stdout == ""

        machine.runs("nginx", "-t", "-q")
        machine.runs("logrotate", "--debug", "/etc/logrotate.conf")
        origins = machine.runs("apt-config", "dump", "Unattended-Upgrade").stdout
        assert "label=Debian-Security" in origins

    def test_an_upgrade_changes_to_the_new_release_and_a_rollback_back(self, machine: Debian, key: Path) -> None:
        old = (machine.root / "opt/ibanse/current").readlink().name
        machine.runs("cp", "-a", "/root/ibanse", "/root/next")
        project = machine.root / "root/next/pyproject.toml"
        project.write_text(project.read_text(encoding="utf-8").replace('version = "0.1.0"', 'version = "9.9.9"'))
        assert "pyproject.toml: FAILED" in machine.runs("/root/ibanse/deploy/upgrade", "/root/next", must=False).stderr
        release.sign_folder(machine.root / "root/next", key)
        machine.runs("tar", "-C", "/root", "-czf", "/root/next.tar.gz", "next")

        # Each is a life of the container of its own, which ends with its PostgreSQL.
        def with_postgresql(command: str) -> str:
            start = "pg_ctlcluster --skip-systemctl-redirect $(ls /etc/postgresql) main start;"
            return machine.runs("sh", "-c", f"{start} {command}").stdout

        said = with_postgresql("/root/ibanse/deploy/upgrade /root/next.tar.gz")
        new = (machine.root / "opt/ibanse/current").readlink().name
        assert new.startswith("9.9.9-")
        assert f"{new} serves. Back to {old}: deploy/rollback" in said
        assert "serves already. Nothing to change." in with_postgresql("/root/ibanse/deploy/upgrade /root/next.tar.gz")

        listed = with_postgresql("/opt/ibanse/current/deploy/rollback --list")
        assert f"{new} (serves)" in listed
        assert old in listed.splitlines()
        with_postgresql("/opt/ibanse/current/deploy/rollback")
        assert (machine.root / "opt/ibanse/current").readlink().name == old
        wrong = machine.runs("/opt/ibanse/current/deploy/rollback", "1.2.3-none", must=False)
        assert "There is no release 1.2.3-none." in wrong.stderr

    def test_booted_it_serves_upgrades_without_losing_a_request_and_goes_back_from_a_broken_release(
        self, machine: Debian
    ) -> None:
        with machine.booted():
            said = machine.installs()
            assert "Nothing to change" in said or " changes made." in said
            assert machine.runs("systemctl", "--failed", "--no-legend").stdout == ""
            assert "table inet ibanse" in machine.runs("nft", "list", "tables").stdout
            listening = machine.runs("ss", "--tcp", "--listening", "--no-header", "--numeric").stdout.split()
            assert {place for place in listening if ":" in place and not place.endswith("*")} == {
                "0.0.0.0:80", "0.0.0.0:443", "[::]:80", "[::]:443",
            }  # fmt: skip
            page, static = (
                machine.runs(*ASK, f"https://{HOST}{path}").stdout for path in ("/", "/static/css/site.css")
            )
            assert (page, static) == ("200", "200")
            for service in ("prune", "warn-expiring-keys", "execute-deletions", "compact-tables", "collect-metrics"):
                machine.runs("systemctl", "start", f"ibanse-{service}.service")
            # Nor has systemd given it away: root must be able to trust what is in it.
            assert machine.runs("stat", "-c", "%a %U %G", "/var/lib/ibanse").stdout == "751 root ibanse\n"
            self._upgrades_under_load(machine)
            self._goes_back_from_a_broken_release(machine)

    def _upgrades_under_load(self, machine: Debian) -> None:
        (machine.root / "root/load.py").write_text(LOAD, encoding="ascii")
        machine.runs("systemd-run", "--quiet", "--unit=load", "/usr/bin/python3", "/root/load.py")

        machine.runs("/root/ibanse/deploy/upgrade", "/root/next")
        machine.runs("systemctl", "reload", "ibanse.service")
        machine.runs("/opt/ibanse/current/deploy/rollback")
        machine.runs("sh", "-c", "kill $(cat /root/load.pid); while [ ! -s /root/load.seen ]; do sleep 0.1; done")

        seen = (machine.root / "root/load.seen").read_text(encoding="ascii")
        found = re.fullmatch(r'\{"200": (\d+)\}', seen)
        assert found, seen
        assert int(found[1]) > 50

    def _goes_back_from_a_broken_release(self, machine: Debian) -> None:
        before = (machine.root / "opt/ibanse/current").readlink().name
        machine.runs("cp", "-a", "/root/next", "/root/broken")
        machine.runs("sh", "-c", "echo 'raise SystemExit(3)' >>/root/broken/ibanse/wsgi.py")

        done = machine.runs("/root/ibanse/deploy/upgrade", "--unsigned", "/root/broken", must=False)

        assert done.returncode == 1
        assert f"{before} serves again." in done.stderr
        # Results belong to signed releases.
        assert len(list((machine.root / "opt/ibanse/releases").glob("*/evidence.json"))) == 2
        assert (machine.root / "opt/ibanse/current").readlink().name == before
        assert machine.runs(*ASK, f"https://{HOST}/").stdout == "200"
