"""Owns how a recording lies in the vault: two-channel FLAC, left the caller, right the agent, sealed to its call's key.

Rule: a name in the vault stands for a whole file, and the key that opens it was durable before. Audio in the clear is
in the spool only, also while both sides are joined; whoever opens a recording has it in memory. Nothing else in the
product opens a file of the vault. Sealing takes the same memory however long a recording is, unless the spool is full:
then both sides are joined in memory. Opening takes as much as its FLAC is long (at most 32 KB a second of a telephone
call), for what is handed out was checked to its end before.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.durable import make_names_durable, replacing
from asterisk_consent.errors import AudioError, KeysError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.age import Identity, seal_stream, unseal_stream
from asterisk_consent.vault.call_keys import CallKey, destroy_key, has_key, make_key
from asterisk_consent.vault.flac import CHANNELS, OpenedAudio, write_flac
from asterisk_consent.vault.names import joined_path, kept_path, partial_path
from asterisk_consent.vault.presence import is_there
from asterisk_consent.vault.wav import BYTES_A_SAMPLE

_MODE = 0o640
_JOINED_MODE = 0o600
_ROOM_BESIDE = 1 << 20
"""Bytes that joining leaves free in the spool for what is being recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A sealed recording in the vault."""

    sha256: str
    size: int
    """Bytes."""


def is_kept(recording_id: RecordingId, vault: Path, key: CallKey) -> bool:
    """Tell whether the vault holds the recording, and there is a key that opens it.

    :raises AudioError: where that cannot be told now.
    """
    return is_there(kept_path(recording_id, vault)) and has_key(key)


def keep(
    recording_id: RecordingId,
    vault: Path,
    spool: Path,
    key: CallKey,
    *,
    blocks: Iterable[NDArray[np.int16]],
    frames: int,
    rate: int,
) -> Kept:
    """Seal a recording of ``frames`` two-channel frames into the vault, replacing an earlier one and its key.

    :raises AudioError: where it cannot be written, a full disk for example; then nothing is left behind.
    :raises KeysError: where there is nobody to seal it to, or the key cannot be kept.
    """
    path, place = kept_path(recording_id, vault), spool
    try:
        with _place_to_join(recording_id, spool, frames) as plain:
            write_flac(plain, blocks, frames=frames, rate=rate)
            place = vault
            with contextlib.ExitStack() as failing:
                failing.callback(_forget, path, key)
                _remove(path)  # it is sealed to a key that is replaced now
                recipient = make_key(key)
                with replacing(path, partial_path(recording_id, vault), mode=_MODE) as sealed:
                    digest = seal_stream(plain, sealed, [recipient])
                    size = sealed.tell()
                failing.pop_all()
    except OSError as error:
        raise AudioError(
            f"the recording cannot be kept: {error.strerror}",
            where=str(place),
            remedy="Both sides stay in the spool; free space or correct the permissions, then try again",
        ) from error
    return Kept(sha256=digest, size=size)


def forget_unfinished(recording_id: RecordingId, vault: Path, key: CallKey) -> None:
    """Remove what sealing left when it was cut short, and there is nothing any more to seal again.

    :raises AudioError: it cannot be removed.
    :raises KeysError: the key cannot.
    """
    try:
        partial_path(recording_id, vault).unlink(missing_ok=True)
        if not is_there(kept_path(recording_id, vault)):
            destroy_key(key.call_id, key.keys)
    except OSError as error:
        raise AudioError(f"cannot be removed: {error.strerror}", where=str(vault)) from error


@contextmanager
def open_kept(
    recording_id: RecordingId, vault: Path, identity: Identity, *, sha256: str = ""
) -> Iterator[OpenedAudio]:
    """Open a recording of the vault for reading its samples; nothing of it is written anywhere.

    :param identity: the private key of its call.
    :param sha256: what the sealed file must be, where that is known.
    :raises AudioError: it is missing, damaged, or not what it must be.
    :raises KeysError: the key does not open it.
    """
    path = kept_path(recording_id, vault)
    with _in_memory() as opened:
        try:
            with path.open("rb") as sealed:
                found = unseal_stream(sealed, opened, identity)
        except OSError as error:
            raise _not_readable(path, error) from error
        except KeysError as error:
            if sha256:
                check_kept(recording_id, look_up(recording_id, vault).sha256, sha256)
            raise KeysError(f"the recording {error.what}", where=str(path), remedy=error.remedy) from error
        if sha256:
            check_kept(recording_id, found, sha256)
        opened.seek(0)
        yield OpenedAudio(opened, str(path))


def check_kept(recording_id: RecordingId, found: str, entered: str) -> None:
    """Compare the digest of a recording with the one in the ledger.

    :raises AudioError: it is another.
    """
    if found != entered:
        raise AudioError(
            "the recording is not what was entered in the ledger",
            where=recording_id,
            remedy="Somebody changed it, or the disk did: keep it as it is and restore a backup elsewhere",
        )


def look_up(recording_id: RecordingId, vault: Path) -> Kept:
    """Compute the digest of a sealed recording as it is now.

    :raises AudioError: where it cannot be read.
    """
    path = kept_path(recording_id, vault)
    try:
        with path.open("rb") as file:
            digest, size = hashlib.file_digest(file, "sha256"), file.tell()
    except OSError as error:
        raise _not_readable(path, error) from error
    return Kept(sha256=digest.hexdigest(), size=size)


def _not_readable(path: Path, error: OSError) -> AudioError:
    return AudioError(
        f"the recording cannot be read: {error.strerror}",
        where=str(path),
        remedy="Only the user of the service and root may read it; restore it from a backup where it is gone",
    )


@contextmanager
def _place_to_join(recording_id: RecordingId, spool: Path, frames: int) -> Iterator[BinaryIO]:
    """Give a file in the spool, or in memory where the spool has no room: only sealing makes room there."""
    enough = frames * CHANNELS * BYTES_A_SAMPLE + _ROOM_BESIDE
    full = shutil.disk_usage(spool).free < enough
    with _in_memory() if full else _created(joined_path(recording_id, spool)) as file:
        yield file


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    """Give a new file that is gone after the block; whatever lay there under its name is not written to."""
    path.unlink(missing_ok=True)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, _JOINED_MODE), "r+b") as file:
            yield file
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _forget(path: Path, key: CallKey) -> None:
    """Leave neither a sealed file nor its key: each is worth nothing without the other."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    with contextlib.suppress(KeysError):
        destroy_key(key.call_id, key.keys)


@contextmanager
def _in_memory() -> Iterator[BinaryIO]:
    with os.fdopen(os.memfd_create("recording", os.MFD_CLOEXEC), "r+b") as file:
        yield file


def _remove(path: Path) -> None:
    if is_there(path):
        path.unlink()
        make_names_durable(path.parent)
