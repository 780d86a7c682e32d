"""What a locked file, a full disk and a failing commit cost: no acknowledged entry, two seconds at most."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from asterisk_consent.errors import KeysError, LedgerBrokenError, LedgerError, LedgerUnavailableError
from asterisk_consent.ledger import Kind, Ledger, append_from_outside, list_calls, verify
from asterisk_consent.ledger import file as ledger_file
from asterisk_consent.ledger.connection import connect
from asterisk_consent.model import EntryKey, Outcome
from tests.ledger.entries import decision, hex_id, open_ledger, recorded
from tests.ledger.full_disk import full_disk
from tests.ledger.open_sealing import OpenSealer
from tests.ledger.tampering import tampering


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock, as an operator's shell with an open transaction does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        yield
        shell.execute("ROLLBACK")


async def refused_after(attempt: Callable[[], Awaitable[object]], delay_s: float = 0.0) -> float:
    """Return how long an attempt took to be refused, in seconds."""
    await asyncio.sleep(delay_s)
    started_at = time.monotonic()
    with pytest.raises(LedgerUnavailableError, match="locked"):
        await attempt()
    return time.monotonic() - started_at


async def test_behind_a_lock_everybody_gives_up_after_two_seconds(ledger: Ledger, path: Path) -> None:
    with locked(path):
        waited = await asyncio.gather(
            refused_after(lambda: ledger.append(decision(1))),
            refused_after(lambda: ledger.append(decision(2)), delay_s=0.7),
            refused_after(ledger.probe),
            refused_after(
                lambda: asyncio.to_thread(append_from_outside, path, decision(3), sealer=OpenSealer())
            ),
        )
    assert all(1.5 < waited_s < 2.3 for waited_s in waited)
    await ledger.probe()
    assert (await ledger.append(decision(4))).seq == 2
    assert append_from_outside(path, decision(5), sealer=OpenSealer()).seq == 3
    assert verify(path).problem is None


async def test_an_append_waits_out_a_short_lock(ledger: Ledger, path: Path) -> None:
    with locked(path):
        waiting = asyncio.ensure_future(ledger.append(decision(1)))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    assert (await waiting).seq == 2


async def _opened_and_closed(path: Path) -> None:
    await (await open_ledger(path)).close()


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _replace(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def test_a_full_disk_fails_entries_and_probes_and_the_ledger_goes_on_by_itself(
    ledger: Ledger, path: Path
) -> None:
    before = [await ledger.append(decision(number)) for number in range(20)]
    with full_disk():
        for number in range(100, 103):
            with pytest.raises(LedgerUnavailableError):
                await ledger.append(decision(number))
            with pytest.raises(LedgerUnavailableError):
                await ledger.probe()
    await ledger.probe()
    after = await ledger.append(decision(200))
    assert [call.seq for call in list_calls(path)] == [place.seq for place in [*before, after]]
    assert verify(path).problem is None


async def test_too_little_free_space_fails_a_probe_but_not_an_entry(path: Path) -> None:
    ledger = await open_ledger(path, min_free_bytes=1 << 60)
    with pytest.raises(LedgerUnavailableError, match="bytes are free"):
        await ledger.probe()
    assert (await ledger.append(decision(1))).seq == 2
    await ledger.close()


class FailingCommit(sqlite3.Connection):
    """A connection whose next commits fail as ``on_commit`` says."""

    on_commit: Callable[[sqlite3.Connection], None] | None = None

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        failure = FailingCommit.on_commit
        if sql == "COMMIT" and failure is not None:
            FailingCommit.on_commit = None
            failure(self)
        return super().execute(sql, parameters)  # type: ignore[arg-type] # typeshed's alias is private


def failed_before(_connection: sqlite3.Connection) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def failed_after(connection: sqlite3.Connection) -> None:
    sqlite3.Connection.execute(connection, "COMMIT")
    raise sqlite3.OperationalError("disk I/O error")


@pytest.fixture
def commit_fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[sqlite3.Connection], None]], None]:
    """Give a function that makes the next commit of the service fail."""

    def connect_failing(path: Path, *, mode: str, busy_s: float) -> sqlite3.Connection:
        real = sqlite3.connect
        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", lambda *a, **k: real(*a, factory=FailingCommit, **k))
            return connect(path, mode=mode, busy_s=busy_s)

    monkeypatch.setattr(ledger_file, "connect", connect_failing)

    def arm(failure: Callable[[sqlite3.Connection], None]) -> None:
        FailingCommit.on_commit = staticmethod(failure)

    return arm


async def test_a_commit_that_failed_is_never_acknowledged(
    path: Path, commit_fails: Callable[[Callable[[sqlite3.Connection], None]], None]
) -> None:
    ledger = await open_ledger(path)
    commit_fails(failed_before)
    with pytest.raises(LedgerUnavailableError):
        await ledger.append(decision(1))
    assert list_calls(path) == []
    assert (await ledger.append(decision(2))).seq == 2
    await ledger.close()
    assert verify(path).problem is None


async def test_a_commit_that_failed_but_is_there_is_found_and_acknowledged(
    path: Path, commit_fails: Callable[[Callable[[sqlite3.Connection], None]], None]
) -> None:
    ledger = await open_ledger(path)
    commit_fails(failed_after)
    committed = await ledger.append(decision(1))
    assert [(call.seq, call.call_id) for call in list_calls(path)] == [(committed.seq, hex_id(1))]
    assert (await ledger.append(decision(2))).seq == committed.seq + 1
    await ledger.close()
    assert verify(path).problem is None


class FailingKeys(OpenSealer):
    """Keys that cannot be kept while ``failing``; remembers what the ledger held when they were."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.failing = False
        self.shown_at: list[int] = []
        self._path = path

    def keep(self, keys: Sequence[EntryKey]) -> None:
        self.shown_at.append(len(list_calls(self._path)))
        if self.failing:
            raise KeysError("no space left on device", where="proof.sqlite")
        super().keep(keys)


