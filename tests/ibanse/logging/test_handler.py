"""The encrypted log: threads, forks and full disks lose nothing silently, and reading it shows what is missing."""

import contextlib
import errno
import io
import logging
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import CommandError, call_command

from ibanse.logging import handler, reader, segment
from ibanse.logging.handler import Journal, SealedLog
from privacy.crypto.sealed_box import PrivateKey, PublicKey

pytestmark = pytest.mark.claim("sealed_log")

KEY: Final = PrivateKey.make(1, "x25519")
ROOT: Final = Path(__file__).resolve().parents[3]
NOW: Final = datetime.now(UTC)
HOURS_LATER: Final = timedelta(hours=3)


class SteppedClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class LoggingProcess:
    """A log with its logger, as a process has it."""

    def __init__(self, folder: Path) -> None:
        self.clock = SteppedClock()
        self.folder = folder
        self.handler = SealedLog(folder, [KEY.public], self.clock)
        self.log = logging.Logger("test")  # noqa: LOG001 - one that nobody else has
        self.log.addHandler(self.handler)

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.sealed"), key=lambda path: path.name.rsplit("-", 1)[1])

    def read(self, *, later: timedelta = timedelta()) -> tuple[list[str], list[str]]:
        """Return the lines, and what is wrong as somebody sees it who looks so much later."""
        log = reader.SealedLogFolder(self.folder, [KEY])
        lines = [entry.text for entry in log.entries()]
        return lines, [str(problem) for problem in log.problems(as_of=datetime.now(UTC) + later)]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[LoggingProcess]:
    """Return a log in a folder that is not there yet."""
    writer = LoggingProcess(tmp_path / "logs")
    yield writer
    writer.handler.close()


