"""Contact sheets: small pictures of all pages beside each other; a look at one sheet is a look at every page."""

import io
import math
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

THUMBS: Final = {"phone": (195, 422, 16), "desk": (320, 200, 10)}
"""By size: width and height of a small picture, and how many stand beside each other."""
TITLE, GAP = 14, 6


class Sheets:
    """The sheets of one run: a sheet for each size, scheme and language."""

    def __init__(self) -> None:
        self._pictures: dict[tuple[str, str, str], list[tuple[str, Image.Image]]] = {}

    def add(self, size: str, scheme: str, language: str, *, title: str, picture: bytes) -> None:
        """Put a picture behind the others of its sheet."""
        wide, high, _across = THUMBS[size]
        small = Image.open(io.BytesIO(picture)).convert("RGB").resize((wide, high))
        self._pictures.setdefault((size, scheme, language), []).append((title, small))

    def write(self, folder: Path) -> None:
        """Write each sheet as a file of the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, pictures in self._pictures.items():
            _sheet(pictures, name[0]).save(folder / f"{'-'.join(name)}.png")


def _sheet(pictures: list[tuple[str, Image.Image]], size: str) -> Image.Image:
    wide, high, across = THUMBS[size]
    rows = math.ceil(len(pictures) / across)
    made = Image.new("RGB", (across * (wide + GAP), rows * (high + TITLE + GAP)), "#777")
    draw = ImageDraw.Draw(made)
    for place, (title, small) in enumerate(pictures):
        left, top = place % across * (wide + GAP), place // across * (high + TITLE + GAP)
        made.paste(small, (left, top + TITLE))
        draw.text((left + 2, top + 1), title[: wide // 6], fill="#fff")
    return made
