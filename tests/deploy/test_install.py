"""deploy/install, upgrade and rollback in an empty Debian, first unbooted, then booted."""

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
    "--host", HOST, "--mail-from", f"noreply@{HOST}", "--log-key", "plain", "--allowed-signers", "/root/signers",
)  # fmt: skip
MAIL: Final = {"EMAIL_URL": "smtp+tls://user:a-password-of-the-mail-server@mail.example:587"}
SCRIPTS: Final = ("install", "upgrade", "rollback", "manage", "production.sh", "bootstrap", "verify")
REQUEST: Final = (
    "curl", "--silent", "--insecure", "--max-time", "20", "--resolve", f"{HOST}:443:127.0.0.1",
    "--output", "/dev/null", "--write-out", "%{http_code}",
)  # fmt: skip
LOAD: Final = services.ROOT / "tests" / "support" / "load.py"


def test_shellcheck_finds_nothing() -> None:
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
    """Create the key that signs the releases."""
    return make_key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def machine(key: Path) -> Iterator[Debian]:
    """Create the Debian that all tests of this file use in order, with a signed release on it."""
    with debian() as made:
        evidence = {"version": "0.1.0", "commit": "0" * 40, "date": "2026-11-26", "claims": {}}
        (made.root / "root/ibanse/evidence.json").write_text(json.dumps(evidence), encoding="ascii")
        release.sign_folder(made.root / "root/ibanse", key)
        allow(key, made.root / "root/signers")
        yield made


