"""What log lines must not hold leaves them, however it is written; what they are read for stays."""

import io
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from random import Random
from types import TracebackType
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ibanse.logging.masking import MaskingFormatter, mask
from tests.benchmarks.engine import with_check_digits
from tests.support import services
from validation.engine import check
from validation.engine.normalise import SEPARATORS
from validation.engine.registry import COUNTRIES

pytestmark = pytest.mark.claim("masked_logs")

ROOT = Path(__file__).resolve().parents[3]
GERMAN = "DE89370400440532013000"
GROUPED = "DE89 3704 0044 0532 0130 00"
WRONG = "DE88370400440532013000"
KEY = "ibanse_live_0123456789_" + "aB3" * 16 + "z"
EMAIL = "alice@example.org"

_ALPHABETS = {"n": "0123456789", "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
# As they are, and as URLs, JSON and repr() write them.
SEPARATED = [*SEPARATORS, "+", "_", "\u200b", " - ", "\r\n    ", "%20", "%2D", "%C2%A0", r"\xa0", r"\n", r"\r\n", r"\t"]
SEPARATED += [r"\u00a0", r"\u202f", r"\xe2\x80\xaf", r"\\n"]
CASES: list[Callable[[str], str]] = [str.upper, str.lower, str.title]
# What may stand right before and right behind, and must stay.
BEFORE = [
    "",
    "x",
    "IBAN",
    "iban=",
    "5",
    "é",
    "('",
    "\\",
    "%",
    ": ",
    "?iban%3D",
    r"\n",
    "[IBAN]",
    '{"iban": "',
    "\N{BANK}",
]
BEHIND = ["", "'", "&x=1", ", 12", ")", "é", '"', "%26x", "\n\n  File", "\N{BANK}"]


def repeatable(examples: int) -> settings:
    """Try the same texts in every run."""
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """An IBAN of any country, as often with wrong check digits as with right ones."""
    country = draw(st.sampled_from(list(COUNTRIES.values())))
    random = Random(draw(st.integers(0, 2**64)))
    bban = "".join(random.choice(_ALPHABETS[kind]) for kind in country.classes[4:])
    right = with_check_digits(country.code, bban)
    return random.choice([right, f"{country.code}{random.randrange(100):02}{bban}"])


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, str]:
    """An IBAN and a way to write it: groups of any size, the same separator or several, each group in any case."""
    iban = draw(ibans())
    size = draw(st.sampled_from([1, 2, 3, 4, 4, 5, 8, 99]))
    separators = cycle(draw(st.lists(st.sampled_from(SEPARATED), min_size=1, max_size=3)))
    cases = cycle(draw(st.lists(st.sampled_from(CASES), min_size=1, max_size=3)))
    groups = [next(cases)(iban[at : at + size]) for at in range(0, len(iban), size)]
    return iban, groups[0] + "".join(next(separators) + group for group in groups[1:])


def letters_and_digits(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isalnum()).upper()


def holds_a_right_one(text: str) -> bool:
    """Whether an IBAN stands in a text by chance: of those that look like one, each 97th has the right check digits."""
    squeezed = letters_and_digits(text)
    found = ((COUNTRIES.get(squeezed[at : at + 2]), at) for at in range(len(squeezed)))
    return any(country and check(squeezed[at : at + country.length]).valid for country, at in found)


