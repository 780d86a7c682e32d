"""Owns studio recordings as they are handed in: reading them, and judging whether callers can be given them.

Rule: what a person can hear is wrong is said before anything is made of it, with the moment in the recording
and what to do. Nothing is repaired.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.level import (
    CEILING_DBFS,
    LOUDNESS_LUFS,
    SILENCE_DBFS,
    TOLERANCE_LU,
)
from asterisk_consent.prompts.loudness import loudness_lufs, peak_dbfs

LOWEST_RATE = 8000
HIGHEST_RATE = 192_000
LONGEST_S = 120.0
"""Longer than any part may be, with the silence before and after it; and little enough to be held in memory."""
QUIETEST_LUFS = -40.0
"""What is quieter would be amplified with its noise by more than 17 dB."""
LONGEST_PAUSE_S = 2.0
"""Longer within the speech, and callers take the line for dead."""

_SUFFIXES = {"WAV": ".wav", "WAVEX": ".wav", "RF64": ".wav", "FLAC": ".flac"}
_MOST_BYTES = 200_000_000
_EQUAL = 1e-3
"""How far two channels of one voice may differ: by the dither of 16-bit audio, and no more."""
_CLIPPED_FROM = 0.98
"""A-law and mu-law end a little below full scale."""
_FRAME_S = 0.02
_EXPORT = "Export it as WAV or FLAC, mono"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A studio recording: its bytes, and the samples of its one voice, 1.0 being full scale."""

    content: bytes
    suffix: str
    samples: NDArray[np.float64]
    rate: int

    @property
    def sha256(self) -> str:
        """Of the file as it was handed in."""
        return hashlib.sha256(self.content).hexdigest()


def read_recording(path: Path) -> Recording:
    """Read a WAV or FLAC file, mono or with equal channels.

    :raises AudioError: where it is none, or no audio an announcement can be made of.
    """
    content = _read(path)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            suffix = _SUFFIXES.get(file.format)
            if suffix is None:
                raise _unusable(f"{file.format} and neither WAV nor FLAC", path, _EXPORT)
            if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
                raise _unusable(f"recorded at {file.samplerate} Hz", path, "Record it at 48000 Hz")
            if file.channels > 2:
                raise _unusable(f"has {file.channels} channels", path, _EXPORT)
            most = int(LONGEST_S * file.samplerate)
            samples, rate = file.read(most + 1, dtype="float64", always_2d=True), file.samplerate
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        raise _unusable(f"cannot be read as audio: {error}", path, _EXPORT) from error
    if len(samples) > most:
        raise _unusable(f"longer than {LONGEST_S:.0f} s", path, "Cut it to the one part it is for")
    if not np.isfinite(samples).all():
        raise _unusable("holds samples that are no numbers", path, _EXPORT)
    if len(samples) and np.abs(samples - samples[:, :1]).max() > _EQUAL:
        raise _unusable("stereo with a different sound on each side", path, "Export the voice alone as mono")
    return Recording(content=content, suffix=suffix, samples=samples[:, 0], rate=rate)


def recording_problems(recording: Recording) -> list[str]:
    """Say what is wrong with the sound of a recording, one sentence a problem; nothing where it is right."""
    loudness = loudness_lufs(recording.samples, recording.rate)
    if loudness == float("-inf"):
        return ["nothing can be heard. Look whether the microphone was on, and record it again"]
    problems = []
    clipped_s = _first_clipped_s(recording)
    if clipped_s is not None:
        problems.append(f"clipped, first at {clipped_s:.2f} s. Record it again with less gain")
    if loudness < QUIETEST_LUFS:
        problems.append(
            f"too quiet: {loudness:.1f} LUFS, below {QUIETEST_LUFS:g} LUFS. Record it again nearer to the"
            " microphone, or with more gain"
        )
    above_lu = peak_dbfs(recording.samples) - loudness
    most_lu = CEILING_DBFS - LOUDNESS_LUFS + TOLERANCE_LU
    if above_lu > most_lu and clipped_s is None:
        at_s = int(np.abs(recording.samples).argmax()) / recording.rate
        problems.append(
            f"a peak at {at_s:.2f} s is {above_lu:.0f} dB above the speech, at most {most_lu:.0f} dB can be"
            " played. Take out the click, or record it again with an even voice"
        )
    start_s, length_s = _longest_pause_s(recording, loudness)
    if length_s > LONGEST_PAUSE_S:
        problems.append(f"{length_s:.1f} s of silence inside, from {start_s:.1f} s. Cut it down to a second")
    return problems


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise _unusable("there is no such file", path, "Name the recording of this part")
        if path.stat().st_size > _MOST_BYTES:
            raise _unusable(f"larger than {_MOST_BYTES // 1_000_000} MB", path, _EXPORT)
        return path.read_bytes()
    except OSError as error:
        raise _unusable(f"cannot be read: {error.strerror}", path, "See who may read it") from error


def _first_clipped_s(recording: Recording) -> float | None:
    """Give the moment of the first three samples in a row that stand equally high at full scale."""
    samples = recording.samples
    flat = (samples[1:] == samples[:-1]) & (np.abs(samples[1:]) >= _CLIPPED_FROM)
    found = np.flatnonzero(flat[1:] & flat[:-1])
    return int(found[0]) / recording.rate if found.size else None


def _longest_pause_s(recording: Recording, loudness: float) -> tuple[float, float]:
    """Give start and length of the longest silence between two sounds, heard at the level it will have."""
    frame = max(1, round(recording.rate * _FRAME_S))
    power = np.add.reduceat(np.square(recording.samples), np.arange(0, len(recording.samples), frame)) / frame
    threshold = 10 ** ((SILENCE_DBFS + loudness - LOUDNESS_LUFS) / 10)
    heard = np.flatnonzero(power > threshold)
    if len(heard) < 2:
        return 0.0, 0.0
    gaps = np.diff(heard) - 1
    longest = int(gaps.argmax())
    return (int(heard[longest]) + 1) * frame / recording.rate, int(gaps[longest]) * frame / recording.rate


def _unusable(what: str, path: Path, remedy: str) -> AudioError:
    return AudioError(what, where=str(path), remedy=remedy)
