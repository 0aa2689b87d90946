"""The systemd units: systemd accepts them, isolates the services, and runs missed timers.

They are installed as deploy/install does it: hardening.conf is a drop-in of each service.
"""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support import services

pytestmark = [pytest.mark.deploy, pytest.mark.claim("shut_in")]

UNITS: Final = services.ROOT / "deploy" / "systemd"
SERVICES: Final = sorted(UNITS.glob("*.service"))
TIMERS: Final = sorted(UNITS.glob("*.timer"))
OTHERS: Final = sorted(path for path in UNITS.glob("ibanse*") if path.suffix not in (".service", ".timer"))
HARDENING: Final = UNITS / "hardening.conf"
DROP_INS: Final = ("ibanse.service.d", "ibanse-.service.d")
"""Where deploy/install puts it; the second applies to every unit whose name begins with ibanse-."""
MAX_EXPOSURE: Final = 2.0
DEBIAN_UNITS: Final = Path("/usr/lib/systemd/system")


def unit_name(path: Path) -> str:
    """Return the id of a unit in test reports."""
    return path.name


def settings_of(unit: Path) -> configparser.ConfigParser:
    """Return the settings of a unit; of repeated ones, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names are in mixed case
    parser.read_string(unit.read_text(encoding="utf-8"))
    return parser


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip(services.missing("systemd"))
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def exposure(root: Path, unit: str) -> float:
    """Return systemd's exposure level of a unit below `root` with its drop-ins: from 0, isolated, to 10."""
    report = analyze("security", "--offline=true", "--no-pager", f"--root={root}", unit)
    level = re.search(r"exposure level for \S+: ([\d.]+)", report.stdout)
    assert level, report.stdout + report.stderr
    return float(level[1])


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a root folder with the units of Debian and ibanse, and the programs that they name."""
    root = tmp_path_factory.mktemp("machine")
    if not DEBIAN_UNITS.is_dir():
        pytest.skip(services.missing("systemd"))
    shutil.copytree(DEBIAN_UNITS, root / "usr/lib/systemd/system", symlinks=True)
    ours = root / "etc/systemd/system"
    ours.mkdir(parents=True)
    for folder in DROP_INS:
        (ours / folder).mkdir()
        shutil.copy(HARDENING, ours / folder)
    for unit in UNITS.glob("ibanse*"):
        shutil.copy(unit, ours)
        for program in re.findall(r"^Exec\w+=[-@:+!|]*(/\S+)", unit.read_text(encoding="utf-8"), re.MULTILINE):
            path = root / program.removeprefix("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o755)
    return root


class TestUnits:
    @pytest.mark.parametrize("unit", SERVICES + TIMERS + OTHERS, ids=unit_name)
    def test_systemd_reports_no_problem(self, machine: Path, unit: Path) -> None:
        report = analyze("verify", "--man=no", f"--root={machine}", f"/etc/systemd/system/{unit.name}")

        assert (report.returncode, report.stderr) == (0, "")

    def test_systemd_reports_a_planted_mistake(self, machine: Path) -> None:
        bad = machine / "etc/systemd/system/bad.service"
        bad.write_text("[Service]\nExecStart=/no/such/program\nProtectHomes=yes\n", encoding="utf-8")

        report = analyze("verify", "--man=no", f"--root={machine}", "/etc/systemd/system/bad.service")

        assert "ProtectHomes" in report.stderr
        assert "/no/such/program" in report.stderr

    @pytest.mark.parametrize("unit", SERVICES, ids=unit_name)
    def test_service_is_isolated(self, machine: Path, unit: Path) -> None:
        assert exposure(machine, unit.name) <= MAX_EXPOSURE

    def test_drop_in_isolates_a_service(self, machine: Path) -> None:
        alone = machine / "etc/systemd/system/other.service"
        shutil.copy(UNITS / "ibanse-prune.service", alone)

        assert exposure(machine, alone.name) > MAX_EXPOSURE

    def test_no_service_weakens_the_drop_in(self) -> None:
        """A drop-in overrides its unit, but lists accumulate: the additions of units are named here."""
        hardened = settings_of(HARDENING)["Service"]
        for unit in SERVICES:
            service = settings_of(unit)["Service"]
            changed = {name: service[name] for name in service if name in hardened}
            families = changed.pop("RestrictAddressFamilies", "AF_INET AF_INET6")
            assert families == "AF_INET AF_INET6", unit.name
            assert changed in ({}, {"IPAddressDeny": "any"}), unit.name
            assert not {"IPAddressAllow", "BindPaths", "DeviceAllow", "ExecSearchPath"} & set(service), unit.name

    def test_services_repeat_no_setting(self) -> None:
        allowed = {"Group", "WorkingDirectory", "EnvironmentFile", "LoadCredential"}
        shared = set.intersection(*(set(settings_of(unit)["Service"].items()) for unit in SERVICES))

        assert {name for name, _ in shared} <= allowed

    def test_services_leave_no_core_dump(self) -> None:
        assert settings_of(HARDENING)["Service"]["LimitCORE"] == "0"

    def test_install_writes_the_tested_drop_ins(self) -> None:
        script = (services.ROOT / "deploy" / "install").read_text(encoding="utf-8")

        assert f"for services in {' '.join(folder.removesuffix('.d') for folder in DROP_INS)}; do" in script

    @pytest.mark.parametrize("unit", SERVICES, ids=unit_name)
    def test_unit_contains_no_secret(self, unit: Path) -> None:
        """Every user can read the environment of a unit."""
        text = unit.read_text(encoding="utf-8")

        assert not re.search(r"^Environment=.*(KEY|SECRET|PEPPER|PASSWORD|://[^@\s]*:[^@\s]*@)", text, re.MULTILINE)

    @pytest.mark.parametrize("unit", TIMERS, ids=unit_name)
    def test_timer_catches_up_with_a_random_delay(self, unit: Path) -> None:
        timer = settings_of(unit)["Timer"]

        assert timer["Persistent"] in ("yes", "true")
        assert timer["RandomizedDelaySec"] not in ("", "0")
        assert settings_of(unit)["Install"]["WantedBy"] == "timers.target"
        assert unit.with_suffix(".service").exists()

    def test_commands_of_services_exist(self) -> None:
        commands = {path.stem for path in services.ROOT.glob("*/management/commands/*.py")}
        for unit in SERVICES:
            for command in re.findall(r"^ExecStart=.*manage\.py (\w+)", unit.read_text(encoding="utf-8"), re.MULTILINE):
                assert command in commands, unit.name
