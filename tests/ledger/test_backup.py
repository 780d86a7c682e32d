"""A backup of the ledger: one file of one moment, verified, with nothing in it that was erased; nobody waits for it."""

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from asterisk_consent.errors import LedgerBrokenError, LedgerError, RequestRefusedError
from asterisk_consent.ledger import list_calls, verify
from asterisk_consent.ledger.backup import back_up, bring_back
from asterisk_consent.ledger.chain import Head
from asterisk_consent.ledger.schema import MIGRATIONS
from tests.ledger.entries import decision, open_ledger
from tests.ledger.tampering import tampering


@pytest.fixture
def output(tmp_path: Path) -> Path:
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    return directory / "ledger.backup"


def test_a_backup_is_the_ledger_in_one_file_for_its_owner_alone(filled: Path, output: Path) -> None:
    written = back_up(filled, output)
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    assert output.stat().st_mode & 0o777 == 0o600
    assert written.size == output.stat().st_size
    assert written.head == verify(filled).head
    report = verify(output, expected=written.head)
    assert (report.problem, report.entries) == (None, 4)
    assert list_calls(output) == list_calls(filled)
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_a_backup_holds_no_page_that_is_not_in_use(filled: Path, output: Path) -> None:
    with tampering(filled) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE old (text TEXT)")
        connection.executemany("INSERT INTO old VALUES (?)", [("left behind" * 100,)] * 50)
        connection.commit()
        connection.execute("DROP TABLE old")
        connection.commit()
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert connection.execute("PRAGMA freelist_count").fetchone()[0] > 0
    assert b"left behind" in filled.read_bytes()
    back_up(filled, output)
    assert b"left behind" not in output.read_bytes()


def test_nothing_is_written_over(filled: Path, output: Path) -> None:
    output.write_bytes(b"kept")
    with pytest.raises(RequestRefusedError, match="a file of that name"):
        back_up(filled, output)
    assert output.read_bytes() == b"kept"


def test_a_ledger_that_does_not_verify_gives_no_backup(filled: Path, output: Path) -> None:
    with tampering(filled) as connection:
        connection.execute("UPDATE chain SET header = replace(header, 'p1-nl', 'p2-nl') WHERE seq = 3")
    with pytest.raises(LedgerBrokenError, match="entry 3"):
        back_up(filled, output)
    assert list(output.parent.iterdir()) == []


def test_what_cannot_be_read_or_written_leaves_nothing(filled: Path, output: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        back_up(filled.with_name("none"), output)
    with pytest.raises(RequestRefusedError, match="cannot be written"):
        back_up(filled, output.parent / "none" / "file")
    assert list(output.parent.iterdir()) == []


async def test_while_a_backup_is_written_entries_are_committed_in_time(path: Path, output: Path) -> None:
    ledger = await open_ledger(path)
    await asyncio.gather(*(ledger.append(decision(number)) for number in range(2000)))
    writing = asyncio.create_task(asyncio.to_thread(back_up, path, output))
    longest_s, number = 0.0, 10_000
    while not writing.done():
        began_at = time.monotonic()
        await ledger.append(decision(number))
        longest_s = max(longest_s, time.monotonic() - began_at)
        number += 1
    await ledger.close()
    written = await writing
    assert number > 10_001
    assert longest_s < 2.0
    assert verify(path, expected=written.head).problem is None


def test_a_backup_comes_back_as_a_ledger_that_can_be_written_on(filled: Path, output: Path) -> None:
    back_up(filled, output)
    working = output.with_name("working")
    assert bring_back(output, working) == verify(filled).head
    with closing(sqlite3.connect(working)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert list_calls(working) == list_calls(filled)


async def test_a_copy_with_its_write_ahead_log_comes_back_whole(path: Path, tmp_path: Path) -> None:
    ledger = await open_ledger(path)
    committed = await ledger.append(decision(1))
    copied = tmp_path / "copied"
    for end in ("", "-wal"):
        shutil.copyfile(f"{path}{end}", f"{copied}{end}")
    await ledger.close()
    head = bring_back(copied, tmp_path / "working")
    assert head == Head(seq=committed.seq, hash=committed.hash)


def test_a_backup_of_an_older_release_is_brought_up_to_date(filled: Path, output: Path) -> None:
    back_up(filled, output)
    with closing(sqlite3.connect(output)) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN"
            " ('about', 'request', 'legal_hold', 'objection')"
        ).fetchall():
            connection.execute(f"DROP TABLE {name}")
        for index in ("call_by_subject", "call_by_receipt", "recording_by_call"):
            connection.execute(f"DROP INDEX {index}")
        for table, column in (
            ("call", "subject"),
            ("call", "receipt"),
            ("recording", "erased_seq"),
            ("recording", "erased_at"),
        ):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
        connection.commit()
    working = output.with_name("working")
    bring_back(output, working)
    assert verify(working).problem is None
    assert list_calls(working) == list_calls(filled)


@pytest.mark.parametrize("content", [b"", b"no database" * 500])
def test_what_is_no_ledger_does_not_come_back(output: Path, content: bytes) -> None:
    output.write_bytes(content)
    with pytest.raises(LedgerError, match="not a ledger"):
        bring_back(output, output.with_name("working"))
