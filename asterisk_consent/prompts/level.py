"""Owns how announcements sound: silence cut, one loudness, the rates Asterisk plays.

Rule: no sample above :data:`PEAK_DBFS` and nothing folded back by resampling. pydub cuts and levels; soxr
resamples, because pydub's own ``set_frame_rate`` lets what lies above the new band alias audibly.
"""

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

RMS_DBFS = -20.0
"""Loudness aimed at, over the whole part; less where the peak would be exceeded."""
PEAK_DBFS = -1.5
"""No sample above it; leaves room for what A-law and mu-law round up."""
MARGIN_MS = 60
"""Silence left before and after the speech: the first packets of a stream may be lost."""

_SILENCE_DBFS = -45.0
_STEP_MS = 5


def cut_silence(segment: Any) -> Any:
    """Cut the silence before and after the speech of a pydub segment down to :data:`MARGIN_MS`."""
    first = _silence_before(segment)
    last = len(segment) - _silence_before(segment.reverse())
    return segment[max(0, first - MARGIN_MS) : min(len(segment), last + MARGIN_MS)]


def level(segment: Any) -> Any:
    """Bring a pydub segment to :data:`RMS_DBFS`, or as near as :data:`PEAK_DBFS` allows."""
    return segment.apply_gain(min(RMS_DBFS - segment.dBFS, PEAK_DBFS - segment.max_dBFS))


def resample(segment: Any, rate: int) -> NDArray[np.int16]:
    """Give the samples of a mono pydub segment at ``rate`` Hz."""
    samples = np.asarray(segment.get_array_of_samples(), dtype=np.float64) / 32768
    changed = soxr.resample(samples, segment.frame_rate, rate, quality="VHQ")
    # A filter rings a little above the peaks that went in.
    peak = float(np.abs(changed).max(initial=0.0))
    limit = 10 ** (PEAK_DBFS / 20)
    if peak > limit:
        changed = changed * (limit / peak)
    rounded: NDArray[np.int16] = np.round(changed * 32767).astype(np.int16)
    return rounded


def _silence_before(segment: Any) -> int:
    for start in range(0, len(segment), _STEP_MS):
        if segment[start : start + _STEP_MS].dBFS > _SILENCE_DBFS:
            return start
    return len(segment)
