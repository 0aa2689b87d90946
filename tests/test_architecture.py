"""The floors of the house: imports go down only, and rooms stand where the plan has them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES: Final = ("ibanse", "accounts", "validation", "apikeys", "privacy")
FLOORS: Final = {
    "tests": 8,  # Not a floor of the house, but none of its rooms may lean on it.
    "deploy": 8,
    "ibanse": 7,
    "validation": 6,
    "apikeys": 5,
    "privacy": 4,
    "accounts": 3,
    "accounts.guard": 2,
    "privacy.vault": 2,
    "validation.engine": 1,
    "privacy.crypto.cipher": 1,
    "privacy.crypto.sealed_box": 1,
    "accounts.personal_data.schema": 1,
    "apikeys.tokens": 1,
    "apikeys.networks": 1,
}
# What a room may use beside the standard library. Rooms that are not listed may use anything.
LIBRARIES: Final = {
    "accounts.guard": {"django", "django_ratelimit", "redis"},
    "validation.engine": {"schwifty", "pycountry"},
    "privacy.crypto.cipher": {"cryptography"},
    "privacy.crypto.sealed_box": {"cryptography"},
    "accounts.personal_data.schema": set[str](),
    "apikeys.tokens": set[str](),
    "apikeys.networks": set[str](),
}
TOP_LEVEL: Final = {*PACKAGES, "templates", "static", "deploy", "tests"}
# Names of layers: a file is named after its deed or thing.
VAGUE_NAMES: Final = {"utils", "helpers", "services", "common"}
IMPORT_CALLS: Final = {"import_module", "__import__", "import_string"}


def package_of(module: str) -> str | None:
    """Return the room that a module belongs to, or None when it is not of this house."""
    packages = (package for package in FLOORS if module == package or module.startswith(package + "."))
    return max(packages, key=len, default=None)


def name_of(path: Path, root: Path) -> str:
    """Return the dotted name of the module in a file."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def stands(package: str) -> bool:
    """Whether a room of the plan has been built."""
    folder = ROOT.joinpath(*package.split("."))
    return folder.is_dir() or folder.with_suffix(".py").is_file()


def modules(root: Path) -> list[Path]:
    """Return every file of the packages that exist."""
    return sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))


def absolute(name: str, level: int, path: Path, root: Path) -> str:
    """Return the dotted name that a relative import in this file means."""
    if not level:
        return name
    parents = path.relative_to(root).parent.parts
    return ".".join([*parents[: len(parents) - level + 1], *filter(None, [name])])


def imports(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of everything that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield node.lineno, alias.name
            case ast.ImportFrom():
                source = absolute(node.module or "", node.level, path, root)
                folder = root.joinpath(*source.split("."))
                for alias in node.names:
                    is_module = (folder / alias.name).is_dir() or (folder / f"{alias.name}.py").is_file()
                    yield node.lineno, f"{source}.{alias.name}" if is_module else source
            case ast.Call(
                func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]
            ) if called in IMPORT_CALLS:
                bare = name.lstrip(".")
                yield node.lineno, absolute(bare, len(name) - len(bare), path, root)


def violation(package: str, target: str) -> str | None:
    """Return what speaks against an import of `target` from `room`, or None."""
    target_package = package_of(target)
    if target_package == package:
        return None
    if target_package is not None:
        if FLOORS[target_package] < FLOORS[package]:
            return None
        return f"{package} (floor {FLOORS[package]}) imports {target} (floor {FLOORS[target_package]})"
    library = target.partition(".")[0]
    if library in sys.stdlib_module_names or library in LIBRARIES.get(package, {library}):
        return None
    return f"{package} may not use {library}"


def violations(root: Path) -> list[str]:
    """Return every import that does not go down, with its file and line."""
    found = []
    for path in modules(root):
        package = package_of(name_of(path, root))
        assert package is not None
        for line, target in imports(path, root):
            if why := violation(package, target):
                found.append(f"{path.relative_to(root)}:{line}: {why}")
    return found


