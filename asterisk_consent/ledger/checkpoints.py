"""The checkpoints that lie beside the chain: taking the next one, and finding the one that covers an entry.

Rule: a checkpoint is taken in one transaction that reads the end of the chain, and given away only once that is on
disk. The copies kept here prove nothing by themselves; they are what a proof is made with.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.ledger.append import writing_beside
from asterisk_consent.ledger.checkpoint import (
    Checkpoint,
    SigningKey,
    checkpoint_line,
    possession_bytes,
    read_checkpoint,
    sign_checkpoint,
)
from asterisk_consent.ledger.commit import prepare, read_head, read_ledger_id, write_entries
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry, read_header
from asterisk_consent.ledger.payload import CheckpointKey


def take_checkpoint(
    path: Path,
    key: SigningKey,
    *,
    clock: Callable[[], float] = time.time,
    randomness: Callable[[int], bytes] = os.urandom,
) -> Checkpoint:
    """Make the next checkpoint, beside the running service or in it; the chain names its key first.

    :raises LedgerError: there is no ledger, or its schema is not this release's.
    :raises LedgerUnavailableError: it could not be written within two seconds.
    """
    at = int(clock())
    with writing_beside(path) as connection:
        ledger_id = read_ledger_id(connection, where=str(path))
        number, last_key = _last(connection)
        if last_key != key.public:
            named = CheckpointKey(key=key.public, signature=key.sign(possession_bytes(ledger_id)))
            entry = NewEntry(stream=SYSTEM_STREAM, kind=Kind.CHECKPOINT_KEY, payload=named)
            write_entries(connection, [prepare(entry, at=at, randomness=randomness)])
        head = read_head(connection)
        taken = sign_checkpoint(
            key, ledger_id=ledger_id, number=number + 1, seq=head.seq, digest=head.hash, at=at
        )
        connection.execute(
            "INSERT INTO checkpoint VALUES (?, ?, ?)", (taken.number, taken.seq, checkpoint_line(taken))
        )
    return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How far the stored checkpoints go: ``key`` and ``seq`` of the last one (empty, 0), ``head`` of the chain."""

    key: str
    seq: int
    head: int


def covered(path: Path) -> Covered:
    """Return how far the stored checkpoints go.

    :raises LedgerError: there is no ledger, or it cannot be read.
    """
    with reading(path) as connection:
        _, key = _last(connection)
        seq = connection.execute("SELECT max(seq) FROM checkpoint").fetchone()[0]
        return Covered(key=key, seq=seq or 0, head=read_head(connection).seq)


def newest_checkpoint(path: Path) -> Checkpoint | None:
    """Return the last stored checkpoint, ``None`` where none was taken yet.

    :raises LedgerError: there is no ledger, or it or the checkpoint cannot be read.
    """
    with reading(path) as connection:
        row = connection.execute(
            "SELECT number, seq, content FROM checkpoint ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return None if row is None else _stored(*row)


def waiting_since(path: Path, seq: int) -> int | None:
    """Return when the first entry after ``seq`` was entered, in UTC seconds; ``None`` where there is none.

    :raises LedgerError: there is no ledger, or it cannot be read.
    """
    with reading(path) as connection:
        row = connection.execute(
            "SELECT header FROM chain WHERE seq > ? ORDER BY seq LIMIT 1", (seq,)
        ).fetchone()
        return None if row is None else read_header(row[0]).at


def is_extended(path: Path, checkpoint: Checkpoint) -> bool:
    """Tell whether the ledger has the entry of a checkpoint; one of before a restore may be of what was lost.

    :raises LedgerError: there is no ledger, or it cannot be read.
    """
    with reading(path) as connection:
        row = connection.execute("SELECT hash FROM chain WHERE seq = ?", (checkpoint.seq,)).fetchone()
        return row is not None and row[0] == bytes.fromhex(checkpoint.hash)


def covering(connection: sqlite3.Connection, seq: int) -> Checkpoint | None:
    """Return the first checkpoint at or after an entry, ``None`` where there is none yet."""
    query = "SELECT number, seq, content FROM checkpoint WHERE seq >= ? ORDER BY seq, number LIMIT 1"
    row = connection.execute(query, (seq,)).fetchone()
    return None if row is None else _stored(*row)


def stored_checkpoints(connection: sqlite3.Connection) -> Iterator[tuple[Checkpoint, bytes | None]]:
    """Give every stored checkpoint with the chain's hash at its entry.

    :raises LedgerBrokenError: one cannot be read.
    """
    query = """
        SELECT k.number, k.seq, k.content, c.hash
        FROM checkpoint k LEFT JOIN chain c ON c.seq = k.seq ORDER BY k.number
    """
    for number, seq, content, digest in connection.execute(query):
        yield _stored(number, seq, content), digest


def _last(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return number and key of the last checkpoint; 0 and no key where there is none, no key where it is damaged."""
    row = connection.execute(
        "SELECT number, seq, content FROM checkpoint ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return 0, ""
    try:
        return int(row[0]), _stored(*row).key
    except LedgerBrokenError:
        return int(row[0]), ""


def _stored(number: int, seq: int, content: object) -> Checkpoint:
    if not isinstance(content, str):
        raise LedgerBrokenError(f"the stored checkpoint {number} is not text")
    checkpoint = read_checkpoint(content)
    if (checkpoint.number, checkpoint.seq) != (number, seq):
        raise LedgerBrokenError(f"the stored checkpoint {number} says it is another")
    return checkpoint