class TestIbans:
    @given(spelled(), st.sampled_from(BEFORE), st.sampled_from(BEHIND))
    @repeatable(800)
    def test_one_of_any_country_is_replaced_in_any_spelling(
        self, number: tuple[str, str], before: str, behind: str
    ) -> None:
        assert mask(before + number[1] + behind) == before + "[IBAN]" + behind

    @given(spelled(), st.text(max_size=40), st.text(max_size=40))
    @repeatable(500)
    def test_one_never_survives_whatever_stands_around_it(
        self, number: tuple[str, str], before: str, behind: str
    ) -> None:
        iban, written = number

        masked = mask(before + written + behind)

        assert written not in masked
        assert iban not in letters_and_digits(masked)

    @given(spelled(), spelled(), st.sampled_from(["", " ", ", ", "\n", "x", "12"]))
    @repeatable(300)
    def test_of_two_neither_survives(self, one: tuple[str, str], other: tuple[str, str], between: str) -> None:
        masked = mask(one[1] + between + other[1])

        assert one[1] not in masked
        assert other[1] not in masked
        assert masked.replace("[IBAN]", "") in ("", between)

    @given(st.sampled_from(list(COUNTRIES)), st.from_regex(r"[0-9]{2}[0-9A-Z]{11,30}", fullmatch=True))
    @repeatable(300)
    def test_what_only_looks_like_one_is_replaced(self, code: str, rest: str) -> None:
        for before in ("", "iban=", "IBAN", "IBAN ", "'"):
            assert mask(f"{before}{code}{rest}!") == f"{before}[IBAN]!"

    @pytest.mark.parametrize(
        "written",
        [
            "DE88 3704 0044 0532 0130 0",
            "DE88 3704 0044 0532 0130 000",
            "de88 3704 0044 0532 0130 o0",
            "DE88-37040044-0532013",
            "DE88370400440532013",
            "FR76 30006 00001 12345678901 18",
            "GB29 NWBK 6016 1331 9268 1",
            "gb29nwbk6016133192681",
            "gb29 nwbk 6016 1331 9268 1",
            "NO45500000000058398257466",
            "DE88%203704%200044%200532%200130%200",
        ],
    )
    def test_a_slip_in_one_does_not_uncover_it(self, written: str) -> None:
        assert mask(f"The number {written} is wrong") == "The number [IBAN] is wrong"
        assert mask(f"ValueError({written!r})") == "ValueError('[IBAN]')"

    def test_it_is_replaced_as_python_and_json_escape_it(self) -> None:
        written = GROUPED.replace(" ", "\u00a0")
        escaped = "".join(f"\\u{ord(each):04x}" for each in GERMAN)

        assert mask(repr(KeyError(written))) == "KeyError('[IBAN]')"
        assert mask(repr(repr(written))) == """"'[IBAN]'\""""
        assert mask(repr(written.encode())) == "b'[IBAN]'"
        assert mask(escaped) == "[IBAN]"
        assert mask("".join(f"%{ord(each):02X}" for each in GERMAN)) == "[IBAN]"

    @pytest.mark.parametrize("before", [r"\n", r"\t", "%2", "%4", "%5", r"\x2", r"\x4", r"\u00", r"\u004", "\\", "%"])
    def test_what_looks_like_an_escape_before_it_hides_nothing(self, before: str) -> None:
        for iban in (
            "DE89370400440532013000",
            "AD1200012030200359100100",
            "no9386011117947",
            "ro49aaaa1b31007593840000",
        ):
            assert letters_and_digits(iban[2:]) not in letters_and_digits(mask(before + iban))

    def test_full_width_digits_of_asian_keyboards_are_read(self) -> None:
        written = "".join(chr(ord(each) + 0xFEE0) for each in GERMAN)

        assert mask(f"<{written}>") == "<[IBAN]>"


class TestApiKeys:
    @given(
        st.sampled_from(["live", "test"]),
        st.from_regex(r"[0-9A-Za-z]{10}_[0-9A-Za-z]{49}", fullmatch=True),
        st.integers(1, 60),
    )
    @repeatable(200)
    def test_a_key_is_replaced_whole_or_cut_off(self, kind: str, rest: str, length: int) -> None:
        cut = f"ibanse_{kind}_{rest[:length]}"

        assert mask(f"Authorization: Bearer {cut}, x") == "Authorization: Bearer [key], x"
        assert mask(f"key={cut.replace('_', '%5F')}&x") == "key=[key]&x"

    def test_a_secret_without_its_beginning_is_replaced(self) -> None:
        assert mask(f"({KEY[12:]}) ({KEY[-49:]})") == "([key]) ([key])"


class TestAddresses:
    @given(
        st.emails(), st.sampled_from(["", " ", "<", "('", "to=", ": "]), st.sampled_from(["", " ", ">", "'", ",", ". "])
    )
    @example("o'brien@example.ie", "'", "'")
    @example('"quoted words"@example.org', "<", ">")
    @example("ibanse@localhost", " ", " ")
    @repeatable(300)
    def test_an_address_is_replaced(self, address: str, before: str, behind: str) -> None:
        masked = mask(before + address + behind)

        assert "[e-mail]" in masked
        assert address not in masked
        assert address.rpartition("@")[2] not in masked

    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            (f"Mail to <{EMAIL}> and 'bob.b@example.com'.", "Mail to <[e-mail]> and '[e-mail]'."),
            ("user=o'brien@example.ie", "[e-mail]"),
            ("/invite/alice%40example.org/", "/invite/[e-mail]/"),
            ("smörgås@exämple.se", "[e-mail]"),
            ("a@[192.0.2.1]:", "[e-mail]:"),
            ("postgres://ibanse:pass-word@127.0.0.1:5432/x", "postgres://ibanse:[e-mail]:5432/x"),
        ],
    )
    def test_it_is_distinguished_from_what_stands_around_it(self, text: str, masked: str) -> None:
        assert mask(text) == masked


