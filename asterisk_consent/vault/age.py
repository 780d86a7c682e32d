"""Owns every use of age (https://age-encryption.org/v1): key pairs, sealing, opening, and the text files it knows.

Rule: nothing else in the product imports ``pyrage``, and none of its errors leave this module. What is written here
any ``age`` program opens.

``encrypt_io`` and ``decrypt_io`` take 8 KiB at a time, so memory does not grow with what is sealed, and Python's other
threads get their turn between two reads; ``encrypt_file`` would hold them up until it is done. They turn every error
of a file into a text, and lose one in the very last write: :class:`_Watched` remembers it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Self

import pyrage

from asterisk_consent.errors import KeysError


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The private half of a key pair, and its public half."""

    secret: str = field(repr=False)
    """``AGE-SECRET-KEY-1…``"""
    recipient: str
    """``age1…``"""

    @classmethod
    def generate(cls) -> Self:
        """Make a key pair (X25519)."""
        return cls._of(pyrage.x25519.Identity.generate())

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a private half.

        :raises KeysError: it is none; the text is not repeated.
        """
        try:
            return cls._of(pyrage.x25519.Identity.from_str(text))
        except pyrage.IdentityError:
            raise KeysError("not an age identity (AGE-SECRET-KEY-1…)") from None

    @classmethod
    def _of(cls, found: Any) -> Self:
        return cls(secret=str(found), recipient=str(found.to_public()))


def is_recipient(text: str) -> bool:
    """Tell whether this is the public half of an X25519 key pair (``age1…``)."""
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        return False
    return True


def lines_that_count(text: str) -> list[tuple[int, str]]:
    """Return the lines of age's recipients and identity files with their numbers, without comments."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def with_lines(text: str, lines: Sequence[str]) -> bytes:
    """Return what such a file holds with more lines at its end."""
    return "\n".join([*text.splitlines(), *lines, ""]).encode()


def seal(content: bytes, recipients: Sequence[str]) -> bytes:
    """Seal a few bytes to all of the recipients: each of them can open it."""
    return bytes(pyrage.encrypt(content, _recipients(recipients)))


def unseal(content: bytes, identities: Sequence[Identity]) -> bytes:
    """Open a few sealed bytes.

    :raises KeysError: none of the identities opens it, or it was changed.
    """
    try:
        return bytes(pyrage.decrypt(content, _identities(identities)))
    except (pyrage.DecryptError, OSError) as error:
        raise _not_opened(error) from error


def seal_stream(source: BinaryIO, sealed: BinaryIO, recipients: Sequence[str]) -> str:
    """Seal everything that ``source`` holds; give the SHA-256 of what was written.

    :raises OSError: one of the two cannot be read or written.
    """
    reading, writing = _Watched(source), _Watched(sealed)
    try:
        pyrage.encrypt_io(reading, writing, _recipients(recipients))
    except (pyrage.EncryptError, OSError):
        _raise_first(reading, writing)
        raise
    _raise_first(reading, writing)
    return writing.digest.hexdigest()


def unseal_stream(sealed: BinaryIO, opened: BinaryIO, identity: Identity) -> str:
    """Open everything that ``sealed`` holds; give the SHA-256 of what was read.

    :raises OSError: one of the two cannot be read or written.
    :raises KeysError: the identity does not open it, or it was changed.
    """
    reading, writing = _Watched(sealed), _Watched(opened)
    try:
        pyrage.decrypt_io(reading, writing, _identities([identity]))
    except (pyrage.DecryptError, OSError) as error:
        _raise_first(reading, writing)
        raise _not_opened(error) from error
    _raise_first(reading, writing)
    return reading.digest.hexdigest()


class _Watched:
    """A file on its way through age: what passes, and what went wrong with it."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self.failure: OSError | None = None
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Read at most so many bytes."""
        try:
            content = self._file.read(size)
        except OSError as error:
            self.failure = self.failure or error
            raise
        self.digest.update(content)
        return content

    def write(self, content: bytes) -> int:
        """Write all of it."""
        if self.failure is not None:
            raise self.failure
        try:
            count = self._file.write(content)
        except OSError as error:
            self.failure = error
            raise
        self.digest.update(content)
        return count

    def flush(self) -> None:
        """Leave it to whoever opened the file."""


def _raise_first(*files: _Watched) -> None:
    for file in files:
        if file.failure is not None:
            raise file.failure


def _recipients(recipients: Sequence[str]) -> list[Any]:
    return [pyrage.x25519.Recipient.from_str(each) for each in recipients]


def _identities(identities: Sequence[Identity]) -> list[Any]:
    return [pyrage.x25519.Identity.from_str(each.secret) for each in identities]


def _not_opened(error: Exception) -> KeysError:
    return KeysError(f"cannot be opened ({error})", remedy="It was sealed to another key, or changed")
