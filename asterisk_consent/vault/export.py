"""Owns handing a recording out as a WAV file.

Rule: what is handed out is byte for byte what was entered in the ledger, and no existing file is ever
touched. The entry of the export comes first; that is the caller's duty (``asterisk_consent.cli.recordings``).
"""

import contextlib
import hashlib
import os
from pathlib import Path

from asterisk_consent.errors import AudioError, RequestRefusedError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.kept import look_up, read_kept

_MODE = 0o600
"""Whoever exports a recording decides who else may read it."""


def check_digest(recording_id: RecordingId, vault: Path, *, sha256: str) -> None:
    """Compare a recording of the vault with the digest in the ledger.

    :raises AudioError: where it is missing or is not what was entered.
    """
    _compare(recording_id, look_up(recording_id, vault).sha256, sha256)


def export_wav(recording_id: RecordingId, vault: Path, out: Path, *, sha256: str) -> str:
    """Copy a recording to the new file ``out`` and give its SHA-256.

    :raises RequestRefusedError: where ``out`` exists.
    :raises AudioError: where the recording is not what was entered, or ``out`` cannot be written; no file
        is left.
    """
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
    except FileExistsError as error:
        raise RequestRefusedError(
            "the file exists already", where=str(out), remedy="Name a file that does not exist"
        ) from error
    except OSError as error:
        raise _not_written(out, error) from error
    digest, whole = hashlib.sha256(), False
    try:
        with os.fdopen(descriptor, "wb") as file:
            for content in read_kept(recording_id, vault):
                file.write(content)
                digest.update(content)
        _compare(recording_id, digest.hexdigest(), sha256)
        whole = True
    except OSError as error:
        raise _not_written(out, error) from error
    finally:
        if not whole:
            with contextlib.suppress(OSError):
                out.unlink()
    return digest.hexdigest()


def _compare(recording_id: RecordingId, found: str, entered: str) -> None:
    if found != entered:
        raise AudioError(
            "the recording is not what was entered in the ledger",
            where=recording_id,
            remedy="Somebody changed it, or the disk did: keep it as it is and restore a backup elsewhere",
        )


def _not_written(out: Path, error: OSError) -> AudioError:
    return AudioError(
        f"the file cannot be written: {error.strerror}",
        where=str(out),
        remedy="Name a place with free space that you may write to",
    )
