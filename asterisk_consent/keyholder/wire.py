"""What is said on the key holder's socket: one line of JSON from the peer, one in answer, and the end.

Rule: what a peer sends is of exactly this form and within these limits, or nothing is done with it. It says what is
wanted and why; who wants it is not in it, the kernel says that (:mod:`asterisk_consent.keyholder.peer`).
"""

from typing import Annotated, Literal

import msgspec

from asterisk_consent.errors import (
    ConsentError,
    KeysError,
    LedgerBrokenError,
    LedgerError,
    LedgerUnavailableError,
    RequestRefusedError,
)

MAX_REQUEST_BYTES = 64 << 10
MAX_ANSWER_BYTES = 16 << 20
"""A call has a key for each of its sealed entries, 80 bytes of the answer each."""

_NOT_A_REQUEST = "not a request of this release's form"


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which call's keys are wanted, and why.

    ``on_behalf_of`` is whom the peer says it asks for: who called sudo, who is logged in at the console.
    """

    version: Literal[1] = 1
    call_id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
    kind: Literal["proof.opened", "recording.opened", "recording.exported"]
    reason: Annotated[str, msgspec.Meta(max_length=4096)]
    purpose: Annotated[str, msgspec.Meta(max_length=128)] = ""
    recipient: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    on_behalf_of: Annotated[str, msgspec.Meta(max_length=128)] = ""


class Released(msgspec.Struct, frozen=True, tag_field="answer", tag="released"):
    """The private keys of the call (``AGE-SECRET-KEY-1…``); the access is entered."""

    keys: tuple[str, ...]

    def __repr__(self) -> str:
        """Tell how many, and no more: keys are for no log."""
        return f"Released({len(self.keys)} keys)"


class Refused(msgspec.Struct, frozen=True, tag_field="answer", tag="refused"):
    """Nothing is released: the error, as the command line would have raised it."""

    error: Literal["refused", "keys", "ledger", "ledger_unavailable", "ledger_broken"]
    what: str
    where: str
    remedy: str


_ERRORS: dict[str, type[ConsentError]] = {
    "ledger_broken": LedgerBrokenError,
    "ledger_unavailable": LedgerUnavailableError,
    "ledger": LedgerError,
    "keys": KeysError,
    "refused": RequestRefusedError,
}
"""From the narrow to the wide."""


def encode(message: Request | Released | Refused) -> bytes:
    """Return the line that says it."""
    return msgspec.json.encode(message) + b"\n"


def read_request(line: bytes) -> Request:
    """Read what a peer wants.

    :raises RequestRefusedError: it is not of this form; nothing of it is repeated.
    """
    try:
        return msgspec.json.decode(line, type=Request)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise RequestRefusedError(_NOT_A_REQUEST, remedy="Use the same release on both sides") from None


def read_answer(line: bytes) -> Released | Refused:
    """Read what the key holder answered.

    :raises KeysError: it is not of this form; nothing of it is repeated.
    """
    try:
        return msgspec.json.decode(line, type=Released | Refused)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise KeysError("that is no answer of a key holder", remedy="Its log says what happened") from None


def refused(error: ConsentError) -> Refused:
    """Return the answer that tells of an error."""
    name = next((name for name, kind in _ERRORS.items() if isinstance(error, kind)), "refused")
    return msgspec.convert(
        {
            "answer": "refused",
            "error": name,
            "what": error.what,
            "where": error.where,
            "remedy": error.remedy,
        },
        Refused,
    )


def error_of(answer: Refused) -> ConsentError:
    """Return the error that an answer tells of."""
    return _ERRORS[answer.error](answer.what, where=answer.where, remedy=answer.remedy)
