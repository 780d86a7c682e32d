"""Invariant 12: every flipped bit, removed, inserted, exchanged or cut-off entry is found."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.ledger import verifier
from asterisk_consent.ledger.chain import ChainVerifier, Head, Row
from asterisk_consent.model import Outcome
from tests.ledger.entries import decision
from tests.ledger.write_vectors import VECTORS, Vector, chain_of, renumbered, rows_of, vectors

CHAIN = chain_of([decision(number, outcome) for number, outcome in enumerate(Outcome)])
FILES = sorted(VECTORS.glob("*.json"))


def problem_seq(rows: list[Row], expected: Head | None = None) -> int | None:
    """Return the entry at which a check stops, ``None`` when all holds."""
    verifier = ChainVerifier(expected=expected)
    for row in rows:
        if verifier.check(row) is None:
            break
    verifier.finish()
    return verifier.problem.seq if verifier.problem else None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_vector_is_judged_as_it_says(file: Path) -> None:
    vector = msgspec.json.decode(file.read_bytes(), type=Vector)
    expected = Head(seq=vector.expected_seq, hash=bytes.fromhex(vector.expected_hash))
    found = problem_seq(rows_of(vector.rows), expected if vector.expected_seq else None)
    assert (found is None) == (vector.about in INTACT)
    assert (found or 0) == vector.problem_seq


def holds_alone(stored: list[verifier.StoredRow], known: tuple[int, bytes] | None) -> bool:
    """Tell what the verifier says that shares no code with the product."""
    try:
        verifier.check_ledger(stored, known=known)
    except verifier.WrongError:
        return False
    return True


INTACT = {
    "nothing is wrong",
    "the known entry is there",
    "a payload was erased, an entry says so",
    "a backup was restored, an entry says so",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_verifier_written_from_the_document_agrees(file: Path) -> None:
    vector = msgspec.json.decode(file.read_bytes(), type=Vector)
    stored = [msgspec.structs.astuple(row) for row in rows_of(vector.rows)]
    known = (vector.expected_seq, bytes.fromhex(vector.expected_hash)) if vector.expected_seq else None
    assert holds_alone(stored, known) == (vector.about in INTACT)


def test_the_bytes_of_an_entry_are_those_of_the_checked_in_vectors() -> None:
    assert {file.stem: msgspec.json.decode(file.read_bytes(), type=Vector) for file in FILES} == vectors()


@given(data=st.data())
def test_any_flipped_bit_of_any_stored_blob_is_found(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(CHAIN) - 1))
    row = CHAIN[at]
    blobs = [row.header, row.hash, row.salt or b"", row.body or b""]
    column = data.draw(st.sampled_from([number for number, blob in enumerate(blobs) if blob]))
    bit = data.draw(st.integers(0, 8 * len(blobs[column]) - 1))
    flipped = bytearray(blobs[column])
    flipped[bit // 8] ^= 1 << bit % 8
    blobs[column] = bytes(flipped)
    assert problem_seq([*CHAIN[:at], Row(row.seq, *blobs), *CHAIN[at + 1 :]]) == row.seq


@given(at=st.integers(0, len(CHAIN) - 2), renumber=st.booleans())
def test_any_removed_entry_is_found(at: int, renumber: bool) -> None:
    rows = CHAIN[:at] + CHAIN[at + 1 :]
    assert problem_seq(renumbered(rows) if renumber else rows) == at + 1


@given(at=st.integers(1, len(CHAIN)), of=st.integers(0, len(CHAIN) - 1), renumber=st.booleans())
def test_any_inserted_entry_is_found(at: int, of: int, renumber: bool) -> None:
    rows = [*CHAIN[:at], CHAIN[of], *CHAIN[at:]]
    assert problem_seq(renumbered(rows) if renumber else rows) is not None


@given(order=st.permutations(range(len(CHAIN))), renumber=st.booleans())
def test_any_other_order_is_found(order: list[int], renumber: bool) -> None:
    rows = [CHAIN[at] for at in order]
    moved = next((seq for seq, at in enumerate(order, start=1) if at != seq - 1), None)
    assert problem_seq(renumbered(rows) if renumber else rows) == moved


@given(kept=st.integers(0, len(CHAIN) - 1))
def test_any_cut_off_end_is_found_against_a_head_kept_elsewhere(kept: int) -> None:
    head = Head(seq=len(CHAIN), hash=CHAIN[-1].hash)
    assert problem_seq(CHAIN[:kept]) is None
    assert problem_seq(CHAIN[:kept], head) == kept


@given(changed=st.integers(2, len(CHAIN) - 1))
def test_a_history_written_anew_is_found_against_a_head_kept_elsewhere(changed: int) -> None:
    entries = [decision(number, outcome) for number, outcome in enumerate(Outcome)]
    entries[changed - 2] = decision(99)
    forged = chain_of(entries)
    assert problem_seq(forged) is None
    assert problem_seq(forged, Head(seq=len(CHAIN), hash=CHAIN[-1].hash)) == len(CHAIN)
