"""Made-up sounds for the tests of this folder: tones, silence, and speech as espeak-ng gives it."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.prompts.formats import RATES, decode
from asterisk_consent.prompts.level import samples_of
from asterisk_consent.prompts.rendered import PromptSet
from asterisk_consent.prompts.speech import speak

Sound = NDArray[np.float64]


def tone(hz: float, seconds: float, *, rate: int, amplitude: float = 0.25) -> Sound:
    at = np.arange(int(seconds * rate)) / rate
    wave: Sound = amplitude * np.sin(2 * np.pi * hz * at)
    return wave


def silence(seconds: float, *, rate: int) -> Sound:
    return np.zeros(int(seconds * rate))


@cache
def speech(text: str = "Welkom. Mogen wij dit gesprek opnemen?", voice: str = "nl") -> tuple[Sound, int]:
    """Speech by espeak-ng with its silence, and its rate."""
    segment = speak(text, voice=voice)
    return samples_of(segment), segment.frame_rate


def dbfs(samples: Sound) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-9))


def decoded(prompts: PromptSet, part: str, suffix: str) -> tuple[Sound, int]:
    """What Asterisk plays of a part in one format, and its rate."""
    path = prompts.parts[part].path_without_suffix.with_suffix(suffix)
    return decode(path.read_bytes(), suffix), RATES[suffix]
