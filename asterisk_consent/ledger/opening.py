"""Everything that was entered about one call, its sealed parts opened.

Rule: nothing is shown that is not what was entered: what was sealed fits its commitment and its index. The entry of the
access comes first; that is the duty of whoever has the key (``asterisk_consent.rights.access``).
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import KeysError
from asterisk_consent.ledger.chain import opened, shown
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import PAYLOAD_OF, Header, read_header
from asterisk_consent.ledger.index import INDEX_OF, Index
from asterisk_consent.ledger.payload import Decision, Payload
from asterisk_consent.ledger.sealing import parts_of

Opener = Callable[[bytes], bytes]
"""Opens the sealed part of an entry; :class:`KeysError` where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One entry; ``payload`` is the index where it is not opened, ``None`` where it was erased."""

    header: Header
    payload: Payload | Index | None
    salt: bytes = b""
    text: bytes = b""
    """The payload's canonical text; empty where it is not there, or not opened."""

    @property
    def was_sealed(self) -> bool:
        """Whether it was sealed, and is opened."""
        return bool(self.text) and PAYLOAD_OF[self.header.kind] in INDEX_OF


def open_call(path: Path, call_id: str, opener: Opener) -> list[Opened]:
    """Return the entries about a call in their order.

    Of one that came after the keys were released only the index is shown.

    :raises LedgerError: the ledger cannot be read, or an entry is not what was entered.
    :raises KeysError: the keys do not open the first that is sealed.
    """
    found: list[Opened] = []
    with reading(path) as connection:
        for raw, salt, body in connection.execute(_ENTRIES, (call_id,)):
            header = read_header(raw)
            try:
                found.append(_open(header, salt, body, opener))
            except KeysError:
                if not any(entry.was_sealed for entry in found):
                    raise
                found.append(Opened(header=header, payload=shown(header, salt, body)))
    return found


def seqs_about(connection: sqlite3.Connection, call_id: str) -> list[int]:
    """Return the numbers of the entries about a call."""
    return [
        seq
        for (seq,) in connection.execute("SELECT seq FROM about WHERE call_id = ? ORDER BY seq", (call_id,))
    ]


def decision_of(entries: list[Opened]) -> Decision | None:
    """Return the decision among the opened entries of a call; ``None`` where it is erased or was not sealed."""
    return next((entry.payload for entry in entries if isinstance(entry.payload, Decision)), None)


_ENTRIES = """
    SELECT c.header, p.salt, p.body FROM about a JOIN chain c ON c.seq = a.seq LEFT JOIN payload p ON p.seq = a.seq
    WHERE a.call_id = ? ORDER BY a.seq
"""


def _open(header: Header, salt: bytes | None, body: bytes | None, opener: Opener) -> Opened:
    if salt is None or body is None:
        return Opened(header=header, payload=None)
    return open_entry(header, salt, body, opener)


def open_entry(header: Header, salt: bytes, body: bytes, opener: Opener) -> Opened:
    """Return one entry, what is sealed of it opened.

    :raises LedgerBrokenError: it is not what was entered.
    :raises KeysError: the key does not open it.
    """
    found = shown(header, salt, body)
    if PAYLOAD_OF[header.kind] not in INDEX_OF:
        return Opened(header=header, payload=found, salt=salt, text=body)
    _, sealed = parts_of(body)
    if not sealed or not isinstance(found, Index):
        return Opened(header=header, payload=found)
    own_salt, text, payload = opened(header, found, opener(sealed))
    return Opened(header=header, payload=payload, salt=own_salt, text=text)


def unopened(_: bytes) -> bytes:
    """Open nothing.

    :raises KeysError: always.
    """
    raise KeysError("nothing that is sealed can be opened without a key")
