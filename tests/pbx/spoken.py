"""Finds an announcement in what somebody heard: how much of it there is, and where it begins.

Rule: an announcement was heard when its own samples were, not when something of its length was. The whole is placed
by cross-correlation; then each half second of it must be there, at its place, as the same sound: its normalised
cross-correlation is 1 but for the codec, while another sentence of the same voice stays far below a half. Asterisk
plays a frame later for some digits that are pressed meanwhile, so what follows may lie a little behind its place, and
the piece with the pause in it is looked for by its quarters.
"""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.pbx.ears import Heard
from tests.pbx.sound import Signal, level_db, likeness

PIECE_S = 0.5
SLACK_S = 0.15
"""How far a piece may lie from its place."""
SAME = 0.9
"""From this correlation on a piece counts as heard; A-law and mu-law give more than 0.99."""
SILENT_DB = -45.0
"""A piece of an announcement below this level is a pause between sentences, and says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What of an announcement was heard: its share from 0 to 1, and when it began and would have ended.

    Moments are monotonic, as those of a call; they mean nothing where ``share`` is 0.
    """

    share: float
    began_at: float
    ended_at: float

    @property
    def in_full(self) -> bool:
        """Whether all of it was heard."""
        return self.share == 1.0


def read_prompt(file: Path, rate: int) -> NDArray[np.int16]:
    """Read the samples of an announcement's ``.wav``."""
    with wave.open(str(file)) as source:
        assert (source.getnchannels(), source.getsampwidth(), source.getframerate()) == (1, 2, rate), file
        return np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")


def spoken(heard: Heard, file: Path) -> Spoken:
    """Find the announcement in ``file`` where most of it was heard."""
    prompt = read_prompt(file, heard.rate)
    first = _place(heard.samples, prompt)
    began_at = heard.started_at + first / heard.rate
    return Spoken(
        share=_share(heard.samples, prompt, first, heard.rate),
        began_at=began_at,
        ended_at=began_at + len(prompt) / heard.rate,
    )


def _place(heard: Signal, prompt: Signal) -> int:
    """Return the sample of ``heard`` that the first one of ``prompt`` fits best; it may lie before the beginning."""
    size = 1 << (len(heard) + len(prompt) - 1).bit_length()
    spectrum = np.fft.rfft(heard.astype(np.float64), size) * np.conj(
        np.fft.rfft(prompt.astype(np.float64), size)
    )
    place = int(np.argmax(np.fft.irfft(spectrum, size)))
    return place if place < len(heard) else place - size


def _share(heard: Signal, prompt: Signal, first: int, rate: int) -> float:
    length, slack = round(PIECE_S * rate), round(SLACK_S * rate)
    there = []
    for start in range(0, len(prompt) - length + 1, length):
        piece = prompt[start : start + length]
        if level_db(piece) >= SILENT_DB:
            window = heard[max(0, first + start - slack) : max(0, first + start + length + slack)]
            there.append(_is_in(window, piece))
    return sum(there) / len(there) if there else 0.0


def _is_in(window: Signal, piece: Signal) -> bool:
    """Tell whether the piece is there: as a whole, or all but one of its quarters."""
    if likeness(window, piece) >= SAME:
        return True
    quarters = [each for each in np.split(piece[: len(piece) // 4 * 4], 4) if level_db(each) >= SILENT_DB]
    missing = [each for each in quarters if likeness(window, each) < SAME]
    return len(missing) <= (1 if len(quarters) > 2 else 0)
