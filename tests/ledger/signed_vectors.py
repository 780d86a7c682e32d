"""Writes the checked-in checkpoints and proofs: some that hold, the others each wrong in one way.

Run ``python -m tests.ledger.signed_vectors`` when one is added. A change in the bytes of an existing one is a change of
the format, which no release may make.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from asterisk_consent.ledger import Erased, Kind, NewEntry, Service
from asterisk_consent.ledger.chain import Row
from asterisk_consent.ledger.checkpoint import (
    Checkpoint,
    SigningKey,
    checkpoint_line,
    checkpoint_text,
    possession_bytes,
    sign_checkpoint,
    signed_bytes,
)
from asterisk_consent.ledger.entry import SYSTEM_STREAM, header_bytes, read_header
from asterisk_consent.ledger.payload import CheckpointKey
from asterisk_consent.ledger.proof import proof_text, prove_call
from asterisk_consent.ledger.schema import migrate
from asterisk_consent.model import Outcome
from tests.ledger.entries import NOW, decision, hex_id, recorded
from tests.ledger.open_sealing import open_sealed
from tests.ledger.signing import ORDER, signing_key
from tests.ledger.write_vectors import VECTORS, TextRow, alter, chain_of, gone, texts_of, write

CHECKPOINTS = VECTORS / "checkpoints"
PROOFS = VECTORS / "proofs"
LEDGER_ID = hex_id(0xC0FFEE)
FIRST_KEY, SECOND_KEY, STRANGERS_KEY = signing_key(1), signing_key(2), signing_key(3)


class CheckpointVector(msgspec.Struct, frozen=True, kw_only=True):
    """A chain as in the other vectors, a checkpoint's text, and what a verifier says is wrong; empty: nothing."""

    about: str
    rows: list[TextRow]
    checkpoint: str
    wrong: str


class ProofVector(msgspec.Struct, frozen=True, kw_only=True):
    """A proof's text, checkpoints that were kept elsewhere, and what a verifier says is wrong; empty: nothing."""

    about: str
    proof: str
    checkpoints: list[str]
    wrong: str


def naming(key: SigningKey, *, ledger_id: str = LEDGER_ID, signer: SigningKey | None = None) -> NewEntry:
    """Return the entry that names a key."""
    signature = (signer or key).sign(possession_bytes(ledger_id))
    named = CheckpointKey(key=key.public, signature=signature)
    return NewEntry(stream=SYSTEM_STREAM, kind=Kind.CHECKPOINT_KEY, payload=named)


def chain() -> list[Row]:
    """Return eight entries: a key, two calls, one of which was erased, and another key."""
    rows = chain_of(
        [
            NewEntry(stream=SYSTEM_STREAM, kind=Kind.SERVICE_STARTED, payload=Service(release="0.1.0")),
            naming(FIRST_KEY),
            decision(1, recording=1),
            decision(2, Outcome.REFUSED),
            recorded(Kind.RECORDING_VERIFIED, 1),
            NewEntry(
                stream=SYSTEM_STREAM, kind=Kind.PAYLOAD_ERASED, payload=Erased(seqs=(5,), reason="request")
            ),
            naming(SECOND_KEY),
        ]
    )
    return gone(rows, 5)


def signed(
    row: Row, key: SigningKey = FIRST_KEY, *, ledger_id: str = LEDGER_ID, number: int = 7
) -> Checkpoint:
    """Return a checkpoint of a row."""
    return sign_checkpoint(key, ledger_id=ledger_id, number=number, seq=row.seq, digest=row.hash, at=NOW + 60)


