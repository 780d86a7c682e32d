"""Whether two accounts of a ledger are of one history: a backup against checkpoints, and against another ledger file.

Rule: what one of the two has more than the other is told as a number of entries; what they both have must be the same.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.ledger.chain import Head
from asterisk_consent.ledger.checkpoint import Checkpoint, fault_of
from asterisk_consent.ledger.commit import read_head, read_ledger_id
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Kind, read_header
from asterisk_consent.ledger.payload import CheckpointKey, read_payload

_KEYS = """
    SELECT c.seq, p.body FROM chain c JOIN payload p ON p.seq = c.seq WHERE instr(c.header, ?) ORDER BY c.seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How many entries the backup lacks, and why it is of another history; empty where it is of the same."""

    missing: int
    fault: str


def ledger_id(path: Path) -> str:
    """Return the id of a ledger.

    :raises LedgerError: it cannot be read.
    """
    with reading(path) as connection:
        return read_ledger_id(connection, where=str(path))


def against_checkpoint(backup: Path, checkpoint: Checkpoint) -> Compared:
    """Compare a backup with a checkpoint; the chain itself is not verified.

    Of a checkpoint made after the backup only the signature and the ledger can be compared.

    :raises LedgerError: the backup cannot be read.
    """
    with reading(backup) as connection:
        own = read_ledger_id(connection, where=str(backup))
        missing = max(0, checkpoint.seq - read_head(connection).seq)
        if missing:
            digest: bytes | None = bytes.fromhex(checkpoint.hash)
            keys = {checkpoint.key: checkpoint.seq}
        else:
            digest, keys = _hash_of(connection, checkpoint.seq), _keys(connection)
    return Compared(missing=missing, fault=fault_of(checkpoint, ledger_id=own, digest=digest, keys=keys))


def against_ledger(backup: Path, other: Path) -> Compared:
    """Compare a backup with the ledger that lies in its place.

    :raises LedgerError: one of them cannot be read.
    """
    with reading(backup) as connection:
        own, head = read_ledger_id(connection, where=str(backup)), read_head(connection)
    with reading(other) as connection:
        theirs, last = read_ledger_id(connection, where=str(other)), read_head(connection)
        if theirs != own:
            return Compared(missing=0, fault=f"the ledger in its place is another one, {theirs}")
        known = _hash_of(connection, min(head.seq, last.seq))
    with reading(backup) as connection:
        same = known == _hash_of(connection, min(head.seq, last.seq))
    fault = "" if same else f"the ledger in its place has another hash for entry {min(head.seq, last.seq)}"
    return Compared(missing=max(0, last.seq - head.seq), fault=fault)


def checkpoint_keys(path: Path) -> frozenset[str]:
    """Return the keys that a ledger names as those which sign its checkpoints, hexadecimal.

    :raises LedgerError: it cannot be read.
    """
    with reading(path) as connection:
        return frozenset(_keys(connection))


def entered_at(path: Path, seq: int) -> int:
    """Return when an entry was entered, in UTC seconds.

    :raises LedgerError: it cannot be read.
    """
    with reading(path) as connection:
        (raw,) = connection.execute("SELECT header FROM chain WHERE seq = ?", (seq,)).fetchone()
        return read_header(raw).at


def head_of(path: Path) -> Head:
    """Return the last entry of a ledger.

    :raises LedgerError: it cannot be read.
    """
    with reading(path) as connection:
        return read_head(connection)


def _hash_of(connection: sqlite3.Connection, seq: int) -> bytes | None:
    row = connection.execute("SELECT hash FROM chain WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row is not None and isinstance(row[0], bytes) else None


def _keys(connection: sqlite3.Connection) -> dict[str, int]:
    found: dict[str, int] = {}
    kind = f'"kind":"{Kind.CHECKPOINT_KEY}"'.encode()
    for seq, body in connection.execute(_KEYS, (kind,)):
        payload = read_payload(body)
        if isinstance(payload, CheckpointKey):
            found.setdefault(payload.key, seq)
    return found
