"""The proof of one call: its entries with what they say, and what binds them to the next checkpoint.

Rule: of other entries a proof holds the header only, which the hash needs and which names nobody. It holds the text
of a payload and its salt, not the stored bytes, so that it can be checked by who has no key to the ledger. The form is
described in ``docs/reference/storage.md``; ``asterisk_consent.ledger.verifier`` checks it.
"""

import sqlite3
from pathlib import Path

import msgspec

from asterisk_consent.errors import LedgerBrokenError, RequestRefusedError
from asterisk_consent.ledger.chain import GENESIS
from asterisk_consent.ledger.checkpoint import Checkpoint
from asterisk_consent.ledger.checkpoints import covering
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import read_header
from asterisk_consent.ledger.sealing import unseal

PROOF_VERSION = 1


class ProvedEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the chain; ``text`` and ``salt`` for those of the call whose payload is still there."""

    header: str
    salt: str | None = None
    text: str | None = None


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Entries without a gap up to the one that a checkpoint is of; ``previous`` is the hash before the first."""

    previous: str
    entries: tuple[ProvedEntry, ...]
    checkpoint: Checkpoint


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """All that proves what was entered about one call."""

    version: int
    call_id: str
    stretches: tuple[Stretch, ...]


def prove_call(path: Path, call_id: str) -> Proof:
    """Return the proof of a call.

    :raises LedgerError: there is no ledger, or it cannot be read.
    :raises RequestRefusedError: no entry is about this call, or its last one has no checkpoint yet.
    """
    with reading(path) as connection:
        about = _entries_about(connection, call_id)
        if not about:
            raise RequestRefusedError(
                "no entry is about this call", where=call_id, remedy="See 'asterisk-consent calls list'"
            )
        return Proof(version=PROOF_VERSION, call_id=call_id, stretches=_stretches(connection, about))


def is_covered(path: Path, call_id: str) -> bool:
    """Tell whether a checkpoint covers every entry of a call.

    :raises LedgerError: there is no ledger, or it cannot be read.
    """
    with reading(path) as connection:
        about = _entries_about(connection, call_id)
        return not about or covering(connection, about[-1]) is not None


def _entries_about(connection: sqlite3.Connection, call_id: str) -> list[int]:
    return [seq for (seq,) in connection.execute(_ABOUT, (f'"call_id":"{call_id}"'.encode(),))]


_ABOUT = "SELECT seq FROM chain WHERE instr(header, ?) ORDER BY seq"
_ENTRIES = """
    SELECT c.seq, c.header, p.salt, p.body FROM chain c LEFT JOIN payload p ON p.seq = c.seq
    WHERE c.seq BETWEEN ? AND ? ORDER BY c.seq
"""


def proof_text(proof: Proof) -> str:
    """Return a proof as the JSON text of a file."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=2).decode() + "\n"


def _stretches(connection: sqlite3.Connection, about: list[int]) -> tuple[Stretch, ...]:
    stretches: list[Stretch] = []
    proved = 0
    for seq in about:
        if seq > proved:
            checkpoint = covering(connection, seq)
            if checkpoint is None:
                raise RequestRefusedError(
                    f"no checkpoint covers entry {seq} of this call yet",
                    remedy="Make one with 'asterisk-consent ledger checkpoint'; the service makes one a minute",
                )
            proved = checkpoint.seq
            stretches.append(_stretch(connection, seq, checkpoint, frozenset(about)))
    return tuple(stretches)


def _stretch(
    connection: sqlite3.Connection, first: int, checkpoint: Checkpoint, about: frozenset[int]
) -> Stretch:
    before = connection.execute("SELECT hash FROM chain WHERE seq = ?", (first - 1,)).fetchone()
    entries: list[ProvedEntry] = []
    for seq, header, salt, body in connection.execute(_ENTRIES, (first, checkpoint.seq)):
        read_header(header)
        opened = seq in about and isinstance(body, bytes) and isinstance(salt, bytes)
        entries.append(
            ProvedEntry(
                header=header.decode(),
                salt=salt.hex() if opened else None,
                text=_text(seq, body) if opened else None,
            )
        )
    return Stretch(
        previous=(GENESIS if before is None else before[0]).hex(),
        entries=tuple(entries),
        checkpoint=checkpoint,
    )


def _text(seq: int, body: bytes) -> str:
    try:
        return unseal(body).decode()
    except UnicodeDecodeError as error:
        raise LedgerBrokenError(f"the payload of entry {seq} is not text") from error
