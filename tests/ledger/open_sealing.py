"""Sealing that hides nothing and is the same every time, for tests of the ledger; and what opens it."""

from collections.abc import Sequence
from hashlib import sha256

from asterisk_consent.errors import KeysError
from asterisk_consent.model import EntryKey, Sealed

_MARK = b"sealed for a test\n"


class OpenSealer:
    """Puts a mark before what it seals."""

    def __init__(self) -> None:
        self.kept: list[EntryKey] = []

    def seal(self, content: bytes, *, controller: str, call_id: str) -> Sealed:
        return Sealed(content=_MARK + content, key=EntryKey(call_id=call_id, wrapped=b"key"))

    def keep(self, keys: Sequence[EntryKey]) -> None:
        self.kept += keys

    def blind(self, number: str, *, controller: str) -> str:
        return sha256(f"{controller} {number}".encode()).hexdigest()[:32]


def open_sealed(sealed: bytes) -> bytes:
    """Open what :class:`OpenSealer` sealed."""
    if not sealed.startswith(_MARK):
        raise KeysError("sealed to another key")
    return sealed.removeprefix(_MARK)
