"""The units of systemd: understood by it, shut in by it, the timers forgiving. Holds for every unit in the folder."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests import services

pytestmark = [pytest.mark.deploy, pytest.mark.claim("shut_in")]

UNITS: Final = services.ROOT / "deploy" / "systemd"
SERVICES: Final = sorted(UNITS.glob("*.service"))
TIMERS: Final = sorted(UNITS.glob("*.timer"))
OTHERS: Final = sorted(path for path in UNITS.iterdir() if path.suffix not in (".service", ".timer"))
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


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder that looks like a machine with ibanse, as far as systemd looks: units, and programs that exist."""
    root = tmp_path_factory.mktemp("machine")
    if not DEBIANS_UNITS.is_dir():
        pytest.skip(services.missing("systemd"))
    shutil.copytree(DEBIANS_UNITS, root / "usr/lib/systemd/system", symlinks=True)
    ours = root / "etc/systemd/system"
    ours.mkdir(parents=True)
    for unit in UNITS.iterdir():
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
    def test_a_service_reaches_little_of_the_machine(self, unit: Path) -> None:
        told = analyze("security", "--offline=true", "--no-pager", str(unit))

        found = re.search(r"exposure level for \S+: ([\d.]+)", told.stdout)
        assert found, told.stdout + told.stderr
        assert float(found[1]) <= MOST_EXPOSED, told.stdout

    @pytest.mark.parametrize("unit", SERVICES, ids=named)
    def test_a_service_leaves_no_image_of_its_memory(self, unit: Path) -> None:
        assert settings_of(unit)["Service"]["LimitCORE"] == "0"

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
