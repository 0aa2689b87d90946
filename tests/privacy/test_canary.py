"""The search for canaries finds each of them in every spelling, and finds none where there is none."""

import base64
import json
import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.support import canary
from tests.support.canary import found_in, spellings

IBAN = "SE4550000000058398257466"
OTHER = "DE89370400440532013000"
GROUPED = "SE45 5000 0000 0583 9825 7466"
AS_A_PROGRAM_WRITES_IT = {
    "in one piece": IBAN.encode(),
    "in groups": GROUPED.encode(),
    "in small letters": GROUPED.lower().encode(),
    "with hyphens": GROUPED.replace(" ", "-").encode(),
    "with no-break blanks": GROUPED.replace(" ", "\u00a0").encode(),
    "in UTF-16": GROUPED.encode("utf-16"),
    "in UTF-16, the high byte first": IBAN.encode("utf-16-be"),
    "in a form": b"iban=SE45+5000+0000+0583+9825+7466&x=1",
    "in a URL": b"/SE45%205000%200000%200583%209825%207466/",
    "in JSON": json.dumps({"iban": GROUPED.replace(" ", "\u00a0")}).encode(),
    "in JSON, all escaped": "".join(f"\\u{ord(each):04x}" for each in IBAN).encode(),
    "in a traceback": repr(GROUPED.replace(" ", "\u00a0")).encode(),
    "in hexadecimal digits": GROUPED.encode().hex().encode(),
    "as PostgreSQL prints bytes": b"\\x" + IBAN.encode().hex().encode(),
    "in base64": base64.b64encode(b'{"iban": "' + IBAN.encode() + b'"}'),
    "in base64, one byte on": base64.b64encode(b'{"iban" : "' + GROUPED.encode() + b'"}'),
    "in base64, two bytes on": base64.b64encode(b'{ "iban" : "' + GROUPED.lower().encode() + b'"}'),
    "broken as mails break lines": b"SE45 5000 00=\r\n00 0583 9825 7466",
    "broken as base64 is in mails": base64.encodebytes(b"x" * 50 + IBAN.encode() + b"y" * 50),
}


class TestTheSearch:
    def test_every_spelling_is_found(self, tmp_path: Path) -> None:
        for number, spelling in enumerate(spellings(IBAN)):
            (tmp_path / f"{number}").write_bytes(b"\x00before" + spelling + b"after\xff")

        found = found_in(tmp_path, [IBAN])

        assert {line.partition(": ")[0] for line in found} == {path.name for path in tmp_path.iterdir()}
        assert {line.partition(": ")[2] for line in found} == {repr(spelling) for spelling in spellings(IBAN)}

    @pytest.mark.parametrize("way", AS_A_PROGRAM_WRITES_IT)
    def test_it_is_found_as_programs_write_it(self, tmp_path: Path, way: str) -> None:
        (tmp_path / "deep" / "down").mkdir(parents=True)
        (tmp_path / "deep" / "down" / "file").write_bytes(b"before " + AS_A_PROGRAM_WRITES_IT[way] + b" after")

        found = found_in(tmp_path, [OTHER, IBAN])

        assert found
        assert all(line.startswith("deep/down/file: ") for line in found)

    def test_it_is_found_in_the_name_of_a_file(self, tmp_path: Path) -> None:
        (tmp_path / f"upload-{IBAN}.csv").touch()

        assert found_in(tmp_path, [IBAN]) == [f"upload-{IBAN}.csv: {IBAN.encode()!r}"]

    def test_it_is_found_wherever_a_large_file_is_cut(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        longest = max(spellings(IBAN), key=len)
        monkeypatch.setattr(canary, "CHUNK_BYTES", 256)
        for before in range(256 - len(longest), 257, 3):
            (tmp_path / "file").write_bytes(b"." * before + longest + b"." * 512)

            assert found_in(tmp_path, [IBAN]) != [], before

    def test_it_is_found_across_a_cut_and_a_line_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(canary, "CHUNK_BYTES", 64)
        (tmp_path / "file").write_bytes(b"." * 54 + b"SE455000\r\n0000\r\n058398257466")

        assert found_in(tmp_path, [IBAN]) != []

    def test_a_folder_without_one_is_clean(self, tmp_path: Path) -> None:
        for number, spelling in enumerate(spellings(OTHER)):
            (tmp_path / f"{number}").write_bytes(os.urandom(64) + spelling + os.urandom(64))
        (tmp_path / "cut").write_text(IBAN[:-1])

        assert found_in(tmp_path, [IBAN]) == []

    def test_a_file_that_cannot_be_read_is_not_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        # Root may read everything, whatever the mode of the file.
        monkeypatch.setattr(Path, "open", Mock(side_effect=PermissionError))

        with pytest.raises(PermissionError):
            found_in(tmp_path, [IBAN])