ORDINARY = """
2026-07-01 12:00:00,123 WARNING django.request Not Found: /accounts/sign-in/
2026-07-01 12:00:00,123 ERROR django.request Internal Server Error: /api/v1/validate
[2026-07-01 12:00:00 +0200] [4711] [INFO] Booting worker with pid: 4711
[2026-07-01 12:00:00 +0200] [4711] [CRITICAL] WORKER TIMEOUT (pid:4712)
[2026-07-01 12:00:00 +0200] [4711] [INFO] Listening at: http://127.0.0.1:8000 (4711)
2026-07-01T12:00:00.000000+00:00 and 20260701T120000Z, Wed, 01 Jul 2026 12:00:00 GMT
2026-07-01 12:00:00,123 WARNING validation.recording.writer Writing 12 records of a process that did not end in order.
2026-07-01 12:00:00,123 WARNING validation.recording.writer Left out 1000 records of clients or keys that are gone.
The request be12ab34-ac34-4f5a-8c11-446655440000 took 12 ms; no 10 was slower, at 12 and by 20 in total
X-Request-Id: de12345678901234567890abcdef12ab of de12345678901234567890abcdef12ab
sha256:ad123456789012345678901234567890123456789abcdef0123456789abcdef0
commit be1234567890abcdef1234567890abcdef123456 of branch main
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/django/core/handlers/exception.py", line 55, in inner
    response = get_response(request)
               ^^^^^^^^^^^^^^^^^^^^^
  File "/srv/ibanse/validation/engine/verdict.py", line 120, in check
    raise ValueError(f"{len(text)} is more than {MAX_INPUT_CHARACTERS}")
ValueError: 129 is more than 128
psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "accounts_user_pkey"
DETAIL:  Key (id)=(be12ab34-ac34-4f5a-8c11-446655440000) already exists.
SELECT "accounts_user"."id", "accounts_user"."state" FROM "accounts_user" WHERE "accounts_user"."id" = %s LIMIT 21
(0.001) INSERT INTO "validation_record" ("client_id", "day") VALUES (%(p0)s, %(p1)s) RETURNING "id"; args=(1, 20)
<WSGIRequest: GET '/static/css/site.be12ab34cd56.css'> <function writer.<locals>.run at 0x7fae12345678>
Python 3.11.7, Django 5.2.9, gunicorn 27.0.0, PostgreSQL 17.6 (Debian 17.6-1.pgdg12+1) on x86_64-pc-linux-gnu
CPython 3.14.0rc2, Linux 6.12.48+deb13-amd64, OpenSSL 3.5.1, TLS_AES_256_GCM_SHA384, ECDHE-RSA-AES128-GCM-SHA256
1,234,567 rows in 12.5 s; 0.000123; 1e-09; 100 %; 10.0.0.1, 2001:db8::ad12:3456, 192.0.2.0/24, 52:54:00:12:34:56
Der Dienst ist bereit, 12 Prozesse; am 01. Juli 2026 um 12.00 Uhr. Tjänsten är redo, se rad 12 i filen.
Message-Id: 12 of /var/lib/ibanse/spool/worker-4711.spool, 1048576 bytes (1 MiB), mode 0o600, signal 15 (SIGTERM)
ibanse_live and ibanse_test_ are the beginnings of keys; @allowed(Permission.KEYS_CREATE) and `x @ y` are no addresses
The key (prefix 0123456789) has expired; rate 600/m, quota 10,000, scopes validate, tools, bulk, usage
"""


