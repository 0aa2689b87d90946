"""The units of systemd: understood by it, shut in by it, the timers forgiving. Holds for every unit in the folder.

They are laid out as deploy/install does it: hardening.conf is a drop-in of each service.
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
"""Where deploy/install puts it; the second is for every unit whose name begins like that."""
MOST_EXPOSED: Final = 2.0
DEBIANS_UNITS: Final = Path("/usr/lib/systemd/system")


def named(path: Path) -> str:
    """Return what the report calls a unit."""
    return path.name


def settings_of(unit: Path) -> configparser.ConfigParser:
    """Return what a unit says; of what it says several times, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capital letters
    parser.read_string(unit.read_text(encoding="utf-8"))
    return parser


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip(services.missing("systemd"))
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def exposure(root: Path, unit: str) -> float:
    """Return what systemd makes of a unit of `root` with its drop-ins: 0 is shut in, 10 is not at all."""
    told = analyze("security", "--offline=true", "--no-pager", f"--root={root}", unit)
    found = re.search(r"exposure level for \S+: ([\d.]+)", told.stdout)
    assert found, told.stdout + told.stderr
    return float(found[1])


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder that looks like a machine with ibanse, as far as systemd looks: units, and programs that exist."""
    root = tmp_path_factory.mktemp("machine")
    if not DEBIANS_UNITS.is_dir():
        pytest.skip(services.missing("systemd"))
    shutil.copytree(DEBIANS_UNITS, root / "usr/lib/systemd/system", symlinks=True)
    ours = root / "etc/systemd/system"
    ours.mkdir(parents=True)
    for folder in DROP_INS:
        (ours / folder).mkdir()
        shutil.copy(HARDENING, ours / folder)
    for unit in UNITS.glob("ibanse*"):
        shutil.copy(unit, ours)
        for program in re.findall(r"^Exec\w+=[-@:+!|]*(/\S+)", unit.read_text(encoding="utf-8"), re.MULTILINE):
            here = root / program.removeprefix("/")
            here.parent.mkdir(parents=True, exist_ok=True)
            here.touch(mode=0o755)
    return root


class TestUnits:
    @pytest.mark.parametrize("unit", SERVICES + TIMERS + OTHERS, ids=named)
    def test_systemd_understands_it_without_a_word(self, machine: Path, unit: Path) -> None:
        told = analyze("verify", "--man=no", f"--root={machine}", f"/etc/systemd/system/{unit.name}")

        assert (told.returncode, told.stderr) == (0, "")

    def test_a_unit_with_a_mistake_would_be_found(self, machine: Path) -> None:
        bad = machine / "etc/systemd/system/bad.service"
        bad.write_text("[Service]\nExecStart=/no/such/program\nProtectHomes=yes\n", encoding="utf-8")

        told = analyze("verify", "--man=no", f"--root={machine}", "/etc/systemd/system/bad.service")

        assert "ProtectHomes" in told.stderr
        assert "/no/such/program" in told.stderr

    @pytest.mark.parametrize("unit", SERVICES, ids=named)
    def test_a_service_reaches_little_of_the_machine(self, machine: Path, unit: Path) -> None:
        assert exposure(machine, unit.name) <= MOST_EXPOSED

    def test_the_drop_in_is_what_shuts_a_service_in(self, machine: Path) -> None:
        alone = machine / "etc/systemd/system/other.service"
        shutil.copy(UNITS / "ibanse-prune.service", alone)

        assert exposure(machine, alone.name) > MOST_EXPOSED

    def test_no_service_opens_what_the_drop_in_closes(self) -> None:
        """A drop-in comes after its unit and wins, but lists add up: those of a unit are written out here."""
        closed = settings_of(HARDENING)["Service"]
        for unit in SERVICES:
            service = settings_of(unit)["Service"]
            opened = {name: service[name] for name in service if name in closed}
            families = opened.pop("RestrictAddressFamilies", "AF_INET AF_INET6")
            assert families == "AF_INET AF_INET6", unit.name
            assert opened in ({}, {"IPAddressDeny": "any"}), unit.name
            assert not {"IPAddressAllow", "BindPaths", "DeviceAllow", "ExecSearchPath"} & set(service), unit.name

    def test_no_line_stands_in_every_service_that_could_stand_once(self) -> None:
        particular = {"Group", "WorkingDirectory", "EnvironmentFile", "LoadCredential"}
        shared = set.intersection(*(set(settings_of(unit)["Service"].items()) for unit in SERVICES))

        assert {name for name, _ in shared} <= particular

    def test_a_service_leaves_no_image_of_its_memory(self) -> None:
        assert settings_of(HARDENING)["Service"]["LimitCORE"] == "0"

    def test_install_lays_the_drop_in_where_it_is_tested(self) -> None:
        script = (services.ROOT / "deploy" / "install").read_text(encoding="utf-8")

        assert f"for services in {' '.join(folder.removesuffix('.d') for folder in DROP_INS)}; do" in script

    @pytest.mark.parametrize("unit", SERVICES, ids=named)
    def test_no_secret_stands_in_a_unit(self, unit: Path) -> None:
        """Whoever may ask systemd reads a unit's environment."""
        text = unit.read_text(encoding="utf-8")

        assert not re.search(r"^Environment=.*(KEY|SECRET|PEPPER|PASSWORD|://[^@\s]*:[^@\s]*@)", text, re.MULTILINE)

    @pytest.mark.parametrize("unit", TIMERS, ids=named)
    def test_a_timer_makes_up_for_what_it_missed_and_not_all_at_once(self, unit: Path) -> None:
        timer = settings_of(unit)["Timer"]

        assert timer["Persistent"] in ("yes", "true")
        assert timer["RandomizedDelaySec"] not in ("", "0")
        assert settings_of(unit)["Install"]["WantedBy"] == "timers.target"
        assert unit.with_suffix(".service").exists()

    def test_what_our_services_run_is_there(self) -> None:
        commands = {path.stem for path in services.ROOT.glob("*/management/commands/*.py")}
        for unit in SERVICES:
            for command in re.findall(r"^ExecStart=.*manage\.py (\w+)", unit.read_text(encoding="utf-8"), re.MULTILINE):
                assert command in commands, unit.name
