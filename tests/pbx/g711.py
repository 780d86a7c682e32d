"""A-law and mu-law by table (ITU-T G.711), without ``audioop``, which Python dropped in 3.13.

Rule: encoding picks the nearest value the code can express, so decode(encode(x)) is the best A-law or
mu-law can do. Samples are signed 16 bit.
"""

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Law = Literal["alaw", "ulaw"]
Samples = NDArray[np.int16]

_BYTES = np.arange(256)


@lru_cache(maxsize=2)
def decoding_table(law: Law) -> Samples:
    """Return the sample each of the 256 code bytes stands for (G.711 tables 1a/1b and 2a/2b)."""
    code = _BYTES ^ (0x55 if law == "alaw" else 0xFF)
    exponent, mantissa = (code >> 4) & 7, code & 15
    if law == "alaw":
        magnitude = np.where(
            exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0)
        )
        return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


@lru_cache(maxsize=2)
def _encoding_table(law: Law) -> NDArray[np.uint8]:
    table = decoding_table(law)
    # Of the two mu-law zeroes the last in this order, 0xFF, is the one that phones send as silence.
    order = np.lexsort((_BYTES, table))
    values = table[order].astype(np.int32)
    every = np.arange(-32768, 32768)
    after = np.clip(np.searchsorted(values, every, side="right"), 1, 255)
    nearer_before = every - values[after - 1] < values[after] - every
    return order[np.where(nearer_before, after - 1, after)].astype(np.uint8)


def encode(samples: Samples, law: Law) -> bytes:
    """Return one code byte per sample."""
    return _encoding_table(law)[samples.astype(np.int32) + 32768].tobytes()


def decode(payload: bytes, law: Law) -> Samples:
    """Return one sample per code byte."""
    return decoding_table(law)[np.frombuffer(payload, dtype=np.uint8)]


def silence(length: int, law: Law) -> bytes:
    """Return the bytes a phone sends when nobody speaks."""
    return (b"\xd5" if law == "alaw" else b"\xff") * length
