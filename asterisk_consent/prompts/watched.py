"""Owns the question whether files on disk are still the ones that were loaded.

Rule: asking costs one ``stat`` a file, so it can be asked before every call. Only a file that looks other
than before is read again, and only its bytes decide: one replaced by the same bytes is unchanged.
"""

import hashlib
import os
from io import BufferedReader
from pathlib import Path

from asterisk_consent.errors import AudioError

MAKE_AGAIN = "Make the announcement again: asterisk-consent prompts render, or prompts import"

_Look = tuple[int, int, int, int]
"""Inode, size, and the moments of the last change to content and to inode."""


class WatchedFiles:
    """Files, each with the SHA-256 it must have and how it looked when that was last seen to be so."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[_Look, str]] = {}

    def add(self, path: Path, sha256: str) -> None:
        """Read the file at ``path`` and watch it from now on.

        :raises AudioError: where it cannot be read, is empty or has another digest than ``sha256``.
        """
        try:
            with path.open("rb") as file:
                look, found = _read(file)
        except OSError as error:
            raise _unusable(f"cannot be read: {error.strerror}", path) from error
        if look[1] == 0:
            raise _unusable("is empty", path)
        if found != sha256:
            raise _unusable("was changed after rendering", path)
        self._seen[path] = look, sha256

    def unchanged(self) -> bool:
        """Tell whether every file still holds what was loaded; one that is gone does not."""
        for path, (look, sha256) in self._seen.items():
            try:
                now = _look(path.stat())
                if now != look and not (now[1] == look[1] and self._same_bytes(path, sha256)):
                    return False
            except OSError:
                return False
        return True

    def _same_bytes(self, path: Path, sha256: str) -> bool:
        with path.open("rb") as file:
            look, found = _read(file)
        if found == sha256:
            self._seen[path] = look, sha256
        return found == sha256


def _unusable(what: str, path: Path) -> AudioError:
    return AudioError(f"the announcement {what}", where=str(path), remedy=MAKE_AGAIN)


def _read(file: BufferedReader) -> tuple[_Look, str]:
    # How it looks is taken before the bytes: whoever writes in between makes it look other next time.
    look = _look(os.fstat(file.fileno()))
    return look, hashlib.file_digest(file, "sha256").hexdigest()


def _look(status: os.stat_result) -> _Look:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
