"""Compiling translations without gettext's tools."""

import gettext
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ibanse import catalogues

ROOT = Path(__file__).resolve().parents[2]
HEADER = (
    'msgid ""\n'
    'msgstr ""\n'
    '"Content-Type: text/plain; charset=UTF-8\\n"\n'
    '"Plural-Forms: nplurals=3; plural=n == 1 ? 0 : n == 2 ? 1 : 2;\\n"\n\n'
)


def catalogue(text: str) -> gettext.GNUTranslations:
    """Return what Python's own reader makes of a compiled text."""
    return gettext.GNUTranslations(io.BytesIO(catalogues.compiled(HEADER + text)))


class TestCompiling:
    def test_escapes_and_continued_lines(self) -> None:
        found = catalogue('msgid ""\n"a \\"b\\"\\n"\n"c\\\\d"\nmsgstr "å\\t"\n"ö"\n')

        assert found.gettext('a "b"\nc\\d') == "å\tö"

    def test_plurals_follow_the_header(self) -> None:
        found = catalogue('msgid "day"\nmsgid_plural "days"\nmsgstr[0] "A"\nmsgstr[1] "B"\nmsgstr[2] "C"\n')

        assert [found.ngettext("day", "days", count) for count in (1, 2, 3)] == ["A", "B", "C"]

    def test_contexts_are_stored_apart(self) -> None:
        found = catalogue('msgctxt "x"\nmsgid "a"\nmsgstr "of x"\n\nmsgid "a"\nmsgstr "of none"\n')

        assert (found.pgettext("x", "a"), found.gettext("a")) == ("of x", "of none")

    @pytest.mark.parametrize(
        "entry",
        [
            '#, fuzzy\nmsgid "a"\nmsgstr "b"\n',
            '#, python-format, fuzzy\nmsgid "a"\nmsgstr "b"\n',
            '#~ msgid "a"\n#~ msgstr "b"\n',
            'msgid "a"\nmsgstr ""\n',
        ],
        ids=["fuzzy", "fuzzy among others", "obsolete", "untranslated"],
    )
    def test_what_is_not_translated_is_left_out(self, entry: str) -> None:
        found = catalogue(f'msgid "before"\nmsgstr "1"\n{entry}\nmsgid "after"\nmsgstr "2"\n')

        assert [found.gettext(text) for text in ("before", "a", "after")] == ["1", "a", "2"]

    def test_an_unknown_line_is_named(self) -> None:
        with pytest.raises(catalogues.CatalogueError, match="Line 7: msg a"):
            catalogues.compiled(HEADER + 'msgid "b"\nmsg a\n')


class TestCompileChanged:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        source = tmp_path / "sv" / "LC_MESSAGES" / "django.po"
        source.parent.mkdir(parents=True)
        source.write_text(HEADER + 'msgid "a"\nmsgstr "b"\n', encoding="utf-8")
        return source

    def test_it_is_compiled_once(self, tmp_path: Path, source: Path) -> None:
        assert catalogues.compile_changed(tmp_path) == [source.with_suffix(".mo")]
        assert catalogues.compile_changed(tmp_path) == []
        assert sorted(path.name for path in source.parent.iterdir()) == ["django.mo", "django.po"]

    def test_it_is_compiled_again_after_a_change(self, tmp_path: Path, source: Path) -> None:
        catalogues.compile_changed(tmp_path)
        later = source.with_suffix(".mo").stat().st_mtime_ns + 1_000_000
        os.utime(source, ns=(later, later))

        assert catalogues.compile_changed(tmp_path) == [source.with_suffix(".mo")]

    def test_it_needs_no_django(self) -> None:
        script = "import sys, ibanse.catalogues; sys.exit('django' in sys.modules)"

        assert subprocess.run([sys.executable, "-c", script], check=False, cwd=ROOT).returncode == 0
