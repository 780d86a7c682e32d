"""Invariants 12 and 13: each attack on the evidence is found against a checkpoint kept elsewhere, no erasure is.

Every attack is tried on a thousand small ledgers, made up and always the same ones. Two verifiers that share no code
must both find it: the product's, and the one that stands alone.
"""

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec
import pytest

from asterisk_consent.ledger import Erased, Kind, NewEntry, Service, rebuild, verifier, verify
from asterisk_consent.ledger.chain import GENESIS, ChainVerifier, Row, next_hash
from asterisk_consent.ledger.checkpoint import Checkpoint, checkpoint_line, possession_bytes, sign_checkpoint
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.ledger.commit import place, prepare
from asterisk_consent.ledger.connection import connect
from asterisk_consent.ledger.entry import SYSTEM_STREAM, header_bytes, read_header
from asterisk_consent.ledger.payload import CheckpointKey, Created
from asterisk_consent.ledger.schema import migrate
from asterisk_consent.ledger.sealing import parts_of, two_parts
from asterisk_consent.model import Outcome
from tests.ledger.entries import NOW, decision, hex_id, recorded
from tests.ledger.open_sealing import OpenSealer
from tests.ledger.signing import signing_key
from tests.ledger.tampering import tampering
from tests.ledger.write_vectors import gone, renumbered

