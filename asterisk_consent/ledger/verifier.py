"""Checks a ledger, checkpoints and proofs of calls with Python's standard library and nothing else.

This one file can be handed to whoever has to check, who needs no more than Python 3.11:

    python verifier.py LEDGER [--checkpoint FILE ...]
    python verifier.py --proof FILE [--checkpoint FILE ...] [--key HEX]

Rule: it imports nothing of the product and was written from ``docs/reference/storage.md``, so it is also the second
opinion on what the product itself says. Exit status: 0 all holds, 4 something does not, 2 wrong usage or a file that
cannot be read. Ed25519 is checked as RFC 8032, section 5.1.7, without a library: nothing here is secret.
"""

import argparse
import hashlib
import json
import re
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

HEADER_FIELDS = (
    *("version", "seq", "stream", "kind", "at", "call_id", "policy", "policy_version", "language"),
    *("announcement", "payload_digest", "commitment"),
)
NUMBERS = {"version", "seq", "at", "policy_version"}
OUTCOMES = ("given", "refused", "objected", "informed", "no_choice", "abandoned", "aborted", "failed")
KINDS_OF_TYPE = {
    "created": ("ledger.created",),
    "service": ("service.started", "service.stopped"),
    "decision": tuple(f"decision.{outcome}" for outcome in OUTCOMES),
    "recording": tuple(f"recording.{what}" for what in ("started", "verified", "failed", "not_started")),
    "export": ("recording.exported",),
    "access": ("recording.opened", "proof.opened", "number.looked_up"),
    "request": ("request.entered", "restriction.lifted"),
    "settled": ("request.settled",),
    "gone": ("recording.erased",),
    "legal_hold": tuple(f"legal_hold.{what}" for what in ("placed", "confirmed", "released")),
    "objection": ("objection.entered", "objection.lifted"),
    "swept": ("retention.swept",),
    "passed": ("calls.passed",),
    "bypass": ("bypass.on", "bypass.off"),
    "approval": ("policy.approved",),
    "erased": ("payload.erased",),
    "checkpoint_key": ("checkpoint.key",),
    "restored": ("ledger.restored",),
}
TYPE_OF_KIND = {kind: type_ for type_, kinds in KINDS_OF_TYPE.items() for kind in kinds}
SEALED_TYPES = {"decision", "export", "access", "request", "objection"}
"""Of these the ledger shows an index; the rest of them nobody can read here."""
PROVED_FIELDS = (["header"], ["header", "salt", "text"])
CHECKPOINT_DOMAIN = b"asterisk-consent ledger checkpoint 1\n"
KEY_DOMAIN = b"asterisk-consent ledger checkpoint key 1\n"
CHECKPOINT_FIELDS = {
    "version": 0,
    "ledger_id": 32,
    "number": 0,
    "seq": 0,
    "hash": 64,
    "at": 0,
    "key": 64,
    "signature": 128,
}
"""In the order that is signed, each with its number of hexadecimal digits; 0 for those that are numbers."""

Json = dict[str, Any]
StoredRow = tuple[int, bytes, bytes, bytes | None, bytes | None]
"""What ``chain`` and ``payload`` hold of an entry: seq, header, hash, salt, body."""


class WrongError(Exception):
    """Something does not hold; says what, and where."""


class Checkpoint(NamedTuple):
    """A checkpoint whose form is right; nothing is checked yet."""

    version: int
    ledger_id: str
    number: int
    seq: int
    hash: str
    at: int
    key: str
    signature: str


class Chain(NamedTuple):
    """A ledger that holds: its id, the number of its entries and the last hash."""

    ledger_id: str
    entries: int
    head: bytes


class Told(NamedTuple):
    """One entry of the call that a proof is of; ``text`` is ``None`` where the proof does not hold it."""

    seq: int
    at: int
    kind: str
    policy: str
    text: str | None


def domain_digest(domain: str, *parts: bytes) -> bytes:
    """Return SHA-256 over the domain's text, a line feed and the parts."""
    return hashlib.sha256(f"asterisk-consent ledger {domain} 1\n".encode() + b"".join(parts)).digest()


