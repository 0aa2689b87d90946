"""The spool: what is in it after whatever happens to its process, its disk and its folder."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.support import services
from validation.recording import spool

PIECE_BYTES = 1024 * 1024

# A process that spools two lines, says so, and waits to be killed.
_LIVING = """
import sys, time
from pathlib import Path
from validation.recording import spool

mine = spool.create(Path(sys.argv[1]))
mine.append(b"one\\n")
mine.append(b"two\\n")
print(mine.id, flush=True)
time.sleep(60)
"""


class SpoolTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "spool"
        self.spool = spool.create(self.folder)
        self.addCleanup(self.spool.close)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.spool.id}.spool"

    def left_behind(self) -> list[spool.Spool]:
        found = list(spool.left_behind(self.folder))
        for each in found:
            self.addCleanup(each.close)
        return found


class LineTests(SpoolTest):
    def test_lines_come_back_from_where_one_wants_them(self) -> None:
        self.spool.append(b"one\n")
        place = self.spool.end
        self.spool.append(b"two\n")

        assert self.spool.lines(0) == [b"one", b"two"]
        assert self.spool.lines(place) == [b"two"]
        assert self.spool.lines(self.spool.end) == []
        # A power cut may lose the end of a file that the database has already.
        assert self.spool.lines(self.spool.end + 100) == []

    def test_a_line_that_was_cut_short_is_left_out(self) -> None:
        self.spool.append(b"one\n")
        os.truncate(self.path, 3)

        assert self.spool.lines(0) == []

    def test_only_its_owner_can_read_it(self) -> None:
        assert self.path.stat().st_mode & 0o777 == 0o600
        assert self.folder.stat().st_mode & 0o777 == 0o700

    def test_an_emptied_spool_begins_again(self) -> None:
        self.spool.append(b"one\n")
        self.spool.empty()
        self.spool.append(b"two\n")

        assert self.spool.lines(0) == [b"two"]
        assert self.spool.end == 4


class DiskTests(SpoolTest):
    def test_a_full_disk_refuses_the_line(self) -> None:
        with patch.object(os, "pwrite", side_effect=OSError(errno.ENOSPC, "full")), pytest.raises(spool.SpoolFull):
            self.spool.append(b"one\n")
        self.spool.append(b"two\n")

        assert self.spool.lines(0) == [b"two"]

    def test_a_disk_that_has_space_for_a_part_of_a_piece_refuses_the_line_and_keeps_those_before_it(self) -> None:
        write = os.pwrite
        long = b"x" * PIECE_BYTES + b"\n"
        self.spool.append(b"one\n")
        with (
            patch.object(os, "pwrite", side_effect=lambda file, piece, place: write(file, piece[:2], place)),
            pytest.raises(spool.SpoolFull),
        ):
            self.spool.append(long)

        assert self.path.stat().st_size == PIECE_BYTES
        self.spool.append(b"two\n")
        self.spool.append(long)
        assert self.spool.lines(0) == [b"one", b"two", long[:-1]]

    def test_space_is_on_the_disk_before_a_line_needs_it(self) -> None:
        self.spool.append(b"one\n")

        found = self.path.stat()
        assert found.st_size == PIECE_BYTES
        assert found.st_blocks * 512 >= PIECE_BYTES

    def test_a_line_longer_than_many_pieces_finds_space(self) -> None:
        long = b"x" * (3 * PIECE_BYTES) + b"\n"
        for line in (b"one\n", long, b"two\n"):
            self.spool.append(line)

        assert self.spool.lines(0) == [b"one", long[:-1], b"two"]

    def test_a_closed_spool_touches_no_file_that_has_its_number_now(self) -> None:
        self.spool.close()
        with tempfile.TemporaryFile() as other:
            for action in (lambda: self.spool.append(b"one\n"), lambda: self.spool.lines(0), self.spool.empty):
                with pytest.raises(spool.SpoolFull):
                    action()
            self.spool.close()

            assert os.fstat(other.fileno()).st_size == 0

    def test_a_folder_that_cannot_be_made_is_an_error_at_once(self) -> None:
        (self.folder / "file").touch()

        with pytest.raises(FileExistsError):
            spool.create(self.folder / "file")


class OrphanedSpoolTests(SpoolTest):
    def test_a_living_process_is_left_alone_and_a_dead_one_is_found_with_its_lines(self) -> None:
        command = [sys.executable, "-c", _LIVING, str(self.folder)]
        living = subprocess.Popen(command, cwd=services.ROOT, stdout=subprocess.PIPE, text=True)
        self.addCleanup(living.communicate)
        self.addCleanup(living.kill)
        assert living.stdout is not None
        name = living.stdout.readline().strip()

        while_it_lives = self.left_behind()
        living.send_signal(signal.SIGKILL)
        living.wait()
        [found] = self.left_behind()

        assert while_it_lives == []
        assert str(found.id) == name
        assert found.lines(0) == [b"one", b"two"]

    def test_two_that_look_at_the_same_time_do_not_find_the_same(self) -> None:
        self.spool.close()
        first = self.left_behind()
        second = self.left_behind()

        assert ([each.id for each in first], second) == ([self.spool.id], [])

    def test_one_that_was_removed_while_it_was_being_opened_is_passed_over(self) -> None:
        self.spool.close()
        lock = fcntl.flock

        def remove_first(file: int, operation: int) -> None:
            self.path.unlink()
            lock(file, operation)

        with patch.object(fcntl, "flock", side_effect=remove_first):
            assert self.left_behind() == []

    def test_a_file_that_vanishes_or_is_none_of_ours_disturbs_nobody(self) -> None:
        for name in ("copy.spool", f"{self.spool.id}.new", "notes.txt"):
            (self.folder / name).touch()
        (self.folder / "00000000-0000-0000-0000-000000000000.spool").symlink_to("nowhere")

        assert self.left_behind() == []

    def test_one_that_is_removed_is_gone_and_may_be_removed_again(self) -> None:
        self.spool.remove()
        self.spool.remove()

        assert list(self.folder.iterdir()) == []