class TestSegments:
    def test_a_line_is_in_the_file_when_it_was_logged(self, writer: LoggingProcess) -> None:
        writer.log.warning("one")
        lines, problems = writer.read()

        assert lines == ["one"]
        # It is being written: no trailer is missing yet.
        assert problems == []

    def test_an_ended_log_is_whole_whenever_it_is_read(self, writer: LoggingProcess) -> None:
        writer.log.warning("one")
        writer.handler.close()

        assert writer.read(later=HOURS_LATER) == (["one"], [])

    def test_one_that_was_never_ended_is_reported(self, writer: LoggingProcess) -> None:
        writer.log.warning("one")
        _, problems = writer.read(later=HOURS_LATER)

        assert problems == [
            f"{writer.files[0].name}: has no trailer: its process was killed, or it was cut off, after 1 line"
        ]

    def test_a_minute_and_a_thousand_lines_make_another_one(self, writer: LoggingProcess) -> None:
        writer.log.warning("one")
        writer.clock.seconds += handler.SEGMENT_SECONDS
        for number in range(1500):
            writer.log.warning("%d", number)
        writer.handler.close()
        lines, problems = writer.read()

        assert lines == ["one", *map(str, range(1500))]
        assert problems == []
        assert len(writer.files) == 3

    def test_the_thread_finishes_an_old_one_and_shows_each_hour_that_it_lives(self, writer: LoggingProcess) -> None:
        writer.log.warning("one")
        writer.handler.check_clock()
        writer.clock.seconds += handler.SEGMENT_SECONDS
        writer.handler.check_clock()
        writer.handler.check_clock()
        assert len(writer.files) == 1
        # Its trailer says that there is more to come.
        assert "more is missing" in writer.read(later=HOURS_LATER)[1][0]
        writer.clock.seconds += handler.SILENT_SECONDS
        writer.handler.check_clock()
        writer.handler.check_clock()

        assert len(writer.files) == 2
        assert writer.read() == (["one"], [])

    def test_the_thread_does_so_by_itself(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(handler, "_CHECK_EVERY_SECONDS", 0.01)
        writer = LoggingProcess(tmp_path)
        writer.log.warning("one")
        writer.clock.seconds += handler.SEGMENT_SECONDS
        deadline = time.monotonic() + 10
        while "more is missing" not in "".join(writer.read(later=HOURS_LATER)[1]) and time.monotonic() < deadline:
            time.sleep(0.02)
        writer.handler.close()

        assert writer.read(later=HOURS_LATER) == (["one"], [])
        assert len(writer.files) == 2

    def test_a_process_that_ends_ends_its_log_whatever_was_configured_meanwhile(self, tmp_path: Path) -> None:
        code = (
            "import logging.config, pathlib, sys\n"
            "from ibanse.logging import handler; from privacy.crypto import sealed_box\n"
            "keys = sealed_box.public_keys(sys.argv[2])\n"
            "log = handler.of_this_process(pathlib.Path(sys.argv[1]), keys)\n"
            "logging.config.dictConfig({'version': 1})\n"
            "logging.getLogger().addHandler(handler.of_this_process(pathlib.Path(sys.argv[1]), keys))\n"
            "logging.error('one'); sys.exit(3)"
        )
        process = subprocess.run([sys.executable, "-c", code, tmp_path, str(KEY.public)], cwd=ROOT, check=False)

        assert process.returncode == 3
        log = reader.SealedLogFolder(tmp_path, [KEY])
        assert [entry.text for entry in log.entries()] == ["ERROR root one"]
        assert log.problems(as_of=NOW + HOURS_LATER) == []

    def test_who_is_not_of_the_group_sees_nothing_at_all(self, writer: LoggingProcess) -> None:
        before = os.umask(0)
        try:
            writer.log.warning("one")
        finally:
            os.umask(before)

        assert stat.S_IMODE(writer.folder.stat().st_mode) == 0o750
        assert stat.S_IMODE(writer.files[0].stat().st_mode) == 0o640

    def test_segments_go_after_thirty_days_and_nothing_else_does(self, writer: LoggingProcess) -> None:
        writer.log.warning("one")
        (writer.folder / "notes.txt").touch()
        (writer.folder / "odd.sealed").touch()

        assert handler.prune(writer.folder, NOW + timedelta(days=29)) == 0
        assert handler.prune(writer.folder, NOW + timedelta(days=31)) == 1
        assert handler.prune(writer.folder / "nowhere", NOW) == 0
        assert sorted(path.name for path in writer.folder.iterdir()) == ["notes.txt", "odd.sealed"]

    def test_a_log_whose_beginning_has_expired_is_whole(self, tmp_path: Path) -> None:
        def began(days: float) -> int:
            return int((NOW - timedelta(days=days)).timestamp() * 1_000_000)

        for days, missing in ((29.99, False), (20, True)):
            folder = tmp_path / str(days)
            folder.mkdir()
            sealer = segment.SegmentSealer("0123456789abcdef", 5, began(days), [KEY.public])
            (folder / sealer.name).write_bytes(sealer.head)
            problems = reader.SealedLogFolder(folder, [KEY])
            list(problems.entries())

            found = [str(problem) for problem in problems.problems(as_of=NOW) if "before it" in problem.what]
            assert bool(found) == missing, found


# Python 3.12 and later warn of what is done here on purpose.
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
class TestManyAtOnce:
    def test_threads_lose_and_mix_up_nothing(self, writer: LoggingProcess) -> None:
        def say(name: str) -> None:
            for number in range(300):
                writer.log.warning("%s %d", name, number)

        threads = [threading.Thread(target=say, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.handler.close()
        lines, problems = writer.read()

        assert problems == []
        for name in "abcd":
            assert [line for line in lines if line[0] == name] == [f"{name} {number}" for number in range(300)]

    def test_children_made_while_threads_log_have_streams_of_their_own(self, writer: LoggingProcess) -> None:
        over = threading.Event()

        def say() -> None:
            while not over.is_set():
                writer.log.warning("parent")
                writer.handler.check_clock()

        def speak() -> None:
            writer.log.warning("child")
            writer.handler.close()

        threads = [threading.Thread(target=say) for _ in range(2)]
        for thread in threads:
            thread.start()
        writer.log.warning("before")
        children = [in_a_child(speak) for _ in range(8)]
        statuses = [os.waitpid(child, 0)[1] for child in children]
        over.set()
        for thread in threads:
            thread.join()
        writer.handler.close()
        lines, problems = writer.read(later=HOURS_LATER)

        assert statuses == [0] * 8
        assert problems == []
        assert lines.count("child") == 8
        assert lines.count("before") == 1
        assert len({path.name.split("-")[1] for path in writer.files}) == 9

    def test_a_killed_process_has_lost_no_line(self, writer: LoggingProcess) -> None:
        def say_and_die() -> None:
            for number in range(50):
                writer.log.warning("%d", number)
            os.kill(os.getpid(), signal.SIGKILL)

        os.waitpid(in_a_child(say_and_die), 0)
        lines, problems = writer.read(later=HOURS_LATER)

        assert lines == [str(number) for number in range(50)]
        assert problems == [
            f"{writer.files[0].name}: has no trailer: its process was killed, or it was cut off, after 50 lines"
        ]

    def test_a_signal_that_logs_while_a_line_is_written_waits(
        self, writer: LoggingProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = os.write

        def interrupted(file: int, data: Any) -> int:
            monkeypatch.setattr(os, "write", write)
            writer.log.warning("in between")
            return write(file, data)

        writer.log.warning("one")
        monkeypatch.setattr(os, "write", interrupted)
        writer.log.warning("two")
        writer.handler.close()

        assert writer.read() == (["one", "two", "in between"], [])


def in_a_child(action: Callable[[], object]) -> int:
    """Fork; the child does the action, and nothing of pytest's."""
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            signal.alarm(20)
            action()
            status = 0
        os._exit(status)
    return child


class TestDisks:
    def test_what_could_not_be_written_is_counted_and_the_rest_is_whole(
        self, writer: LoggingProcess, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        write = os.write

        def half_and_no_more(file: int, data: Any) -> int:
            if file == 2:
                return write(file, data)
            if len(data) < 100:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(file, bytes(data)[:-50])

        writer.log.warning("one")
        with monkeypatch.context() as full:
            full.setattr(os, "write", half_and_no_more)
            writer.log.warning("two")
            writer.clock.seconds += handler.SEGMENT_SECONDS
            writer.handler.check_clock()
            writer.log.warning("three")
        writer.log.warning("four")
        writer.handler.close()
        lines, problems = writer.read(later=HOURS_LATER)

        assert lines == ["one", "ERROR ibanse.logging.handler 2 lines before this one could not be written.", "four"]
        assert problems == []
        output = capfd.readouterr().err
        assert output == (f"The log cannot be written to {writer.folder}: No space left on device. Lines are lost.\n")

    def test_a_folder_that_cannot_be_made_stops_nobody(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "file").touch()
        writer = LoggingProcess(tmp_path / "file" / "logs")
        writer.log.warning("secret")
        writer.log.warning("secret")
        writer.handler.close()

        assert re.fullmatch(r"The log cannot be written to .*: Not a directory\. .*\n", capfd.readouterr().err)
        with pytest.raises(NotADirectoryError):
            handler.try_out(tmp_path / "file" / "logs")

    def test_a_folder_that_is_tried_out_stays_empty(self, tmp_path: Path) -> None:
        handler.try_out(tmp_path / "logs")

        assert list((tmp_path / "logs").iterdir()) == []


@pytest.fixture
def three(writer: LoggingProcess) -> LoggingProcess:
    """Return a log of three segments of two lines each."""
    for number in range(3):
        writer.clock.seconds += handler.SEGMENT_SECONDS
        writer.log.warning("%d a", number)
        writer.log.warning("%d b", number)
    writer.handler.close()
    return writer


ALL: Final = [f"{number} {letter}" for number in range(3) for letter in "ab"]


def exchange(files: list[Path]) -> None:
    """Give two segments each other's name."""
    between = files[0].with_suffix(".tmp")
    files[0].rename(between)
    files[1].rename(files[0])
    between.rename(files[1])


def forge(files: list[Path]) -> None:
    """Put a segment in a segment's place, as anybody can who has the public key."""
    place = segment.parse_name(files[1].name)
    assert place is not None
    began = int(place.began.timestamp()) * 1_000_000
    sealer = segment.SegmentSealer(place.stream, place.number, began, [KEY.public])
    first, trailer = segment.Process(1, "host", "proof"), segment.Trailer(began, is_last=False)
    data = sealer.head
    for piece in (first, segment.line(began, 30, "forged"), trailer):
        data += sealer.seal(piece)
        sealer.next_place += 1
    files[1].write_bytes(data)


def flip(path: Path, at: float) -> None:
    """Change a byte in the middle of a file, or elsewhere."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)


def copy(path: Path) -> None:
    """Put a segment there a second time, under the name of a third one."""
    path.with_name(path.name.replace("-000000", "-000003")).write_bytes(path.read_bytes())


class TestTampering:
    @pytest.mark.parametrize(
        ("tamper", "expected", "lost"),
        [
            pytest.param(lambda files: files[0].unlink(), ["1: segment 0 is missing before it"], "0a 0b", id="first"),
            pytest.param(
                lambda files: files[1].unlink(), ["2: segment 1 is missing before it, after 0"], "1a 1b", id="middle"
            ),
            pytest.param(
                lambda files: files[2].unlink(),
                ["1: is the last of its process, which has not ended: it was killed, or more is missing"],
                "2a 2b", id="last",
            ),
            pytest.param(
                lambda files: [file.unlink() for file in files[:2]],
                ["2: segments 0 to 1 are missing before it"], "0a 0b 1a 1b", id="two",
            ),
            pytest.param(
                exchange, ["0: was renamed; it is 1", "1: was renamed; it is 0"], "", id="two exchanged"
            ),
            pytest.param(
                lambda files: copy(files[0]), ["3: is there twice; it is a copy of 0"], "", id="one twice"
            ),
            pytest.param(
                lambda files: os.truncate(files[1], files[1].stat().st_size - 30),
                ["1: has no trailer, though its process went on: it was cut off after 2 lines"], "", id="its end cut",
            ),
            pytest.param(
                lambda files: os.truncate(files[2], files[2].stat().st_size // 2),
                ["2: has no trailer: its process was killed, or it was cut off, after 0 lines"],
                "2a 2b", id="the end cut",
            ),
            pytest.param(
                lambda files: os.truncate(files[1], 0),
                ["1: has no whole head: its process was killed, or it was cut off"], "1a 1b", id="all of it cut",
            ),
            pytest.param(lambda files: flip(files[1], 0.01), ["1: its head was changed"], "1a 1b", id="head flipped"),
            pytest.param(
                lambda files: flip(files[1], 0.75),
                ["1: line 2, at byte #, was changed or does not belong here"], "1b", id="a line flipped",
            ),
            pytest.param(
                forge, ["1: is forged: it is not by the process that began its stream"], "1a 1b", id="forged"
            ),
        ],
    )  # fmt: skip
    def test_it_is_named_and_the_rest_can_be_read(
        self, three: LoggingProcess, tamper: Callable[[list[Path]], object], expected: list[str], lost: str
    ) -> None:
        names = {path.name: str(number) for number, path in enumerate(three.files)}
        names[three.files[0].name.replace("-000000", "-000003")] = "3"
        tamper(three.files)
        lines, problems = three.read(later=HOURS_LATER)

        for name, number in names.items():
            problems = [problem.replace(name, number) for problem in problems]
        assert [re.sub(r"byte \d+", "byte #", problem) for problem in problems] == expected
        assert [line for line in lines if line != "forged"] == [
            line for line in ALL if line.replace(" ", "") not in lost.split()
        ]

    def test_the_untouched_one_is_whole(self, three: LoggingProcess) -> None:
        assert three.read(later=HOURS_LATER) == (ALL, [])

    def test_a_second_process_with_the_first_ones_name_is_reported(self, three: LoggingProcess, tmp_path: Path) -> None:
        # The end of a stream is its end.
        last = segment.parse_name(three.files[2].name)
        assert last is not None
        sealer = segment.SegmentSealer(last.stream, 3, int(last.began.timestamp()) * 1_000_000, [KEY.public])
        (three.folder / sealer.name).write_bytes(sealer.head)

        assert f"follows {three.files[2].name}, with which its process has ended" in three.read()[1][0]


def raise_one() -> None:
    """Raise, in a place that a test knows."""
    raise LookupError("SE4550000000058398257466 of alice@example.org")


class TestTheJournal:
    @pytest.fixture
    def output(self, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
        """Return what standard error gets."""
        monkeypatch.setattr("sys.stderr", io.StringIO())
        monkeypatch.setattr(handler, "_openly_in", None)
        journal = Journal()
        assert isinstance(journal.stream, io.StringIO)
        self.log = logging.Logger("shop.checkout")  # noqa: LOG001 - one that nobody else has
        self.log.addHandler(journal)
        return journal.stream

    def test_of_an_error_it_gets_place_and_kind_and_no_word(self, output: io.StringIO, writer: LoggingProcess) -> None:
        self.log.handlers.insert(0, writer.handler)
        self.log.warning("Not Found: %s", "/SE4550000000058398257466")
        try:
            raise_one()
        except LookupError:
            self.log.exception("A strange thing happened to %s", "alice")

        assert re.fullmatch(
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ \[\d+\] ERROR shop\.checkout: "
            rf"LookupError in logging/test_handler\.py:\d+; sealed in {writer.files[0].name}, line 2\n",
            output.getvalue(),
        )
        assert len(writer.read()[0]) == 2

    def test_of_an_error_without_an_exception_it_gets_the_line_of_the_code(self, output: io.StringIO) -> None:
        self.log.error("It failed: %s", "alice")

        assert re.search(r"checkout: logging/test_handler\.py:\d+; sealed in nowhere: it is lost\n", output.getvalue())

    def test_a_process_that_serves_nobody_speaks_openly_and_its_children_do_not(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handler.log_openly()
        self.log.warning("Starting for %s", "alice@example.org")
        monkeypatch.setattr(handler, "_openly_in", -1)
        self.log.warning("Serving alice")

        assert re.fullmatch(
            r"[-0-9]+ [:0-9]+Z \[\d+\] WARNING shop\.checkout Starting for \[e-mail\]\n", output.getvalue()
        )

    def test_what_a_worker_prints_becomes_lines(self, writer: LoggingProcess, monkeypatch: pytest.MonkeyPatch) -> None:
        # Restored after the test.
        monkeypatch.setattr("sys.stdout", io.StringIO())
        monkeypatch.setattr("sys.stderr", io.StringIO())
        monkeypatch.setattr(logging.getLogger("stderr"), "handlers", [writer.handler])
        monkeypatch.setattr(logging.getLogger("stderr"), "propagate", False)
        handler.take_over_streams()
        try:
            raise_one()
        except LookupError:
            traceback.print_exc()

        lines, _ = writer.read()
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[-1].startswith("LookupError: ")


class TestCommands:
    def made(self, *arguments: str, file: Path) -> str:
        """Make a key; return what is printed."""
        out = io.StringIO()
        call_command("make_log_key", str(file), *arguments, stdout=out, stderr=io.StringIO())
        return out.getvalue().strip()

    def read(self, *arguments: str) -> tuple[str, str]:
        """Read a log; return what is printed, and what is complained of."""
        out, complaints = io.StringIO(), io.StringIO()
        try:
            call_command("read_log", *arguments, stdout=out, stderr=complaints)
        except CommandError as error:
            complaints.write(f"FAILED {error}")
        return out.getvalue(), complaints.getvalue()

    @pytest.fixture
    def key(self, tmp_path: Path) -> str:
        """Return the file of the tests' private key."""
        (tmp_path / "key").write_text(f"# mine\n\n{KEY.text}\n")
        return str(tmp_path / "key")

    def test_a_pair_is_made_that_fits_and_is_nobody_elses_to_read(self, tmp_path: Path) -> None:
        setting = self.made(file=tmp_path / "first")
        second = self.made("--number", "2", "--scheme", "x25519", file=tmp_path / "second")
        texts = (tmp_path / "first").read_text().splitlines()

        assert setting == f"IBANSE_LOG_KEY={PrivateKey.parse(texts[-1]).public}"
        assert setting.startswith("IBANSE_LOG_KEY=1:mlkem768-x25519:")
        assert second.startswith("IBANSE_LOG_KEY=2:x25519:")
        assert stat.S_IMODE((tmp_path / "first").stat().st_mode) == 0o600
        with pytest.raises(CommandError, match="cannot be made: File exists"):
            self.made(file=tmp_path / "first")
        with pytest.raises(CommandError, match="1 or more"):
            self.made("--number", "0", file=tmp_path / "third")

    def test_lines_of_several_processes_come_in_the_order_of_time(self, tmp_path: Path, key: str) -> None:
        writers = [LoggingProcess(tmp_path / "logs") for _ in range(3)]
        for number in range(12):
            writers[number % 3].log.warning("line %d", number)
            time.sleep(0.001)
        for writer in writers:
            writer.handler.close()
        out, complaints = self.read(str(tmp_path / "logs"), "--key", key)

        assert re.findall(r"line (\d+)\n", out) == [str(number) for number in range(12)]
        assert complaints == "3 segments of 3 processes: all there, in order, unchanged.\n"

    def test_a_changed_log_fails_by_name(self, three: LoggingProcess, key: str) -> None:
        three.files[1].unlink()
        out, complaints = self.read(str(three.folder), "--key", key)

        assert out.count("\n") == 4
        assert re.fullmatch(
            rf"{three.files[1].name}: segment 1 is missing before it, after {three.files[0].name}\n"
            r"FAILED 2 segments of 1 process: 1 problem\.",
            complaints,
        )

    def test_only_what_is_asked_for_is_shown(self, writer: LoggingProcess, key: str) -> None:
        writer.log.warning("harmless")
        writer.log.error("bad")
        writer.handler.close()
        folder = str(writer.folder)
        yesterday, tomorrow = ((NOW + timedelta(days=days)).isoformat() for days in (-1, 1))

        assert self.read(folder, "--key", key, "--level", "ERROR")[0].endswith(" bad\n")
        assert self.read(folder, "--key", key, "--level", "ERROR")[0].count("\n") == 1
        assert self.read(folder, "--key", key, "--since", tomorrow)[0] == ""
        assert self.read(folder, "--key", key, "--until", yesterday)[0] == ""
        assert self.read(folder, "--key", key, "--since", yesterday, "--until", tomorrow)[0].count("\n") == 2

    def test_a_line_cannot_drive_the_terminal_or_pass_for_another(self, writer: LoggingProcess, key: str) -> None:
        writer.log.warning("\x1b[2Jone\r\n2026-11-26 two\x9b")
        writer.handler.close()
        out, _ = self.read(str(writer.folder), "--key", key)

        assert out.endswith("] \\x1b[2Jone\\x0d\n    2026-11-26 two\\x9b\n")

    def test_after_a_change_of_keys_both_are_needed_and_the_missing_one_is_named(
        self, tmp_path: Path, key: str
    ) -> None:
        newer = PrivateKey.make(2)
        (tmp_path / "newer").write_text(newer.text)
        old, new = LoggingProcess(tmp_path / "logs"), LoggingProcess(tmp_path / "logs")
        new.handler = SealedLog(tmp_path / "logs", [PublicKey.parse(str(newer.public))])
        new.log.handlers = [new.handler]
        for writer in (old, new):
            writer.log.warning("line")
            writer.handler.close()
        folder = str(tmp_path / "logs")

        both = self.read(folder, "--key", key, "--key", str(tmp_path / "newer"))
        assert both[0].count(" line\n") == 2
        assert both[1].endswith("unchanged.\n")
        assert f"sealed to key 2 ({newer.public.fingerprint})" in self.read(folder, "--key", key)[1]

    def test_what_is_no_key_and_no_folder_is_said(self, tmp_path: Path, key: str) -> None:
        (tmp_path / "public").write_text(str(KEY.public))
        (tmp_path / "empty").write_text("# nothing\n")
        folder = str(tmp_path)

        assert "is no folder." in self.read(str(tmp_path / "nowhere"), "--key", key)[1]
        assert "cannot be read: No such file" in self.read(folder, "--key", str(tmp_path / "nothing"))[1]
        assert "There is no key in it." in self.read(folder, "--key", str(tmp_path / "empty"))[1]
        assert "A private key begins with" in self.read(folder, "--key", str(tmp_path / "public"))[1]

    def test_it_follows_what_is_written_until_ctrl_c(
        self, writer: LoggingProcess, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        actions = iter([
            lambda: writer.log.warning("two"),
            lambda: LoggingProcess(writer.folder).log.warning("three"),
            writer.handler.close,
        ])  # fmt: skip

        def sleep(_seconds: float) -> None:
            action = next(actions, None)
            if action is None:
                raise KeyboardInterrupt
            action()

        writer.log.warning("one")
        monkeypatch.setattr("ibanse.management.commands.read_log.time.sleep", sleep)
        out, complaints = self.read(str(writer.folder), "--key", key, "--follow")

        assert re.findall(r"\] (\w+)\n", out) == ["one", "two", "three"]
        assert "unchanged" in complaints