def check_ledger(
    rows: Iterable[StoredRow],
    checkpoints: Sequence[Checkpoint] = (),
    *,
    known: tuple[int, bytes] | None = None,
) -> Chain:
    """Check all entries in their order, and that they extend every checkpoint.

    :param known: number and hash of an entry that must be there.
    :raises WrongError: with the first thing wrong.
    """
    previous, seq, ledger_id = bytes(32), 0, ""
    hashes: dict[int, bytes] = {}
    wanted = {checkpoint.seq for checkpoint in checkpoints} | ({known[0]} if known else set())
    keys: dict[str, int] = {}
    gone: set[int] = set()
    erased: set[int] = set()
    for number, raw, found, salt, body in rows:
        seq += 1
        header = _header(raw, seq)
        previous = domain_digest("chain", previous, raw)
        _hold(
            number == seq and found == previous, f"entry {seq}: its hash does not follow from the one before"
        )
        if seq in wanted:
            hashes[seq] = previous
        if salt is None and body is None:
            gone.add(seq)
            continue
        payload = _stored_payload(header, salt, body)
        if header["kind"] == "ledger.created":
            ledger_id = _hex(payload.get("ledger_id"), 32)
        elif header["kind"] == "checkpoint.key":
            key, message = _hex(payload.get("key"), 64), KEY_DOMAIN + ledger_id.encode()
            _hold(
                signed(key, message, _hex(payload.get("signature"), 128)),
                f"entry {seq}: the key did not sign for itself",
            )
            keys.setdefault(key, seq)
        elif header["kind"] == "payload.erased":
            seqs = payload.get("seqs")
            earlier = isinstance(seqs, list) and all(type(each) is int and 0 < each < seq for each in seqs)
            _hold(earlier, f"entry {seq}: it erases what is not before it")
            erased.update(seqs or ())
    for checkpoint in checkpoints:
        _check_checkpoint(checkpoint, ledger_id, hashes.get(checkpoint.seq), keys)
    _hold(
        not gone - erased, f"entry {min(gone - erased, default=0)}: its payload is gone, and was not erased"
    )
    _hold(not erased - gone, f"entry {min(erased - gone, default=0)}: its payload was erased, and is there")
    _hold(known is None or hashes.get(known[0]) == known[1], "the known entry is missing, or another")
    return Chain(ledger_id, seq, previous)


def read_checkpoint(text: str | bytes) -> Checkpoint:
    """Read a checkpoint.

    :raises WrongError: it is none.
    """
    return _checkpoint(_object(text, "the checkpoint"))


def check_signature(checkpoint: Checkpoint) -> None:
    """Check that the key of a checkpoint signed it.

    :raises WrongError: it did not.
    """
    fields = {name: value for name, value in checkpoint._asdict().items() if name != "signature"}
    message = CHECKPOINT_DOMAIN + json.dumps(fields, separators=(",", ":")).encode()
    _hold(
        signed(checkpoint.key, message, checkpoint.signature),
        f"checkpoint {checkpoint.number}: its signature is wrong",
    )


def check_proof(
    text: str | bytes, checkpoints: Sequence[Checkpoint] = (), *, key: str = ""
) -> tuple[list[Told], list[Checkpoint]]:
    """Check the proof of a call; return the call's entries, and the checkpoints that they rest on.

    :param checkpoints: kept elsewhere: the proof must be of the same ledger, and signed with a key of theirs.
    :param key: the one key that may have signed.
    :raises WrongError: with the first thing wrong.
    """
    proof = _object(text, "the proof")
    _hold(list(proof) == ["version", "call_id", "stretches"] and proof["version"] == 1, "this is no proof")
    stretches = proof["stretches"]
    _hold(isinstance(stretches, list) and len(stretches) > 0, "the proof is empty")
    told: list[Told] = []
    rest: list[Checkpoint] = []
    outside: dict[int, set[str]] = {}
    for each in checkpoints:
        check_signature(each)
        outside.setdefault(each.seq, set()).add(each.hash)
    for stretch in stretches:
        _hold(
            isinstance(stretch, dict) and list(stretch) == ["previous", "entries", "checkpoint"],
            "this is no proof",
        )
        checkpoint = _checkpoint(stretch["checkpoint"])
        check_signature(checkpoint)
        told += _check_stretch(stretch, checkpoint, proof["call_id"], outside, rest[-1].seq if rest else 0)
        rest.append(checkpoint)
    _hold(
        len({each.ledger_id for each in (*rest, *checkpoints)}) == 1, "the checkpoints are of several ledgers"
    )
    trusted = {each.key for each in checkpoints} | ({key} if key else set())
    for each in rest:
        _hold(
            not trusted or each.key in trusted, f"checkpoint {each.number}: key {each.key} is not a known one"
        )
    _hold(len(told) > 0, "no entry of the proof is about the call")
    return told, rest


