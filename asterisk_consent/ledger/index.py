"""The index of a payload that is sealed: what the ledger shows of it without a key.

Rule: an index names nobody. It holds what lists, terms and a restarted service need; number, name, digit and course
are in the sealed part only, and a person is found by a blind index alone. Each class bears the tag of the payload that
it is taken from, and every field of it is one of that payload's, save the ``subject`` of a decision.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
from msgspec import UNSET, UnsetType

from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.ledger.payload import Access, Decision, Export, Objection, Payload, Request
from asterisk_consent.model import Direction, Outcome, Right
from asterisk_consent.telephone import is_e164


class DecisionIndex(msgspec.Struct, frozen=True, kw_only=True, tag="decision"):
    """Of a decision: ``subject`` is the blind index of the caller's number, absent where none was kept.

    The channel is Asterisk's unique id, which tells a moment and a counter; no name of a line.
    """

    outcome: Outcome
    started_at: int
    direction: Direction
    channel: str
    played_ms: int = 0
    recording_id: str | None = None
    purposes: tuple[str, ...] = ()
    reason: str = ""
    alias: str | UnsetType = UNSET
    receipt: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET


class ExportIndex(msgspec.Struct, frozen=True, kw_only=True, tag="export"):
    """Of an export: which recording, and its digest."""

    recording_id: str
    sha256: str = ""


class AccessIndex(msgspec.Struct, frozen=True, kw_only=True, tag="access"):
    """Of an access: what was shown, and of a look by number how much it led to."""

    what: str
    found: int | UnsetType = UNSET


class RequestIndex(msgspec.Struct, frozen=True, kw_only=True, tag="request"):
    """Of a request: which right, how it came, its reference, and when the audio goes all the same."""

    right: Right
    way: str
    reference: str
    erase_at: int = 0


class ObjectionIndex(msgspec.Struct, frozen=True, kw_only=True, tag="objection"):
    """Of an objection: the blind index of the number, which the list consists of."""

    subject: str


Index = DecisionIndex | ExportIndex | AccessIndex | RequestIndex | ObjectionIndex

INDEX_OF: Mapping[type[Payload], type[Index]] = MappingProxyType(
    {
        Decision: DecisionIndex,
        Export: ExportIndex,
        Access: AccessIndex,
        Request: RequestIndex,
        Objection: ObjectionIndex,
    }
)
"""The payloads that are sealed, each with its index."""

_DECODER: msgspec.json.Decoder[Index] = msgspec.json.Decoder(Index)
_ENCODER = msgspec.json.Encoder()


def index_of(payload: Payload, *, subject: str | UnsetType = UNSET) -> Index:
    """Return the index of a payload that is sealed."""
    of_class = INDEX_OF[type(payload)]
    of_payload = payload.__struct_fields__
    found = {name: getattr(payload, name) for name in of_class.__struct_fields__ if name in of_payload}
    return of_class(**found | ({"subject": subject} if isinstance(subject, str) else {}))


def subject_of(payload: Payload, blind: Callable[[str], str]) -> str | UnsetType:
    """Return the blind index of the number that a payload keeps; absent for an extension, a text or none."""
    number = payload.caller if isinstance(payload, Decision) else None
    return blind(number) if number is not None and is_e164(number) else UNSET


def index_bytes(index: Index) -> bytes:
    """Return the canonical text: JSON, the tag first, fields in the order of the class."""
    return _ENCODER.encode(index)


def read_index(text: bytes) -> Index:
    """Read what :func:`index_bytes` wrote; :class:`LedgerBrokenError` when it is nothing of the kind."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LedgerBrokenError(f"an index cannot be read ({error})") from error
