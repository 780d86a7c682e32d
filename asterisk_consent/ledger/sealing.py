"""How a payload lies in its row: as its text, or in two parts of which the second is sealed to a key of its call.

Rule: this module alone knows the form of a body in two parts. The first is the *index*, what must be found without a
key and names nobody; the second is everything, with its salt, and whoever appended it cannot read it back. Who seals,
and to whom, is the business of a :class:`Sealer`; nothing here knows of keys.
"""

from collections.abc import Sequence
from typing import Protocol

from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.model import EntryKey, Sealed

SALT_BYTES = 16
_ID_DIGITS = 32


class Sealer(Protocol):
    """What appending needs of the keys."""

    def seal(self, content: bytes, *, controller: str, call_id: str) -> Sealed:
        """Seal to a new key of the call, or of what :func:`key_id` names; :class:`KeysError` where there is nobody."""
        ...

    def keep(self, keys: Sequence[EntryKey]) -> None:
        """Make the keys durable, before what they open is; :class:`KeysError` where they cannot be kept."""
        ...

    def blind(self, number: str, *, controller: str) -> str:
        """Return the blind index of an E.164 number; :class:`KeysError` where there is no key for it."""
        ...


def key_id(call_id: str, commitment: str) -> str:
    """Return what the key of a sealed entry is kept under: its call, or about no call the start of its commitment."""
    return call_id or commitment[:_ID_DIGITS]


def two_parts(index: bytes, sealed: bytes) -> bytes:
    """Return the body of both parts; ``sealed`` is empty where there was nobody to seal to."""
    return index + b"\n" + sealed


def parts_of(body: bytes) -> tuple[bytes, bytes]:
    """Return index and sealed part; :class:`LedgerBrokenError` when it is no body of two parts."""
    index, line_feed, sealed = body.partition(b"\n")
    if not line_feed:
        raise LedgerBrokenError("a payload has one part where two belong")
    return index, sealed


def salted(salt: bytes, text: bytes) -> bytes:
    """Return what is sealed."""
    return salt + text


def unsalted(content: bytes) -> tuple[bytes, bytes]:
    """Return salt and text of what was sealed."""
    return content[:SALT_BYTES], content[SALT_BYTES:]