def _check_stretch(
    stretch: Json, checkpoint: Checkpoint, call_id: object, outside: dict[int, set[str]], after: int
) -> list[Told]:
    entries = stretch["entries"]
    _hold(isinstance(entries, list), "this is no proof")
    seq = checkpoint.seq - len(entries)
    _hold(seq >= after and len(entries) > 0, "the proof's entries overlap")
    previous = bytes.fromhex(_hex(stretch["previous"], 64))
    _hold(seq > 0 or not any(previous), "entry 1: something comes before it")
    told: list[Told] = []
    for entry in entries:
        seq += 1
        _hold(isinstance(entry, dict) and list(entry) in PROVED_FIELDS, f"entry {seq}: is none")
        _hold(isinstance(entry["header"], str), f"entry {seq}: is none")
        raw = _utf8(entry["header"])
        header = _header(raw, seq)
        previous = domain_digest("chain", previous, raw)
        _hold(outside.get(seq, set()) <= {previous.hex()}, f"entry {seq}: a checkpoint has another hash")
        payload = entry.get("text")
        if header["call_id"] != call_id:
            _hold(payload is None, f"entry {seq}: tells of something else than the call")
            continue
        if payload is not None:
            _hold(isinstance(payload, str), f"entry {seq}: its text is none")
            salt, plain = bytes.fromhex(_hex(entry.get("salt"), 32)), _utf8(payload)
            _hold(_commits(header, salt, plain), f"entry {seq}: says something else than was entered")
            _payload(header, plain)
        of_policy = f"{header['policy']} version {header['policy_version']} {header['language']}".rstrip()
        told.append(Told(seq, header["at"], header["kind"], of_policy, payload))
    _hold(previous.hex() == checkpoint.hash, f"checkpoint {checkpoint.number}: the entries do not lead to it")
    return told


def _check_checkpoint(
    checkpoint: Checkpoint, ledger_id: str, found: bytes | None, keys: dict[str, int]
) -> None:
    name = f"checkpoint {checkpoint.number}"
    check_signature(checkpoint)
    _hold(checkpoint.ledger_id == ledger_id, f"{name} is of another ledger, {checkpoint.ledger_id}")
    _hold(found, f"{name} was made at entry {checkpoint.seq}, which is missing: the end is cut off")
    same = found == bytes.fromhex(checkpoint.hash)
    _hold(same, f"{name} has another hash for entry {checkpoint.seq}: this history is another")
    named = keys.get(checkpoint.key, checkpoint.seq + 1) <= checkpoint.seq
    _hold(named, f"{name}: the chain does not name its key {checkpoint.key}")


def _header(raw: bytes, seq: int) -> Json:
    fields = _object(raw, f"entry {seq}: its header")
    _hold(tuple(fields) == HEADER_FIELDS, f"entry {seq}: its header has other fields")
    _hold(
        all(type(value) is (int if name in NUMBERS else str) for name, value in fields.items()),
        f"entry {seq}: its header holds other values",
    )
    _hold(fields["version"] == 1 and fields["seq"] == seq, f"entry {seq}: its header is of another")
    _hold(fields["kind"] in TYPE_OF_KIND, f"entry {seq}: kind {fields['kind']!r} is unknown")
    _hold((fields["kind"] == "ledger.created") == (seq == 1), f"entry {seq}: {fields['kind']} at this place")
    return fields


