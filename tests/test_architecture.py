"""The architecture: imports go down only, modules import each other in no circle, and folders are those of the plan."""

import ast
import functools
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[1]
FLOORS: Final = {
    "validation.engine": 1,
    "apikeys.tokens": 1,
    "apikeys.networks": 1,
    "privacy.crypto": 1,
    "accounts.guard": 2,
    "privacy.vault": 2,
    "accounts": 3,
    "privacy": 4,
    "apikeys": 5,
    "accounts.billing": 5,
    "validation": 6,
    "ibanse": 7,
    "deploy": 8,
    "tests": 9,
}
"""A package imports itself and those of lower floors."""
LIBRARIES: Final = {
    "validation.engine": {"schwifty", "pycountry"},
    "apikeys.tokens": set[str](),
    "apikeys.networks": set[str](),
    "privacy.crypto": {"cryptography"},
    "accounts.guard": {"django", "django_ratelimit", "redis"},
}
"""What a package may use besides the standard library; one that is not listed may use anything."""
APPS: Final = ("ibanse", "accounts", "validation", "apikeys", "privacy")
TOP_LEVEL: Final = {*APPS, "templates", "static", "deploy", "tests"}
LAYER_NAMES: Final = {"utils", "helpers", "services", "common"}
"""A file is named after its subject or action, not after a layer."""
IMPORT_CALLS: Final = {"import_module", "__import__", "import_string"}

Import = tuple[int, str]
"""The line and the dotted name of what is imported there."""


def package_of(module: str) -> str | None:
    """Return the package of the floors that a module belongs to, or None when it is a library."""
    packages = (package for package in FLOORS if module == package or module.startswith(package + "."))
    return max(packages, key=len, default=None)


def name_of(path: Path, root: Path) -> str:
    """Return the dotted name of the module in a file."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(root: Path) -> list[Path]:
    """Return every file of the apps and of deploy; the tests may import anything."""
    return sorted(path for folder in (*APPS, "deploy") for path in (root / folder).rglob("*.py"))


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def absolute(name: str, level: int, path: Path, root: Path) -> str:
    """Return the dotted name that a relative import in this file means."""
    if not level:
        return name
    parents = path.relative_to(root).parent.parts
    return ".".join([*parents[: len(parents) - level + 1], *filter(None, [name])])


def imports_of(node: ast.AST, path: Path, root: Path) -> Iterator[Import]:
    """Yield what one node of a file's syntax tree imports."""
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


def all_imports(path: Path, root: Path) -> Iterator[Import]:
    """Yield everything that a file imports, at any place in it."""
    for node in ast.walk(parsed(path)):
        yield from imports_of(node, path, root)


