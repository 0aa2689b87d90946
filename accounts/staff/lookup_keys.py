"""Shortens whole API keys in what staff type: one that leaked may be among it, and its beginning says which it is."""

import re
from typing import Final

from apikeys import tokens

_WHOLE: Final = re.compile(tokens.PATTERN, re.ASCII)


def shorten(text: str) -> str:
    """Return the text with each whole key cut after what tells which one it is, such as `ibanse_live_4f9Kq2Lm7T…`."""
    return _WHOLE.sub(lambda key: key[0].rpartition("_")[0] + "…", text)
