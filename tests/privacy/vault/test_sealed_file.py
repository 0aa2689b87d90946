"""Sealed files: never in clear on disk, complete or not at all."""

import os
import stat
import tempfile
import uuid
from pathlib import Path

import pytest
from django.test import TestCase

from privacy import vault
from privacy.vault import sealed_file
from privacy.vault.sealed_file import PIECE_BYTES, Damaged, Name

pytestmark = pytest.mark.claim("sealed_exports")

SECRET = b"Alice Andersson, SE45 5000 0000 0583 9825 7466. "


class SealedFileTests(TestCase):
    databases = {"default", "keyring"}

    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "file.sealed"
        self.name = Name(uuid.uuid4(), "test", "file")

    def write(self, *parts: bytes) -> int:
        with sealed_file.create(self.path, self.name) as file:
            for part in parts:
                file.write(part)
            file.finish()
        return file.bytes

    def read(self, name: Name | None = None) -> bytes:
        with self.path.open("rb") as file:
            return b"".join(sealed_file.read(file, name or self.name))

    def pieces(self) -> list[bytes]:
        """Return the pieces as they are on disk, each with its length."""
        raw, found = self.path.read_bytes(), []
        while raw:
            end = 4 + int.from_bytes(raw[:4], "big")
            found.append(raw[:end])
            raw = raw[end:]
        return found

    def test_any_length_is_read_as_written(self) -> None:
        for length in (0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7):
            with self.subTest(length=length):
                data = os.urandom(length)
                self.path.unlink(missing_ok=True)

                self.assertEqual(self.write(data[: length // 3], data[length // 3 :]), length)
                self.assertEqual(self.read(), data)

    def test_many_small_parts_become_few_pieces(self) -> None:
        self.write(*[SECRET] * 50_000)

        self.assertEqual(self.read(), SECRET * 50_000)
        self.assertEqual(len(self.pieces()), -(-len(SECRET) * 50_000 // PIECE_BYTES))

    def test_nothing_is_on_disk_in_clear_or_readable_by_others(self) -> None:
        self.write(SECRET * 30_000)

        self.assertNotIn(SECRET[:8], self.path.read_bytes())
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_an_existing_path_is_refused(self) -> None:
        self.write(SECRET)

        with self.assertRaises(FileExistsError):
            sealed_file.create(self.path, self.name)
        self.assertEqual(self.read(), SECRET)

    def test_a_file_that_was_not_finished_does_not_open(self) -> None:
        for length in (0, 10, 2 * PIECE_BYTES):
            with self.subTest(length=length):
                self.path.unlink(missing_ok=True)
                with sealed_file.create(self.path, self.name) as file:
                    file.write(bytes(length))

                with self.assertRaises(Damaged):
                    self.read()

    def test_a_file_cut_anywhere_does_not_open(self) -> None:
        self.write(bytes(2 * PIECE_BYTES + 5))
        whole = self.path.read_bytes()
        ends = [len(b"".join(self.pieces()[:number])) for number in range(3)]

        for length in {*ends, *(end + 2 for end in ends), *(end + 20 for end in ends), len(whole) - 1}:
            with self.subTest(length=length):
                self.path.write_bytes(whole[:length])
                with self.assertRaises(Damaged):
                    self.read()

    def test_a_flipped_bit_anywhere_is_noticed(self) -> None:
        self.write(SECRET)
        whole = self.path.read_bytes()

        for place in range(len(whole)):
            self.path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with self.subTest(place=place), self.assertRaises(Damaged):
                self.read()

    def test_pieces_cannot_be_moved_left_out_or_appended(self) -> None:
        self.write(bytes(2 * PIECE_BYTES + 5))
        first, second, last = self.pieces()

        for changed in ([second, first, last], [first, last], [first, second, last, last], [first, second, last, b"x"]):
            self.path.write_bytes(b"".join(changed))
            with self.assertRaises(Damaged):
                self.read()

    def test_a_file_opens_only_for_its_owner_and_under_its_name(self) -> None:
        self.write(SECRET)
        other_owner = uuid.uuid4()
        vault.seal(other_owner, "x", purpose="test", record="file")

        for name in (
            Name(other_owner, "test", "file"),
            Name(self.name.owner, "other", "file"),
            Name(self.name.owner, "test", "fil"),
        ):
            with self.subTest(name=name), self.assertRaises(Damaged):
                self.read(name)

    def test_an_impossible_length_is_refused(self) -> None:
        self.path.write_bytes(b"\xff\xff\xff\xff" + bytes(100))
        vault.seal(self.name.owner, "x", purpose="test", record="file")

        with self.assertRaises(Damaged):
            self.read()

    def test_without_the_owners_key_nothing_opens(self) -> None:
        self.write(SECRET)
        vault.destroy(self.name.owner)

        with self.assertRaises(vault.Destroyed):
            self.read()
