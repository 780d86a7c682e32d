"""Owns the formats an announcement is written in: encoding samples to them, and decoding them to be measured.

Rule: every format can be read back, so that what is checked is what Asterisk plays. The raw ones have no header:
their suffix alone says what they are (Asterisk's ``format_pcm``, ``format_sln`` and ``format_wav``).
"""

import io

import numpy as np
import soundfile
from G722 import G722
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.rendered import SUFFIXES

RATES = {suffix: 16000 if suffix in (".sln16", ".g722") else 8000 for suffix in SUFFIXES}
"""The rate in Hz of each format."""

_SOUNDFILE = {
    ".wav": ("WAV", "PCM_16"),
    ".alaw": ("RAW", "ALAW"),
    ".ulaw": ("RAW", "ULAW"),
    ".sln16": ("RAW", "PCM_16"),
}
_G722_BITS_PER_S = 64000


def encode(samples: NDArray[np.float64], suffix: str) -> bytes:
    """Encode mono ``samples``, which are at the rate of the format; 1.0 is full scale."""
    rounded = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
    if suffix == ".g722":
        # The encoder takes samples in pairs and would read beyond an odd one; the end is silence anyway.
        even = rounded[: len(rounded) // 2 * 2]
        return bytes(G722(RATES[suffix], _G722_BITS_PER_S, use_numpy=False).encode(even))
    kind, subtype = _SOUNDFILE[suffix]
    buffer = io.BytesIO()
    soundfile.write(buffer, rounded, RATES[suffix], format=kind, subtype=subtype, endian="LITTLE")
    return buffer.getvalue()


def decode(content: bytes, suffix: str) -> NDArray[np.float64]:
    """Decode a file in the format of ``suffix`` to mono samples, 1.0 being full scale.

    :raises AudioError: where it is not in that format.
    """
    if suffix == ".g722":
        decoded = G722(RATES[suffix], _G722_BITS_PER_S, use_numpy=False).decode(content)
        return np.asarray(decoded, dtype=np.float64) / 32768
    kind, subtype = _SOUNDFILE[suffix]
    # A WAV file says itself what it is, and soundfile takes no word about it.
    raw = {"format": kind, "subtype": subtype, "samplerate": RATES[suffix], "channels": 1, "endian": "LITTLE"}
    try:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float64", **({} if kind == "WAV" else raw))
    except (soundfile.SoundFileError, TypeError) as error:
        raise AudioError(f"not {suffix} audio: {error}") from error
    if rate != RATES[suffix] or samples.ndim != 1:
        raise AudioError(f"not {suffix} audio for Asterisk: it must be mono at {RATES[suffix]} Hz")
    return np.asarray(samples)
