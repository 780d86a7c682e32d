"""The hash chain: each entry's hash covers its header and the hash before it; and how a chain is checked.

Rule: nothing here reads a database or a clock, so a second verifier can be written from this file and
``docs/reference/storage.md`` alone. Every hash is SHA-256; each use starts with a text of its own, so that
bytes made for one use mean nothing in another.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from msgspec import UNSET

from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.ledger.checkpoint import Checkpoint, fault_of, possession_bytes, signature_holds
from asterisk_consent.ledger.entry import FORMAT_VERSION, PAYLOAD_OF, Header, Kind, read_header
from asterisk_consent.ledger.index import INDEX_OF, DecisionIndex, Index, index_bytes, index_of, read_index
from asterisk_consent.ledger.payload import CheckpointKey, Created, Erased, Payload, read_payload
from asterisk_consent.ledger.sealing import parts_of, unsalted

GENESIS = bytes(32)
"""What the first entry has for the hash of its predecessor."""

_CHAIN_DOMAIN = b"asterisk-consent ledger chain 1\n"
_COMMITMENT_DOMAIN = b"asterisk-consent ledger commitment 1\n"
_PAYLOAD_DOMAIN = b"asterisk-consent ledger payload 1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of a chain, or any entry that must be in it."""

    seq: int
    hash: bytes


class Row(msgspec.Struct, frozen=True):
    """One entry as it is stored; salt and body are ``None`` where the payload is gone.

    The salt of a payload in two parts is sealed with its text; what is stored beside it is empty.
    """

    seq: int
    header: bytes
    hash: bytes
    salt: bytes | None
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The first thing found wrong, and at which entry."""

    seq: int
    what: str


def next_hash(previous: bytes, header: bytes) -> bytes:
    """Return the hash of an entry from its predecessor's hash and its own header bytes."""
    return sha256(_CHAIN_DOMAIN + previous + header).digest()


def commitment(salt: bytes, plaintext: bytes) -> str:
    """Return the salted commitment to a payload's text, which stays opaque once salt and text are erased."""
    return sha256(_COMMITMENT_DOMAIN + salt + plaintext).hexdigest()


def payload_digest(body: bytes) -> str:
    """Return the digest of a payload's bytes as they are stored, sealed or not."""
    return sha256(_PAYLOAD_DOMAIN + body).hexdigest()


def shown(header: Header, salt: bytes, body: bytes) -> Payload | Index:
    """Return what the ledger shows of a payload: its text, or the index of one that is sealed.

    :raises LedgerBrokenError: it is not the payload of this header.
    """
    if payload_digest(body) != header.payload_digest:
        raise LedgerBrokenError("the payload is not the one that was entered")
    of_kind = PAYLOAD_OF[header.kind]
    found: Payload | Index
    wanted: type = of_kind
    if of_kind in INDEX_OF:
        index, sealed = parts_of(body)
        if salt or bool(sealed) != bool(header.commitment):
            raise LedgerBrokenError("the salt is not the one that was entered")
        found, wanted = read_index(index), INDEX_OF[of_kind]
    else:
        if commitment(salt, body) != header.commitment:
            raise LedgerBrokenError("the salt is not the one that was entered")
        found = read_payload(body)
    if type(found) is not wanted:
        raise LedgerBrokenError(f"{header.kind} holds a payload of another kind")
    if isinstance(found, DecisionIndex) and header.kind != f"decision.{found.outcome}":
        raise LedgerBrokenError(f"{header.kind} holds the outcome {found.outcome}")
    return found


def opened(header: Header, index: Index, content: bytes) -> tuple[bytes, bytes, Payload]:
    """Return salt, text and payload of what was sealed, once that is what was entered.

    :param content: the sealed part, opened.
    :raises LedgerBrokenError: it is another, or its index is not its own.
    """
    salt, text = unsalted(content)
    if commitment(salt, text) != header.commitment:
        raise LedgerBrokenError("what was sealed is not what was entered")
    payload = read_payload(text)
    subject = index.subject if isinstance(index, DecisionIndex) else UNSET
    if type(payload) is not PAYLOAD_OF[header.kind] or index_bytes(
        index_of(payload, subject=subject)
    ) != index_bytes(index):
        raise LedgerBrokenError("what was sealed does not fit its index")
    return salt, text, payload


