"""What the documents name exists: files, links, headings, targets of make and commands of manage.py."""

import re
from pathlib import Path
from typing import Final

import pytest
from django.core.management import get_commands

ROOT: Final = Path(__file__).resolve().parents[1]
GENERATED: Final = {"deploy/data.md"}
DOCUMENTS: Final = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("deploy/**/*.md"), *ROOT.glob("tests/**/*.md"))
    if path.relative_to(ROOT).as_posix() not in GENERATED
)
CODE: Final = re.compile(r"^ *```.*?^ *```$|`[^`\n]+`|^    \S.*$", re.MULTILINE | re.DOTALL)
PATH: Final = re.compile(r"(?<![\w/.~$*<-])(?:\.\./)*[A-Za-z_][\w.-]*(?:/[\w.-]+)+/?(?![\w/*<])")
LINK: Final = re.compile(r"\]\((?!\w+:)([^)#]*)#?([^)]*)\)")
QUOTED_HEADING: Final = re.compile(r"([\w/]+\.md), “([^”]+)”")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def code_in(text: str) -> list[str]:
    """Return the code spans and code blocks of a document."""
    return CODE.findall(text)


def missing_paths(text: str, folder: Path) -> list[str]:
    """Return the paths that a document in `folder` names as ours and that do not exist."""
    missing = []
    for path in (found for code in code_in(text) for found in PATH.findall(code)):
        first = path.partition("/")[0]
        bases = [base for base in (ROOT, folder) if (base / first).is_dir()]
        if bases and path not in GENERATED and not any((base / path).exists() for base in bases):
            missing.append(path)
    return missing


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@each_document
def test_named_files_exist(document: Path) -> None:
    assert missing_paths(document.read_text(encoding="utf-8"), document.parent) == []


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        path = document.parent / target if target else document
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


@each_document
def test_named_commands_exist(document: Path) -> None:
    code = "\n".join(code_in(document.read_text(encoding="utf-8")))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    commands = set(re.findall(r"(?:manage\.py|deploy/manage(?: --as \w+)?) ([a-z]\w+)", code))
    targets = set(re.findall(r"(?:^|[`\s])make ([a-z][\w-]*)", code, re.MULTILINE))

    assert commands <= set(get_commands())
    assert targets <= set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))


def test_quoted_headings_exist() -> None:
    """Messages send operators to a section of a document by its heading."""
    quoted = {
        found
        for folder in ("accounts", "apikeys", "deploy", "ibanse", "privacy", "validation")
        for path in ROOT.glob(f"{folder}/**/*.py")
        for found in QUOTED_HEADING.findall(path.read_text(encoding="utf-8"))
    }

    for document, heading in quoted:
        assert f"# {heading}\n" in (ROOT / document).read_text(encoding="utf-8"), f"{document}: {heading}"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("`deploy/install` and `tests/base.py`", []),
        ("`accounts/gone.py`", ["accounts/gone.py"]),
        ("```sh\nsudo deploy/gone --all\n```", ["deploy/gone"]),
        ("`/etc/ibanse/gone` and `https://example.org/deploy/gone`, unknown `gone/gone.py`", []),
        ("deploy/gone outside of code", []),
    ],
)
def test_missing_paths_are_found(text: str, missing: list[str]) -> None:
    assert missing_paths(text, ROOT / "deploy") == missing
