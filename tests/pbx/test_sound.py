"""The measuring instruments themselves: what they say of signals whose truth is known."""

import numpy as np
import pytest

from tests.pbx import g711, sound

RATE = 8000


def sine(hz: float, dbfs: float, length_s: float) -> sound.Levels:
    moments = np.arange(round(length_s * RATE)) / RATE
    wave: sound.Levels = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * moments)
    return wave


def silence(length_s: float) -> sound.Levels:
    return np.zeros(round(length_s * RATE))


def as_int16(signal: sound.Levels) -> g711.Samples:
    return np.round(signal * 32767).astype(np.int16)


@pytest.mark.parametrize("dbfs", [-3.0, -12.0, -40.0])
def test_a_tone_measures_as_loud_as_it_was_made(dbfs: float) -> None:
    wave = sine(440, dbfs, 1.0)
    assert sound.tone_db(wave, RATE, 440) == pytest.approx(dbfs, abs=0.2)
    assert sound.tone_db(as_int16(wave), RATE, 440) == pytest.approx(dbfs, abs=0.2)
    assert sound.level_db(wave) == pytest.approx(dbfs, abs=0.2)


def test_a_tone_does_not_count_as_another() -> None:
    assert sound.tone_db(sine(1000, -6, 1.0), RATE, 440) < -80


def test_silence_and_nothing_are_at_the_floor() -> None:
    for nothing in (silence(1.0), silence(0.0)):
        assert sound.tone_db(nothing, RATE, 440) == sound.FLOOR_DB
        assert sound.level_db(nothing) == sound.FLOOR_DB
        assert sound.tone_spans(nothing, RATE, 440) == []
        assert sound.sound_spans(nothing, RATE) == []


def test_spans_tell_when_a_tone_was_there() -> None:
    signal = np.concatenate([silence(0.5), sine(440, -12, 1.0), silence(0.4), sine(440, -12, 0.3)])
    spans = sound.tone_spans(signal, RATE, 440)
    edges = [edge for span in spans for edge in span]
    assert edges == pytest.approx([0.5, 1.5, 1.9, 2.2], abs=0.015)


def test_a_short_gap_does_not_end_a_span_and_a_longer_one_does() -> None:
    def with_gap(gap_s: float) -> int:
        parts = [sine(440, -12, 0.5), silence(gap_s), sine(440, -12, 0.5)]
        return len(sound.tone_spans(np.concatenate(parts), RATE, 440))

    assert with_gap(0.03) == 1
    assert with_gap(0.12) == 2


def test_a_pure_tone_is_told_from_a_mixture() -> None:
    mixture = sine(1000, -20, 0.5) + sine(620, -12, 0.5)
    assert sound.tone_spans(mixture, RATE, 1000)
    assert sound.tone_spans(mixture, RATE, 1000, purity_db=3) == []
    assert sound.tone_spans(sine(1000, -20, 0.5), RATE, 1000, purity_db=3)


def test_sides_apart_are_as_many_decibels_apart_as_they_were_made() -> None:
    left, right = sine(440, -12, 1.0), sine(440, -62, 1.0) + sine(1000, -12, 1.0)
    assert sound.side_ratio_db(left, right, RATE, 440) == pytest.approx(50, abs=1)


@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [
        ("ulaw", 0xFF, 0),
        ("ulaw", 0x00, -32124),
        ("ulaw", 0x80, 32124),
        ("alaw", 0xD5, 8),
        ("alaw", 0x2A, -32256),
        ("alaw", 0xAA, 32256),
    ],
)
def test_code_bytes_mean_what_g711_says(law: g711.Law, code: int, sample: int) -> None:
    assert g711.decode(bytes([code]), law).tolist() == [sample]


@pytest.mark.parametrize("law", ["alaw", "ulaw"])
def test_each_code_survives_decoding_and_encoding(law: g711.Law) -> None:
    values = g711.decoding_table(law)
    assert np.array_equal(g711.decode(g711.encode(values, law), law), values)
    assert g711.encode(np.zeros(4, np.int16), law) == g711.silence(4, law)


@pytest.mark.parametrize("law", ["alaw", "ulaw"])
def test_coding_keeps_a_tone_thirty_decibels_above_its_noise(law: g711.Law) -> None:
    wave = as_int16(sine(440, -12, 1.0))
    noise = g711.decode(g711.encode(wave, law), law).astype(np.float64) - wave
    assert sound.level_db(noise / 32768) < -12 - 30


def test_the_same_sound_is_like_itself_wherever_it_is_and_however_loud() -> None:
    pattern = np.random.default_rng(1).normal(0, 0.1, RATE)
    samples = as_int16(np.concatenate([sine(440, -12, 0.7), 0.3 * pattern, silence(0.5)]))
    assert sound.likeness(samples, as_int16(pattern)) > 0.99


def test_another_sound_silence_and_a_part_of_it_are_not_like_it() -> None:
    noise = np.random.default_rng(2)
    pattern = noise.normal(0, 0.1, RATE)
    for other in (noise.normal(0, 0.1, 3 * RATE), sine(440, -12, 3.0), silence(3.0), pattern[: RATE // 2]):
        assert sound.likeness(other, pattern) < 0.2
    assert sound.likeness(silence(1.0), silence(0.0)) == 0.0
