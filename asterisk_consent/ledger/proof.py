"""The proof of one call: its entries with what they say, and what binds them to the next checkpoint.

Rule: of other entries a proof holds the header only, which the hash needs and which names nobody. It holds the text
of a payload and its salt, not the stored bytes, so that it can be checked by who has no key to the ledger; making it
needs the call's key. The form is described in ``docs/reference/storage.md``, and ``asterisk_consent.ledger.verifier``
checks it.
"""

import sqlite3
from pathlib import Path

import msgspec

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.chain import GENESIS
from asterisk_consent.ledger.checkpoint import Checkpoint
from asterisk_consent.ledger.checkpoints import covering
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import read_header
from asterisk_consent.ledger.opening import Opener, open_entry, seqs_about

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


def prove_call(path: Path, call_id: str, opener: Opener) -> Proof:
    """Return the proof of a call.

    :raises LedgerError: there is no ledger, or it cannot be read.
    :raises RequestRefusedError: no entry is about this call, or its last one has no checkpoint yet.
    :raises KeysError: the key does not open what is sealed.
    """
    with reading(path) as connection:
        about = seqs_about(connection, call_id)
        if not about:
            raise RequestRefusedError(
                "no entry is about this call", where=call_id, remedy="See 'asterisk-consent calls list'"
            )
        return Proof(version=PROOF_VERSION, call_id=call_id, stretches=_stretches(connection, about, opener))


def is_covered(path: Path, call_id: str) -> bool:
    """Tell whether a checkpoint covers every entry of a call.

    :raises LedgerError: there is no ledger, or it cannot be read.
    """
    with reading(path) as connection:
        about = seqs_about(connection, call_id)
        return not about or covering(connection, about[-1]) is not None


_ENTRIES = """
    SELECT c.seq, c.header, p.salt, p.body FROM chain c LEFT JOIN payload p ON p.seq = c.seq
    WHERE c.seq BETWEEN ? AND ? ORDER BY c.seq
"""


def proof_text(proof: Proof) -> str:
    """Return a proof as the JSON text of a file."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=2).decode() + "\n"


def _stretches(connection: sqlite3.Connection, about: list[int], opener: Opener) -> tuple[Stretch, ...]:
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
            stretches.append(_stretch(connection, seq, checkpoint, frozenset(about), opener))
    return tuple(stretches)


def _stretch(
    connection: sqlite3.Connection, first: int, checkpoint: Checkpoint, about: frozenset[int], opener: Opener
) -> Stretch:
    before = connection.execute("SELECT hash FROM chain WHERE seq = ?", (first - 1,)).fetchone()
    return Stretch(
        previous=(GENESIS if before is None else before[0]).hex(),
        entries=tuple(
            _proved(header, salt, body, opener if seq in about else None)
            for seq, header, salt, body in connection.execute(_ENTRIES, (first, checkpoint.seq))
        ),
        checkpoint=checkpoint,
    )


def _proved(header: bytes, salt: bytes | None, body: bytes | None, opener: Opener | None) -> ProvedEntry:
    read = read_header(header)
    if opener is None or salt is None or body is None:
        return ProvedEntry(header=header.decode())
    found = open_entry(read, salt, body, opener)
    if not found.text:
        return ProvedEntry(header=header.decode())
    return ProvedEntry(header=header.decode(), salt=found.salt.hex(), text=found.text.decode())
