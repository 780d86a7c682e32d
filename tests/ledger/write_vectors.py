"""Writes the checked-in chains of ``vectors/``: one intact, the others each broken in one way.

Checkpoints and proofs of calls lie below them: :mod:`tests.ledger.signed_vectors`.

Run ``python -m tests.ledger.write_vectors`` when a vector is added. A change in the bytes of an existing one
is a change of the format, which no release may make.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from asterisk_consent.ledger import Erased, Kind, NewEntry, Service
from asterisk_consent.ledger.chain import GENESIS, Row, next_hash
from asterisk_consent.ledger.commit import place, prepare
from asterisk_consent.ledger.entry import SYSTEM_STREAM, header_bytes, read_header
from asterisk_consent.ledger.payload import Created, Restored
from asterisk_consent.model import Outcome
from tests.ledger.entries import NOW, decision, hex_id, made_up_randomness, recorded
from tests.ledger.open_sealing import OpenSealer

VECTORS = Path(__file__).with_name("vectors")


TextRow = tuple[int, str, str, str | None, str | None]
"""An entry as ``[seq, header, hash, salt, body]``, hash and salt in hexadecimal."""


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """A chain, and what is wrong."""

    about: str
    rows: list[TextRow]
    problem_seq: int
    expected_seq: int = 0
    expected_hash: str = ""


def texts_of(rows: list[Row]) -> list[TextRow]:
    """Write the rows of a chain as they stand in a vector."""
    return [
        (
            row.seq,
            row.header.decode("latin-1"),
            row.hash.hex(),
            None if row.salt is None else row.salt.hex(),
            None if row.body is None else row.body.decode("latin-1"),
        )
        for row in rows
    ]


def rows_of(texts: list[TextRow]) -> list[Row]:
    """Read the rows of a chain out of a vector."""
    return [
        Row(
            seq,
            header.encode("latin-1"),
            bytes.fromhex(digest),
            None if salt is None else bytes.fromhex(salt),
            None if body is None else body.encode("latin-1"),
        )
        for seq, header, digest, salt, body in texts
    ]


def chain_of(entries: list[NewEntry]) -> list[Row]:
    """Return the rows that these entries make, after a ``ledger.created``."""
    source = made_up_randomness()
    created = NewEntry(
        stream=SYSTEM_STREAM, kind=Kind.LEDGER_CREATED, payload=Created(ledger_id=hex_id(0xC0FFEE))
    )
    rows: list[Row] = []
    digest = GENESIS
    for seq, entry in enumerate([created, *entries], start=1):
        prepared = prepare(entry, at=NOW + seq, randomness=lambda _: next(source), sealer=OpenSealer())
        raw = header_bytes(place(prepared, seq))
        digest = next_hash(digest, raw)
        rows.append(Row(seq, raw, digest, prepared.salt, prepared.body))
    return rows


def vectors() -> dict[str, Vector]:
    """Return every vector by its name."""
    intact = chain_of(
        [
            NewEntry(stream=SYSTEM_STREAM, kind=Kind.SERVICE_STARTED, payload=Service(release="0.1.0")),
            decision(1, recording=1),
            recorded(Kind.RECORDING_STARTED, 1),
            decision(2, Outcome.REFUSED),
            recorded(Kind.RECORDING_VERIFIED, 1),
        ]
    )
    erased = chain_of(
        [
            decision(1),
            decision(2),
            NewEntry(
                stream=SYSTEM_STREAM, kind=Kind.PAYLOAD_ERASED, payload=Erased(seqs=(2,), reason="request")
            ),
        ]
    )
    restored = Restored(seq=2, hash=intact[1].hash.hex(), missing=4, erasures=1, person="root")
    brought_back = chain_of(
        [
            NewEntry(stream=SYSTEM_STREAM, kind=Kind.SERVICE_STARTED, payload=Service(release="0.1.0")),
            NewEntry(stream=SYSTEM_STREAM, kind=Kind.LEDGER_RESTORED, payload=restored),
        ]
    )
    last = intact[-1]
    other = chain_of([decision(3), decision(4), decision(5)])
    return {
        "intact": vector("nothing is wrong", intact, 0),
        "intact-with-head": vector("the known entry is there", intact, 0, expected=intact[3]),
        "header-changed": vector("an outcome was changed", alter(intact, 3, header=_outcome_changed), 3),
        "header-resealed": vector(
            "a changed header got a new hash", alter(intact, 3, header=_outcome_changed, rehash=True), 3
        ),
        "hash-changed": vector("one bit of a hash", alter(intact, 4, hash=_bit), 4),
        "body-changed": vector("one bit of a payload", alter(intact, 3, body=_bit), 3),
        "salt-changed": vector("one bit of a salt", alter(intact, 4, salt=_bit), 4),
        "salt-of-a-sealed-payload": vector(
            "a salt beside a payload that has its own", alter(intact, 3, salt=lambda _: bytes(16)), 3
        ),
        "sealed-part-changed": vector("one bit of what was sealed", alter(intact, 3, body=_last_bit), 3),
        "sealed-part-gone": vector(
            "only the index of a sealed payload is left", alter(intact, 3, body=_index), 3
        ),
        "removed": vector("an entry was taken out", [row for row in intact if row.seq != 3], 3),
        "removed-renumbered": vector(
            "an entry was taken out, the others moved up",
            renumbered([row for row in intact if row.seq != 3]),
            3,
        ),
        "inserted": vector("an entry was put in", renumbered([*intact[:3], other[1], *intact[3:]]), 4),
        "exchanged": vector(
            "two entries changed places", renumbered([*intact[:2], intact[3], intact[2], *intact[4:]]), 3
        ),
        "payloads-exchanged": vector("two payloads changed places", payloads_exchanged(intact, 3, 5), 3),
        "truncated": vector("the end was cut off", intact[:-1], 5, expected=last),
        "other-history": vector("a history written anew", other, 3, expected=intact[2]),
        "erased": vector("a payload was erased, an entry says so", gone(erased, 2), 0),
        "erased-silently": vector("a payload is gone, no entry says why", gone(erased, 3), 3),
        "salt-gone": vector("only the salt is gone", alter(intact, 3, salt=lambda _: None), 3),
        "restored": vector("a backup was restored, an entry says so", brought_back, 0),
        "no-beginning": vector("the first entry is another", renumbered(intact[1:]), 1),
        "empty": vector("a chain is expected, none is there", [], 0, expected=last),
    }


def vector(about: str, rows: list[Row], problem_seq: int, *, expected: Row | None = None) -> Vector:
    """Make a vector; ``problem_seq`` 0 means that all holds."""
    return Vector(
        about=about,
        rows=texts_of(rows),
        problem_seq=problem_seq,
        expected_seq=expected.seq if expected else 0,
        expected_hash=expected.hash.hex() if expected else "",
    )


def alter(
    rows: list[Row],
    seq: int,
    *,
    header: Callable[[bytes], bytes] = bytes,
    hash: Callable[[bytes], bytes] = bytes,  # noqa: A002 - the column's name
    salt: Callable[[bytes], bytes | None] = bytes,
    body: Callable[[bytes], bytes | None] = bytes,
    rehash: bool = False,
) -> list[Row]:
    """Return the rows with one of them changed, its own hash made to fit with ``rehash``."""
    changed = list(rows)
    old = rows[seq - 1]
    raw = header(old.header)
    digest = next_hash(rows[seq - 2].hash, raw) if rehash else hash(old.hash)
    changed[seq - 1] = Row(seq, raw, digest, salt(old.salt or b""), body(old.body or b""))
    return changed


def gone(rows: list[Row], seq: int) -> list[Row]:
    """Return the rows with one payload missing."""
    return [Row(row.seq, row.header, row.hash, None, None) if row.seq == seq else row for row in rows]


def renumbered(rows: list[Row]) -> list[Row]:
    """Return the rows with the numbers of their places."""
    return [Row(seq, row.header, row.hash, row.salt, row.body) for seq, row in enumerate(rows, start=1)]


def payloads_exchanged(rows: list[Row], one: int, other: int) -> list[Row]:
    """Return the rows with the payloads of two entries exchanged."""
    place_of = {one: other, other: one}
    return [
        Row(row.seq, row.header, row.hash, rows[at - 1].salt, rows[at - 1].body)
        for row in rows
        for at in [place_of.get(row.seq, row.seq)]
    ]


def _outcome_changed(raw: bytes) -> bytes:
    header = msgspec.structs.replace(read_header(raw), kind=Kind.DECISION_REFUSED)
    return header_bytes(header)


def _bit(raw: bytes) -> bytes:
    return bytes([raw[0] ^ 1]) + raw[1:]


def _last_bit(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def _index(raw: bytes) -> bytes:
    return raw[: raw.index(b"\n") + 1]


def write(directory: Path, found: Mapping[str, msgspec.Struct]) -> None:
    """Write every vector to its file."""
    directory.mkdir(exist_ok=True)
    for name, content in found.items():
        text = msgspec.json.format(msgspec.json.encode(content), indent=1)
        directory.joinpath(f"{name}.json").write_bytes(text + b"\n")


def main() -> None:
    """Write the chains."""
    write(VECTORS, vectors())


if __name__ == "__main__":
    main()