def imports_at_load(path: Path, root: Path) -> Iterator[Import]:
    """Yield what a file imports when it is loaded: not in its functions, and not for types only."""
    pending: list[ast.AST] = [parsed(path)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += node.orelse
            continue
        yield from imports_of(node, path, root)
        pending += ast.iter_child_nodes(node)


def objection(package: str, target: str) -> str | None:
    """Return why `package` may not import `target`, or None when it may."""
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
        for line, target in all_imports(path, root):
            if reason := objection(package, target):
                found.append(f"{path.relative_to(root)}:{line}: {reason}")
    return found


def circle(root: Path) -> list[str]:
    """Return the modules of a circle of imports in their order, the first one again at the end; or nothing."""
    files = {name_of(path, root): path for path in modules(root)}
    graph = {name: {target for _line, target in imports_at_load(path, root)} for name, path in files.items()}
    try:
        # A package is not counted as importing itself: its modules are loaded after it began.
        graphlib.TopologicalSorter({name: graph[name] & files.keys() - {name} for name in files}).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def is_empty_package(init: Path) -> bool:
    """Whether a package has no module, no sub-package and no code of its own."""
    if any(path != init for path in init.parent.rglob("*.py")):
        return False
    return all(isinstance(node, ast.Expr) for node in parsed(init).body)


class TestFloors:
    def test_imports_go_down_only(self) -> None:
        assert violations(ROOT) == []

    def test_every_floor_has_modules(self) -> None:
        packages = {package_of(name_of(path, ROOT)) for path in modules(ROOT)}

        assert set(FLOORS) - {"accounts.billing", "tests"} <= packages

    def test_no_modules_import_each_other_in_a_circle(self) -> None:
        assert circle(ROOT) == []

    @pytest.mark.parametrize("package", [package for package in FLOORS if FLOORS[package] == 1])
    def test_a_package_of_the_lowest_floor_runs_where_django_is_not_installed(self, package: str) -> None:
        without_django = f"import sys; sys.modules['django'] = None; import {package}"

        subprocess.run([sys.executable, "-c", without_django], cwd=ROOT, check=True)


class TestPackages:
    def test_the_top_level_has_only_the_folders_of_the_plan(self) -> None:
        folders = {path.name for path in ROOT.iterdir() if path.is_dir()}

        assert {name for name in folders if name[0] != "."} - {"__pycache__"} <= TOP_LEVEL

    def test_manage_py_is_the_only_code_at_the_top(self) -> None:
        assert [path.name for path in ROOT.glob("*.py")] == ["manage.py"]

    def test_no_file_is_named_after_a_layer(self) -> None:
        assert [str(path) for path in modules(ROOT) if {path.stem, path.parent.name} & LAYER_NAMES] == []

    def test_no_package_is_empty(self) -> None:
        inits = [path for path in modules(ROOT) if path.name == "__init__.py"]

        assert [str(init.parent) for init in inits if is_empty_package(init)] == []


class TestPlantedViolations:
    """The functions above find what is wrong in a small project with a planted import."""

    @pytest.mark.parametrize(
        ("place", "code", "message"),
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
                id="into another package of the same floor",
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
                id="a library that the guard does not need",
            ),
            pytest.param(
                "validation/site/views.py",
                "from ibanse import settings",
                "validation/site/views.py:1: validation (floor 6) imports ibanse.settings (floor 7)",
                id="the project from an app",
            ),
            pytest.param(
                "ibanse/checks.py",
                "from tests.base import ALICE",
                "ibanse/checks.py:1: ibanse (floor 7) imports tests.base (floor 9)",
                id="the tests",
            ),
            pytest.param(
                "deploy/start.py",
                "from tests.base import ALICE",
                "deploy/start.py:1: deploy (floor 8) imports tests.base (floor 9)",
                id="the tests from a script",
            ),
            pytest.param(
                "accounts/team.py",
                "from accounts.billing import plans",
                "accounts/team.py:1: accounts (floor 3) imports accounts.billing.plans (floor 5)",
                id="into a package of its own app on a higher floor",
            ),
            pytest.param(
                "accounts/models.py",
                "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from privacy.models import DataExport\n",
                "accounts/models.py:4: accounts (floor 3) imports privacy.models (floor 4)",
                id="for types only",
            ),
        ],
    )
    def test_a_planted_import_is_found(self, tmp_path: Path, place: str, code: str, message: str) -> None:
        build(tmp_path, {place: code})

        assert violations(tmp_path) == [message]

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

    def test_a_planted_circle_is_found(self, tmp_path: Path) -> None:
        build(
            tmp_path,
            {
                "validation/api/routes.py": "from validation.api import openapi",
                "validation/api/openapi.py": "if True:\n    from .examples import FIRST",
                "validation/api/examples.py": "class Example:\n    import validation.api.routes",
            },
        )

        assert sorted(set(circle(tmp_path))) == [
            "validation.api.examples",
            "validation.api.openapi",
            "validation.api.routes",
        ]

    @pytest.mark.parametrize(
        "code",
        [
            pytest.param("def check() -> None:\n    from validation.site import views\n", id="in a function"),
            pytest.param(
                "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from validation.site import views\n",
                id="for types only",
            ),
        ],
    )
    def test_an_import_that_does_not_happen_at_load_makes_no_circle(self, tmp_path: Path, code: str) -> None:
        build(
            tmp_path,
            {"validation/site/views.py": "from validation.site import countries", "validation/site/countries.py": code},
        )

        assert circle(tmp_path) == []

    def test_a_package_without_modules_and_code_is_empty(self, tmp_path: Path) -> None:
        build(
            tmp_path,
            {
                "privacy/empty/__init__.py": '"""Nothing yet."""\n',
                "privacy/folders/__init__.py": "",
                "privacy/folders/templates/page.html": "",
                "privacy/modules/__init__.py": "",
                "privacy/modules/erase.py": "",
                "privacy/code/__init__.py": "GRACE_DAYS = 7\n",
            },
        )

        inits = sorted((tmp_path / "privacy").glob("*/__init__.py"))
        assert [init.parent.name for init in inits if is_empty_package(init)] == ["empty", "folders"]


def build(root: Path, files: dict[str, str]) -> None:
    """Write a small project: the modules that the planted imports name, then these files."""
    base = (
        "privacy/crypto/cipher.py",
        "accounts/models.py",
        "validation/models.py",
        "validation/site/views.py",
        "validation/recording/record.py",
        "apikeys/models.py",
        "accounts/guard/addresses.py",
        "accounts/billing/plans.py",
        "ibanse/settings.py",
        "tests/base.py",
    )
    for place, code in {**dict.fromkeys(base, ""), **files}.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
