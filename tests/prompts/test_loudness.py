"""Loudness as ITU-R BS.1770-4 has it, at any rate and of any length."""

import numpy as np
import pyloudnorm
import pytest
import soxr

from asterisk_consent.prompts.loudness import loudness_lufs, peak_dbfs
from tests.prompts.sound import silence, speech, tone


def test_a_tone_at_full_scale_is_as_loud_as_the_standard_says() -> None:
    # BS.1770-4, annex 1: 997 Hz at full scale in one channel reads -3.01 LKFS.
    assert loudness_lufs(tone(997, 5, rate=48000, amplitude=1.0), 48000) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 96000])
def test_loudness_is_the_same_at_every_rate(rate: int) -> None:
    at_meter = loudness_lufs(tone(2500, 3, rate=48000), 48000)
    assert loudness_lufs(tone(2500, 3, rate=rate), rate) == pytest.approx(at_meter, abs=0.05)


def test_loudness_is_weighted_as_the_ear_hears() -> None:
    low, high = (loudness_lufs(tone(hz, 3, rate=16000), 16000) for hz in (60, 3000))
    assert 5 < high - low < 9


def test_pauses_do_not_make_speech_less_loud() -> None:
    spoken = [tone(440, 2, rate=8000), silence(3, rate=8000), tone(440, 2, rate=8000)]
    alone = loudness_lufs(tone(440, 4, rate=8000), 8000)
    assert loudness_lufs(np.concatenate(spoken), 8000) == pytest.approx(alone, abs=1)


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.399, 0.4, 0.401])
def test_what_is_shorter_than_a_gating_block_has_its_own_loudness(seconds: float) -> None:
    long = loudness_lufs(tone(1000, 3, rate=8000), 8000)
    assert loudness_lufs(tone(1000, seconds, rate=8000), 8000) == pytest.approx(long, abs=1)


@pytest.mark.parametrize("samples", [0, 1, 2, 4000])
def test_what_cannot_be_heard_has_no_loudness(samples: int) -> None:
    assert loudness_lufs(np.zeros(samples), 8000) == float("-inf")
    assert peak_dbfs(np.zeros(samples)) == float("-inf")


def test_the_meter_is_the_one_of_the_standard() -> None:
    samples, rate = speech()
    at_48k = soxr.resample(samples, rate, 48000)
    standard = pyloudnorm.Meter(48000, filter_class="DeMan").integrated_loudness(at_48k)
    assert loudness_lufs(samples, rate) == pytest.approx(standard, abs=0.1)
