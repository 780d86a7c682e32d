"""What Asterisk plays, decoded again: the same sound in every format."""

import numpy as np
import pytest

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.formats import RATES, decode, encode
from asterisk_consent.prompts.level import PEAK_DBFS
from asterisk_consent.prompts.rendered import SUFFIXES
from tests.prompts.sound import Sound, dbfs, tone


def strongest_hz(samples: Sound, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("hz", [300, 1010, 3310])
def test_a_tone_keeps_its_pitch_and_its_level(suffix: str, hz: float) -> None:
    samples = tone(hz, 1.0, rate=RATES[suffix])
    played = decode(encode(samples, suffix), suffix)
    assert strongest_hz(played, RATES[suffix]) == pytest.approx(hz, abs=2)
    assert dbfs(played[800:-800]) == pytest.approx(dbfs(samples[800:-800]), abs=0.15)


@pytest.mark.parametrize("suffix", [".sln16", ".g722"])
def test_the_wide_formats_carry_what_the_telephone_of_old_does_not(suffix: str) -> None:
    played = decode(encode(tone(6000, 1.0, rate=16000), suffix), suffix)
    assert strongest_hz(played, 16000) == pytest.approx(6000, abs=2)
    assert dbfs(played[800:-800]) == pytest.approx(dbfs(tone(6000, 1.0, rate=16000)), abs=1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_little_is_added_to_a_tone(suffix: str) -> None:
    rate = RATES[suffix]
    played = decode(encode(tone(1000, 1.0, rate=rate), suffix), suffix)
    spectrum = np.abs(np.fft.rfft(played * np.hanning(len(played)))) ** 2
    at = round(1000 * len(played) / rate)
    beside = spectrum.sum() - spectrum[at - 5 : at + 6].sum()
    assert 10 * np.log10(beside / spectrum.sum()) < -30


@pytest.mark.parametrize(
    ("suffix", "per_second"), [(".alaw", 8000), (".ulaw", 8000), (".sln16", 32000), (".g722", 8000)]
)
def test_a_raw_format_is_its_samples_and_no_header(suffix: str, per_second: int) -> None:
    assert len(encode(tone(1000, 1.0, rate=RATES[suffix]), suffix)) == per_second


def test_linear_samples_are_low_byte_first() -> None:
    assert encode(np.array([0.5, -0.25]), ".sln16") == b"\x00\x40\x00\xe0"


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("hz", [100, 440, 1000, 3000])
def test_the_highest_sample_that_is_encoded_stays_below_the_peak_limit(suffix: str, hz: float) -> None:
    highest = 10 ** (-2 / 20)
    played = decode(encode(tone(hz, 1.0, rate=RATES[suffix], amplitude=highest), suffix), suffix)
    assert 20 * np.log10(np.abs(played).max()) <= PEAK_DBFS


@pytest.mark.parametrize("suffix", [".wav", ".alaw", ".ulaw", ".sln16"])
def test_full_scale_does_not_turn_over(suffix: str) -> None:
    assert decode(encode(np.full(1600, 1.0), suffix), suffix).min() > 0.9


def test_an_odd_sample_at_the_end_costs_nothing_but_itself() -> None:
    even, odd = tone(500, 0.1, rate=16000), np.append(tone(500, 0.1, rate=16000), 0.3)
    assert encode(odd, ".g722") == encode(even, ".g722")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\0" * 100])
def test_what_is_no_wav_is_an_audio_error(content: bytes) -> None:
    with pytest.raises(AudioError, match=r"not \.wav audio"):
        decode(content, ".wav")
