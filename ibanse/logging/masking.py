"""Masks IBANs, API keys and e-mail addresses in log lines. Knows no request and no database.

Everything that a process logs passes `MaskingFormatter` as the last step, when arguments are filled in and tracebacks
are text. `configure` also logs what Python would print by itself.

An IBAN is, in any case and with any separators, also as URLs, JSON and Python's repr() write them:

- What has the structure of a country's IBAN, at any place, next to other characters or not, with right check digits or
  not.
- Between other characters, what resembles one, since it may be one with a typing error: a known country, two digits
  and eleven or more letters and digits, in one piece or in groups.

UUIDs and digests stay readable, since lines are found by them; but not where an IBAN inside has the right check digits.
"""

import logging
import re
import sys
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from logging.config import dictConfig
from types import TracebackType
from typing import Any, Final, NamedTuple

from validation.engine.national import numeric
from validation.engine.normalise import SEPARATORS
from validation.engine.registry import COUNTRIES

log = logging.getLogger(__name__)


class _Secret(NamedTuple):
    """What must not be readable: `text[start:end]`, and what replaces it."""

    start: int
    end: int
    placeholder: str


def mask(text: str) -> str:
    """Return `text` with `[IBAN]`, `[key]` and `[e-mail]` in place of those; what overlaps is replaced together.

    The work is linear in the length of the text, however hostile.
    """
    masked: list[str] = []
    done = 0
    for secret in sorted([*_keys(text), *_emails(text), *_ibans(text)]):
        if secret.start >= done:
            masked += (text[done : secret.start], secret.placeholder)
        done = max(done, secret.end)
    return "".join(masked) + text[done:]


# Also one that was cut off at its end, or at its beginning.
_KEY: Final = re.compile(
    r"ibanse(?:_|%5F)(?:live|test)(?:_|%5F)[0-9A-Z_%]+"
    r"|(?<![0-9A-Z])(?:[0-9A-Z]{10}_)?[0-9A-Z]{49}(?![0-9A-Z])",
    re.ASCII | re.IGNORECASE,
)


def _keys(text: str) -> Iterator[_Secret]:
    for key in _KEY.finditer(text):
        yield _Secret(*key.span(), "[key]")


_AT: Final = re.compile("@|%40")
# The longest part before the @ that there is (RFC 5321, 4.5.3.1.1), times three, since escapes in URLs make it longer.
_LOCAL_PART_CHARACTERS: Final = 3 * 64
# Matched backwards from the @. An apostrophe belongs to a name (o'brien); as a quotation mark it does not. Nearly no
# address has a slash, and with it every one in a URL would take the path along.
_LOCAL_PART: Final = re.compile(r"[\w.!#$%*+~^&=?`{|}/'-](?:[\w.!#$%*+~^&=?`{|}-]|'(?=\w))*|\"[^\"\r\n]+\"")
_DOMAIN: Final = re.compile(r"\[[0-9A-Za-z:.]+\]|\w[\w-]*+(?:\.[\w-]++)*+")


def _emails(text: str) -> Iterator[_Secret]:
    done = 0
    for at in _AT.finditer(text):
        before = text[max(done, at.start() - _LOCAL_PART_CHARACTERS) : at.start()]
        done = at.end()
        local_part = _LOCAL_PART.match(before[::-1])
        domain = _DOMAIN.match(text, at.end())
        if local_part and domain:
            yield _Secret(at.start() - local_part.end(), domain.end(), "[e-mail]")


_BLANK: Final = " "
_END_OF_RUN: Final = "\n"
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_RARE_BLANKS: Final = "\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u200a\u2028\u2029\u205f\u2212\v\f\x85"
_FULL_WIDTH: Final = {
    ord(first) + place: chr(ord(plain) + place)
    for first, plain, count in (("０", "0", 10), ("Ａ", "A", 26), ("ａ", "a", 26))
    for place in range(count)
}
# One character for one, so that positions stay. More than the engine removes: people can read what it refuses.
_PLAIN: Final = dict.fromkeys(map(ord, f"{SEPARATORS}{_INVISIBLE}{_RARE_BLANKS}+_"), _BLANK) | _FULL_WIDTH

