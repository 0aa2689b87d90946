"""deploy/settings.md and deploy/commands.md list exactly what there is."""

import ast
import os
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
READERS: Final = (ROOT / "ibanse" / "settings.py", *DEPLOY.glob("*.py"))
"""The modules that read the environment with ibanse/config/env.py."""


def rows(document: str) -> list[list[str]]:
    """Return the cells of every table row of a document whose first cell begins with code."""
    lines = [line for line in (DEPLOY / document).read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def settings_read() -> set[str]:
    """Return the name of every setting that a call such as env.text("PORT", …) reads."""
    names = set()
    for path in READERS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str(name)), *_]):
                    names.add(name)
    return names


def commands() -> set[str]:
    """Return every management command and every program in deploy."""
    modules = (path for path in ROOT.glob("*/**/management/commands/*.py") if ".venv" not in path.parts)
    programs = (path for path in DEPLOY.rglob("*") if path.is_file() and os.access(path, os.X_OK))
    return {f"manage.py {path.stem}" for path in modules if path.stem != "__init__"} | {
        str(path.relative_to(ROOT)) for path in programs
    }


def test_every_setting_is_documented_once() -> None:
    names = [row[0].strip("`") for row in rows("settings.md")]

    assert sorted(names) == sorted(settings_read())


def test_each_setting_has_a_meaning_a_default_and_an_example() -> None:
    assert [row for row in rows("settings.md") if len(row) != 4 or not all(row)] == []


def test_every_command_is_documented_once() -> None:
    documented = [re.match(r"`(manage\.py \w+|deploy/[\w/-]+)", row[0]) for row in rows("commands.md")]

    assert sorted(found[1] for found in documented if found) == sorted(commands())