class TestInstall:
    """The life of a machine: each test continues where the one before stopped."""

    def test_dry_run_changes_nothing(self, machine: Debian) -> None:
        before = machine.tree()

        output = machine.installs("--dry-run", *FIRST, environment=MAIL)

        assert machine.tree() == before
        assert re.search(r"Would: Install .*postgresql", output)
        assert "Would: Create the secret /etc/ibanse/credentials/IBANSE_MASTER_KEYS" in output
        assert output.rstrip().endswith("changes would be made; none was made.")
        assert "a-password-of-the-mail-server" not in output

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((), "Missing: the sender of mails. Add --mail-from"),
            (FIRST, "Missing: the mail server. Set EMAIL_URL="),
            (FIRST[:4], "Missing: the public key that encrypts the log. Add --log-key"),
            (FIRST[:6], "Missing: the keys whose releases are accepted. Add --allowed-signers"),
            (("--host", "Ibanse Example", *FIRST[2:]), "Missing or malformed: the site's host name. Add --host"),
            (("--force",), "Unknown option: --force. Usage:"),
        ],
    )
    def test_missing_option_is_named(self, machine: Debian, arguments: tuple[str, ...], message: str) -> None:
        environment = {} if arguments == FIRST else MAIL
        done = machine.runs("/root/ibanse/deploy/install", *arguments, environment=environment, must=False)

        assert done.returncode == 1
        assert message in done.stderr

    def test_failing_step_names_itself_and_a_remedy(self, machine: Debian) -> None:
        sources = machine.root / "etc/apt/sources.list"
        content = sources.read_bytes()
        sources.write_text("deb file:///no/such/mirror stable main\n", encoding="ascii")
        shutil.rmtree(machine.root / "var/lib/apt/lists")
        try:
            done = machine.runs("/root/ibanse/deploy/install", *FIRST, environment=MAIL, must=False)
        finally:
            sources.write_bytes(content)

        assert done.returncode != 0
        assert "Failed at: installing packages." in done.stderr
        assert "apt-get update must reach a mirror" in done.stderr

    def test_empty_machine_is_set_up(self, machine: Debian) -> None:
        output = machine.installs(*FIRST, environment=MAIL)

        assert "a-password-of-the-mail-server" not in output
        assert "Skipped, since systemd does not run here" in output
        secrets = sorted((machine.root / "etc/ibanse/credentials").iterdir())
        assert [path.name for path in secrets] == [
            "EMAIL_URL", "IBANSE_MASTER_KEYS", "IBANSE_PEPPERS", "IBANSE_SECRET_KEY", "IBANSE_SIGNING_KEYS",
        ]  # fmt: skip
        assert {(stat.S_IMODE(path.stat().st_mode), path.stat().st_uid) for path in secrets} == {(0o600, 0)}
        assert stat.S_IMODE(secrets[0].parent.stat().st_mode) == 0o700
        assert len({path.read_text(encoding="ascii") for path in secrets}) == 5
        assert (machine.root / "var/lib/ibanse/static/staticfiles.json").is_file()

    def test_second_run_changes_nothing(self, machine: Debian) -> None:
        folders = ("etc", "opt", "var/lib/ibanse", "root/ibanse", "usr/local")
        before = machine.tree(*folders)

        output = machine.installs() + machine.runs("/opt/ibanse/current/deploy/install").stdout

        assert output.count("Nothing to change: 0.1.0-") == 2
        after = machine.tree(*folders)
        assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == set()

    def test_changed_release_is_refused(self, machine: Debian) -> None:
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

    def test_unsigned_folder_is_refused(self, machine: Debian) -> None:
        machine.runs("cp", "-a", "/root/ibanse", "/root/unsigned")
        (machine.root / "root/unsigned/SHA256SUMS.sig").unlink()

        for command in (["/root/unsigned/deploy/install"], ["/root/ibanse/deploy/upgrade", "/root/unsigned"]):
            done = machine.runs(*command, must=False)

            assert done.returncode == 1
            assert re.search("not a signed release|Not a signed release", done.stderr)

    def test_changed_files_are_repaired_and_secrets_stay(self, machine: Debian) -> None:
        secret = machine.root / "etc/ibanse/credentials/IBANSE_MASTER_KEYS"
        content = secret.read_bytes()
        secret.chmod(0o644)
        (machine.root / "etc/nftables.conf").write_text("# open\n", encoding="ascii")

        output = machine.installs()

        assert "Let only root read /etc/ibanse/credentials/IBANSE_MASTER_KEYS" in output
        assert "Write /etc/nftables.conf" in output
        assert "2 changes made." in output
        assert (secret.read_bytes(), stat.S_IMODE(secret.stat().st_mode)) == (content, 0o600)

    def test_unit_of_an_earlier_release_is_removed(self, machine: Debian) -> None:
        units = machine.root / "etc/systemd/system"
        for name, documentation in (
            ("ibanse-gone", "/opt/ibanse/current/deploy/README.md"),
            ("ibanse-own", "/root/own"),
        ):
            unit = f"[Unit]\nDocumentation=file:{documentation}\n[Timer]\nOnCalendar=daily\n"
            (units / f"{name}.timer").write_text(f"{unit}[Install]\nWantedBy=timers.target\n", encoding="ascii")
            machine.runs("systemctl", "enable", "--quiet", f"{name}.timer")

        output = machine.installs()

        assert "Remove the unit /etc/systemd/system/ibanse-gone.timer" in output
        assert "1 changes made." in output
        assert not (units / "ibanse-gone.timer").exists()
        assert not (units / "timers.target.wants/ibanse-gone.timer").is_symlink()
        assert (units / "timers.target.wants/ibanse-own.timer").is_symlink()
        machine.runs("systemctl", "disable", "--quiet", "ibanse-own.timer")
        (units / "ibanse-own.timer").unlink()

    def test_no_user_has_the_role_of_another(self, machine: Debian) -> None:
        script = (
            "pg_ctlcluster --skip-systemctl-redirect $(ls /etc/postgresql) main start; "
            "for user in ibanse ibanse-erase ibanse-owner www-data; do for role in app erase owner; do "
            'setpriv --reuid=$user --regid=nogroup --clear-groups psql --no-psqlrc -qc "" '
            '"postgres://ibanse_$role@%2Frun%2Fpostgresql/ibanse" 2>/dev/null && echo $user is $role; done; done; true'
        )

        output = machine.runs("sh", "-c", script).stdout

        found = [line for line in output.splitlines() if " is " in line]
        assert found == ["ibanse is app", "ibanse-erase is erase", "ibanse-owner is owner"]

    def test_written_configuration_is_valid(self, machine: Debian) -> None:
        units = sorted(path.name for path in (services.ROOT / "deploy" / "systemd").glob("ibanse*"))
        # In the same stream, since systemd-nspawn writes to the other one as well.
        done = machine.runs("sh", "-c", f"systemd-analyze verify --man=no {' '.join(units)} 2>&1")
        assert done.stdout == ""

        machine.runs("nginx", "-t", "-q")
        machine.runs("logrotate", "--debug", "/etc/logrotate.conf")
        origins = machine.runs("apt-config", "dump", "Unattended-Upgrade").stdout
        assert "label=Debian-Security" in origins

    def test_upgrade_and_rollback_switch_releases(self, machine: Debian, key: Path) -> None:
        old = (machine.root / "opt/ibanse/current").readlink().name
        machine.runs("cp", "-a", "/root/ibanse", "/root/next")
        project = machine.root / "root/next/pyproject.toml"
        project.write_text(project.read_text(encoding="utf-8").replace('version = "0.1.0"', 'version = "9.9.9"'))
        assert "pyproject.toml: FAILED" in machine.runs("/root/ibanse/deploy/upgrade", "/root/next", must=False).stderr
        release.sign_folder(machine.root / "root/next", key)
        machine.runs("tar", "-C", "/root", "-czf", "/root/next.tar.gz", "next")

        # Each run is a container of its own, with which its PostgreSQL ends.
        def with_postgresql(command: str) -> str:
            start = "pg_ctlcluster --skip-systemctl-redirect $(ls /etc/postgresql) main start;"
            return machine.runs("sh", "-c", f"{start} {command}").stdout

        output = with_postgresql("/root/ibanse/deploy/upgrade /root/next.tar.gz")
        new = (machine.root / "opt/ibanse/current").readlink().name
        assert new.startswith("9.9.9-")
        assert f"{new} serves. Back to {old}: deploy/rollback" in output
        assert "serves already. Nothing to change." in with_postgresql("/root/ibanse/deploy/upgrade /root/next.tar.gz")

        listed = with_postgresql("/opt/ibanse/current/deploy/rollback --list")
        assert f"{new} (serves)" in listed
        assert old in listed.splitlines()
        with_postgresql("/opt/ibanse/current/deploy/rollback")
        assert (machine.root / "opt/ibanse/current").readlink().name == old
        wrong = machine.runs("/opt/ibanse/current/deploy/rollback", "1.2.3-none", must=False)
        assert "There is no release 1.2.3-none." in wrong.stderr

    def test_booted_machine_serves_and_upgrades_without_losing_a_request(self, machine: Debian) -> None:
        with machine.booted():
            output = machine.installs()
            assert "Nothing to change" in output or " changes made." in output
            assert machine.runs("systemctl", "--failed", "--no-legend").stdout == ""
            assert "table inet ibanse" in machine.runs("nft", "list", "tables").stdout
            listening = machine.runs("ss", "--tcp", "--listening", "--no-header", "--numeric").stdout.split()
            assert {place for place in listening if ":" in place and not place.endswith("*")} == {
                "0.0.0.0:80", "0.0.0.0:443", "[::]:80", "[::]:443",
            }  # fmt: skip
            page, static = (
                machine.runs(*REQUEST, f"https://{HOST}{path}").stdout for path in ("/", "/static/css/site.css")
            )
            assert (page, static) == ("200", "200")
            for service in ("prune", "warn-expiring-keys", "execute-deletions", "compact-tables", "collect-metrics"):
                machine.runs("systemctl", "start", f"ibanse-{service}.service")
            # systemd has not changed its owner either: root must be able to trust its content.
            assert machine.runs("stat", "-c", "%a %U %G", "/var/lib/ibanse").stdout == "751 root ibanse\n"
            self._upgrade_under_load(machine)
            self._upgrade_to_a_broken_release(machine)

    def _upgrade_under_load(self, machine: Debian) -> None:
        shutil.copy(LOAD, machine.root / "root/load.py")
        machine.runs("systemd-run", "--quiet", "--unit=load", "/usr/bin/python3", "/root/load.py")

        machine.runs("/root/ibanse/deploy/upgrade", "/root/next")
        machine.runs("systemctl", "reload", "ibanse.service")
        machine.runs("/opt/ibanse/current/deploy/rollback")
        machine.runs("sh", "-c", "kill $(cat /root/load.pid); while [ ! -s /root/load.seen ]; do sleep 0.1; done")

        seen = (machine.root / "root/load.seen").read_text(encoding="ascii")
        found = re.fullmatch(r'\{"200": (\d+)\}', seen)
        assert found, seen
        assert int(found[1]) > 50

    def _upgrade_to_a_broken_release(self, machine: Debian) -> None:
        before = (machine.root / "opt/ibanse/current").readlink().name
        machine.runs("cp", "-a", "/root/next", "/root/broken")
        machine.runs("sh", "-c", "echo 'raise SystemExit(3)' >>/root/broken/ibanse/wsgi.py")

        done = machine.runs("/root/ibanse/deploy/upgrade", "--unsigned", "/root/broken", must=False)

        assert done.returncode == 1
        assert f"{before} serves again." in done.stderr
        # Only signed releases have results.
        assert len(list((machine.root / "opt/ibanse/releases").glob("*/evidence.json"))) == 2
        assert (machine.root / "opt/ibanse/current").readlink().name == before
        assert machine.runs(*REQUEST, f"https://{HOST}/").stdout == "200"