_AS_WRITTEN: Final = r"(?P<run>[A-Za-z0-9]++)|(?P<blanks> ++)"
# What URLs, JSON and repr() make of a character: of ASCII (its code), or a separator beyond. A text printed twice has
# its backslashes doubled twice; a limit to them, or a million would be counted a million times.
_ESCAPED: Final = (
    r"(?:%|\\{1,8}+(?:x|u00))(?P<code>[0-7][0-9A-Fa-f])"
    r"|(?P<separator>%(?:C2%A[0D]|E2%80%[89A][0-9A-F]|E3%80%80|EF%BB%BF)"
    r"|\\{1,8}+(?:xa0|xc2\\{1,8}+xa[0d]|xe2\\{1,8}+x80\\{1,8}+x[89a][0-9a-f]|xe3\\{1,8}+x80\\{1,8}+x80"
    r"|u00[Aa][0Dd]|u20[0-6][0-9A-Fa-f]|u3000|u[Ff][Ee][Ff][Ff]))"
)
_LINE_END: Final = r"(?P<line_end>\\{1,8}+[nrt])"
_LINE_END_BEFORE_A_DIGIT: Final = rf"{_LINE_END}(?=(?: |\\[nrt]){{0,16}}+[0-9])"
_PLAIN_TOKENS: Final = re.compile(_AS_WRITTEN)
# In \no93… the n belongs to Norway, or a line ends there; %4AD… is ambiguous, too. Each way is tried.
_TOKENIZATIONS: Final = (
    _PLAIN_TOKENS,
    re.compile(f"{_AS_WRITTEN}|{_ESCAPED}|{_LINE_END}"),
    re.compile(f"{_AS_WRITTEN}|{_ESCAPED}|{_LINE_END_BEFORE_A_DIGIT}"),
)
_DECODED: Final = {
    f"{code:02x}": chr(code) if chr(code).isalnum() else _PLAIN.get(code, _END_OF_RUN) for code in range(128)
} | {"20": _BLANK}
_MAY_BE_ESCAPED: Final = re.compile(r"[%\\]")


class _Normalized(NamedTuple):
    """A text as ASCII letters, digits, single blanks and ends of runs, and where in the text each of them is."""

    text: str
    starts: list[int]
    ends: list[int]


def _ibans(text: str) -> Iterator[_Secret]:
    plain = text.translate(_PLAIN)
    for tokens in _TOKENIZATIONS if _MAY_BE_ESCAPED.search(plain) else (_PLAIN_TOKENS,):
        normalized = _normalize(plain, tokens)
        names = [name.span() for name in _NAME.finditer(normalized.text)]
        for first, last in (*_structured(normalized.text, names), *_similar(normalized.text)):
            yield _Secret(normalized.starts[first], normalized.ends[last], "[IBAN]")


def _normalize(plain: str, tokens: re.Pattern[str]) -> _Normalized:
    pieces: list[str] = []
    normalized = _Normalized("", [], [])
    done = 0
    for token in tokens.finditer(plain):
        start, end = token.span()
        if start > done:
            pieces.append(_END_OF_RUN)
            normalized.starts.append(done)
            normalized.ends.append(start)
        if token.lastgroup == "run":
            pieces.append(token[0])
            normalized.starts.extend(range(start, end))
            normalized.ends.extend(range(start + 1, end + 1))
        else:
            pieces.append(_DECODED[token["code"].lower()] if token.lastgroup == "code" else _BLANK)
            normalized.starts.append(start)
            normalized.ends.append(end)
        done = end
    return normalized._replace(text="".join(pieces))


# UUIDs, and digests in small letters. They are as long as the longest IBAN and have letters where no IBAN has them, so
# neither is a part of the other.
_NAME: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}(?: [0-9A-Fa-f]{4}){3} [0-9A-Fa-f]{12}"
    r"|(?=(?:[0-9]{0,128}+[a-f]){4})(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})"
    r")(?![0-9A-Za-z])"
)
_BEGINNING: Final = re.compile("[A-Z]{2}[0-9]{2}")