def _commits(header: Json, salt: bytes, plain: bytes) -> bool:
    return bool(domain_digest("commitment", salt, plain).hex() == header["commitment"])


def _stored_payload(header: Json, salt: bytes | None, body: bytes | None) -> Json:
    where = f"entry {header['seq']}"
    digest = None if body is None else domain_digest("payload", body).hex()
    _hold(digest == header["payload_digest"], f"{where}: its payload is not the one that was entered")
    plain = body or b""
    if TYPE_OF_KIND[header["kind"]] in SEALED_TYPES:
        plain, line_feed, sealed = plain.partition(b"\n")
        _hold(line_feed, f"{where}: its payload has one part where two belong")
        whole = salt == b"" and bool(sealed) == bool(header["commitment"])
        _hold(whole, f"{where}: its sealed part is not the one that was entered")
    else:
        _hold(salt is not None and _commits(header, salt, plain), f"{where}: its salt is another")
    return _payload(header, plain)


def _payload(header: Json, plain: bytes) -> Json:
    where, kind = f"entry {header['seq']}", header["kind"]
    payload = _object(plain, f"{where}: its payload")
    _hold(payload.get("type") == TYPE_OF_KIND[kind], f"{where}: {kind} holds a payload of another kind")
    outcome = kind.removeprefix("decision.")
    _hold(outcome == kind or payload.get("outcome") == outcome, f"{where}: {kind} holds another outcome")
    return payload


def _checkpoint(fields: Any) -> Checkpoint:
    _hold(isinstance(fields, dict), "this is no checkpoint")
    _hold(fields.keys() == CHECKPOINT_FIELDS.keys(), "this is no checkpoint (it has other fields)")
    for name, digits in CHECKPOINT_FIELDS.items():
        if digits:
            _hold(_is_hex(fields[name], digits), f"this is no checkpoint ({name})")
        else:
            _hold(type(fields[name]) is int and fields[name] >= 0, f"this is no checkpoint ({name})")
    _hold(fields["version"] == 1, f"checkpoint version {fields['version']} is unknown")
    return Checkpoint(**fields)


