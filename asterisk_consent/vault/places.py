"""Owns making the directory of the keys, for the user that will write there."""

import os
from pathlib import Path

from asterisk_consent.errors import KeysError

_MODE = 0o750


def make_keys_directory(keys: Path, *, beside: Path) -> None:
    """Make the directory of the keys where there is none; it belongs to whom ``beside`` belongs, the vault.

    :raises KeysError: it cannot be made.
    """
    try:
        if keys.is_dir():
            return
        keys.mkdir(parents=True)
        keys.chmod(_MODE)
        if os.geteuid() == 0 and beside.is_dir():
            status = beside.stat()
            os.chown(keys, status.st_uid, status.st_gid)
    except OSError as error:
        raise KeysError(
            f"the directory of the keys cannot be made: {error.strerror}",
            where=str(keys),
            remedy="Run it as root",
        ) from error
