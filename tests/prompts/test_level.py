"""How announcements sound, measured on made-up sounds: cut, levelled, and nothing folded back."""

from typing import Any

import numpy as np
import pytest

from asterisk_consent.prompts.level import (
    CEILING_DBFS,
    LOUDNESS_LUFS,
    MARGIN_MS,
    cut_silence,
    level,
    resample,
    samples_of,
    segment_of,
    tame_peaks,
)
from asterisk_consent.prompts.loudness import loudness_lufs, peak_dbfs
from tests.prompts.sound import Sound, dbfs, silence, speech, tone

RATE = 22050


def segment(*pieces: Sound) -> Any:
    return segment_of(np.concatenate(pieces), RATE)


def of(hz: float, seconds: float, amplitude: float = 0.25) -> Sound:
    return tone(hz, seconds, rate=RATE, amplitude=amplitude)


def loudness_of(each: Any) -> float:
    return loudness_lufs(samples_of(each), each.frame_rate)


def test_silence_is_cut_to_the_margin_on_both_ends() -> None:
    cut = cut_silence(segment(silence(0.8, rate=RATE), of(440, 1.0), silence(1.3, rate=RATE)))
    assert len(cut) == pytest.approx(1000 + 2 * MARGIN_MS, abs=10)


def test_a_pause_within_the_speech_is_kept() -> None:
    cut = cut_silence(segment(of(440, 0.5), silence(1.0, rate=RATE), of(440, 0.5)))
    assert len(cut) == pytest.approx(2000, abs=10)


@pytest.mark.parametrize("amplitude", [0.003, 0.1, 0.9])
@pytest.mark.parametrize("hz", [200, 1000, 3000])
def test_quiet_and_loud_low_and_high_come_to_one_loudness(amplitude: float, hz: float) -> None:
    levelled = level(segment(of(hz, 1.0, amplitude)))
    assert loudness_of(levelled) == pytest.approx(LOUDNESS_LUFS, abs=0.1)


@pytest.mark.parametrize("voice", ["nl", "nl+f3", "nb", "en-gb", "de", "fr"])
def test_speech_reaches_the_loudness_below_its_peak(voice: str) -> None:
    for text in ("Welkom bij Voorbeeld BV. Wij nemen dit gesprek graag op.", "Ja."):
        levelled = level(segment_of(*speech(text, voice)))
        assert loudness_of(levelled) == pytest.approx(LOUDNESS_LUFS, abs=0.1)
        assert peak_dbfs(samples_of(levelled)) <= CEILING_DBFS


def test_a_level_that_would_clip_is_not_reached() -> None:
    click = silence(1.0, rate=RATE)
    click[5000:5020] = 0.6
    levelled = level(segment(click))
    assert peak_dbfs(samples_of(levelled)) == pytest.approx(CEILING_DBFS, abs=0.1)
    assert loudness_of(levelled) < LOUDNESS_LUFS - 1


def test_peaks_that_keep_speech_from_its_loudness_are_rounded_off_and_others_left() -> None:
    peaked = of(440, 1.0, 0.08)
    peaked[5000:5004] = 0.9
    levelled = level(tame_peaks(segment(peaked)))
    assert loudness_of(levelled) == pytest.approx(LOUDNESS_LUFS, abs=0.2)
    assert peak_dbfs(samples_of(levelled)) <= CEILING_DBFS
    even = segment(of(440, 1.0))
    assert tame_peaks(even) == even


def test_silence_is_not_made_loud() -> None:
    assert len(level(segment(silence(1.0, rate=RATE)))) == 1000
    assert peak_dbfs(samples_of(level(segment(silence(1.0, rate=RATE))))) == float("-inf")


def test_quiet_speech_is_not_made_coarse_by_levelling() -> None:
    quiet = of(1000, 1.0, 0.0005)
    levelled = samples_of(level(segment(quiet)))
    assert dbfs(levelled - quiet * (levelled[100] / quiet[100])) < dbfs(levelled) - 80


@pytest.mark.parametrize("hz", [4500, 6500, 9000])
def test_what_the_telephone_cannot_carry_is_not_folded_back(hz: float) -> None:
    assert dbfs(samples_of(resample(segment(of(hz, 1.0)), 8000))[400:-400]) < -65


@pytest.mark.parametrize("hz", [300, 1000, 3300])
def test_what_the_telephone_can_carry_stays_as_loud(hz: float) -> None:
    before = of(hz, 1.0)
    after = samples_of(resample(segment(before), 8000))[400:-400]
    assert dbfs(after) == pytest.approx(dbfs(before), abs=0.2)


def test_the_ringing_of_the_filter_never_exceeds_the_peak() -> None:
    square = np.sign(of(400, 0.5)) * 0.9
    rung = samples_of(level(resample(segment(square), 8000)))
    assert peak_dbfs(rung) <= CEILING_DBFS + 0.01