def _object(text: str | bytes, what: str) -> Json:
    try:
        found = json.loads(text if isinstance(text, str) else text.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise WrongError(f"{what} cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise WrongError(f"{what} is no object")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise WrongError(f"a text is not UTF-8 ({error})") from error


def _is_hex(text: object, digits: int) -> bool:
    return isinstance(text, str) and re.fullmatch(f"[0-9a-f]{{{digits}}}", text) is not None


def _hex(text: object, digits: int) -> str:
    _hold(_is_hex(text, digits), f"not {digits} hexadecimal digits: {text!r}")
    return str(text)


def _hold(holds: object, otherwise: str) -> None:
    if not holds:
        raise WrongError(otherwise)


_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, T = XY/Z; RFC 8032, section 5.1.4."""


def signed(key: str, message: bytes, signature: str) -> bool:
    """Tell whether the Ed25519 key, hexadecimal, signed the message (RFC 8032, section 5.1.7)."""
    raw, whole = bytes.fromhex(key), bytes.fromhex(signature)
    public, commitment = _point(raw), _point(whole[:32])
    factor = int.from_bytes(whole[32:], "little")
    if public is None or commitment is None or factor >= _L:
        return False
    challenge = int.from_bytes(hashlib.sha512(whole[:32] + raw + message).digest(), "little") % _L
    left, right = _times(factor, _BASE), _plus(commitment, _times(challenge, public))
    return (
        (left[0] * right[2] - right[0] * left[2]) % _P == 0 == (left[1] * right[2] - right[1] * left[2]) % _P
    )


def _point(raw: bytes) -> _Point | None:
    """Return the point that 32 bytes stand for, ``None`` where they stand for none (section 5.1.3)."""
    whole = int.from_bytes(raw, "little")
    y, odd = whole & (1 << 255) - 1, whole >> 255
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_1 % _P
    if y >= _P or (x * x - square) % _P or (odd and not x):
        return None
    x = x if x & 1 == odd else _P - x
    return x, y, 1, x * y % _P


def _plus(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c, d = 2 * one[3] * other[3] * _D % _P, 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(factor: int, point: _Point) -> _Point:
    sum_ = (0, 1, 1, 0)
    for bit in f"{factor:b}":
        sum_ = _plus(sum_, sum_)
        if bit == "1":
            sum_ = _plus(sum_, point)
    return sum_


_BASE = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little")) or (0, 1, 1, 0)


def read_rows(connection: sqlite3.Connection) -> Iterable[StoredRow]:
    """Give the rows of a ledger in their order."""
    query = """
        SELECT c.seq, c.header, c.hash, p.salt, p.body
        FROM chain c LEFT JOIN payload p ON p.seq = c.seq ORDER BY c.seq
    """
    for seq, header, digest, salt, body in connection.execute(query):
        blobs = isinstance(header, bytes) and isinstance(digest, bytes)
        gone = salt is None and body is None
        _hold(
            blobs and (gone or (isinstance(salt, bytes) and isinstance(body, bytes))),
            f"entry {seq}: no bytes",
        )
        yield seq, header, digest, salt, body
    stray = connection.execute(
        "SELECT min(seq) FROM payload WHERE seq NOT IN (SELECT seq FROM chain)"
    ).fetchone()
    _hold(stray[0] is None, f"entry {stray[0]}: a payload without an entry")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(
        description="Check a ledger of asterisk-consent, or the proof of a call."
    )
    parser.add_argument("ledger", nargs="?", type=Path, metavar="LEDGER", help="the SQLite file")
    parser.add_argument("--proof", type=Path, metavar="FILE", help="the proof of one call")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint that was kept elsewhere; may be repeated",
    )
    parser.add_argument("--key", default="", metavar="HEX", help="the key that must have signed the proof")
    chosen = parser.parse_args(arguments)
    chosen.key = chosen.key.lower()
    if (chosen.ledger is None) == (chosen.proof is None):
        parser.error("name either a LEDGER or a --proof")
    try:
        checkpoints = [read_checkpoint(file.read_bytes()) for file in chosen.checkpoint]
        if chosen.proof is not None:
            _tell_proof(
                *check_proof(chosen.proof.read_bytes(), checkpoints, key=chosen.key), checkpoints, chosen.key
            )
        else:
            _tell_ledger(_check_file(chosen.ledger, checkpoints), checkpoints)
    except WrongError as error:
        sys.stderr.write(f"does not hold: {error}\n")
        return 4
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 2
    return 0


def _check_file(path: Path, checkpoints: Sequence[Checkpoint]) -> Chain:
    # Without a write-ahead log beside it nobody writes, and a file that cannot be written to can be opened.
    alone = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)) as connection:
        connection.execute("BEGIN")
        return check_ledger(read_rows(connection), checkpoints)


def _tell_ledger(chain: Chain, checkpoints: Sequence[Checkpoint]) -> None:
    _say(f"Ledger {chain.ledger_id}: {chain.entries} entries hold.", f"The last hash is {chain.head.hex()}.")
    for each in checkpoints:
        _say(f"It extends checkpoint {each.number} of {_moment(each.at)}: entry {each.seq} is as it was.")
    if not checkpoints:
        _say("Without a checkpoint kept elsewhere, a cut-off end or a history written anew cannot be seen.")


def _tell_proof(
    told: Sequence[Told], rest: Sequence[Checkpoint], checkpoints: Sequence[Checkpoint], key: str
) -> None:
    _say(f"The proof holds: ledger {rest[0].ledger_id} has these entries about the call.")
    for entry in told:
        text = "(not in the proof)" if entry.text is None else json.dumps(json.loads(entry.text))
        _say(
            f"  entry {entry.seq}, {_moment(entry.at)}, {entry.kind}, {json.dumps(entry.policy)}",
            f"    {text}",
        )
    for each in rest:
        _say(
            f"Signed at entry {each.seq} on {_moment(each.at)}, checkpoint {each.number}, by key",
            f"  {each.key}",
        )
    if not checkpoints and not key:
        _say("Whose key that is, only a checkpoint kept elsewhere can tell (--checkpoint), or --key.")
    _say("Times are those of the machine's clock. Entries that the proof leaves out are not shown missing.")


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