def checkpoint_vectors() -> dict[str, CheckpointVector]:
    """Return every checkpoint by its name."""
    rows = chain()
    good = signed(rows[5])
    history, cut, form = "this history is another", "the end is cut off", "checkpoint"
    signature, key, ledger = "its signature is wrong", "does not name its key", "is of another ledger"
    other = chain_of([naming(FIRST_KEY), *(decision(number) for number in range(3, 9))])
    unsigned = signed_bytes(good).partition(b"\n")[2]
    without_domain = msgspec.structs.replace(good, signature=FIRST_KEY.sign(unsigned))
    return {
        "middle": case("of an entry in the middle", rows, good),
        "head": case("of the last entry, by the key it names", rows, signed(rows[7], SECOND_KEY)),
        "old-key": case("of the last entry, by the key before", rows, signed(rows[7])),
        "one-line": case("without spaces", rows, good, text=checkpoint_line),
        "other-order": case("fields in another order", rows, good, text=_backwards),
        "signature-changed": case("one bit of the signature", rows, _flipped(good), wrong=signature),
        "signature-grown": case("the group's order was added to it", rows, _grown(good), wrong=signature),
        "signed-without-domain": case("only the fields were signed", rows, without_domain, wrong=signature),
        "number-changed": case("another number", rows, _changed(good, number=8), wrong=signature),
        "time-changed": case("a minute earlier", rows, _changed(good, at=NOW), wrong=signature),
        "place-changed": case(
            "another entry, and its hash",
            rows,
            _changed(good, seq=5, hash=rows[4].hash.hex()),
            wrong=signature,
        ),
        "key-changed": case("another key", rows, _changed(good, key=SECOND_KEY.public), wrong=signature),
        "other-history": case("a history written anew", other, good, wrong=history),
        "cut-off": case("its entry is missing", rows[:5], signed(rows[5]), wrong=cut),
        "other-ledger": case(
            "of another ledger", rows, signed(rows[5], ledger_id=hex_id(0xBEEF)), wrong=ledger
        ),
        "stranger": case("by a key that no entry names", rows, signed(rows[5], STRANGERS_KEY), wrong=key),
        "key-named-later": case("by a key named only later", rows, signed(rows[5], SECOND_KEY), wrong=key),
        "version-2": case("of a later form", rows, _changed(good, version=2), wrong="version 2 is unknown"),
        "capitals": case("capital digits", rows, _changed(good, hash=good.hash.upper()), wrong=form),
        "field-missing": case("no time", rows, good, text=lambda it: _edited(it, at=None), wrong=form),
        "field-added": case("one field more", rows, good, text=lambda it: _edited(it, more=1), wrong=form),
        "number-as-text": case(
            "text for a number", rows, good, text=lambda it: _edited(it, seq="6"), wrong=form
        ),
        "no-json": case("half a file", rows, good, text=lambda it: checkpoint_text(it)[:200], wrong=form),
        "key-not-held": case(
            "the key was named by another's signature",
            chain_of([naming(FIRST_KEY, signer=SECOND_KEY)]),
            signed(chain_of([naming(FIRST_KEY, signer=SECOND_KEY)])[1]),
            wrong="key",
        ),
        "key-for-another-ledger": case(
            "the key signed for another ledger",
            chain_of([naming(FIRST_KEY, ledger_id=hex_id(0xBEEF))]),
            signed(chain_of([naming(FIRST_KEY, ledger_id=hex_id(0xBEEF))])[1]),
            wrong="key",
        ),
    }


def case(
    about: str,
    rows: list[Row],
    checkpoint: Checkpoint,
    *,
    text: Callable[[Checkpoint], str] = checkpoint_text,
    wrong: str = "",
) -> CheckpointVector:
    """Make a vector."""
    return CheckpointVector(
        about=about,
        rows=texts_of(rows),
        checkpoint=text(checkpoint),
        wrong=wrong,
    )


