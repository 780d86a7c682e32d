"""The tables for reading say what the entries say, however the entries were grouped."""

import random
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.errors import LedgerBrokenError, LedgerError
from asterisk_consent.ledger import Kind, NewEntry, Recording, list_calls, rebuild, recordings, verify
from asterisk_consent.ledger.commit import prepare, write_entries
from asterisk_consent.ledger.entry import PAYLOAD_OF
from asterisk_consent.ledger.schema import PROJECTIONS, migrate
from asterisk_consent.model import Outcome, RecordingState
from tests.ledger.entries import NOW, decision, made_up_randomness, open_ledger, recorded
from tests.ledger.open_sealing import OpenSealer
from tests.ledger.tampering import tampering

ABOUT_RECORDINGS = [kind for kind in Kind if PAYLOAD_OF[kind] is Recording]
ENTRIES = st.lists(
    st.builds(decision, st.integers(1, 3), st.sampled_from(Outcome), recording=st.none() | st.integers(1, 3))
    | st.builds(recorded, st.sampled_from(ABOUT_RECORDINGS), st.integers(1, 3)),
    max_size=12,
)
Tables = dict[str, list[tuple[object, ...]]]


def projected(groups: list[list[NewEntry]]) -> Tables:
    source = made_up_randomness()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, where="memory")
        for group in groups:
            prepared = [
                prepare(entry, at=NOW, randomness=lambda _: next(source), sealer=OpenSealer())
                for entry in group
            ]
            write_entries(connection, prepared)
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608 - our own names
            for table in PROJECTIONS
        }


@given(entries=ENTRIES, cuts=st.sets(st.integers(0, 12)))
def test_groups_of_any_size_project_as_single_entries_do(entries: list[NewEntry], cuts: set[int]) -> None:
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(entries)), len(entries)]
    grouped = [entries[start:end] for start, end in pairwise(bounds)]
    assert projected(grouped) == projected([[entry] for entry in entries])


@pytest.fixture
async def filled(path: Path) -> Path:
    ledger = await open_ledger(path)
    for number in range(1, 5):
        await ledger.append(decision(number, recording=number))
    await ledger.append(decision(9, Outcome.REFUSED))
    await ledger.append(recorded(Kind.RECORDING_STARTED, 1))
    await ledger.append(recorded(Kind.RECORDING_STARTED, 2))
    await ledger.append(recorded(Kind.RECORDING_VERIFIED, 2))
    await ledger.append(recorded(Kind.RECORDING_NOT_STARTED, 3, reason="hung up"))
    await ledger.close()
    return path


def test_rebuilt_tables_equal_those_kept_while_running(filled: Path) -> None:
    before = list_calls(filled), recordings(filled)
    with tampering(filled) as connection:
        connection.execute("DELETE FROM call")
        connection.execute("UPDATE recording SET state = 'verified', reason = 'made up'")
    assert rebuild(filled) == 10
    assert (list_calls(filled), recordings(filled)) == before


async def test_a_closing_recording_comes_back_from_a_rebuild_as_still_open(filled: Path) -> None:
    ledger = await open_ledger(filled)
    await ledger.set_closing(recordings(filled)[0].recording_id)
    assert recordings(filled)[0].state is RecordingState.CLOSING
    rebuild(filled)
    assert recordings(filled)[0].state is RecordingState.RECORDING
    await ledger.close()


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM call WHERE seq = 3",
        "UPDATE call SET outcome = 'given' WHERE outcome = 'refused'",
        "UPDATE recording SET state = 'verified' WHERE state = 'allowed'",
        "UPDATE recording SET sha256 = 'ff' WHERE state = 'verified'",
        "UPDATE recording SET state = 'closing' WHERE state = 'verified'",
        "INSERT INTO recording (recording_id, call_id, stream, state) VALUES ('x', 'y', 'z', 'verified')",
        "DELETE FROM about WHERE seq = 3",
        "UPDATE call SET subject = 'another' WHERE seq = 3",
        "UPDATE recording SET erased_seq = 7",
    ],
)
def test_verify_finds_a_table_that_says_something_else(filled: Path, change: str) -> None:
    assert verify(filled).problem is None
    with tampering(filled) as connection:
        connection.execute(change)
    problem = verify(filled).problem
    assert problem is not None
    assert "does not show what the entries say" in problem.what


def test_a_rebuild_on_a_broken_chain_changes_nothing(filled: Path) -> None:
    before = list_calls(filled)
    with tampering(filled) as connection:
        connection.execute("UPDATE chain SET hash = zeroblob(32) WHERE seq = 10")
    with pytest.raises(LedgerBrokenError, match="entry 10"):
        rebuild(filled)
    assert list_calls(filled) == before


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DELETE FROM payload WHERE seq = 4", "no entry says it was erased"),
        (
            "INSERT INTO payload SELECT 99, salt, body FROM payload WHERE seq = 4",
            "a payload without an entry",
        ),
        ("DELETE FROM chain WHERE seq = 10", "a payload without an entry"),
        ("DELETE FROM chain WHERE seq = 4", "entry 4 is missing"),
        ("UPDATE chain SET header = CAST(header AS TEXT) WHERE seq = 4", "not stored as bytes"),
        ("UPDATE chain SET seq = 99 WHERE seq = 4", "entry 4 is missing"),
    ],
)
def test_verify_finds_what_was_done_to_the_file(filled: Path, change: str, found: str) -> None:
    with tampering(filled) as connection:
        connection.execute(change)
    problem = verify(filled).problem
    assert problem is not None
    assert found in problem.what


def test_a_damaged_index_is_found_and_a_rebuild_mends_it(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'call_by_seq'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    damaged = bytearray(filled.read_bytes())
    damaged[page * size - 20] ^= 1
    filled.write_bytes(damaged)
    problem = verify(filled).problem
    assert problem is not None
    assert "the table call cannot be searched" in problem.what
    rebuild(filled)
    assert verify(filled).problem is None


def test_a_damaged_file_is_reported_and_never_taken_for_another_content(filled: Path) -> None:
    intact = filled.read_bytes()
    shown = list_calls(filled), recordings(filled)
    moments = random.Random(7)
    reported = 0
    for _ in range(600):
        damaged = bytearray(intact)
        damaged[moments.randrange(len(damaged))] ^= 1 << moments.randrange(8)
        filled.write_bytes(damaged)
        try:
            problem = verify(filled).problem
        except LedgerError:
            reported += 1
            continue
        reported += problem is not None
        assert problem is not None or (list_calls(filled), recordings(filled)) == shown
    assert reported > 0
