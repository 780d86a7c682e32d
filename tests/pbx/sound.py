"""Measures sound: how loud a tone is, when it was there, and how far two sides are apart.

Rule: levels are in dBFS where a full-scale sine is 0, so that a tone sent at -12 measures -12. Samples are
int16, or floats between -1 and 1. Tones are found by correlation with a sine under a Hann window (the
discrete-time Fourier transform at one frequency), which separates tones 100 Hz apart in 20 ms.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[Any]
Levels = NDArray[np.float64]
Span = tuple[float, float]

#: Reported instead of minus infinity for digital silence.
FLOOR_DB = -140.0

_WINDOW_S = 0.02
_HOP_S = 0.005


def tone_db(samples: Signal, rate: int, hz: float) -> float:
    """Return the mean level of the tone over the whole signal, in windows of 0.1 s."""
    if not len(samples):
        return FLOOR_DB
    levels = tone_levels(samples, rate, hz, window_s=min(0.1, len(samples) / rate), hop_s=0.05)
    return _db(float(np.mean(np.power(10.0, levels / 10))))


def level_db(samples: Signal) -> float:
    """Return the level of everything in the signal; a full-scale sine is 0."""
    return _db(2 * float(np.mean(np.square(_unit(samples))))) if len(samples) else FLOOR_DB


def tone_levels(
    samples: Signal, rate: int, hz: float, *, window_s: float = _WINDOW_S, hop_s: float = _HOP_S
) -> Levels:
    """Return the level of the tone in each window, the first starting at 0, the next one hop later."""
    windows = _windows(samples, rate, window_s, hop_s)
    length = windows.shape[1]
    shape = np.hanning(length) if length > 2 else np.ones(length)
    wave = shape * np.exp(-2j * np.pi * hz * np.arange(length) / rate)
    amplitude = 2 * np.abs(windows @ wave) / max(float(shape.sum()), 1e-9)
    levels: Levels = np.maximum(20 * np.log10(np.maximum(amplitude, 1e-12)), FLOOR_DB)
    return levels


def tone_spans(
    samples: Signal,
    rate: int,
    hz: float,
    threshold_db: float = -40.0,
    *,
    bridge_s: float = 0.04,
    purity_db: float = 200.0,
) -> list[Span]:
    """Return when the tone is at least that loud, as (start, end) in seconds from the first sample.

    Edges are right within 15 ms. Gaps up to ``bridge_s`` do not end a span. Where everything together is
    more than ``purity_db`` louder than the tone it does not count: a voice also has 1000 Hz in it.
    """
    tone = tone_levels(samples, rate, hz)
    everything = _levels(_windows(samples, rate, _WINDOW_S, _HOP_S))
    return _spans((tone >= threshold_db) & (everything - tone <= purity_db), bridge_s)


def sound_spans(
    samples: Signal, rate: int, threshold_db: float = -50.0, *, bridge_s: float = 0.2
) -> list[Span]:
    """Return when anything at least that loud is heard: speech, music, a tone."""
    return _spans(_levels(_windows(samples, rate, _WINDOW_S, _HOP_S)) >= threshold_db, bridge_s)


def side_ratio_db(own: Signal, other: Signal, rate: int, hz: float) -> float:
    """Return how much louder the tone is on the side it belongs to than on the other."""
    return tone_db(own, rate, hz) - tone_db(other, rate, hz)


def likeness(samples: Signal, pattern: Signal) -> float:
    """Return how well some stretch of the signal is the pattern, at any level: 1 the same, near 0 another sound.

    It is the greatest normalised cross-correlation; both have the same rate.
    """
    if len(samples) < len(pattern) or not len(pattern):
        return 0.0
    signal, wanted = _unit(samples), _unit(pattern)
    size = 1 << (len(signal) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(signal, size) * np.conj(np.fft.rfft(wanted, size)), size)
    power = np.concatenate([[0.0], np.cumsum(np.square(signal))])
    powers = power[len(wanted) :] - power[: len(power) - len(wanted)]
    least = 1e-7 * len(wanted)  # -70 dBFS: in near silence everything is alike
    scale = np.sqrt(np.maximum(powers, least) * max(float(np.sum(np.square(wanted))), least))
    return float(np.max(products[: len(powers)] / scale))


def _levels(windows: Levels) -> Levels:
    weights = np.square(np.hanning(windows.shape[1]))
    power = 2 * (np.square(windows) @ weights) / max(float(weights.sum()), 1e-9)
    return 10 * np.log10(np.maximum(power, 1e-14))


def _spans(loud: NDArray[np.bool_], bridge_s: float) -> list[Span]:
    """Join loud windows to spans; a window stands for its middle, where the Hann window has its weight."""
    spans: list[Span] = []
    for index in np.flatnonzero(loud):
        middle = index * _HOP_S + _WINDOW_S / 2
        if spans and middle - spans[-1][1] <= bridge_s + 1e-9:
            spans[-1] = (spans[-1][0], float(middle))
        else:
            spans.append((float(middle), float(middle)))
    return [span for span in spans if span[1] > span[0]]


def _windows(samples: Signal, rate: int, window_s: float, hop_s: float) -> Levels:
    length, hop = max(1, round(window_s * rate)), max(1, round(hop_s * rate))
    signal = _unit(samples)
    if len(signal) < length:
        signal = np.pad(signal, (0, length - len(signal)))
    return np.lib.stride_tricks.sliding_window_view(signal, length)[::hop]


def _unit(samples: Signal) -> Levels:
    scale = 32768.0 if samples.dtype == np.int16 else 1.0
    return samples.astype(np.float64) / scale


def _db(power: float) -> float:
    return max(10 * float(np.log10(max(power, 1e-14))), FLOOR_DB)
