"""The header of an entry: what the chain keeps for ever, and its canonical bytes.

Rule: a header names nobody. Whatever could have to be erased is in the payload, and the header holds only the
digest of its stored bytes and a salted commitment to its text, empty where there was nobody to seal the text to. The
form is described in ``docs/reference/storage.md`` closely enough to write a second verifier from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import msgspec

from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.ledger.payload import (
    Access,
    Approval,
    Bypass,
    CheckpointKey,
    Created,
    Decision,
    Erased,
    Export,
    Gone,
    LegalHold,
    Objection,
    Passed,
    Payload,
    Recording,
    Request,
    Restored,
    Service,
    Settled,
    Swept,
    storable_text,
)
from asterisk_consent.model import Outcome, is_hex_id

FORMAT_VERSION = 1
SYSTEM_STREAM = "system"
"""Stream of entries that belong to no controller."""

_MAX_NAME = 128
"""Characters kept of a controller's, policy's or language's name."""


class Kind(StrEnum):
    """What an entry is about."""

    LEDGER_CREATED = "ledger.created"
    SERVICE_STARTED = "service.started"
    SERVICE_STOPPED = "service.stopped"
    DECISION_GIVEN = "decision.given"
    DECISION_REFUSED = "decision.refused"
    DECISION_OBJECTED = "decision.objected"
    DECISION_INFORMED = "decision.informed"
    DECISION_NO_CHOICE = "decision.no_choice"
    DECISION_ABANDONED = "decision.abandoned"
    DECISION_ABORTED = "decision.aborted"
    DECISION_FAILED = "decision.failed"
    RECORDING_STARTED = "recording.started"
    RECORDING_VERIFIED = "recording.verified"
    RECORDING_FAILED = "recording.failed"
    RECORDING_NOT_STARTED = "recording.not_started"
    RECORDING_EXPORTED = "recording.exported"
    RECORDING_OPENED = "recording.opened"
    RECORDING_ERASED = "recording.erased"
    PROOF_OPENED = "proof.opened"
    NUMBER_LOOKED_UP = "number.looked_up"
    REQUEST_ENTERED = "request.entered"
    REQUEST_SETTLED = "request.settled"
    RESTRICTION_LIFTED = "restriction.lifted"
    LEGAL_HOLD_PLACED = "legal_hold.placed"
    LEGAL_HOLD_CONFIRMED = "legal_hold.confirmed"
    LEGAL_HOLD_RELEASED = "legal_hold.released"
    OBJECTION_ENTERED = "objection.entered"
    OBJECTION_LIFTED = "objection.lifted"
    RETENTION_SWEPT = "retention.swept"
    CALLS_PASSED = "calls.passed"
    BYPASS_ON = "bypass.on"
    BYPASS_OFF = "bypass.off"
    POLICY_APPROVED = "policy.approved"
    PAYLOAD_ERASED = "payload.erased"
    CHECKPOINT_KEY = "checkpoint.key"
    LEDGER_RESTORED = "ledger.restored"


_DECISIONS = MappingProxyType({outcome: Kind(f"decision.{outcome}") for outcome in Outcome})

PAYLOAD_OF: Mapping[Kind, type[Payload]] = MappingProxyType(
    dict.fromkeys(_DECISIONS.values(), Decision)
    | {
        Kind.LEDGER_CREATED: Created,
        Kind.SERVICE_STARTED: Service,
        Kind.SERVICE_STOPPED: Service,
        Kind.RECORDING_STARTED: Recording,
        Kind.RECORDING_VERIFIED: Recording,
        Kind.RECORDING_FAILED: Recording,
        Kind.RECORDING_NOT_STARTED: Recording,
        Kind.RECORDING_EXPORTED: Export,
        Kind.RECORDING_OPENED: Access,
        Kind.RECORDING_ERASED: Gone,
        Kind.PROOF_OPENED: Access,
        Kind.NUMBER_LOOKED_UP: Access,
        Kind.REQUEST_ENTERED: Request,
        Kind.REQUEST_SETTLED: Settled,
        Kind.RESTRICTION_LIFTED: Request,
        Kind.LEGAL_HOLD_PLACED: LegalHold,
        Kind.LEGAL_HOLD_CONFIRMED: LegalHold,
        Kind.LEGAL_HOLD_RELEASED: LegalHold,
        Kind.OBJECTION_ENTERED: Objection,
        Kind.OBJECTION_LIFTED: Objection,
        Kind.RETENTION_SWEPT: Swept,
        Kind.CALLS_PASSED: Passed,
        Kind.BYPASS_ON: Bypass,
        Kind.BYPASS_OFF: Bypass,
        Kind.POLICY_APPROVED: Approval,
        Kind.PAYLOAD_ERASED: Erased,
        Kind.CHECKPOINT_KEY: CheckpointKey,
        Kind.LEDGER_RESTORED: Restored,
    }
)
"""The one class of payload that each kind has."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the chain covers byte by byte; the order of the fields is part of the format."""

    version: int
    seq: int
    stream: str
    kind: Kind
    at: int
    call_id: str
    policy: str
    policy_version: int
    language: str
    announcement: str
    payload_digest: str
    commitment: str


_HEADER_DECODER = msgspec.json.Decoder(Header)
_HEADER_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to be appended; sequence, time and digests are added when it is.

    :param stream: the controller's id, or :data:`SYSTEM_STREAM`.
    :param announcement: hexadecimal SHA-256 of what was announced; empty when nothing was.
    """

    stream: str
    kind: Kind
    payload: Payload
    call_id: str = ""
    policy: str = ""
    policy_version: int = 0
    language: str = ""
    announcement: str = ""

    def __post_init__(self) -> None:
        if type(self.payload) is not PAYLOAD_OF[self.kind]:
            raise ValueError(f"an entry {self.kind} cannot hold a {type(self.payload).__name__}")
        if isinstance(self.payload, Decision) and _DECISIONS[self.payload.outcome] is not self.kind:
            raise ValueError(f"an entry {self.kind} cannot hold the outcome {self.payload.outcome}")
        if self.call_id and not is_hex_id(self.call_id):
            raise ValueError(f"not a call id: {self.call_id[:64]!r}")
        for name in ("stream", "policy", "language", "announcement"):
            object.__setattr__(self, name, storable_text(getattr(self, name), _MAX_NAME))


def decision_kind(outcome: Outcome) -> Kind:
    """Return the kind of entry that holds a decision with this outcome."""
    return _DECISIONS[outcome]


def header_bytes(header: Header) -> bytes:
    """Return the canonical bytes: JSON without spaces, fields in the order of :class:`Header`."""
    return _HEADER_ENCODER.encode(header)


def read_header(raw: bytes) -> Header:
    """Read what :func:`header_bytes` wrote; :class:`LedgerBrokenError` when it is nothing of the kind."""
    try:
        return _HEADER_DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LedgerBrokenError(f"a header cannot be read ({error})") from error
