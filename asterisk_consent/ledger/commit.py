"""Putting entries at the end of the chain: what every writer does inside its transaction.

Rule: the head is read inside the same ``BEGIN IMMEDIATE`` that appends to it, since other processes append
too.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.ledger.chain import (
    GENESIS,
    SALT_BYTES,
    Head,
    commitment,
    ledger_id_of,
    next_hash,
    payload_digest,
)
from asterisk_consent.ledger.entry import FORMAT_VERSION, Header, NewEntry, header_bytes
from asterisk_consent.ledger.payload import Payload, payload_bytes, read_payload
from asterisk_consent.ledger.projection import Projector
from asterisk_consent.ledger.sealing import seal, unseal

BUSY_S = 2.0
"""How long a writer waits for a lock that somebody else holds."""


@dataclass(frozen=True, slots=True)
class Committed:
    """Where an entry is in the chain, and the hash that stands for it and everything before it."""

    seq: int
    hash: bytes


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An entry whose payload is already salted and sealed; only its place in the chain is missing."""

    entry: NewEntry
    at: int
    salt: bytes
    body: bytes
    payload: Payload
    payload_digest: str
    commitment: str


def prepare(entry: NewEntry, *, at: int, randomness: Callable[[int], bytes]) -> Prepared:
    """Salt and seal the payload of an entry made at ``at`` (UTC seconds)."""
    plaintext = payload_bytes(entry.payload)
    salt = randomness(SALT_BYTES)
    body = seal(plaintext)
    return Prepared(
        entry=entry,
        at=at,
        salt=salt,
        body=body,
        payload=read_payload(plaintext),
        payload_digest=payload_digest(body),
        commitment=commitment(salt, plaintext),
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
    return ledger_id_of(read_payload(unseal(row[0])))


def write_entries(connection: sqlite3.Connection, group: Sequence[Prepared]) -> list[Committed]:
    """Append the group in order and bring the projections up to date, inside the caller's transaction."""
    head = read_head(connection)
    seq, digest = head.seq, head.hash
    chain: list[tuple[int, bytes, bytes]] = []
    payloads: list[tuple[int, bytes, bytes]] = []
    written: list[tuple[Header, Payload]] = []
    for prepared in group:
        seq += 1
        header = place(prepared, seq)
        raw = header_bytes(header)
        digest = next_hash(digest, raw)
        chain.append((seq, raw, digest))
        payloads.append((seq, prepared.salt, prepared.body))
        written.append((header, prepared.payload))
    connection.executemany("INSERT INTO chain VALUES (?, ?, ?)", chain)
    connection.executemany("INSERT INTO payload VALUES (?, ?, ?)", payloads)
    projector = Projector(connection)
    for written_header, payload in written:
        projector.add(written_header, payload)
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
