"""Owns how a recording lies in the vault: today a two-channel WAV file, left the caller, right the agent.

Rule: a name in the vault stands for a whole file. It is written beside, made durable, renamed, and the rename
made durable (``fsync(2)``: the directory needs its own). Nothing else in the product opens a file of the
vault.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.names import kept_path, partial_path
from asterisk_consent.vault.wav import Wave, open_wav, wav_header

CHANNELS = 2
_MODE = 0o640
_PIECE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A recording in the vault."""

    sha256: str
    size: int
    """Bytes."""


def is_kept(recording_id: RecordingId, vault: Path) -> bool:
    """Tell whether the vault holds the recording."""
    return kept_path(recording_id, vault).is_file()


def keep(
    recording_id: RecordingId, vault: Path, *, blocks: Iterable[NDArray[np.int16]], frames: int, rate: int
) -> Kept:
    """Write a recording of ``frames`` two-channel frames to the vault, replacing an earlier one.

    :raises AudioError: where it cannot be written, a full disk for example; then nothing is left behind.
    """
    path, partial = kept_path(recording_id, vault), partial_path(recording_id, vault)
    try:
        with _create(partial) as file:
            digest = hashlib.sha256()
            for content in _contents(blocks, wav_header(frames=frames, channels=CHANNELS, rate=rate)):
                file.write(content)
                digest.update(content)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _make_names_durable(vault)
    except OSError as error:
        raise AudioError(
            f"the recording cannot be kept: {error.strerror}",
            where=str(vault),
            remedy="Both sides stay in the spool; free space or correct the permissions, then try again",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    return Kept(sha256=digest.hexdigest(), size=size)


def open_kept(recording_id: RecordingId, vault: Path) -> Wave:
    """Open a recording of the vault for reading its samples.

    :raises AudioError: where it is missing or damaged.
    """
    return open_wav(kept_path(recording_id, vault), channels=CHANNELS)


def look_up(recording_id: RecordingId, vault: Path) -> Kept:
    """Compute the digest of a recording of the vault as it is now.

    :raises AudioError: where it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    for content in read_kept(recording_id, vault):
        digest.update(content)
        size += len(content)
    return Kept(sha256=digest.hexdigest(), size=size)


def read_kept(recording_id: RecordingId, vault: Path) -> Iterator[bytes]:
    """Yield a recording of the vault as a WAV file, piece by piece.

    :raises AudioError: where it cannot be read.
    """
    path = kept_path(recording_id, vault)
    try:
        file = path.open("rb")
    except OSError as error:
        raise _not_readable(path, error) from error
    with file:
        while True:
            try:
                content = file.read(_PIECE_BYTES)
            except OSError as error:
                raise _not_readable(path, error) from error
            if not content:
                return
            yield content


def _not_readable(path: Path, error: OSError) -> AudioError:
    return AudioError(
        f"the recording cannot be read: {error.strerror}",
        where=str(path),
        remedy="Only the user of the service may read it; restore it from a backup where it is gone",
    )


def _contents(blocks: Iterable[NDArray[np.int16]], header: bytes) -> Iterator[bytes]:
    yield header
    for block in blocks:
        yield block.astype("<i2", copy=False).tobytes()


def _create(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _MODE)
    os.fchmod(descriptor, _MODE)
    return os.fdopen(descriptor, "wb")


def _make_names_durable(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