class ChainVerifier:
    """Checks rows in the order of their sequence; remembers the first problem and goes no further than it.

    :param expected: an entry known from elsewhere that the chain must contain with this hash.
    :param checkpoints: kept elsewhere; the chain must extend every one of them.
    """

    def __init__(self, *, expected: Head | None = None, checkpoints: Iterable[Checkpoint] = ()) -> None:
        self.problem: Problem | None = None
        self.ledger_id = ""
        self.keys: dict[str, int] = {}
        """Every key that the chain names for checkpoints, with the entry that named it first."""
        self._seq = 0
        self._hash = GENESIS
        self._expected = expected
        self._checkpoints: dict[int, list[Checkpoint]] = defaultdict(list)
        for checkpoint in checkpoints:
            self._checkpoints[checkpoint.seq].append(checkpoint)
        self._gone: set[int] = set()
        self._erased: set[int] = set()

    @property
    def head(self) -> Head:
        """The last entry that holds."""
        return Head(seq=self._seq, hash=self._hash)

    def check(self, row: Row) -> tuple[Header, Payload | Index | None] | None:
        """Check the next row; returns what it holds, or ``None`` when it is wrong."""
        seq = self._seq + 1
        try:
            self._check_place(seq, row)
            header = read_header(row.header)
            self._check_header(seq, header)
            payload = self._check_payload(seq, header, row)
            self._check_meaning(seq, payload)
            self._check_checkpoints(seq, row.hash)
        except LedgerBrokenError as error:
            self.problem = Problem(seq=seq, what=error.what)
            return None
        self._seq, self._hash = seq, row.hash
        return header, payload

    def finish(self) -> None:
        """Check what only the end of the chain can tell: payloads against what was erased, a tail cut off."""
        if self.problem is not None:
            return
        beyond = [seq for seq in self._checkpoints if seq > self._seq]
        unexcused, untrue = self._gone - self._erased, self._erased - self._gone
        if beyond:
            try:
                self._check_checkpoints(min(beyond), None)
            except LedgerBrokenError as error:
                self.problem = Problem(seq=self._seq, what=error.what)
        elif unexcused:
            self.problem = Problem(
                seq=min(unexcused), what="the payload is gone and no entry says it was erased"
            )
        elif untrue:
            self.problem = Problem(
                seq=min(untrue), what="an entry says that the payload was erased, and it is still there"
            )
        elif self._expected is not None and self._seq < self._expected.seq:
            missing = f"the chain ends here, entry {self._expected.seq} is missing"
            self.problem = Problem(seq=self._seq, what=missing)

    def _check_place(self, seq: int, row: Row) -> None:
        if row.seq != seq:
            raise LedgerBrokenError(f"entry {seq} is missing, the next one stored is {row.seq}")
        if next_hash(self._hash, row.header) != row.hash:
            raise LedgerBrokenError("header or hash do not follow from the entry before")
        if self._expected is not None and self._expected.seq == seq and self._expected.hash != row.hash:
            raise LedgerBrokenError("the hash is not the expected one: this history is another")

    def _check_header(self, seq: int, header: Header) -> None:
        if header.version != FORMAT_VERSION:
            raise LedgerBrokenError(f"format version {header.version} is unknown to this release")
        if header.seq != seq:
            raise LedgerBrokenError(f"the header says it is entry {header.seq}")
        if (header.kind is Kind.LEDGER_CREATED) != (seq == 1):
            raise LedgerBrokenError(f"{header.kind} at this place")

    def _check_payload(self, seq: int, header: Header, row: Row) -> Payload | Index | None:
        if row.body is None and row.salt is None:
            self._gone.add(seq)
            return None
        if row.body is None or row.salt is None:
            raise LedgerBrokenError("the payload is not the one that was entered")
        return shown(header, row.salt, row.body)

    def _check_meaning(self, seq: int, payload: Payload | Index | None) -> None:
        """Take in what an entry says of the chain itself."""
        if isinstance(payload, Created):
            self.ledger_id = payload.ledger_id
        elif isinstance(payload, CheckpointKey):
            if not signature_holds(payload.key, possession_bytes(self.ledger_id), payload.signature):
                raise LedgerBrokenError("a key for checkpoints was entered by somebody who did not hold it")
            self.keys.setdefault(payload.key, seq)
        elif isinstance(payload, Erased):
            if any(not 0 < erased < seq for erased in payload.seqs):
                raise LedgerBrokenError("the entry says that a payload was erased before it was entered")
            self._erased.update(payload.seqs)

    def _check_checkpoints(self, seq: int, digest: bytes | None) -> None:
        for checkpoint in self._checkpoints.get(seq, ()):
            fault = fault_of(checkpoint, ledger_id=self.ledger_id, digest=digest, keys=self.keys)
            if fault:
                raise LedgerBrokenError(fault)


def ledger_id_of(payload: Payload | Index | None) -> str:
    """Return the id that the first entry gave the ledger; :class:`LedgerBrokenError` when it holds none."""
    if not isinstance(payload, Created):
        raise LedgerBrokenError("the first entry does not name the ledger")
    return payload.ledger_id
