"""Owns how loud audio is to the ear: K-weighted loudness (ITU-R BS.1770-4) and peak of samples at any rate.

Rule: one measure for every format. The standard states its filter at 48 kHz, so everything is measured there:
what 8 kHz cannot carry is missed, the filter is the same. Samples are floats, full scale is 1.0.
"""

import numpy as np
import pyloudnorm
import soxr
from numpy.typing import NDArray

_METER_RATE = 48000
_BLOCK_S = 0.4
"""Gating block of BS.1770-4."""


def loudness_lufs(samples: NDArray[np.float64], rate: int) -> float:
    """Measure the loudness of mono ``samples``; minus infinity where nothing can be heard.

    What is shorter than a gating block is measured as one block of its own length.
    """
    at_meter = soxr.resample(samples, rate, _METER_RATE, quality="HQ")
    if len(at_meter) < 2:
        return float("-inf")
    # The last sample is spared: the block's length in seconds, turned into samples again, may round up.
    block_s = min(_BLOCK_S, (len(at_meter) - 1) / _METER_RATE)
    return float(pyloudnorm.Meter(_METER_RATE, block_size=block_s).integrated_loudness(at_meter))


def peak_dbfs(samples: NDArray[np.float64]) -> float:
    """Give the highest sample in dB below full scale; minus infinity where there is none but zero."""
    peak = float(np.abs(samples).max(initial=0.0))
    return float(20 * np.log10(peak)) if peak > 0 else float("-inf")
