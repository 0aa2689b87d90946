"""Writes a document as PDF: the same document gives the same bytes. Knows no database and no language.

The font is Inter, for Latin, Greek and Cyrillic letters; `unprintable` returns the characters it does not have.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import XPos, YPos

_FONTS: Final = Path(__file__).parents[2] / "static" / "fonts"
_SCRIPTS: Final = ("latin", "latin-ext", "greek", "cyrillic")
_WEIGHTS: Final = {"": 400, "B": 600}
_FAMILY: Final = "Inter"

_MARGIN_MM: Final = 22.0
_BOTTOM_MM: Final = 24.0
_LABEL_MM: Final = 46.0
_INDENT_MM: Final = 5.0
_TEXT: Final = (22, 33, 31)
_MUTED: Final = (85, 98, 95)
_ACCENT: Final = (11, 93, 94)


class BlockKind(StrEnum):
    """The style of a line."""

    BODY = "body"
    POINT = "point"
    STRONG = "strong"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str
    kind: BlockKind = BlockKind.BODY


@dataclass(frozen=True, slots=True)
class PaperSection:
    """A heading and the lines below it."""

    title: str
    lines: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """The contents of a document, in order."""

    title: str
    facts: tuple[tuple[str, str], ...]
    """Label and value, such as the names of the parties; a value may have several lines."""
    intro: str
    sections: tuple[PaperSection, ...]
    signatures: tuple[tuple[str, ...], ...] = ()
    """For each signatory, the lines below the signature; empty: nobody signs."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """Metadata and footer of a document."""

    language: str
    author: str
    made_on: date
    foot: str
    """Printed in the footer of each page, before its number."""


def unprintable(text: str) -> str:
    """Return the characters that the font does not have, each once."""
    return "".join(
        dict.fromkeys(character for character in text if character not in " \n" and ord(character) not in _printable())
    )


def write(paper: Paper, imprint: Imprint) -> bytes:
    """Return the PDF. Characters that the font does not have leave a gap: check `unprintable` first."""
    sheet = _Sheet(imprint)
    sheet.set_title(paper.title)
    sheet.add_page()
    sheet.heading(paper.title, size=20)
    sheet.facts(paper.facts)
    sheet.lines((Paragraph(paper.intro),))
    for number, section in enumerate(paper.sections, 1):
        sheet.keep_together(28)
        sheet.ln(3)
        sheet.start_section(section.title)
        sheet.heading(f"{number}. {section.title}", size=12)
        sheet.lines(section.lines)
    if paper.signatures:
        sheet.signatures(paper.signatures)
    return bytes(sheet.output())


@cache
def _printable() -> frozenset[int]:
    found: set[int] = set()
    for script in _SCRIPTS:
        with TTFont(_file(script, 400)) as font:
            found |= set(font.getBestCmap() or ())
    return frozenset(found)


def _file(script: str, weight: int) -> Path:
    return _FONTS / f"inter-{script}-{weight}-normal.woff"


class _Sheet(FPDF):
    def __init__(self, imprint: Imprint) -> None:
        super().__init__(format="A4")
        self._imprint = imprint
        self.set_lang(imprint.language)
        self.set_author(imprint.author)
        self.set_creator("ibanse")
        # The day, not the time: the same document of the same day is the same file.
        self.set_creation_date(datetime.combine(imprint.made_on, time(), UTC))
        self.set_margins(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_BOTTOM_MM)
        for style, weight in _WEIGHTS.items():
            for script in _SCRIPTS:
                family = _FAMILY if script == "latin" else f"{_FAMILY} {script}"
                self.add_font(family, style, _file(script, weight))
        self.set_fallback_fonts([f"{_FAMILY} {script}" for script in _SCRIPTS[1:]])

    def footer(self) -> None:
        """Print the footer of a page."""
        self.set_y(-16)
        self._style(8, _MUTED)
        self.cell(self.epw - 20, 5, self._imprint.foot)
        self.cell(20, 5, f"{self.page_no()} / {{nb}}", align="R")

    def heading(self, text: str, *, size: float) -> None:
        self._style(size, _ACCENT if size < 16 else _TEXT, bold=True)
        self._paragraph(text, size * 0.5)
        self.ln(size * 0.12)

    def facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        self.ln(2)
        for label, value in facts:
            self._style(9.5, _MUTED)
            top = self.get_y()
            self.multi_cell(_LABEL_MM, 5.2, label, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            below = self.get_y()
            self.set_xy(_MARGIN_MM + _LABEL_MM, top)
            self._style(9.5, _TEXT)
            self.multi_cell(self.epw - _LABEL_MM, 5.2, value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.set_y(max(below, self.get_y()) + 1)
        self.ln(3)

    def lines(self, lines: tuple[Paragraph, ...]) -> None:
        for line in lines:
            _DRAWN[line.kind](self, line.text)

    def body(self, text: str) -> None:
        self._style(10, _TEXT)
        self._paragraph(text, 5.2)
        self.ln(1.5)

    def point(self, text: str) -> None:
        self._style(10, _TEXT)
        self.keep_together(6)
        self.cell(_INDENT_MM, 5.2, "•")
        self.multi_cell(self.epw - _INDENT_MM, 5.2, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def strong(self, text: str) -> None:
        self.keep_together(18)
        self.ln(1.6)
        self._style(10, _TEXT, bold=True)
        self._paragraph(text, 5.2)

    def fine(self, text: str) -> None:
        self._style(9, _MUTED)
        self._paragraph(text, 4.7)
        self.ln(0.6)

    def signatures(self, signatures: tuple[tuple[str, ...], ...]) -> None:
        self.keep_together(20 + 6 * max(map(len, signatures)))
        top = self.get_y() + 16
        width = (self.epw - 10) / len(signatures)
        for column, below in enumerate(signatures):
            left = _MARGIN_MM + column * (width + 10)
            self.line(left, top, left + width, top)
            self._style(9, _MUTED)
            for row, text in enumerate(below):
                self.set_xy(left, top + 1.5 + row * 5)
                self.cell(width, 5, text)
        self.set_x(_MARGIN_MM)

    def keep_together(self, height: float) -> None:
        """Start a new page when less than this height is left, in millimetres."""
        if self.will_page_break(height):
            self.add_page()

    def _paragraph(self, text: str, height: float) -> None:
        self.multi_cell(0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _style(self, size: float, colour: tuple[int, int, int], *, bold: bool = False) -> None:
        self.set_font(_FAMILY, "B" if bold else "", size)
        self.set_text_color(*colour)


_DRAWN: Final = {
    BlockKind.BODY: _Sheet.body,
    BlockKind.POINT: _Sheet.point,
    BlockKind.STRONG: _Sheet.strong,
    BlockKind.FINE: _Sheet.fine,
}