class TestWhatStays:
    @pytest.mark.parametrize("line", ORDINARY.strip().splitlines())
    def test_an_ordinary_line_is_as_it_was(self, line: str) -> None:
        assert mask(line) == line

    def test_ordinary_lines_together_are_as_they_were(self) -> None:
        assert mask(ORDINARY) == ORDINARY

    @given(st.uuids())
    @example(UUID("ad12345678901234567890abcdefabcd"))
    @example(UUID("12345678-ad12-3456-7890-1234abcdefab"))
    @repeatable(1000)
    def test_a_uuid_is_as_it_was(self, name: UUID) -> None:
        for text in (f"client {name} is gone", f"/keys/{name}/", f"UUID('{name}')", f"{name.int | 0xABCDE:032x}"):
            assert mask(text) == text or holds_a_right_one(text)

    @given(st.sampled_from([32, 40, 64, 128]), st.randoms(use_true_random=False))
    @repeatable(500)
    def test_a_digest_is_as_it_was(self, length: int, random: Random) -> None:
        digest = f"{random.getrandbits(4 * length):0{length}x}"

        assert mask(f"sha of {digest}: 12 files") == f"sha of {digest}: 12 files"

    def test_an_iban_in_a_digest_that_is_right_is_replaced_all_the_same(self) -> None:
        assert mask(f"{GERMAN.lower()}abcdef1234") == "[IBAN]abcdef1234"
        assert mask(f"{WRONG.lower()}abcdef1234") == f"{WRONG.lower()}abcdef1234"

    @given(st.text())
    @repeatable(300)
    def test_any_text_may_come(self, text: str) -> None:
        assert isinstance(mask(text), str)


HOSTILE = (
    "AE12", "LC12 ", "AE11 a ", "AE11 3 ", "IBAN", "a", "a ", "1", "@", "a@", "a.", "%", "%41", "\\", "\\u", "\\x", "'",
    '"', "ibanse_", "ibanse_live_", "be12ab34-ac34-4f5a-8c11-446655440000 ", "abcdef1234567890", "\n", "\u00a0a",
)  # fmt: skip


class TestTheWork:
    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_a_hostile_text_takes_no_more_than_its_share(self, hostile: str) -> None:
        text = (hostile * 100_000)[:100_000]
        begun = time.process_time()

        mask(text)

        # It takes 0.2 s at the most; what is not linear takes minutes.
        assert time.process_time() - begun < 3


class Odd:
    """An argument that cannot be printed, and says in its refusal what nobody may read."""

    def __str__(self) -> str:
        raise ValueError(GERMAN)

    __repr__ = __str__


def written(**record: object) -> str:
    """Return what the formatter makes of a record with these attributes."""
    made = logging.makeLogRecord(
        {"name": "subject", "levelname": "ERROR", "pathname": "/srv/x.py", "lineno": 7, "args": (), **record}
    )
    return MaskingFormatter("%(levelname)s %(name)s %(message)s").format(made)


def raised(error: Exception, variable: Callable[[], str] = str) -> ExcInfo:
    """Raise and catch an error where a variable holds what nobody may read; return what `sys.exc_info()` tells."""
    held = variable()
    try:
        raise error
    except type(error):
        assert held is not None
        return sys.exc_info()


class TestTheFormatter:
    def test_a_line_keeps_its_format(self) -> None:
        assert written(msg="%s of %s", args=(12, EMAIL)) == "ERROR subject 12 of [e-mail]"

    def test_what_the_format_and_the_arguments_make_together_is_masked(self) -> None:
        assert written(msg="DE%s", args=(GERMAN[2:],)) == "ERROR subject [IBAN]"
        assert written(msg={"key": KEY}, args=None) == "ERROR subject {'key': '[key]'}"

    def test_a_traceback_is_masked_with_its_causes_and_tells_no_variables(self) -> None:
        cause = KeyError(GROUPED.replace(" ", "\u00a0"))
        cause.add_note(f"requested by {EMAIL}")
        error = ValueError(f"{WRONG} is wrong")
        error.__cause__ = cause

        line = written(msg="Failed", exc_info=raised(error, lambda: "only in " + "a variable"))

        assert "KeyError: '[IBAN]'\nrequested by [e-mail]\n" in line
        assert line.endswith("ValueError: [IBAN] is wrong")
        assert "raise error" in line
        assert "only in a variable" not in line

    def test_a_stack_is_masked(self) -> None:
        assert written(msg="Here", stack_info=f"Stack:\n  check('{GERMAN}')").endswith("check('[IBAN]')")

    @pytest.mark.parametrize(
        ("message", "arguments", "error"),
        [
            ("%s", (Odd(),), "ValueError"),
            ("%d", (GERMAN,), "TypeError"),
            (f"{GERMAN} %s", (), None),
            ("%s %s", (GERMAN,), "TypeError"),
            ("nothing", (GERMAN,), "TypeError"),
            (Odd(), (), "ValueError"),
            ("%(name)s", {"iban": GERMAN}, "KeyError"),
        ],
    )
    def test_arguments_that_cannot_be_printed_are_reported_by_place_and_kind(
        self, message: object, arguments: object, error: str | None
    ) -> None:
        line = written(msg=message, args=arguments)

        assert line == (
            f"ERROR subject A line could not be written: {error} at /srv/x.py:7" if error else "ERROR subject [IBAN] %s"
        )

    def test_the_traceback_stays_where_only_the_message_could_not_be_printed(self) -> None:
        line = written(msg="%d", args=("x",), exc_info=raised(LookupError(GERMAN)))

        assert "A line could not be written: TypeError" in line
        assert line.endswith("LookupError: [IBAN]")

    def test_an_error_that_cannot_be_printed_does_no_harm(self) -> None:
        class OddError(Odd, Exception):
            """Fails when it is printed."""

        line = written(msg="Failed", exc_info=raised(OddError()))

        assert GERMAN not in line
        assert "OddError" in line

    def test_a_handler_of_the_formatter_writes_what_the_formatter_makes(self) -> None:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(MaskingFormatter())
        logger = logging.getLogger("alone")
        logger.propagate = False
        logger.addHandler(handler)

        logger.warning("%s", GERMAN)
        logger.warning("%d", GERMAN)

        assert stream.getvalue().startswith("[IBAN]\nA line could not be written: TypeError at ")


