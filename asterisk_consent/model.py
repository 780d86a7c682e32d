"""Frozen values that every part of the product shares; no behaviour beyond what a value knows of itself.

Words follow GDPR and ISO/IEC TS 27560 for the law, Asterisk's own for Asterisk.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

CallId = NewType("CallId", str)
"""32 lower-case hexadecimal digits, random, chosen by us: says nothing about the person or the channel."""

RecordingId = NewType("RecordingId", str)
"""32 lower-case hexadecimal digits, random; also the dialplan extension that starts the recording."""

_HEX_ID = re.compile(r"[0-9a-f]{32}")
_REFERENCE = re.compile(r"[0-9]{8}")


def is_hex_id(text: str) -> bool:
    """Tell whether ``text`` is a well-formed call or recording id (32 lower-case hexadecimal digits)."""
    return _HEX_ID.fullmatch(text) is not None


DIGITS = "0123456789*#"
"""What a telephone sends."""


class Mode(StrEnum):
    """Who decides, and what silence means."""

    OPT_IN = "opt-in"
    OPT_OUT = "opt-out"
    NOTICE = "notice"
    OFF = "off"


class Basis(StrEnum):
    """On what a controller rests its recording (GDPR art. 6(1)(a) to (f), in their order)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    VITAL_INTERESTS = "vital-interests"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTERESTS = "legitimate-interests"


class Outcome(StrEnum):
    """How asking ended, one per call and policy version (GDPR art. 4(11), 7(1))."""

    GIVEN = "given"
    REFUSED = "refused"
    OBJECTED = "objected"
    INFORMED = "informed"
    NO_CHOICE = "no_choice"
    ABANDONED = "abandoned"
    ABORTED = "aborted"
    FAILED = "failed"

    @property
    def allows_recording(self) -> bool:
        """Whether a recording may rest on it, and with it the caller's number be kept."""
        return self in (Outcome.GIVEN, Outcome.INFORMED)


class Direction(StrEnum):
    """Which way the call went, seen from the PBX."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class Right(StrEnum):
    """What somebody who was recorded may ask for (GDPR art. 7(3), 17, 18, 21)."""

    WITHDRAWAL = "withdrawal"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"


class CopyState(StrEnum):
    """What became of a copy that a request is about."""

    DONE = "done"
    PENDING = "pending"
    KEPT = "kept"
    FAILED = "failed"


class RecordingState(StrEnum):
    """Where a recording stands; the last three are final."""

    ALLOWED = "allowed"
    RECORDING = "recording"
    CLOSING = "closing"
    VERIFIED = "verified"
    FAILED = "failed"
    NOT_STARTED = "not_started"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the recording by itself."""
        return self in (RecordingState.VERIFIED, RecordingState.FAILED, RecordingState.NOT_STARTED)


class Effect(StrEnum):
    """What a withdrawal came to (GDPR art. 7(3), 17)."""

    ERASED = "erased"
    KEPT = "kept"
    PENDING = "pending"


class KeptBecause(StrEnum):
    """Why a recording is kept in spite of a withdrawal (GDPR art. 17(3)(b) and (e))."""

    LEGAL_OBLIGATION = "legal-obligation"
    LEGAL_HOLD = "legal-hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done about a withdrawal, and the 8 digits under which it can be asked about.

    ``because`` is there with ``kept`` and only with it.
    """

    effect: Effect
    reference: str
    because: KeptBecause | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be said.

        :raises ValueError: the reason is missing or one too many, or the reference is not of 8 digits.
        """
        if (self.effect is Effect.KEPT) != (self.because is not None):
            raise ValueError("a reason belongs to what is kept, and only to that")
        if not _REFERENCE.fullmatch(self.reference):
            raise ValueError("a reference has 8 digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """The person calling, as the network told us.

    ``number`` and ``name`` are untrusted text, at most :data:`MAX_OUTSIDE_TEXT` characters. Where the caller
    withheld the number (``CALLERID(num-pres)`` not *allowed*), both are ``None`` from the first moment on.
    """

    number: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was asked, or was to be asked."""

    call_id: CallId
    channel: str
    party: Party
    dialled: str
    policy: str
    language: str
    direction: Direction
    started_at: int
    """UTC seconds."""
    region: str = ""
    """Country of its trunk, to which numbers without a country code belong; empty where it is the configured one."""
    alias: str = ""
    """What the dialplan calls the call (``CONSENT_ID``): known to the administrator's records, not to the chain."""
    receipt: str = ""
    """12 digits, random: with them the caller can withdraw afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryKey:
    """A key that opens an entry's sealed part, itself sealed to the controller."""

    call_id: str
    wrapped: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What was sealed, and the key that will open it, which is not kept yet."""

    content: bytes
    key: EntryKey


MAX_OUTSIDE_TEXT = 4096
"""Characters kept of any text that comes from outside."""
