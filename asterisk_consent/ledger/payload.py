"""What an entry tells beyond its header: one Struct per group of kinds, and the bytes it is stored as.

Rule: a payload holds what may have to go again (numbers, names, courses), so it lies in a row of its own and
the chain knows it by digest only. What says who somebody is, is sealed: of such a payload the ledger shows its
*index* (:mod:`asterisk_consent.ledger.index`). Silence, refusal and hang-up keep no number, and a withheld number is
never kept (GDPR art. 5(1)(c)). Text from outside is kept whatever it holds; it never makes an entry fail.
"""

from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.model import MAX_OUTSIDE_TEXT, CopyState, Direction, Outcome, Right


class Moment(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One step in the course of asking: ``at_ms`` after the call arrived, what happened, and a detail."""

    at_ms: int
    what: str
    detail: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True, tag="decision"):
    """How asking one call ended. Make it with :func:`decision_payload`, which keeps no more than it may.

    ``digit`` is empty where none counted. ``played_ms`` is what Asterisk played of the announcement,
    ``information_ms`` the length of its information part. ``recording_id`` names the recording this allows, and
    ``purposes`` are those the caller was told of. ``alias`` is what the dialplan calls the call, absent where it
    calls it nothing. ``receipt`` is the code that the caller can name the call by, absent where there is none.
    """

    outcome: Outcome
    started_at: int
    direction: Direction
    dialled: str
    channel: str
    digit: str = ""
    played_ms: int = 0
    information_ms: int = 0
    caller: str | None = None
    caller_name: str | None = None
    withheld: bool = False
    recording_id: str | None = None
    purposes: tuple[str, ...] = ()
    reason: str = ""
    course: tuple[Moment, ...] = ()
    alias: str | UnsetType = UNSET
    receipt: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        names_the_caller = self.caller is not None or self.caller_name is not None
        if names_the_caller and (self.withheld or not self.outcome.allows_recording):
            raise ValueError(f"a decision {self.outcome} may not keep the caller (withheld: {self.withheld})")


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Spans of silence on one side of a recording, in milliseconds from its start."""

    silent_ms: tuple[tuple[int, int], ...] = ()


class Recording(msgspec.Struct, frozen=True, kw_only=True, tag="recording"):
    """What became of one recording: ``started_at`` in UTC seconds, ``size`` in bytes."""

    recording_id: str
    reason: str = ""
    started_at: int = 0
    duration_ms: int = 0
    sha256: str = ""
    size: int = 0
    caller: Side = Side()
    agent: Side = Side()


class Export(msgspec.Struct, frozen=True, kw_only=True, tag="export"):
    """Who got a recording, from whom, and why (GDPR art. 15(1)(c)); entered before its first byte leaves."""

    recording_id: str
    reason: str
    recipient: str
    person: str
    sha256: str = ""


class Access(msgspec.Struct, frozen=True, kw_only=True, tag="access"):
    """Somebody was let see ``what``: entered before the first byte of it is shown.

    Of a look by number ``found`` is how much it led to, absent elsewhere; the number is not kept.
    """

    what: str
    person: str
    reason: str
    purpose: str = ""
    found: int | UnsetType = UNSET


class Request(msgspec.Struct, frozen=True, kw_only=True, tag="request"):
    """Somebody made use of a right; what came of it is a :class:`Settled`.

    ``reference`` is what the person can name the request by. ``asked_by`` is who asked, ``identified_by`` how we know,
    never a document's number; empty where we do not yet, and then ``erase_at`` (UTC seconds) says when the audio goes
    all the same. ``person`` took the request, ``way`` is how it came.
    """

    right: Right
    way: str
    reference: str
    asked_by: str
    identified_by: str
    person: str
    reason: str = ""
    erase_at: int = 0


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with one copy: ``what`` it is, its ``state``, and why or until when."""

    what: str
    state: CopyState
    note: str = ""


class Settled(msgspec.Struct, frozen=True, kw_only=True, tag="settled"):
    """What came of the request in entry ``request_seq``, copy by copy."""

    request_seq: int
    copies: tuple[Copy, ...]


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag="gone"):
    """The key of a recording was destroyed and its sealed file removed, and why."""

    recording_id: str
    reason: str


class LegalHold(msgspec.Struct, frozen=True, kw_only=True, tag="legal_hold"):
    """A recording is kept past its term, for one purpose, until a moment in UTC seconds (GDPR art. 17(3)(e))."""

    hold_id: str
    recording_id: str
    purpose: str
    case: str
    until: int
    reason: str
    person: str
    waits_for_second: bool = False


class Objection(msgspec.Struct, frozen=True, kw_only=True, tag="objection"):
    """Somebody is on a controller's list of objections (GDPR art. 21), by the blind index of the number.

    ``asked_by`` is who asked, ``identified_by`` how we know, never a document's number; ``person`` took it.
    """

    subject: str
    asked_by: str
    identified_by: str
    person: str
    reason: str = ""


class Swept(msgspec.Struct, frozen=True, kw_only=True, tag="swept"):
    """A sweep over everything kept: how many recordings and how many proofs went, and who vouched for the clock."""

    recordings: int
    proofs: int
    clock_confirmed_by: str = ""


class Service(msgspec.Struct, frozen=True, kw_only=True, tag="service"):
    """The service came or went; ``release`` is the version of the product."""

    release: str
    reason: str = ""


class Passed(msgspec.Struct, frozen=True, kw_only=True, tag="passed"):
    """Calls that went by unasked while the service was away, between two moments in UTC seconds."""

    count: int
    reason: str
    first_at: int = 0
    last_at: int = 0


class Bypass(msgspec.Struct, frozen=True, kw_only=True, tag="bypass"):
    """Somebody switched asking off or on again."""

    person: str
    reason: str


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement in one language, as it was approved: digests of sound and text, and each part's text."""

    language: str
    digest: str
    text_digest: str
    parts: tuple[tuple[str, str], ...]


class Approval(msgspec.Struct, frozen=True, kw_only=True, tag="approval"):
    """Who approved this version of a policy, in which role, and what exactly (GDPR art. 5(2), 24).

    ``file`` is the policy file, line by line, ``sha256`` the digest of its bytes. ``signed`` are the rules that the
    role signed for, each with the reason given.
    """

    person: str
    name: str
    role: str
    sha256: str
    file: tuple[str, ...]
    announcements: tuple[Spoken, ...]
    signed: tuple[tuple[str, str], ...] = ()


class Created(msgspec.Struct, frozen=True, kw_only=True, tag="created"):
    """The first entry: 32 random hexadecimal digits that tell this ledger from every other."""

    ledger_id: str


class Erased(msgspec.Struct, frozen=True, kw_only=True, tag="erased"):
    """The payloads of these entries were erased, and why: the only thing that excuses a missing payload."""

    seqs: tuple[int, ...]
    reason: str


class CheckpointKey(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoint_key"):
    """The public key that checkpoints are signed with from here on, and its own signature over the ledger's id."""

    key: str
    signature: str


class Restored(msgspec.Struct, frozen=True, kw_only=True, tag="restored"):
    """A backup was put in place of the ledger: its last entry ``seq`` with its ``hash``, and who did it.

    ``missing`` is how many later entries are known to be lost, ``erasures`` of how many calls something was erased
    again, ``replayed`` how many entries right before this one say again what lost ones said, absent where none do.
    ``reason`` says why it was put there in spite of what spoke against it; empty where nothing did.
    """

    seq: int
    hash: str
    missing: int
    erasures: int
    person: str
    reason: str = ""
    replayed: int | UnsetType = UNSET


Payload = (
    Decision
    | Recording
    | Export
    | Access
    | Request
    | Settled
    | Gone
    | LegalHold
    | Objection
    | Swept
    | Service
    | Passed
    | Bypass
    | Approval
    | Created
    | Erased
    | CheckpointKey
    | Restored
)

_DECODER: msgspec.json.Decoder[Payload] = msgspec.json.Decoder(Payload)
_ENCODER = msgspec.json.Encoder()


def decision_payload(
    *,
    outcome: Outcome,
    started_at: int,
    direction: Direction,
    dialled: str,
    channel: str,
    caller: str | None,
    caller_name: str | None,
    withheld: bool,
    digit: str = "",
    played_ms: int = 0,
    information_ms: int = 0,
    recording_id: str | None = None,
    purposes: tuple[str, ...] = (),
    reason: str = "",
    course: tuple[Moment, ...] = (),
    alias: str = "",
    receipt: str = "",
) -> Decision:
    """Make a decision that keeps number and name only where the outcome and the caller allow it."""
    keeps = outcome.allows_recording and not withheld
    return Decision(
        outcome=outcome,
        started_at=started_at,
        direction=direction,
        dialled=dialled,
        channel=channel,
        caller=caller if keeps else None,
        caller_name=caller_name if keeps else None,
        withheld=withheld,
        digit=digit,
        played_ms=played_ms,
        information_ms=information_ms,
        recording_id=recording_id,
        purposes=purposes,
        reason=reason,
        course=course,
        alias=alias or UNSET,
        receipt=receipt or UNSET,
    )


def storable_text(text: str, limit: int = MAX_OUTSIDE_TEXT) -> str:
    """Return at most ``limit`` characters of ``text``, a lone surrogate spelt out as ``\\udc80``."""
    return text[:limit].encode("utf-8", "backslashreplace").decode("utf-8")[:limit]


def payload_bytes(payload: Payload) -> bytes:
    """Return the canonical text: JSON, the class's tag first, fields in the order of the class."""
    try:
        encoded = _ENCODER.encode(payload)
    except UnicodeEncodeError:
        return _ENCODER.encode(_storable(msgspec.to_builtins(payload)))
    if len(encoded) <= MAX_OUTSIDE_TEXT:
        return encoded
    return _ENCODER.encode(_storable(msgspec.to_builtins(payload)))


def read_payload(plaintext: bytes) -> Payload:
    """Read what :func:`payload_bytes` wrote; :class:`LedgerBrokenError` when it is nothing of the kind."""
    try:
        return _DECODER.decode(plaintext)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LedgerBrokenError(f"a payload cannot be read ({error})") from error


_Builtin = TypeVar("_Builtin", bound=object)


def _storable(value: _Builtin) -> _Builtin | str | list[object] | dict[str, object]:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    return value
