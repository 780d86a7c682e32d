"""Tones, WAV files as Asterisk writes them, and the loudness of one frequency, for the tests of this folder."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from asterisk_consent.model import RecordingId
from asterisk_consent.vault.wav import wav_header

RATE = 8000
RECORDING = RecordingId("0123456789abcdef0123456789abcdef")
OTHER = RecordingId("fedcba9876543210fedcba9876543210")
CALLER_HZ = 440
AGENT_HZ = 1000


def tone(hz: float, seconds: float, amplitude: float = 0.3) -> NDArray[np.int16]:
    at = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(np.round(amplitude * 32767 * np.sin(2 * np.pi * hz * at + 0.1)), dtype=np.int16)


def silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def joined(*pieces: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.concatenate(pieces)


def write_side(
    spool: Path, side: str, samples: NDArray[np.int16], recording: RecordingId = RECORDING
) -> Path:
    path = spool / f"{recording}-{side}.wav"
    header = wav_header(frames=len(samples), channels=1, rate=RATE)
    path.write_bytes(header + samples.astype("<i2").tobytes())
    return path


def write_call(spool: Path, seconds: float = 2.0, recording: RecordingId = RECORDING) -> None:
    write_side(spool, "caller", tone(CALLER_HZ, seconds), recording)
    write_side(spool, "agent", tone(AGENT_HZ, seconds), recording)


def read_channels(path: Path) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert (rate, samples.shape[1]) == (RATE, 2)
    return samples[:, 0], samples[:, 1]


def tone_db(samples: NDArray[np.int16], hz: float) -> float:
    """The loudness of one frequency in dBFS."""
    window = np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(samples / 32768 * window)) / (window.sum() / 2)
    index = round(hz * len(samples) / RATE)
    return float(20 * np.log10(spectrum[max(0, index - 2) : index + 3].max() + 1e-12))