def _structured(text: str, names: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last position of everything with the structure of a country's IBAN."""
    places = [place for place, character in enumerate(text) if character != _BLANK]
    drawn = text.upper().replace(_BLANK, "")
    for beginning in _BEGINNING.finditer(drawn):
        country = COUNTRIES.get(beginning[0][:2])
        if country is None:
            continue
        start, end = beginning.start(), beginning.start() + country.length
        iban = drawn[start:end]
        if country.pattern.fullmatch(iban):
            first, last = places[start], places[end - 1]
            if not _touches(names, first, last) or int(numeric(iban[4:] + iban[:4])) % 97 == 1:
                yield first, last


def _touches(names: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether one of the characters from `first` to `last` is in one of `names`."""
    before = bisect_right(names, last, key=lambda name: name[0])
    return before > 0 and names[before - 1][1] > first


_SIMILAR: Final = re.compile(
    rf"(?<![A-Z0-9])(?:IBAN)*+(?P<number>(?:{'|'.join(COUNTRIES)})[0-9]{{2}}"
    r"(?:[A-Z0-9]{11,}+"
    # In groups: second may be a bank code; all others have digits, or else they are prose.
    r"|[A-Z0-9]{0,10}+(?: ++[A-Z]{4}(?![A-Z0-9]))?+(?: ++(?=[A-Z]{0,11}+[0-9])[A-Z0-9]{1,30}+(?![A-Z0-9]))++))"
)
_LEAST_CHARACTERS: Final = 15


def _similar(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last position of everything that resembles an IBAN."""
    nameless = _NAME.sub(lambda name: _END_OF_RUN * len(name[0]), text)
    for found in _SIMILAR.finditer(nameless.upper()):
        if len(found["number"].replace(_BLANK, "")) >= _LEAST_CHARACTERS:
            yield found.start("number"), found.end("number") - 1


class MaskingFormatter(logging.Formatter):
    """Formats as `logging.Formatter` does, and masks the whole: message, traceback, chained exceptions and stack.

    Never raises: when arguments cannot be printed, the line says so, and why.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the masked line, or lines, of `record`."""
        try:
            line = super().format(record)
        except Exception as error:  # noqa: BLE001 - what an argument's own __str__ raises may be anything
            message = f"A line could not be written: {type(error).__name__} at {record.pathname}:{record.lineno}"
            record = logging.makeLogRecord({**vars(record), "msg": message, "args": None})
            line = super().format(record)
        return mask(line)


def configure(settings: dict[str, Any]) -> None:
    """Configure logging by `settings`, and log what Python would print by itself; Django's LOGGING_CONFIG."""
    dictConfig(settings)
    # When a handler fails, logging prints the unmasked message and its arguments.
    logging.raiseExceptions = False
    if logging.lastResort:
        logging.lastResort.setFormatter(MaskingFormatter())
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    log.critical("Uncaught exception.", exc_info=(kind, error, traceback))


def _uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    # A thread may end so, and Python prints nothing either.
    if arguments.exc_type is not SystemExit:
        thread = arguments.thread.name if arguments.thread else "without a name"
        error = arguments.exc_value or arguments.exc_type()
        log.critical(
            "Uncaught exception in the thread %s.",
            thread,
            exc_info=(arguments.exc_type, error, arguments.exc_traceback),
        )


def _unraisable(arguments: "sys.UnraisableHookArgs", *, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
    # While the interpreter shuts down, modules lose their names one by one, those of logging too: the logs are closed,
    # and nothing could be masked. The default is bound here since `sys` is such a name.
    if is_finalizing():
        return
    error = arguments.exc_value or arguments.exc_type()
    log.error(
        "%s: %r", arguments.err_msg or "Exception ignored in", arguments.object,
        exc_info=(arguments.exc_type, error, arguments.exc_traceback),
    )  # fmt: skip
