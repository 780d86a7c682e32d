"""Asks the key holder for the keys of one call.

Rule: whatever the socket says, the caller gets the keys or one of the product's own errors, within a stated time.
"""

import socket
import time
from pathlib import Path
from typing import Literal, cast

import msgspec

from asterisk_consent.errors import ConsentError, KeysError, RequestRefusedError
from asterisk_consent.keyholder.wire import (
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    Refused,
    Request,
    encode,
    error_of,
    read_answer,
)
from asterisk_consent.rights.access import Wanted
from asterisk_consent.vault.age import Identity

ANSWER_WITHIN_S = 15.0
"""More than entering the access may take while the ledger is locked."""
_BLOCK_BYTES = 1 << 16

Kinds = Literal["proof.opened", "recording.opened", "recording.exported"]


def ask(
    place: Path, wanted: Wanted, *, on_behalf_of: str = "", within_s: float = ANSWER_WITHIN_S
) -> tuple[Identity, ...]:
    """Return the private keys of the call: of its proof, or of its audio. The access is entered then.

    :param place: the socket.
    :param wanted: its ``person`` is not sent: the key holder sees who asks.
    :raises ConsentError: as :func:`asterisk_consent.rights.access.release`, or the key holder cannot be asked.
    """
    request = Request(
        call_id=wanted.call_id,
        kind=cast("Kinds", wanted.kind.value),
        reason=wanted.reason,
        purpose=wanted.purpose,
        recipient=wanted.recipient,
        on_behalf_of=on_behalf_of,
    )
    line = _exchange(place, _checked(request), within_s)
    if not line:
        raise KeysError("the key holder is busy", where=str(place), remedy="Try again; its log says why")
    answer = read_answer(line)
    if isinstance(answer, Refused):
        raise error_of(answer)
    return tuple(Identity.read(key) for key in answer.keys)


def _checked(request: Request) -> bytes:
    line = encode(request)
    try:
        msgspec.json.decode(line, type=Request)
    except msgspec.ValidationError as error:
        raise RequestRefusedError(f"this cannot be asked: {error}") from error
    if len(line) > MAX_REQUEST_BYTES:
        raise RequestRefusedError("this cannot be asked: it is too long", remedy="Give a shorter reason")
    return line


def _exchange(place: Path, line: bytes, within_s: float) -> bytes:
    end = time.monotonic() + within_s
    answer = bytearray()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within_s)
            connection.connect(str(place))
            connection.sendall(line)
            while block := connection.recv(_BLOCK_BYTES):
                answer += block
                connection.settimeout(max(0.001, end - time.monotonic()))
                if len(answer) > MAX_ANSWER_BYTES:
                    raise KeysError("the key holder's answer has no end", where=str(place))
    except OSError as error:
        raise _not_asked(place, error) from error
    return bytes(answer)


def _not_asked(place: Path, error: OSError) -> ConsentError:
    if isinstance(error, PermissionError):
        remedy = "Only members of the group that keyholder.group names may ask; log in again after joining it"
    elif isinstance(error, TimeoutError):
        remedy = "Whether the access was entered is unknown. The key holder's log says what happened"
    else:
        remedy = "Start it: asterisk-consent keyholder; or run this as root with --identity FILE"
    why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
    return KeysError(f"the key holder cannot be asked: {why}", where=str(place), remedy=remedy)
