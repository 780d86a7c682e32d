"""Owns the files of the keys as they go into a backup and come back from it.

Rule: only names that are ours, so nothing in a backup can be written anywhere else. A file has its name once it is
whole and durable: many are made durable at once (``sync(2)``), or bringing back a hundred thousand would take minutes.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from asterisk_consent.durable import unfinished
from asterisk_consent.errors import KeysError
from asterisk_consent.shared import mode_in
from asterisk_consent.vault.names import call_of_key
from asterisk_consent.vault.proof_keys import BLIND
from asterisk_consent.vault.recipients import RECIPIENTS

_CALLS = re.compile(r"[0-9a-f]{2}")
_OF_CALL = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}\.audio\.age")
_OF_CONTROLLER = re.compile(
    rf"(?:{RECIPIENTS}/[A-Za-z0-9][A-Za-z0-9_.-]{{0,63}}\.(?:txt|tested)|{BLIND}/[A-Za-z0-9][A-Za-z0-9_.-]{{0,63}}\.key)"
)
_JOURNAL = "erased.log"
_AT_ONCE = 500


def key_files(keys: Path) -> Iterator[tuple[str, bytes]]:
    """Give every file that belongs into a backup, by its name among the keys: the journal of erasures first.

    :raises KeysError: they cannot be read.
    """
    try:
        for path in _listed(keys):
            # What is destroyed meanwhile is not there any more.
            with suppress(FileNotFoundError):
                yield str(path.relative_to(keys)), path.read_bytes()
    except OSError as error:
        raise KeysError(
            f"the keys cannot be read: {error.strerror}",
            where=str(keys),
            remedy="Run it as root or the service's user",
        ) from error


def _listed(keys: Path) -> Iterator[Path]:
    yield keys / _JOURNAL
    for directory in sorted(keys.iterdir()):
        of_calls = _CALLS.fullmatch(directory.name) is not None
        if not directory.is_dir() or not (of_calls or directory.name in (RECIPIENTS, BLIND)):
            continue
        for path in sorted(directory.iterdir()):
            name = f"{directory.name}/{path.name}"
            if call_of_key(path) is not None if of_calls else _OF_CONTROLLER.fullmatch(name):
                yield path


class KeyFiles:
    """Writes files among the keys, each belonging to whom the directory belongs."""

    def __init__(self, keys: Path) -> None:
        self._keys = keys
        self._waiting: list[tuple[Path, Path]] = []

    def put(self, name: str, content: bytes) -> bool:
        """Write the key of a call unless there is one; return whether it was written.

        :raises KeysError: it cannot be written.
        """
        path = self._keys / name
        if not _OF_CALL.fullmatch(name) or path.exists():
            return False
        try:
            mode = mode_in(self._keys, alone=0o600, shared=0o640)
            directory_mode = mode_in(self._keys, alone=0o700, shared=0o2750)
        except OSError as error:
            raise _unwritable(self._keys, error) from error
        self._write(path, content, mode=mode, directory_mode=directory_mode)
        return True

    def put_of_controller(self, name: str, content: bytes) -> None:
        """Write recipients where there are none, and the key of a blind index; nothing under another name.

        :raises KeysError: it cannot be written.
        """
        path = self._keys / name
        is_blind = name.startswith(f"{BLIND}/")
        if _OF_CONTROLLER.fullmatch(name) and (is_blind or not path.exists()):
            mode, directory_mode = (0o600, 0o700) if is_blind else (0o644, 0o755)
            self._write(path, content, mode=mode, directory_mode=directory_mode)

    def finish(self) -> None:
        """Give what waits for it its name, durably.

        :raises KeysError: it cannot be.
        """
        try:
            os.sync()
            for partial, path in self._waiting:
                partial.replace(path)
            os.sync()
        except OSError as error:
            raise _unwritable(self._keys, error) from error
        self._waiting.clear()

    def _write(self, path: Path, content: bytes, *, mode: int, directory_mode: int) -> None:
        partial = unfinished(path)
        try:
            if not path.parent.is_dir():
                path.parent.mkdir(mode=directory_mode)
                self._give(path.parent)
                path.parent.chmod(directory_mode)  # last: a change of owner takes the bit of the group away
            partial.write_bytes(content)
            partial.chmod(mode)
            self._give(partial)
        except OSError as error:
            raise _unwritable(self._keys, error) from error
        self._waiting.append((partial, path))
        if len(self._waiting) >= _AT_ONCE:
            self.finish()

    def _give(self, made: Path) -> None:
        if os.geteuid() == 0:
            owner = self._keys.stat()
            os.chown(made, owner.st_uid, owner.st_gid)


def _unwritable(keys: Path, error: OSError) -> KeysError:
    return KeysError(
        f"the keys cannot be written: {error.strerror}",
        where=str(keys),
        remedy="Free space, run it as root, and restore again",
    )