LEDGERS = 1000
THROUGH_FILES = 60
TODAYS_KEY = signing_key(1)
STRANGERS_KEY = signing_key(2)
RECORDING_KINDS = (Kind.RECORDING_STARTED, Kind.RECORDING_VERIFIED, Kind.RECORDING_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A ledger as it is when the attack begins, and the checkpoint of it that lies elsewhere."""

    seed: int
    ledger_id: str
    rows: list[Row]
    outside: Checkpoint


def made_up_entry(chance: random.Random) -> NewEntry:
    number = chance.randrange(1, 9)
    return chance.choice(
        [
            decision(number, chance.choice(list(Outcome)), recording=chance.choice([None, number])),
            recorded(chance.choice(RECORDING_KINDS), number),
            NewEntry(stream=SYSTEM_STREAM, kind=Kind.SERVICE_STARTED, payload=Service(release="0.1.0")),
        ]
    )


def erasure(seqs: set[int]) -> NewEntry:
    payload = Erased(seqs=tuple(sorted(seqs)), reason="request")
    return NewEntry(stream=SYSTEM_STREAM, kind=Kind.PAYLOAD_ERASED, payload=payload)


def appended(rows: list[Row], entries: list[NewEntry], chance: random.Random) -> list[Row]:
    """Return the chain with entries added as the product adds them."""
    longer = list(rows)
    for entry in entries:
        prepared = prepare(entry, at=NOW + len(longer), randomness=chance.randbytes, sealer=OpenSealer())
        raw = header_bytes(place(prepared, len(longer) + 1))
        digest = next_hash(longer[-1].hash if longer else GENESIS, raw)
        longer.append(Row(len(longer) + 1, raw, digest, prepared.salt, prepared.body))
    return longer


def beginning(ledger_id: str) -> list[NewEntry]:
    signature = TODAYS_KEY.sign(possession_bytes(ledger_id))
    return [
        NewEntry(stream=SYSTEM_STREAM, kind=Kind.LEDGER_CREATED, payload=Created(ledger_id=ledger_id)),
        NewEntry(
            stream=SYSTEM_STREAM,
            kind=Kind.CHECKPOINT_KEY,
            payload=CheckpointKey(key=TODAYS_KEY.public, signature=signature),
        ),
    ]


def erasable(rows: list[Row]) -> list[int]:
    """Entries whose payload may go: those about calls and the service."""
    never = {Kind.LEDGER_CREATED, Kind.CHECKPOINT_KEY, Kind.PAYLOAD_ERASED}
    return [row.seq for row in rows if row.body is not None and read_header(row.header).kind not in never]


def erased(rows: list[Row], seqs: set[int], chance: random.Random) -> list[Row]:
    """Return the chain after a legal erasure."""
    return appended(
        [Row(row.seq, row.header, row.hash, None, None) if row.seq in seqs else row for row in rows],
        [erasure(seqs)],
        chance,
    )


@lru_cache(maxsize=LEDGERS)
def made(seed: int) -> Made:
    """Return the ledger of that number: four to twelve entries, in a third of them something was erased."""
    chance = random.Random(seed)
    ledger_id = hex_id(1000 + seed)
    rows = appended([], beginning(ledger_id), chance)
    rows = appended(rows, [made_up_entry(chance) for _ in range(chance.randrange(2, 7))], chance)
    if chance.random() < 1 / 3:
        choice = erasable(rows)
        rows = erased(rows, set(chance.sample(choice, chance.randrange(1, len(choice)))), chance)
    outside = checkpoint_of(rows, ledger_id, number=chance.randrange(1, 100))
    rows = appended(rows, [made_up_entry(chance) for _ in range(chance.randrange(3))], chance)
    return Made(seed=seed, ledger_id=ledger_id, rows=rows, outside=outside)


def checkpoint_of(rows: list[Row], ledger_id: str, *, number: int = 1) -> Checkpoint:
    return sign_checkpoint(
        TODAYS_KEY, ledger_id=ledger_id, number=number, seq=len(rows), digest=rows[-1].hash, at=NOW + 100
    )


@pytest.fixture(autouse=True)
def signatures_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that stands alone needs 3 ms a signature; most attacks leave the signatures as they are."""
    monkeypatch.setattr(verifier, "signed", SIGNED)


SIGNED = lru_cache(maxsize=None)(verifier.signed)


def found_by_product(rows: list[Row], outside: Checkpoint) -> bool:
    check = ChainVerifier(checkpoints=[outside])
    for row in rows:
        if check.check(row) is None:
            break
    check.finish()
    return check.problem is not None


def found_alone(rows: list[Row], outside: Checkpoint) -> bool:
    stored = [(row.seq, row.header, row.hash, row.salt, row.body) for row in rows]
    try:
        verifier.check_ledger(stored, [verifier.read_checkpoint(checkpoint_line(outside))])
    except verifier.WrongError:
        return True
    return False


Attack = Callable[[Made, random.Random], tuple[list[Row], Checkpoint]]
ATTACKS: dict[str, Attack] = {}


def attack(make: Attack) -> Attack:
    ATTACKS[make.__name__] = make
    return make


def flipped(raw: bytes, chance: random.Random) -> bytes:
    bit = chance.randrange(8 * len(raw))
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def changed(rows: list[Row], at: int, **parts: bytes | None) -> list[Row]:
    return [*rows[:at], msgspec.structs.replace(rows[at], **parts), *rows[at + 1 :]]


def rehashed(rows: list[Row]) -> list[Row]:
    """Return the rows as a chain again: numbers, headers and hashes made to fit."""
    fitting: list[Row] = []
    digest = GENESIS
    for seq, row in enumerate(rows, start=1):
        raw = header_bytes(msgspec.structs.replace(read_header(row.header), seq=seq))
        digest = next_hash(digest, raw)
        fitting.append(Row(seq, raw, digest, row.salt, row.body))
    return fitting


def before_checkpoint(made: Made, chance: random.Random) -> int:
    """Return the index of an entry before that of the checkpoint, if there is one, about a call or the service."""
    return chance.choice([seq for seq in erasable(made.rows) if seq < made.outside.seq] or [2]) - 1


def sealed_one(made: Made, chance: random.Random) -> tuple[list[Row], int, bytes]:
    """Return the chain, the place in it of an entry that is sealed, and its index."""
    rows = appended(made.rows, [decision(chance.randrange(1, 9))], chance)
    at = chance.choice([row.seq for row in rows if row.body is not None and not row.salt]) - 1
    return rows, at, parts_of(rows[at].body or b"")[0]


@attack
def a_bit_in_a_header(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.randrange(len(made.rows))
    return changed(made.rows, at, header=flipped(made.rows[at].header, chance)), made.outside


@attack
def a_bit_in_a_hash(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.randrange(len(made.rows))
    return changed(made.rows, at, hash=flipped(made.rows[at].hash, chance)), made.outside


@attack
def a_bit_in_a_payload(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.choice([row.seq for row in made.rows if row.body is not None]) - 1
    return changed(made.rows, at, body=flipped(made.rows[at].body or b"", chance)), made.outside


@attack
def a_salt_changed(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.choice([row.seq for row in made.rows if row.salt]) - 1
    return changed(made.rows, at, salt=flipped(made.rows[at].salt or b"", chance)), made.outside


@attack
def a_salt_put_beside_a_sealed_payload(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    rows, at, _ = sealed_one(made, chance)
    return changed(rows, at, salt=chance.randbytes(16)), made.outside


@attack
def a_sealed_part_taken_away(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    rows, at, index = sealed_one(made, chance)
    return changed(rows, at, body=two_parts(index, b"")), made.outside


@attack
def another_text_sealed_under_the_same_index(
    made: Made, chance: random.Random
) -> tuple[list[Row], Checkpoint]:
    """What anybody can do who knows to whom it is sealed."""
    rows, at, index = sealed_one(made, chance)
    forged = appended(rows, [decision(chance.randrange(1, 9))], chance)[-1]
    return changed(rows, at, body=two_parts(index, parts_of(forged.body or b"")[1])), made.outside


@attack
def a_salt_or_a_text_deleted(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.choice([row.seq for row in made.rows if row.salt is not None]) - 1
    return changed(made.rows, at, **{chance.choice(["salt", "body"]): None}), made.outside


@attack
def a_payload_deleted(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    return gone(
        made.rows, chance.choice([row.seq for row in made.rows if row.body is not None])
    ), made.outside


@attack
def two_payloads_exchanged(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    one, other = chance.sample([row for row in made.rows if row.body is not None], 2)
    rows = changed(made.rows, one.seq - 1, salt=other.salt, body=other.body)
    return changed(rows, other.seq - 1, salt=one.salt, body=one.body), made.outside


@attack
def a_row_removed(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.randrange(made.outside.seq)
    rows = made.rows[:at] + made.rows[at + 1 :]
    as_it_is: Callable[[list[Row]], list[Row]] = list
    return chance.choice([as_it_is, renumbered, rehashed])(rows), made.outside


@attack
def a_row_inserted(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.randrange(1, made.outside.seq)
    new = appended(made.rows[:at], [made_up_entry(chance)], chance)
    return chance.choice([renumbered, rehashed])([*new, *made.rows[at:]]), made.outside


@attack
def a_row_put_in_twice(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at, of = chance.randrange(1, made.outside.seq + 1), chance.randrange(len(made.rows))
    return renumbered([*made.rows[:at], made.rows[of], *made.rows[at:]]), made.outside


@attack
def two_rows_exchanged(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    one, other = sorted(chance.sample(range(made.outside.seq), 2))
    rows = list(made.rows)
    rows[one], rows[other] = rows[other], rows[one]
    return chance.choice([renumbered, rehashed])(rows), made.outside


@attack
def a_row_renumbered(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.randrange(len(made.rows))
    new = chance.choice([seq for seq in range(100) if seq != at + 1])
    return sorted(changed(made.rows, at, seq=new), key=lambda row: row.seq), made.outside  # type: ignore[arg-type]


@attack
def the_tail_cut_off(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    return made.rows[: chance.randrange(made.outside.seq)], made.outside


@attack
def a_fork(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    kept = made.rows[: chance.randrange(2, made.outside.seq)]
    others = [made_up_entry(chance) for _ in range(chance.randrange(1, 12))]
    return appended(kept, others, chance), made.outside


@attack
def a_history_made_anew(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    """One entry says something else, and every hash after it was made to fit."""
    at = before_checkpoint(made, chance)
    number = read_header(made.rows[at].header).seq
    forged = appended(made.rows[:at], [decision(number, chance.choice(list(Outcome)))], chance)
    return rehashed([*forged, *made.rows[at + 1 :]]), made.outside


@attack
def a_time_made_earlier(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    at = chance.randrange(made.outside.seq)
    header = read_header(made.rows[at].header)
    earlier = header_bytes(msgspec.structs.replace(header, at=header.at - chance.randrange(1, 10**6)))
    return rehashed(changed(made.rows, at, header=earlier)), made.outside


@attack
def a_history_made_anew_and_signed_with_todays_key(
    made: Made, chance: random.Random
) -> tuple[list[Row], Checkpoint]:
    """What root on the machine can do: everything is consistent, and only the checkpoint elsewhere tells."""
    others = [made_up_entry(chance) for _ in range(chance.randrange(2, 12))]
    rows = appended([], [*beginning(made.ledger_id), *others], chance)
    todays = checkpoint_of(rows, made.ledger_id, number=made.outside.number + 1)
    assert not found_by_product(rows, todays), "without the other checkpoint nobody could tell"
    return rows, made.outside


@attack
def an_erasure_made_up_in_between(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    """A payload is gone, and the entry that excuses it was put into the history."""
    at = before_checkpoint(made, chance)
    end = chance.randrange(at + 1, made.outside.seq)
    excused = appended(made.rows[:end], [erasure({at + 1})], chance)
    return gone(rehashed([*excused, *made.rows[end:]]), at + 1), made.outside


@attack
def an_erasure_of_what_is_still_there(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    seq = chance.choice([row.seq for row in made.rows if row.body is not None])
    return appended(made.rows, [erasure({seq})], chance), made.outside


@attack
def an_erasure_entered_before_what_it_erases(
    made: Made, chance: random.Random
) -> tuple[list[Row], Checkpoint]:
    seq = len(made.rows) + chance.randrange(1, 4)
    rows = appended(made.rows, [erasure({seq}), *(made_up_entry(chance) for _ in range(3))], chance)
    return gone(rows, seq), made.outside


@attack
def an_old_backup_put_back(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    """Whether the service went on with it or not."""
    kept = made.rows[: chance.randrange(2, made.outside.seq)]
    return appended(kept, [made_up_entry(chance) for _ in range(chance.randrange(12))], chance), made.outside


@attack
def another_ledger_in_its_place(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    return other_than(made, chance).rows, made.outside


@attack
def a_checkpoint_of_another_ledger(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    return made.rows, other_than(made, chance).outside


@attack
def a_checkpoint_forged_with_another_key(made: Made, chance: random.Random) -> tuple[list[Row], Checkpoint]:
    forged = sign_checkpoint(
        STRANGERS_KEY,
        ledger_id=made.ledger_id,
        number=made.outside.number,
        seq=made.outside.seq,
        digest=bytes.fromhex(made.outside.hash),
        at=made.outside.at,
    )
    return made.rows, forged


@attack
def a_checkpoint_changed_after_it_was_signed(
    made: Made, chance: random.Random
) -> tuple[list[Row], Checkpoint]:
    row = chance.choice(made.rows)
    others = {
        "seq": made.outside.seq + chance.randrange(1, 4),
        "at": made.outside.at + 1,
        "number": made.outside.number + 1,
        "hash": flipped(bytes.fromhex(made.outside.hash), chance).hex(),
        "key": STRANGERS_KEY.public,
        "ledger_id": hex_id(chance.randrange(10**6)),
        "signature": flipped(bytes.fromhex(made.outside.signature), chance).hex(),
    }
    name = chance.choice([*others, "place"])
    parts = (
        {"seq": row.seq, "hash": row.hash.hex(), "number": 200} if name == "place" else {name: others[name]}
    )
    return made.rows, msgspec.structs.replace(made.outside, **parts)


def other_than(made_one: Made, chance: random.Random) -> Made:
    return made(chance.choice([seed for seed in range(9) if seed != made_one.seed]))


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_found_by_two_verifiers(name: str) -> None:
    for seed in range(LEDGERS):
        rows, outside = ATTACKS[name](made(seed), random.Random(f"{name} {seed}"))
        assert found_by_product(rows, outside), f"ledger {seed}"
        assert found_alone(rows, outside), f"ledger {seed}"


def test_no_ledger_that_only_grew_is_taken_for_an_attacked_one() -> None:
    for seed in range(LEDGERS):
        assert not found_by_product(made(seed).rows, made(seed).outside), f"ledger {seed}"
        assert not found_alone(made(seed).rows, made(seed).outside), f"ledger {seed}"


def test_erasing_any_set_of_calls_is_never_taken_for_an_attack() -> None:
    for seed in range(LEDGERS):
        chance = random.Random(f"erasing {seed}")
        rows = made(seed).rows
        for _ in range(chance.randrange(1, 3)):
            choice = erasable(rows)
            rows = erased(rows, set(chance.sample(choice, chance.randrange(len(choice) + 1))), chance)
        assert not found_by_product(rows, made(seed).outside), f"ledger {seed}"
        assert not found_alone(rows, made(seed).outside), f"ledger {seed}"


def stored(path: Path, made_one: Made) -> Path:
    """Write a ledger to a file as the service would have, and take a checkpoint of its own."""
    path.unlink(missing_ok=True)
    with closing(connect(path, mode="rwc", busy_s=1.0)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        migrate(connection, where=str(path))
        for row in made_one.rows:
            connection.execute("INSERT INTO chain VALUES (?, ?, ?)", (row.seq, row.header, row.hash))
            if row.body is not None:
                connection.execute("INSERT INTO payload VALUES (?, ?, ?)", (row.seq, row.salt, row.body))
        connection.execute("COMMIT")
    rebuild(path)
    take_checkpoint(path, TODAYS_KEY, clock=lambda: float(NOW))
    return path


FILE_ATTACKS = {
    "a table for reading changed": "UPDATE call SET outcome = 'informed', direction = 'outgoing'",
    "a row of a table for reading removed": "DELETE FROM call",
    "a recording made up": (
        "INSERT INTO recording (recording_id, call_id, stream, state) VALUES ('x', 'y', 'z', 'failed')"
    ),
    "a payload without an entry": "INSERT INTO payload VALUES (99, x'00', x'00')",
    "a header stored as text": "UPDATE chain SET header = CAST(header AS TEXT) WHERE seq = 2",
    "the tail cut off, its payloads left": "DELETE FROM chain WHERE seq = (SELECT max(seq) FROM chain)",
    "the tail cut off, its checkpoint left": (
        "DELETE FROM payload WHERE seq = (SELECT max(seq) FROM chain);"
        "DELETE FROM chain WHERE seq = (SELECT max(seq) FROM chain)"
    ),
    "a stored checkpoint changed": "UPDATE checkpoint SET content = replace(content, '\"at\":18', '\"at\":17')",
    "a stored checkpoint moved": "UPDATE checkpoint SET seq = 2",
    "a stored checkpoint made unreadable": "UPDATE checkpoint SET content = 'none'",
}


@pytest.mark.parametrize("name", FILE_ATTACKS)
def test_every_attack_on_the_file_is_found(name: str, tmp_path: Path) -> None:
    tried = 0
    for seed in range(THROUGH_FILES):
        path = stored(tmp_path / "ledger.sqlite", made(seed))
        assert verify(path, checkpoints=[made(seed).outside]).problem is None
        with tampering(path) as connection:
            before = connection.total_changes
            for statement in FILE_ATTACKS[name].split(";"):
                connection.execute(statement)
            touched = connection.total_changes > before
        tried += touched
        assert (verify(path, checkpoints=[made(seed).outside]).problem is not None) == touched, (
            f"ledger {seed}"
        )
    assert tried > THROUGH_FILES // 2
