"""Every text exists in every language, and our own compiler reads the catalogues as gettext does."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LANGUAGES = ("sv", "de")
SOURCES = ("ibanse", "accounts", "apikeys", "privacy", "validation", "templates")


def catalogue(language: str, root: Path = ROOT) -> Path:
    return root / "ibanse" / "locale" / language / "LC_MESSAGES" / "django.po"


def attributes(po: Path, option: str) -> list[str]:
    """Return the entries that msgattrib picks, without the header."""
    picked = subprocess.run(
        ["msgattrib", option, "--no-obsolete", "--no-wrap", str(po)], capture_output=True, text=True, check=True
    ).stdout
    return re.findall(r'^msgid "(.+)"$', picked, flags=re.MULTILINE)


def texts(po: Path) -> set[str]:
    """Return every source text of a catalogue, joined over its lines."""
    plain = subprocess.run(
        ["msgattrib", "--no-obsolete", "--no-wrap", str(po)], capture_output=True, text=True, check=True
    ).stdout
    return set(re.findall(r'^(?:msgctxt .*\n)?msgid "(.+)"$', plain, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collect the texts in a copy of the sources, so that the work tree does not change."""
    copy = tmp_path_factory.mktemp("translations")
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", copy)
    command = ["makemessages", "-l", "sv", "-l", "de", "--no-location", "--no-obsolete", "--no-wrap", "-v0"]
    environment = {**os.environ, "IBANSE_DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    subprocess.run([sys.executable, "manage.py", *command], cwd=copy, env=environment, check=True)
    return copy


class TestTranslations:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_nothing_is_untranslated_or_fuzzy(self, language: str) -> None:
        assert attributes(catalogue(language), "--untranslated") == []
        assert attributes(catalogue(language), "--only-fuzzy") == []

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_the_catalogue_has_every_message_of_the_sources_and_no_other(self, language: str, collected: Path) -> None:
        assert texts(catalogue(language)) == texts(catalogue(language, collected)), "Run: make translations"

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_it_is_compiled_as_gettext_does(self, language: str, tmp_path: Path) -> None:
        by_gettext = tmp_path / "django.mo"
        subprocess.run(["msgfmt", "--check", "-o", str(by_gettext), str(catalogue(language))], check=True)

        assert messages(by_gettext) == messages(catalogue(language).with_suffix(".mo"))


def messages(mo: Path) -> dict[str, str]:
    """Return what a compiled catalogue says, without its header, of which msgfmt leaves the date out."""
    with mo.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {str(source): text for source, text in catalogue.items() if source}
