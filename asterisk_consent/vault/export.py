"""Owns handing a recording out as a WAV file.

Rule: what is handed out is sample for sample what was entered in the ledger, checked to its end before the first byte
is written, and no existing file is ever touched. The entry of the export comes first; that is the caller's duty
(``asterisk_consent.cli.recordings``).
"""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from asterisk_consent.errors import AudioError, RequestRefusedError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.flac import CHANNELS, OpenedAudio
from asterisk_consent.vault.kept import check_kept, look_up, open_kept
from asterisk_consent.vault.wav import wav_header

_MODE = 0o600
"""Whoever exports a recording decides who else may read it."""
_BLOCK_FRAMES = 1 << 16


def check_digest(recording_id: RecordingId, vault: Path, *, sha256: str) -> None:
    """Compare a sealed recording of the vault with the digest in the ledger; needs no key.

    :raises AudioError: where it is missing or is not what was entered.
    """
    check_kept(recording_id, look_up(recording_id, vault).sha256, sha256)


def export_wav(recording_id: RecordingId, vault: Path, out: Path, identity: Identity, *, sha256: str) -> None:
    """Write a recording to the new file ``out``.

    :param identity: the private key of its call.
    :param sha256: the digest of the sealed recording in the ledger.
    :raises RequestRefusedError: where ``out`` exists.
    :raises AudioError: where the recording is not what was entered, or ``out`` cannot be written; no file
        is left.
    :raises KeysError: the key does not open the recording.
    """
    with open_kept(recording_id, vault, identity, sha256=sha256) as audio:
        header = wav_header(frames=audio.frames, channels=CHANNELS, rate=audio.rate)
        try:
            descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
        except FileExistsError as error:
            raise RequestRefusedError(
                "the file exists already", where=str(out), remedy="Name a file that does not exist"
            ) from error
        except OSError as error:
            raise _not_written(out, error) from error
        whole = False
        try:
            with os.fdopen(descriptor, "wb") as file:
                _write(file, header, audio)
            whole = True
        except OSError as error:
            raise _not_written(out, error) from error
        finally:
            if not whole:
                with contextlib.suppress(OSError):
                    out.unlink()


def _write(file: BinaryIO, header: bytes, audio: OpenedAudio) -> None:
    file.write(header)
    for block in audio.blocks(_BLOCK_FRAMES):
        file.write(block.astype("<i2", copy=False).tobytes())


def _not_written(out: Path, error: OSError) -> AudioError:
    return AudioError(
        f"the file cannot be written: {error.strerror}",
        where=str(out),
        remedy="Name a place with free space that you may write to",
    )