# Plays every way on which a process writes about itself beside its log.
PROCESS = f"""
import logging, sys, threading, warnings
import django
django.setup()

def raises():
    raise ValueError("{GROUPED}")

class FailingOnDelete:
    def __del__(self):
        raises()

class Full:
    def write(self, text):
        raises()

thread = threading.Thread(target=raises, name="{EMAIL}")
thread.start()
thread.join()
quiet = threading.Thread(target=sys.exit, args=("{GERMAN}",))
quiet.start()
quiet.join()
FailingOnDelete()
warnings.warn("{WRONG} is odd")
logging.getLogger("django.server").info('"GET /%s HTTP/1.1" 200', "{GERMAN}")
logging.getLogger("django.request").error("Not well: /%s", "{GERMAN}")
broken = logging.getLogger("broken")
broken.addHandler(logging.StreamHandler(Full()))
broken.propagate = False
broken.error("{GERMAN}")
alone = logging.getLogger("alone")
alone.propagate = False
alone.error("Nobody handles {GERMAN}")

class Last:
    def __del__(self, fail=raises):
        fail()

sys._last = Last()  # Goes when all modules have lost their names.
handlers = [*logging.root.handlers, logging.lastResort]
for logger in map(logging.getLogger, logging.root.manager.loggerDict):
    handlers += logger.handlers
print(*{{type(each.formatter).__name__ for each in handlers if not isinstance(each.formatter, type(None))}})
raises()
"""


@pytest.fixture(scope="module")
def process() -> subprocess.CompletedProcess[str]:
    """Run PROCESS once; return what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        environment = services.environment(IBANSE_DATA_DIR=folder, DJANGO_SETTINGS_MODULE="ibanse.settings")
        return subprocess.run(
            [sys.executable, "-c", PROCESS],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


class TestAProcess:
    def test_nothing_it_prints_has_the_number(self, process: subprocess.CompletedProcess[str]) -> None:
        assert letters_and_digits(GERMAN[4:]) not in letters_and_digits(process.stdout + process.stderr)
        assert EMAIL not in process.stderr

    def test_every_handler_masks(self, process: subprocess.CompletedProcess[str]) -> None:
        assert process.stdout == "MaskingFormatter\n"

    @pytest.mark.parametrize(
        "line",
        [
            (
                "CRITICAL ibanse.logging.masking Uncaught exception in the thread [e-mail].\n"
                "Traceback (most recent call last):"
            ),
            "ERROR ibanse.logging.masking Exception ignored in: <function FailingOnDelete.__del__ at 0x",
            "UserWarning: [IBAN] is odd",
            'INFO django.server "GET /[IBAN] HTTP/1.1" 200\n',
            "ERROR django.request Not well: /[IBAN]\n",
            "Nobody handles [IBAN]\n",
            "CRITICAL ibanse.logging.masking Uncaught exception.\nTraceback (most recent call last):",
        ],
    )
    def test_each_way_leads_to_the_log(self, process: subprocess.CompletedProcess[str], line: str) -> None:
        assert line in process.stderr

    def test_it_ends_without_a_word_of_its_own(self, process: subprocess.CompletedProcess[str]) -> None:
        assert "AttributeError" not in process.stderr
        assert "unraisablehook" not in process.stderr

    def test_it_fails_as_it_would_have(self, process: subprocess.CompletedProcess[str]) -> None:
        assert process.returncode == 1
        assert process.stderr.endswith("ValueError: [IBAN]\n")
        assert process.stderr.count("Traceback") == 3