async def test_an_entry_whose_key_cannot_be_kept_is_not_acknowledged_nor_there(path: Path) -> None:
    sealer = FailingKeys(path)
    ledger = await Ledger.open(path, sealer=sealer, min_free_bytes=0)
    sealer.failing = True
    for outcome in (Outcome.GIVEN, Outcome.REFUSED):
        with pytest.raises(LedgerUnavailableError, match="no space left on device"):
            await ledger.append(decision(1, outcome))
    assert list_calls(path) == []
    sealer.failing = False
    assert (await ledger.append(decision(2))).seq == 2
    await ledger.close()
    assert verify(path).problem is None


async def test_a_key_is_kept_before_its_entry_is_there(path: Path) -> None:
    sealer = FailingKeys(path)
    ledger = await Ledger.open(path, sealer=sealer, min_free_bytes=0)
    for number in range(1, 4):
        await ledger.append(decision(number))
    await ledger.close()
    append_from_outside(path, decision(4), sealer=sealer)
    assert sealer.shown_at == [0, 1, 2, 3]
    assert [key.call_id for key in sealer.kept] == [hex_id(number) for number in range(1, 5)]


async def test_what_needs_no_key_is_entered_while_none_can_be_kept(path: Path) -> None:
    sealer = FailingKeys(path)
    sealer.failing = True
    ledger = await Ledger.open(path, sealer=sealer, min_free_bytes=0)
    await ledger.append(recorded(Kind.RECORDING_NOT_STARTED, 1, reason="hung up"))
    await ledger.close()
    assert sealer.shown_at == []


async def test_a_command_whose_key_cannot_be_kept_enters_nothing(path: Path) -> None:
    await _opened_and_closed(path)
    sealer = FailingKeys(path)
    sealer.failing = True
    with pytest.raises(KeysError, match="no space left on device"):
        append_from_outside(path, decision(1), sealer=sealer)
    assert list_calls(path) == []


@pytest.mark.parametrize("outcome", Outcome)
async def test_without_anybody_to_seal_to_nothing_is_allowed_and_the_rest_is_entered(
    path: Path, outcome: Outcome
) -> None:
    ledger = await Ledger.open(path, min_free_bytes=0)
    if outcome.allows_recording:
        with pytest.raises(LedgerUnavailableError, match="the decision cannot be sealed"):
            await ledger.append(decision(1, outcome))
    else:
        await ledger.append(decision(1, outcome))
    await ledger.close()
    assert [row.outcome for row in list_calls(path)] == ([] if outcome.allows_recording else [outcome])
    assert verify(path).problem is None


async def test_a_newer_schema_is_refused_and_left_as_it_is(path: Path) -> None:
    await _opened_and_closed(path)
    with tampering(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = _content(path)
    for refused in (
        lambda: append_from_outside(path, decision(1), sealer=OpenSealer()),
        lambda: verify(path),
    ):
        with pytest.raises(LedgerError, match="schema 99, this release knows"):
            refused()
    with pytest.raises(LedgerError, match="schema 99, this release knows"):
        await open_ledger(path)
    assert _content(path) == before


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be read as one" * 20])
async def test_another_file_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    _replace(path, content)
    with pytest.raises(LedgerError, match="not a ledger"):
        await open_ledger(path)
    with pytest.raises(LedgerError, match="not a ledger"):
        list_calls(path)
    assert _content(path) == content


async def test_another_database_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE voicemail (id INTEGER)")
    with pytest.raises(LedgerError, match="not a ledger"):
        await open_ledger(path)


def test_commands_say_so_when_there_is_no_ledger_and_make_none(path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        append_from_outside(path, decision(1), sealer=OpenSealer())
    with pytest.raises(LedgerError, match="there is no ledger"):
        list_calls(path)
    assert not path.exists()


async def test_a_ledger_whose_end_was_cut_off_is_not_continued(path: Path) -> None:
    ledger = await open_ledger(path)
    for number in range(3):
        await ledger.append(decision(number))
    await ledger.close()
    with tampering(path) as connection:
        connection.execute("DELETE FROM chain WHERE seq > 2")
    with pytest.raises(LedgerBrokenError, match="cut off"):
        await open_ledger(path)


async def test_a_place_that_cannot_be_written_is_reported_as_unavailable(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailableError):
        await open_ledger(tmp_path / "missing" / "ledger.db")


async def test_an_entry_stands_though_the_lock_of_the_service_cannot_be_looked_at(path: Path) -> None:
    await _opened_and_closed(path)
    lock = path.with_name(path.name + ".lock")
    _make_unusable(lock)
    assert append_from_outside(path, decision(1), sealer=OpenSealer()).seq == 2
    assert [call.seq for call in list_calls(path)] == [2]


def _make_unusable(lock: Path) -> None:
    lock.unlink()
    lock.mkdir()
