"""Owns a small picture of a recording for the terminal: the loudness of both sides over time.

One character is one stretch of time, its height the loudest 20 ms in it: a blank is digital silence, the
lowest bar a whisper, the full bar as loud as digital audio can be.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.vault.flac import OpenedAudio
from asterisk_consent.vault.inspect import FRAME_MS

BARS = "▁▂▃▄▅▆▇█"
LOWEST_DBFS = -60.0

_BLOCK_FRAMES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LoudnessPicture:
    """Both sides as a line of bars each, equally long."""

    duration_ms: int
    caller: str
    agent: str


def picture_audio(audio: OpenedAudio, *, width: int) -> LoudnessPicture:
    """Draw an opened recording, ``width`` characters wide or less where it is very short.

    :raises AudioError: it is damaged.
    """
    frame = audio.rate * FRAME_MS // 1000
    powers = [frame_powers(block, frame) for block in audio.blocks(frame * _BLOCK_FRAMES)]
    power = np.concatenate(powers) if powers else np.zeros((0, 2))
    return LoudnessPicture(
        duration_ms=round(audio.frames * 1000 / audio.rate),
        caller=draw(power[:, 0], width=width),
        agent=draw(power[:, 1], width=width),
    )


def frame_powers(samples: NDArray[np.int16], frame: int) -> NDArray[np.float64]:
    """Give the mean power (1.0 is full scale) per frame and channel; ``samples`` has a column a channel."""
    starts = np.arange(0, len(samples), frame)
    squares = np.square(samples.astype(np.float64) / 32768)
    lengths = np.minimum(frame, len(samples) - starts)
    return np.asarray(np.add.reduceat(squares, starts, axis=0) / lengths[:, None])


def draw(power: NDArray[np.float64], *, width: int) -> str:
    """Draw the power of successive frames as at most ``width`` bars."""
    columns = np.array_split(power, min(width, len(power))) if len(power) else []
    return "".join(_bar(float(column.max())) for column in columns)


def _bar(power: float) -> str:
    if power <= 0:
        return " "
    height = (10 * np.log10(power) - LOWEST_DBFS) / -LOWEST_DBFS * len(BARS)
    return BARS[min(len(BARS) - 1, max(0, int(height)))]