def is_empty_package(init: Path) -> bool:
    """Whether a package has no module, no sub-package and no code of its own."""
    if any(path != init for path in init.parent.rglob("*.py")):
        return False
    body = ast.parse(init.read_text(encoding="utf-8")).body
    return all(isinstance(node, ast.Expr) for node in body)


class TestTheFloors:
    def test_imports_go_down_only(self) -> None:
        assert violations(ROOT) == []

    def test_there_is_something_to_judge(self) -> None:
        packages = {package_of(name_of(path, ROOT)) for path in modules(ROOT)}

        assert {"ibanse", "validation", "validation.engine", "accounts", "accounts.guard"} <= packages

    @pytest.mark.parametrize("room", [package for package in FLOORS if FLOORS[package] == 1 and stands(package)])
    def test_a_pure_room_runs_where_django_is_not_installed(self, package: str) -> None:
        without_django = f"import sys; sys.modules['django'] = None; import {package}"

        subprocess.run([sys.executable, "-c", without_django], cwd=ROOT, check=True)


class TestPackages:
    def test_only_the_folders_of_the_plan_stand_at_the_top(self) -> None:
        folders = {path.name for path in ROOT.iterdir() if path.is_dir()}

        assert {name for name in folders if name[0] != "."} - {"__pycache__"} <= TOP_LEVEL

    def test_manage_py_is_the_only_code_at_the_top(self) -> None:
        assert [path.name for path in ROOT.glob("*.py")] == ["manage.py"]

    def test_no_file_is_named_after_a_layer(self) -> None:
        names = {path: {path.stem, path.parent.name} for path in modules(ROOT)}

        assert [str(path) for path, stems in names.items() if stems & VAGUE_NAMES] == []

    def test_no_package_is_empty(self) -> None:
        inits = [path for path in modules(ROOT) if path.name == "__init__.py"]

        assert [str(init.parent) for init in inits if is_empty_package(init)] == []


