"""The ledger: complete lines that identify nobody, on disk before anything is destroyed; and its shipping."""

import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import override_settings

from privacy.deletion import ledger, shipping

pytestmark = pytest.mark.claim("not_brought_back")

NOW = datetime(2026, 7, 24, 9, 30, tzinfo=UTC)


def action(scope: str = "account") -> ledger.LedgerEntry:
    return ledger.LedgerEntry(uuid4(), scope, uuid4(), NOW, user=uuid4(), iban_index=b"\x01" * 32)


def test_an_entry_is_recognised_by_id_and_identifies_nobody() -> None:
    written = action("number")
    ledger.append(written)

    [entry] = ledger.read().entries
    assert (entry.id, entry.scope, entry.until, entry.iban_index) == (str(written.id), "number", NOW, b"\x01" * 32)
    assert written.user
    assert entry.is_of(written.client)
    assert entry.is_about(written.user)
    assert not entry.is_of(written.user)
    text = ledger.path().read_text(encoding="ascii")
    for someone in (written.client, written.user):
        assert str(someone) not in text
        assert someone.hex not in text
    for path in (ledger.path(), ledger.path().parent):
        assert not stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO


def test_a_resumed_deletion_is_recorded_once_and_entries_share_nothing() -> None:
    one = action()
    ledger.append(one)
    ledger.append(one)
    ledger.append(one._replace(id=uuid4()))

    first, second = ledger.read().entries
    assert first.client != second.client
    assert first.salt != second.salt


@pytest.mark.parametrize("complete", [1, 40, -1])
def test_a_truncated_line_is_left_out(complete: int) -> None:
    first, torn, last = action(), action(), action()
    ledger.append(first)
    whole = ledger.path().read_bytes()
    ledger.append(torn)
    ledger.path().write_bytes(whole + ledger.path().read_bytes()[len(whole) :][:complete])

    assert [entry.id for entry in ledger.read().entries] == [str(first.id)]
    assert ledger.read().damaged == []
    ledger.append(last)
    ledger.append(torn)

    read = ledger.read()
    assert {entry.id for entry in read.entries} == {str(each.id) for each in (first, last, torn)} | (
        {str(torn.id)} if complete == -1 else set()
    )
    assert read.damaged == []


def test_damage_is_reported_with_its_line() -> None:
    for _ in range(3):
        ledger.append(action())
    first, second, third = ledger.path().read_bytes().splitlines(keepends=True)
    ledger.path().write_bytes(first + second[:20] + b"\n" + third)

    assert len(ledger.read().entries) == 2
    assert ledger.read().damaged == [2]


def test_without_a_file_nothing_was_deleted() -> None:
    assert ledger.read() == ledger.LedgerContents([], [])


class TestShipping:
    def command(self, folder: Path, status: int = 0) -> str:
        code = f"import shutil, sys; shutil.copy(sys.argv[1], {str(folder / 'copy')!r}); sys.exit({status})"
        return f'{sys.executable} -c "{code}"'

    def test_it_is_shipped_when_it_has_grown_and_after_a_failure(self, tmp_path: Path) -> None:
        ledger.append(action())
        with override_settings(LEDGER_SHIP=self.command(tmp_path, status=3)):
            assert not shipping.ship()
        with override_settings(LEDGER_SHIP=self.command(tmp_path)):
            assert shipping.ship()
            assert (tmp_path / "copy").read_bytes() == ledger.path().read_bytes()
            (tmp_path / "copy").unlink()
            assert shipping.ship()
            assert not (tmp_path / "copy").exists()
            ledger.append(action())
            assert shipping.ship()
            assert (tmp_path / "copy").read_bytes() == ledger.path().read_bytes()

    def test_a_missing_command_fails_and_no_command_does_not(self) -> None:
        assert shipping.ship()
        ledger.append(action())
        assert shipping.ship()
        with override_settings(LEDGER_SHIP="no-such-command-anywhere"):
            assert not shipping.ship()
