"""Sealed entries that are about no call: objections, looks by number, and looks at either.

Rule: without a key only their index is shown; it names nobody. Each has a key of its own, kept under the start of its
commitment (:func:`asterisk_consent.ledger.sealing.key_id`), so it goes by its own term and not with a call.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.ledger.chain import shown
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import PAYLOAD_OF, Kind, read_header
from asterisk_consent.ledger.index import INDEX_OF, AccessIndex, ObjectionIndex
from asterisk_consent.ledger.opening import Opened, Opener, open_entry
from asterisk_consent.ledger.sealing import key_id

_APART = """
    SELECT c.header, p.salt, p.body FROM chain c JOIN payload p ON p.seq = c.seq WHERE instr(c.header, ?)
"""
_NO_CALL = b'"call_id":""'
_KINDS = frozenset(kind for kind, of_kind in PAYLOAD_OF.items() if of_kind in INDEX_OF)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartRow:
    """One of them; ``at`` in UTC seconds, ``key_id`` what its key is kept under, empty where nothing was sealed."""

    seq: int
    kind: Kind
    at: int
    controller: str
    key_id: str
    index: AccessIndex | ObjectionIndex


def entries_apart(path: Path) -> list[ApartRow]:
    """Return them in their order.

    :raises LedgerError: the ledger cannot be read.
    """
    with reading(path) as connection:
        return list(_rows(connection, f"{_APART} ORDER BY c.seq"))


def find_apart(path: Path, seq: int) -> ApartRow | None:
    """Return the one of this number; ``None`` where that entry is another, or there is none.

    :raises LedgerError: the ledger cannot be read.
    """
    with reading(path) as connection:
        return next(_rows(connection, f"{_APART} AND c.seq = ?", seq), None)


def open_apart(path: Path, seq: int, opener: Opener) -> Opened:
    """Open one; the entry of the access comes first, which is the duty of whoever has the key.

    :raises LedgerError: the ledger cannot be read, or the entry is not what was entered.
    :raises KeysError: the key does not open it.
    """
    with reading(path) as connection:
        raw, salt, body = connection.execute(f"{_APART} AND c.seq = ?", (_NO_CALL, seq)).fetchone()
    return open_entry(read_header(raw), salt, body, opener)


def _rows(connection: sqlite3.Connection, query: str, *values: int) -> Iterator[ApartRow]:
    for raw, salt, body in connection.execute(query, (_NO_CALL, *values)):
        header = read_header(raw)
        index = shown(header, salt, body) if header.kind in _KINDS else None
        if isinstance(index, AccessIndex | ObjectionIndex):
            yield ApartRow(
                seq=header.seq,
                kind=header.kind,
                at=header.at,
                controller=header.stream,
                key_id=key_id("", header.commitment),
                index=index,
            )
