"""Putting entries at the end of the chain: what every writer does inside its transaction.

Rule: the head is read inside the same ``BEGIN IMMEDIATE`` that appends to it, since other processes append
too.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from asterisk_consent.errors import KeysError, LedgerBrokenError, LedgerUnavailableError
from asterisk_consent.ledger.chain import (
    GENESIS,
    Head,
    commitment,
    ledger_id_of,
    next_hash,
    payload_digest,
)
from asterisk_consent.ledger.entry import FORMAT_VERSION, Header, Kind, NewEntry, header_bytes
from asterisk_consent.ledger.index import INDEX_OF, Index, index_bytes, index_of, subject_of
from asterisk_consent.ledger.payload import Access, Decision, Export, Payload, payload_bytes, read_payload
from asterisk_consent.ledger.projection import Projector
from asterisk_consent.ledger.sealing import SALT_BYTES, Sealer, key_id, salted, two_parts
from asterisk_consent.model import EntryKey, Sealed

BUSY_S = 2.0
"""How long a writer waits for a lock that somebody else holds."""


@dataclass(frozen=True, slots=True)
class Committed:
    """Where an entry is in the chain, and the hash that stands for it and everything before it."""

    seq: int
    hash: bytes


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An entry whose payload is already salted and sealed; only its place in the chain is missing.

    ``key`` opens what was sealed; it must be kept before the entry is.
    """

    entry: NewEntry
    at: int
    salt: bytes
    body: bytes
    shown: Payload | Index
    payload_digest: str
    commitment: str
    key: EntryKey | None


def prepare(
    entry: NewEntry, *, at: int, randomness: Callable[[int], bytes], sealer: Sealer | None = None
) -> Prepared:
    """Salt and seal the payload of an entry made at ``at`` (UTC seconds).

    What cannot be sealed is left out, and only the index entered; but never where the entry lets something happen: a
    recording, or those of somebody who objected, or somebody see or take one.

    :raises LedgerUnavailableError: the entry would let that happen and there is nobody to seal it to.
    """
    text = payload_bytes(entry.payload)
    salt = randomness(SALT_BYTES)
    payload, committed = read_payload(text), commitment(salt, text)
    if type(payload) not in INDEX_OF:
        return _prepared(entry, at, payload, salt=salt, body=text, committed=committed)
    try:
        kept_under = key_id(entry.call_id, committed)
        sealed, index = _sealed(entry, payload, salted(salt, text), sealer, kept_under=kept_under)
    except KeysError as error:
        if _lets_something_happen(entry.kind, payload):
            what = type(payload).__struct_config__.tag
            raise LedgerUnavailableError(
                f"the {what} cannot be sealed: {error.what}", where=error.where, remedy=error.remedy
            ) from error
        sealed, index = None, index_of(payload)
    return _prepared(
        entry,
        at,
        index,
        salt=b"",
        body=two_parts(index_bytes(index), sealed.content if sealed else b""),
        committed=committed if sealed else "",
        key=sealed.key if sealed else None,
    )


def _lets_something_happen(kind: Kind, payload: Payload) -> bool:
    if kind is Kind.OBJECTION_LIFTED or isinstance(payload, Access | Export):
        return True
    return isinstance(payload, Decision) and payload.outcome.allows_recording


def _sealed(
    entry: NewEntry, payload: Payload, content: bytes, sealer: Sealer | None, *, kept_under: str
) -> tuple[Sealed, Index]:
    if sealer is None:
        raise KeysError("there is nothing to seal it with")
    subject = subject_of(payload, lambda number: sealer.blind(number, controller=entry.stream))
    sealed = sealer.seal(content, controller=entry.stream, call_id=kept_under)
    return sealed, index_of(payload, subject=subject)


def _prepared(
    entry: NewEntry,
    at: int,
    shown: Payload | Index,
    *,
    salt: bytes,
    body: bytes,
    committed: str,
    key: EntryKey | None = None,
) -> Prepared:
    return Prepared(
        entry=entry,
        at=at,
        salt=salt,
        body=body,
        shown=shown,
        payload_digest=payload_digest(body),
        commitment=committed,
        key=key,
    )


def read_head(connection: sqlite3.Connection) -> Head:
    """Return the last entry's sequence and hash; sequence 0 for an empty chain."""
    row = connection.execute("SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        return Head(seq=0, hash=GENESIS)
    seq, digest = row
    if not isinstance(digest, bytes) or len(digest) != len(GENESIS):
        raise LedgerBrokenError(f"the hash of entry {seq} is damaged")
    return Head(seq=seq, hash=digest)


def read_ledger_id(connection: sqlite3.Connection, *, where: str) -> str:
    """Return the id that the first entry gave the ledger.

    :raises LedgerBrokenError: it cannot be read.
    """
    row = connection.execute("SELECT body FROM payload WHERE seq = 1").fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise LedgerBrokenError(
            "the first entry of the ledger is gone", where=where, remedy="Restore a backup"
        )
    return ledger_id_of(read_payload(row[0]))


def write_entries(connection: sqlite3.Connection, group: Sequence[Prepared]) -> list[Committed]:
    """Append the group in order and bring the projections up to date, inside the caller's transaction."""
    head = read_head(connection)
    seq, digest = head.seq, head.hash
    chain: list[tuple[int, bytes, bytes]] = []
    payloads: list[tuple[int, bytes, bytes]] = []
    written: list[tuple[Header, Payload | Index]] = []
    for prepared in group:
        seq += 1
        header = place(prepared, seq)
        raw = header_bytes(header)
        digest = next_hash(digest, raw)
        chain.append((seq, raw, digest))
        payloads.append((seq, prepared.salt, prepared.body))
        written.append((header, prepared.shown))
    connection.executemany("INSERT INTO chain VALUES (?, ?, ?)", chain)
    connection.executemany("INSERT INTO payload VALUES (?, ?, ?)", payloads)
    projector = Projector(connection)
    for written_header, shown in written:
        projector.add(written_header, shown)
    return [Committed(seq, digest) for seq, _, digest in chain]


def place(prepared: Prepared, seq: int) -> Header:
    """Return the header of an entry at its place in the chain."""
    entry = prepared.entry
    return Header(
        version=FORMAT_VERSION,
        seq=seq,
        stream=entry.stream,
        kind=entry.kind,
        at=prepared.at,
        call_id=entry.call_id,
        policy=entry.policy,
        policy_version=entry.policy_version,
        language=entry.language,
        announcement=entry.announcement,
        payload_digest=prepared.payload_digest,
        commitment=prepared.commitment,
    )
