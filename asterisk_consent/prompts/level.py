"""Owns how announcements sound: silence cut, one loudness, the rates Asterisk plays.

Rule: :data:`LOUDNESS_LUFS`, no sample above :data:`PEAK_DBFS`, and nothing folded back by resampling. pydub
cuts and levels, pyloudnorm measures; soxr resamples, because pydub's own ``set_frame_rate`` lets what lies
above the new band alias audibly. Segments are mono and 32 bits wide, so that no step adds noise of its own.
"""

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from asterisk_consent.prompts.loudness import loudness_lufs
from asterisk_consent.prompts.speech import AudioSegment

LOUDNESS_LUFS = -23.0
"""Loudness of every file (EBU R 128). Speech whose highest sample is up to 20 dB above its loudness reaches it
without a limiter; espeak-ng and ordinary speech stay within that. Above the nominal -26 dBov of a telephone
line (ITU-T P.830), so nobody has to listen hard."""
TOLERANCE_LU = 1.0
PEAK_DBFS = -1.0
"""No sample above it, in any format: Asterisk's G.722 decoder has no limiter of its own."""
MARGIN_MS = 60
"""Silence left before and after the speech: the first packets of a stream may be lost."""
SILENCE_DBFS = -45.0
"""What is quieter counts as silence."""

CEILING_DBFS = -2.0
"""Highest sample before encoding: leaves room for what A-law, mu-law and G.722 round up."""
CREST_DB = 19.5
"""How far the highest sample may be above the loudness, so that resampling does not take it past the ceiling."""
_STEP_MS = 5
_FULL_SCALE = 1 << 31


def segment_of(samples: NDArray[np.float64], rate: int) -> Any:
    """Make a pydub segment of mono ``samples``, 1.0 being full scale."""
    whole = np.clip(np.round(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int32)
    return AudioSegment(data=whole.tobytes(), sample_width=4, frame_rate=rate, channels=1)


def samples_of(segment: Any) -> NDArray[np.float64]:
    """Give the samples of a mono pydub segment, 1.0 being full scale."""
    scale = 1 << (8 * segment.sample_width - 1)
    samples: NDArray[np.float64] = np.asarray(segment.get_array_of_samples(), dtype=np.float64) / scale
    return samples


def cut_silence(segment: Any) -> Any:
    """Cut the silence before and after the speech of a pydub segment down to :data:`MARGIN_MS`."""
    before, after = silence_ms(segment)
    return segment[max(0, before - MARGIN_MS) : min(len(segment), len(segment) - after + MARGIN_MS)]


def silence_ms(segment: Any) -> tuple[int, int]:
    """Measure the silence before and after the speech of a pydub segment."""
    return _silence_before(segment), _silence_before(segment.reverse())


def level(segment: Any) -> Any:
    """Bring a pydub segment to :data:`LOUDNESS_LUFS`, or as near as its peak allows; silence stays as it is."""
    loudness = loudness_lufs(samples_of(segment), segment.frame_rate)
    if loudness == float("-inf"):
        return segment
    return segment.apply_gain(min(LOUDNESS_LUFS - loudness, CEILING_DBFS - segment.max_dBFS))


def tame_peaks(segment: Any) -> Any:
    """Round off the few peaks of a pydub segment that would keep it from :data:`LOUDNESS_LUFS`.

    For a machine's voice, which cannot be asked to say it again; what has none comes back as it was.
    """
    samples = samples_of(segment)
    loudness = loudness_lufs(samples, segment.frame_rate)
    if loudness == float("-inf") or segment.max_dBFS - loudness <= CREST_DB:
        return segment
    limit = 10 ** ((loudness + CREST_DB) / 20)
    knee = limit / 2
    above = np.maximum(np.abs(samples) - knee, 0.0)
    rounded = np.minimum(np.abs(samples), knee) + (limit - knee) * np.tanh(above / (limit - knee))
    return segment_of(np.sign(samples) * rounded, segment.frame_rate)


def resample(segment: Any, rate: int) -> Any:
    """Give a mono pydub segment at ``rate`` Hz."""
    return segment_of(soxr.resample(samples_of(segment), segment.frame_rate, rate, quality="VHQ"), rate)


def _silence_before(segment: Any) -> int:
    for start in range(0, len(segment), _STEP_MS):
        if segment[start : start + _STEP_MS].dBFS > SILENCE_DBFS:
            return start
    return len(segment)