class TestTheWatch:
    """What the test above would say of a house in which someone had planted a wrong import."""

    @pytest.mark.parametrize(
        ("place", "code", "said"),
        [
            pytest.param(
                "accounts/signup.py",
                "from validation.site import views",
                "accounts/signup.py:1: accounts (floor 3) imports validation.site.views (floor 6)",
                id="at the top of a file",
            ),
            pytest.param(
                "privacy/deletion.py",
                "def request() -> None:\n    import apikeys.models\n",
                "privacy/deletion.py:2: privacy (floor 4) imports apikeys.models (floor 5)",
                id="inside a function",
            ),
            pytest.param(
                "apikeys/models.py",
                "import validation.recording.record as log",
                "apikeys/models.py:1: apikeys (floor 5) imports validation.recording.record (floor 6)",
                id="under another name",
            ),
            pytest.param(
                "accounts/models.py",
                "import importlib\n\nimportlib.import_module('privacy.deletion')",
                "accounts/models.py:3: accounts (floor 3) imports privacy.deletion (floor 4)",
                id="by a call",
            ),
            pytest.param(
                "accounts/models.py",
                "from importlib import import_module as load\nfrom django.utils.module_loading import import_string\n"
                "import_string('apikeys.tokens.mint')\nimport_string('apikeys.models.ApiKey')",
                "accounts/models.py:4: accounts (floor 3) imports apikeys.models.ApiKey (floor 5)",
                id="by a call of Django's",
            ),
            pytest.param(
                "accounts/guard/blocks.py",
                "from .. import models",
                "accounts/guard/blocks.py:1: accounts.guard (floor 2) imports accounts.models (floor 3)",
                id="by dots",
            ),
            pytest.param(
                "accounts/guard/__init__.py",
                "from ..models import User",
                "accounts/guard/__init__.py:1: accounts.guard (floor 2) imports accounts.models (floor 3)",
                id="by dots from a package",
            ),
            pytest.param(
                "accounts/guard/blocks.py",
                "from privacy.vault import seal",
                "accounts/guard/blocks.py:1: accounts.guard (floor 2) imports privacy.vault (floor 2)",
                id="into another room of the same floor",
            ),
            pytest.param(
                "validation/engine/verdict.py",
                "from validation import models",
                "validation/engine/verdict.py:1: validation.engine (floor 1) imports validation.models (floor 6)",
                id="from the engine into its own app",
            ),
            pytest.param(
                "validation/engine/verdict.py",
                "from django.utils import timezone",
                "validation/engine/verdict.py:1: validation.engine may not use django",
                id="Django in the engine",
            ),
            pytest.param(
                "apikeys/tokens.py",
                "def mint() -> str:\n    from django.utils.crypto import get_random_string\n",
                "apikeys/tokens.py:2: apikeys.tokens may not use django",
                id="Django in a function of a pure module",
            ),
            pytest.param(
                "accounts/guard/limits.py",
                "import requests",
                "accounts/guard/limits.py:1: accounts.guard may not use requests",
                id="a library that the guard has no need of",
            ),
            pytest.param(
                "validation/site/views.py",
                "from ibanse import settings",
                "validation/site/views.py:1: validation (floor 6) imports ibanse.settings (floor 7)",
                id="the front door",
            ),
            pytest.param(
                "ibanse/checks.py",
                "from tests.base import ALICE",
                "ibanse/checks.py:1: ibanse (floor 7) imports tests.base (floor 8)",
                id="the tests",
            ),
            pytest.param(
                "accounts/models.py",
                "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from privacy.models import DataExport\n",
                "accounts/models.py:4: accounts (floor 3) imports privacy.models (floor 4)",
                id="for types only",
            ),
        ],
    )
    def test_a_planted_import_is_found(self, tmp_path: Path, place: str, code: str, said: str) -> None:
        build(tmp_path, {place: code})

        assert violations(tmp_path) == [said]

    @pytest.mark.parametrize(
        ("place", "code"),
        [
            ("ibanse/settings.py", "import csp\nfrom accounts.guard import addresses\nfrom ibanse import urls"),
            ("validation/site/views.py", "from apikeys import models\nfrom . import log\nfrom .engine import check"),
            ("validation/engine/verdict.py", "import re\nimport schwifty\nfrom . import normalise\nimport pycountry"),
            ("accounts/models.py", "from accounts.guard import limits\nfrom privacy.crypto.cipher import seal"),
            ("accounts/guard/limits.py", "from django_ratelimit.core import get_usage\nfrom . import addresses"),
            ("privacy/crypto/cipher.py", "from cryptography.hazmat.primitives.ciphers.aead import AESGCM"),
            (
                "accounts/apps.py",
                "from validationary import views\nfrom importlib import import_module\nimport_module(name)",
            ),
        ],
    )
    def test_an_import_that_goes_down_is_left_alone(self, tmp_path: Path, place: str, code: str) -> None:
        build(tmp_path, {place: code})

        assert violations(tmp_path) == []

    def test_an_empty_package_is_told_from_one_with_modules_or_code(self, tmp_path: Path) -> None:
        build(
            tmp_path,
            {
                "privacy/empty/__init__.py": '"""Nothing yet."""\n',
                "privacy/folders/__init__.py": "",
                "privacy/folders/templates/page.html": "",
                "privacy/modules/__init__.py": "",
                "privacy/modules/deed.py": "",
                "privacy/code/__init__.py": "GRACE_DAYS = 7\n",
            },
        )

        inits = sorted((tmp_path / "privacy").glob("*/__init__.py"))
        assert [init.parent.name for init in inits if is_empty_package(init)] == ["empty", "folders"]


def build(root: Path, files: dict[str, str]) -> None:
    """Write a small house: the modules that the planted imports name, then the given files."""
    base = (
        "privacy/crypto/cipher.py",
        "accounts/models.py",
        "validation/models.py",
        "validation/site/views.py",
        "validation/recording/record.py",
        "apikeys/models.py",
        "accounts/guard/addresses.py",
        "ibanse/settings.py",
        "tests/base.py",
    )
    for place, code in {**dict.fromkeys(base, ""), **files}.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
