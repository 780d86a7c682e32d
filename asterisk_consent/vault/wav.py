"""Owns reading and writing 16-bit PCM WAV, tolerant of what Asterisk leaves when it is killed.

Rule: any bytes give a :class:`Wave` or an :class:`~asterisk_consent.errors.AudioError`, in bounded memory.
Asterisk writes the lengths into the header when it closes the file; a file it could not close says zero, or
less than is there. Then the length comes from the size of the file and the wave is marked as repaired.
Source: RIFF, "Multimedia Programming Interface and Data Specifications 1.0"; Asterisk's ``format_wav.c``.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError

BYTES_A_SAMPLE = 2
HEADER_BYTES = 44

_RATES = range(4000, 192_001)
_MOST_CHUNKS = 64
"""Chunks looked at before the audio; a real file has one to three."""
_LARGEST_DATA = 2**32 - 1 - HEADER_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A WAV file whose header has been read."""

    path: Path
    rate: int
    channels: int
    frames: int
    """Samples of each channel."""
    data_at: int
    """Where the audio starts, in bytes."""
    repaired: bool
    """The header gave another length than the file has, or the last frame was cut off."""

    def blocks(self, frames_each: int) -> Iterator[NDArray[np.int16]]:
        """Yield the audio in blocks of ``frames_each``, the last one shorter; shape (frames, channels).

        :raises AudioError: where the file cannot be read, or became shorter since it was opened.
        """
        left = self.frames
        try:
            with self.path.open("rb") as file:
                file.seek(self.data_at)
                while left:
                    count = min(left, frames_each)
                    content = file.read(count * self.channels * BYTES_A_SAMPLE)
                    samples = np.frombuffer(content[: len(content) & ~1], dtype="<i2")
                    if samples.size != count * self.channels:
                        raise AudioError("became shorter while it was read", where=str(self.path))
                    yield samples.astype(np.int16, copy=False).reshape(count, self.channels)
                    left -= count
        except OSError as error:
            raise AudioError(f"cannot be read: {error.strerror}", where=str(self.path)) from error


def open_wav(path: Path, *, channels: int) -> Wave:
    """Read the header of the 16-bit PCM WAV file at ``path``.

    :raises AudioError: where it is missing, not such a file, or has another number of channels.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            return _read_header(file, size, path, channels)
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror}", where=str(path)) from error


def wav_header(*, frames: int, channels: int, rate: int) -> bytes:
    """Make the header of a 16-bit PCM WAV file.

    :raises AudioError: where the audio is longer than WAV can hold (37 hours of two channels at 8 kHz).
    """
    frame = channels * BYTES_A_SAMPLE
    if frames * frame > _LARGEST_DATA:
        raise AudioError("longer than a WAV file can hold")
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", HEADER_BYTES - 8 + frames * frame, b"WAVE"),
        *(b"fmt ", 16, 1, channels, rate, rate * frame, frame, 8 * BYTES_A_SAMPLE),
        *(b"data", frames * frame),
    )


def _read_header(file: BinaryIO, size: int, path: Path, channels: int) -> Wave:
    start = file.read(12)
    if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise AudioError("not a WAV file" if size else "an empty file", where=str(path))
    rate = 0
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = struct.unpack("<4sI", head)
        if name == b"data" and rate:
            return _measure(file, size, length, path, rate, channels)
        if name == b"fmt ":
            rate = _read_format(file.read(min(length, 16)), path, channels)
            file.seek(max(0, length - 16) + length % 2, 1)
        else:
            file.seek(length + length % 2, 1)
    raise AudioError("a WAV file without audio", where=str(path))


def _read_format(content: bytes, path: Path, channels: int) -> int:
    if len(content) < 16:
        raise AudioError("a WAV file with a broken header", where=str(path))
    encoding, found, rate, _, frame, bits = struct.unpack("<HHIIHH", content)
    if (encoding, bits) != (1, 16) or frame != found * BYTES_A_SAMPLE or rate not in _RATES:
        raise AudioError("not 16-bit PCM", where=str(path))
    if found != channels:
        raise AudioError(f"{found} channels instead of {channels}", where=str(path))
    return int(rate)


def _measure(file: BinaryIO, size: int, said: int, path: Path, rate: int, channels: int) -> Wave:
    at = file.tell()
    there = size - at
    whole = said <= there and _is_rest_of_riff(file, at + said + said % 2, size)
    frames, left_over = divmod(said if whole else there, channels * BYTES_A_SAMPLE)
    repaired = not whole or left_over != 0
    return Wave(path=path, rate=rate, channels=channels, frames=frames, data_at=at, repaired=repaired)


def _is_rest_of_riff(file: BinaryIO, at: int, size: int) -> bool:
    """Tell whether nothing but whole chunks follows the audio, as a closed file has it."""
    for _ in range(_MOST_CHUNKS):
        if at >= size:
            return at - size <= 1
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or not head[:4].isalnum():
            return False
        length = struct.unpack("<I", head[4:])[0]
        at += 8 + length + length % 2
    return False