def proof_vectors() -> dict[str, ProofVector]:
    """Return every proof by its name."""
    rows = chain()
    first, last = signed(rows[4], number=6), signed(rows[7], SECOND_KEY, number=8)
    one = proved(rows, 1, first, last)
    erased = proved(rows, 2, first, last)
    elsewhere = [checkpoint_text(first), checkpoint_text(last)]
    stranger = signed(rows[4], STRANGERS_KEY)
    refused = header_bytes(msgspec.structs.replace(read_header(rows[3].header), kind=Kind.DECISION_REFUSED))
    rehashed = alter(rows, 4, header=lambda _: refused)[3]
    header = rows[3].header.decode()
    return {
        "call": proof("a call in two stretches", one, elsewhere),
        "call-alone": proof("the same, nothing known from elsewhere", one, []),
        "erased": proof("a call whose payload was erased", erased, elsewhere),
        "text-changed": proof(
            "another digit", one.replace(r"\"digit\":\"1\"", r"\"digit\":\"2\""), [], "than was entered"
        ),
        "number-changed": proof(
            "another caller", one.replace("+442079460123", "+442079460124"), [], "than was entered"
        ),
        "header-changed": proof(
            "another outcome",
            one.replace(_in_json(header), _in_json(rehashed.header.decode())),
            [],
            "entry 4",
        ),
        "entry-removed": proof("an entry taken out", _less(one), [], "entry"),
        "signature-changed": proof(
            "one bit", one.replace(first.signature, _flipped(first).signature), [], "signature"
        ),
        "stranger": proof(
            "signed by a key nobody knows", proved(rows, 1, stranger, last), elsewhere, "known one"
        ),
        "other-history": proof(
            "a checkpoint kept elsewhere says otherwise",
            one,
            [
                checkpoint_text(
                    sign_checkpoint(FIRST_KEY, ledger_id=LEDGER_ID, number=6, seq=4, digest=bytes(32), at=NOW)
                )
            ],
            "another hash",
        ),
        "other-ledger": proof(
            "a checkpoint of another ledger",
            one,
            [*elsewhere, checkpoint_text(signed(rows[5], ledger_id=hex_id(0xBEEF)))],
            "several ledgers",
        ),
        "other-call": proof(
            "it says another call",
            one.replace(f'"call_id": "{hex_id(1)}"', f'"call_id": "{hex_id(2)}"'),
            [],
            "something else",
        ),
        "cut-short": proof("half a file", one[:300], [], "cannot be read"),
        "empty": proof(
            "no stretch", f'{{"version": 1, "call_id": "{hex_id(1)}", "stretches": []}}', [], "empty"
        ),
    }


def proof(about: str, text: str, elsewhere: list[str], wrong: str = "") -> ProofVector:
    """Make a vector."""
    return ProofVector(about=about, proof=text, checkpoints=elsewhere, wrong=wrong)


def proved(rows: list[Row], call: int, *checkpoints: Checkpoint) -> str:
    """Return the proof of a call from a ledger that holds these rows and checkpoints."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            migrate(connection, where=str(path))
            for row in rows:
                connection.execute("INSERT INTO chain VALUES (?, ?, ?)", (row.seq, row.header, row.hash))
                call_id = read_header(row.header).call_id
                if call_id:
                    connection.execute("INSERT INTO about VALUES (?, ?)", (call_id, row.seq))
                if row.body is not None:
                    connection.execute("INSERT INTO payload VALUES (?, ?, ?)", (row.seq, row.salt, row.body))
            for each in checkpoints:
                stored = (each.number, each.seq, checkpoint_line(each))
                connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", stored)
        return proof_text(prove_call(path, hex_id(call), open_sealed))


def _changed(checkpoint: Checkpoint, **parts: object) -> Checkpoint:
    return msgspec.structs.replace(checkpoint, **parts)


def _flipped(checkpoint: Checkpoint) -> Checkpoint:
    raw = bytearray(bytes.fromhex(checkpoint.signature))
    raw[5] ^= 1
    return _changed(checkpoint, signature=raw.hex())


def _grown(checkpoint: Checkpoint) -> Checkpoint:
    """Return it with the other number that the same signature could be written as; RFC 8032 forbids it."""
    raw = bytes.fromhex(checkpoint.signature)
    factor = int.from_bytes(raw[32:], "little") + ORDER
    return _changed(checkpoint, signature=(raw[:32] + factor.to_bytes(32, "little")).hex())


def _backwards(checkpoint: Checkpoint) -> str:
    found = msgspec.json.decode(checkpoint_line(checkpoint))
    return msgspec.json.encode(dict(reversed(found.items()))).decode()


def _edited(checkpoint: Checkpoint, **parts: object) -> str:
    found = msgspec.json.decode(checkpoint_line(checkpoint)) | parts
    return msgspec.json.encode({name: value for name, value in found.items() if value is not None}).decode()


def _in_json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _less(text: str) -> str:
    found = msgspec.json.decode(text)
    del found["stretches"][-1]["entries"][1]
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def main() -> None:
    """Write every vector to its file."""
    write(CHECKPOINTS, checkpoint_vectors())
    write(PROOFS, proof_vectors())


if __name__ == "__main__":
    main()
