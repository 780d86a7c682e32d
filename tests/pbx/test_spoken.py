"""The finder of announcements finds what was heard, all or part of it, and nothing that was not."""

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.pbx import g711
from tests.pbx.ears import Heard
from tests.pbx.spoken import spoken

RATE = 8000
STARTED_AT = 1000.0

Samples = NDArray[np.int16]


def babble(seconds: float, seed: int) -> Samples:
    """Noise in the band and rhythm of a voice."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * RATE))
    band = np.convolve(noise, np.hanning(16), "same")
    syllables = 1 + np.sin(2 * np.pi * 3 * np.arange(len(band)) / RATE)
    voice: Samples = (2000 * band * syllables / np.std(band)).clip(-32000, 32000).astype(np.int16)
    return voice


def tone(seconds: float) -> Samples:
    return (8000 * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def heard(*parts: Samples, law: g711.Law = "alaw") -> Heard:
    samples = g711.decode(g711.encode(np.concatenate(parts), law), law)
    return Heard(samples=samples, started_at=STARTED_AT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "information.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(PROMPT.tobytes())
    return path


PROMPT = babble(6.0, seed=1)


@pytest.mark.parametrize("law", ["alaw", "ulaw"])
def test_a_whole_announcement_is_found_where_it_began(file: Path, law: g711.Law) -> None:
    found = spoken(heard(silence(0.3), babble(4.0, seed=2), PROMPT, tone(3.0), law=law), file)
    assert found.in_full
    assert found.began_at == pytest.approx(STARTED_AT + 4.3, abs=0.001)
    assert found.ended_at == pytest.approx(STARTED_AT + 10.3, abs=0.001)


def test_one_that_was_broken_off_is_found_in_part(file: Path) -> None:
    found = spoken(heard(silence(1.0), PROMPT[: 2 * RATE], tone(6.0)), file)
    assert found.share == pytest.approx(1 / 3, abs=0.01)
    assert found.began_at == pytest.approx(STARTED_AT + 1.0, abs=0.001)


def test_of_a_part_and_the_whole_the_whole_is_found(file: Path) -> None:
    found = spoken(heard(PROMPT[: 2 * RATE], babble(1.0, seed=3), PROMPT), file)
    assert found.in_full
    assert found.began_at == pytest.approx(STARTED_AT + 3.0, abs=0.001)


@pytest.mark.parametrize("moment_s", [1.1, 3.0, 4.8])
def test_it_is_found_in_full_with_a_pause_of_a_few_packets_in_it(file: Path, moment_s: float) -> None:
    at = round(moment_s * RATE)
    assert spoken(heard(silence(0.5), PROMPT[:at], silence(0.08), PROMPT[at:]), file).in_full


def test_what_is_missing_in_the_middle_is_noticed(file: Path) -> None:
    at = 2 * RATE
    assert spoken(heard(PROMPT[:at], silence(1.0), PROMPT[at + RATE :]), file).share < 0.9


def test_another_announcement_is_not_this_one(file: Path) -> None:
    assert spoken(heard(babble(6.0, seed=4), tone(2.0)), file).share == 0
    assert spoken(heard(silence(8.0)), file).share == 0
    assert spoken(heard(tone(8.0)), file).share == 0
    assert spoken(heard(silence(0.1)), file).share == 0
