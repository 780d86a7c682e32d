"""Owns recordings as two-channel FLAC: every sample as it was, in about half the room of WAV.

Rule: a full disk is an ``OSError`` here as anywhere; libsndfile calls back to write, where an exception of ours would
be lost, so it is remembered and raised once libsndfile is out of the way.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError

CHANNELS = 2


class OpenedAudio:
    """A recording that is open for reading its samples."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        """Read the header.

        :raises AudioError: it is no two-channel FLAC.
        """
        self._where = where
        try:
            self._sound = soundfile.SoundFile(file)
        except soundfile.SoundFileError as error:
            raise AudioError("not a FLAC file", where=where) from error
        self.rate = int(self._sound.samplerate)
        self.frames = int(self._sound.frames)
        if self._sound.channels != CHANNELS:
            raise AudioError(f"{self._sound.channels} channels instead of {CHANNELS}", where=where)

    def blocks(self, frames_each: int) -> Iterator[NDArray[np.int16]]:
        """Yield the audio from its start in blocks of ``frames_each``, the last one shorter; a column a channel.

        :raises AudioError: it is damaged.
        """
        try:
            self._sound.seek(0)
            left = self.frames
            while left:
                block = self._sound.read(min(left, frames_each), dtype="int16", always_2d=True)
                if not len(block):
                    raise AudioError("ends too early", where=self._where)
                yield block
                left -= len(block)
        except soundfile.SoundFileError as error:
            raise AudioError("a damaged FLAC file", where=self._where) from error


def write_flac(file: BinaryIO, blocks: Iterable[NDArray[np.int16]], *, frames: int, rate: int) -> None:
    """Write two-channel blocks of ``frames`` frames in all to a file that can be read too.

    :raises OSError: the file cannot be written.
    :raises AudioError: the blocks cannot be read, or do not fit into FLAC.
    """
    target = _Remembering(file)
    with contextlib.ExitStack() as stack:
        try:
            sound = soundfile.SoundFile(
                target, "w", samplerate=rate, channels=CHANNELS, format="FLAC", subtype="PCM_16"
            )
            stack.callback(_close, sound)
            for block in blocks:
                _write(sound, block, target)
            sound.close()
        except soundfile.SoundFileError as error:
            target.raise_failure()
            raise AudioError(f"cannot be written as FLAC ({error})") from error
    target.raise_failure()
    file.flush()
    file.seek(0)
    written = soundfile.info(file).frames
    if written != frames:
        raise AudioError(f"{written} frames were written, and {frames} were there")
    file.seek(0)


def _close(sound: soundfile.SoundFile) -> None:
    with contextlib.suppress(soundfile.SoundFileError):
        sound.close()


def _write(sound: soundfile.SoundFile, block: NDArray[np.int16], target: "_Remembering") -> None:
    try:
        sound.write(block)
    except AssertionError as error:  # libsndfile took less than it was given
        target.raise_failure()
        raise AudioError("cannot be written as FLAC") from error
    target.raise_failure()


class _Remembering:
    """A file that libsndfile writes to, and the first error it met."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._failure: OSError | None = None

    def raise_failure(self) -> None:
        """Raise what went wrong, if anything did."""
        if self._failure is not None:
            raise self._failure

    def write(self, content: bytes) -> int:
        """Write all of it, or tell libsndfile that nothing was written."""
        try:
            return 0 if self._failure is not None else self._file.write(content)
        except OSError as error:
            self._failure = error
            return 0

    def read(self, size: int = -1) -> bytes:
        """Read from where it stands."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go elsewhere; what is still to be written is written before."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self._failure = self._failure or error
            return -1

    def tell(self) -> int:
        """Tell where it stands."""
        return self._file.tell()
