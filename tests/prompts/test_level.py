"""How announcements sound, measured on generated tones: cut, levelled, and nothing folded back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from asterisk_consent.prompts.level import (
    MARGIN_MS,
    PEAK_DBFS,
    RMS_DBFS,
    cut_silence,
    level,
    resample,
)
from asterisk_consent.prompts.speech import AudioSegment

ESPEAK_RATE = 22050


def tone(hz: float, seconds: float, amplitude: float = 0.25) -> NDArray[np.int16]:
    at = np.arange(int(seconds * ESPEAK_RATE)) / ESPEAK_RATE
    samples: NDArray[np.int16] = np.round(amplitude * 32767 * np.sin(2 * np.pi * hz * at)).astype(np.int16)
    return samples


def silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(int(seconds * ESPEAK_RATE), dtype=np.int16)


def segment(*pieces: NDArray[np.int16]) -> AudioSegment:
    data = np.concatenate(pieces).tobytes()
    return AudioSegment(data=data, sample_width=2, frame_rate=ESPEAK_RATE, channels=1)


def dbfs(samples: NDArray[np.int16]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean((samples / 32768.0) ** 2)) + 1e-9))


def peak_dbfs(samples: NDArray[np.int16]) -> float:
    return float(20 * np.log10(np.abs(samples / 32768.0).max() + 1e-9))


def test_silence_is_cut_to_the_margin_on_both_ends() -> None:
    cut = cut_silence(segment(silence(0.8), tone(440, 1.0), silence(1.3)))
    assert len(cut) == pytest.approx(1000 + 2 * MARGIN_MS, abs=10)


def test_a_pause_within_the_speech_is_kept() -> None:
    cut = cut_silence(segment(tone(440, 0.5), silence(1.0), tone(440, 0.5)))
    assert len(cut) == pytest.approx(2000, abs=10)


@pytest.mark.parametrize("amplitude", [0.003, 0.1, 0.9])
def test_quiet_and_loud_speech_come_to_one_level(amplitude: float) -> None:
    levelled = level(segment(tone(440, 1.0, amplitude)))
    assert levelled.dBFS == pytest.approx(RMS_DBFS, abs=0.3)


def test_a_level_that_would_clip_is_not_reached() -> None:
    click = silence(1.0)
    click[5000:5020] = 20000
    levelled = level(segment(click))
    assert levelled.max_dBFS == pytest.approx(PEAK_DBFS, abs=0.1)
    assert levelled.dBFS < RMS_DBFS


@pytest.mark.parametrize("hz", [4500, 6500, 9000])
def test_what_the_telephone_cannot_carry_is_not_folded_back(hz: float) -> None:
    assert dbfs(resample(segment(tone(hz, 1.0)), 8000)[400:-400]) < -65


@pytest.mark.parametrize("hz", [300, 1000, 3300])
def test_what_the_telephone_can_carry_stays_as_loud(hz: float) -> None:
    before = tone(hz, 1.0)
    assert dbfs(resample(segment(before), 8000)[400:-400]) == pytest.approx(dbfs(before), abs=0.2)


def test_the_ringing_of_the_filter_never_exceeds_the_peak() -> None:
    square = np.sign(tone(400, 0.5)).astype(np.int16) * 27000
    assert peak_dbfs(resample(segment(square), 8000)) <= PEAK_DBFS + 0.01
