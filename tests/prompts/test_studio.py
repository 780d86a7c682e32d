"""Studio recordings become announcements: trimmed, levelled, the originals kept; or every problem is said."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.level import LOUDNESS_LUFS
from asterisk_consent.prompts.loudness import loudness_lufs
from asterisk_consent.prompts.measure import audio_problems, measure
from asterisk_consent.prompts.rendered import SUFFIXES, PromptSet, load_prompt_set
from asterisk_consent.prompts.studio import import_prompts
from tests.prompts.announcement import SPOKEN
from tests.prompts.sound import Sound, decoded, silence, speech


def studio(rate: int = 48000, text: str = SPOKEN["question"]) -> Sound:
    """A voice as a studio hands it in, with half a second of silence at both ends."""
    samples, espeak_rate = speech(text)
    voice = soxr.resample(samples, espeak_rate, rate) * 0.5
    return np.concatenate([silence(0.5, rate=rate), voice, silence(0.7, rate=rate)])


def record(path: Path, samples: Sound, rate: int = 48000, subtype: str = "PCM_24") -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def bring(directory: Path, recordings: dict[str, Path], spoken_by: str = "A. Voorbeeld") -> PromptSet:
    return import_prompts(
        recordings=recordings,
        spoken=SPOKEN,
        language="nl",
        name="p1",
        reviewed_by="J. Jurist",
        spoken_by=spoken_by,
        directory=directory,
    )


@pytest.fixture
def recordings(tmp_path: Path) -> dict[str, Path]:
    return {part: record(tmp_path / f"{part}.wav", studio(text=text)) for part, text in SPOKEN.items()}


def test_a_recording_becomes_an_announcement_without_problems(
    tmp_path: Path, recordings: dict[str, Path]
) -> None:
    made = bring(tmp_path / "out", recordings)
    assert audio_problems(made) == []
    assert load_prompt_set(tmp_path / "out") == made
    assert made.spoken_by == "A. Voorbeeld"
    assert not made.has_placeholder_voice
    assert {name: part.text for name, part in made.parts.items()} == SPOKEN
    assert list(made.parts) == ["information", "question"]


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_every_rate_and_container_sounds_the_same(
    tmp_path: Path, recordings: dict[str, Path], rate: int, suffix: str
) -> None:
    recordings["question"] = record(tmp_path / f"q{suffix}", studio(rate), rate)
    made = bring(tmp_path / "out", recordings)
    assert audio_problems(made) == []
    spoken_ms = 1000 * len(speech(SPOKEN["question"])[0]) / speech(SPOKEN["question"])[1]
    assert measure(made)["question"].duration_ms == pytest.approx(spoken_ms, abs=400)
    for each in SUFFIXES:
        assert loudness_lufs(*decoded(made, "question", each)) == pytest.approx(LOUDNESS_LUFS, abs=0.5)


@pytest.mark.parametrize("gain_db", [-12, 0, 5])
def test_quiet_and_loud_recordings_come_to_one_loudness_and_one_length(
    tmp_path: Path, recordings: dict[str, Path], gain_db: float
) -> None:
    recordings["question"] = record(tmp_path / "q.wav", studio() * 10 ** (gain_db / 20))
    made = bring(tmp_path / "out", recordings)
    reference = bring(
        tmp_path / "reference", {**recordings, "question": record(tmp_path / "r.wav", studio())}
    )
    assert audio_problems(made) == []
    assert measure(made)["question"].duration_ms == pytest.approx(
        measure(reference)["question"].duration_ms, abs=10
    )


def test_equal_channels_are_one_voice(tmp_path: Path, recordings: dict[str, Path]) -> None:
    mono = studio()
    dither = np.random.default_rng(1).uniform(-1, 1, (len(mono), 2)) / 32768
    recordings["question"] = record(tmp_path / "q.wav", np.stack([mono, mono], axis=1) + dither)
    assert audio_problems(bring(tmp_path / "out", recordings)) == []


def test_floats_beyond_full_scale_are_not_cut(tmp_path: Path, recordings: dict[str, Path]) -> None:
    loud = studio() * 4
    assert np.abs(loud).max() > 1
    recordings["question"] = record(tmp_path / "q.wav", loud, subtype="FLOAT")
    made = bring(tmp_path / "loud", recordings)
    recordings["question"] = record(tmp_path / "r.wav", loud / 4, subtype="FLOAT")
    same = bring(tmp_path / "same", recordings)
    a, b = (decoded(each, "question", ".sln16")[0] for each in (made, same))
    assert np.abs(a - b).max() < 1e-3


def test_the_originals_are_kept_as_they_came(tmp_path: Path, recordings: dict[str, Path]) -> None:
    content = {part: path.read_bytes() for part, path in recordings.items()}
    made = bring(tmp_path / "out", recordings)
    for part, prompt in made.parts.items():
        assert prompt.original is not None
        assert prompt.original.sha256 == hashlib.sha256(content[part]).hexdigest()
        kept = tmp_path / "out" / prompt.original.file
        assert kept.parent.name == "originals"
        assert kept.read_bytes() == content[part] == recordings[part].read_bytes()


def test_another_import_keeps_the_originals_of_the_one_before(
    tmp_path: Path, recordings: dict[str, Path]
) -> None:
    first = bring(tmp_path / "out", recordings).parts["question"].original
    recordings["question"] = record(tmp_path / "again.wav", studio() * 0.9)
    second = bring(tmp_path / "out", recordings).parts["question"].original
    assert first is not None
    assert second is not None
    assert first != second
    for each in (first, second):
        kept = (tmp_path / "out" / each.file).read_bytes()
        assert hashlib.sha256(kept).hexdigest() == each.sha256


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"other")])
def test_an_original_that_is_not_kept_is_a_problem_that_stops_no_call(
    tmp_path: Path, recordings: dict[str, Path], damage: Callable[[Path], None]
) -> None:
    made = bring(tmp_path / "out", recordings)
    original = made.parts["question"].original
    assert original is not None
    damage(tmp_path / "out" / original.file)
    (problem,) = audio_problems(made)
    assert original.file in problem
    assert "Put it back" in problem
    assert made.unchanged()
    assert load_prompt_set(tmp_path / "out") == made


def clipped() -> Sound:
    return np.clip(studio() * 20, -1, 1)


def clipped_law() -> Sound:
    return np.clip(studio() * 20, -0.984, 0.984)


def with_pause() -> Sound:
    voice = studio()
    half = len(voice) // 2
    return np.concatenate([voice[:half], silence(2.5, rate=48000), voice[half:]])


def with_click() -> Sound:
    voice = studio() * 0.3
    voice[60000:60002] = 0.9
    return voice


@pytest.mark.parametrize(
    ("samples", "says", "remedy"),
    [
        (clipped, "clipped, first at 0.", "less gain"),
        (clipped_law, "clipped, first at 0.", "less gain"),
        (lambda: studio() * 0.02, "too quiet: -6", "more gain"),
        (lambda: studio() * 0, "nothing can be heard", "microphone"),
        (lambda: np.zeros(0), "nothing can be heard", "microphone"),
        (with_pause, "2.5 s of silence inside, from 3.8 s", "Cut it down"),
        (with_click, "a peak at 1.25 s", "Take out the click"),
        (lambda: np.resize(studio(), 121 * 48000), "longer than 120 s", "Cut it"),
        (lambda: np.stack([studio(), studio() * 0.5], axis=1), "different sound on each side", "mono"),
        (lambda: np.stack([studio()] * 3, axis=1), "has 3 channels", "mono"),
    ],
)
def test_what_callers_should_not_hear_is_refused(
    tmp_path: Path, recordings: dict[str, Path], samples: Callable[[], Sound], says: str, remedy: str
) -> None:
    recordings["question"] = record(tmp_path / "bad.wav", samples())
    with pytest.raises(AudioError) as caught:
        bring(tmp_path / "out", recordings)
    (line,) = str(caught.value).removeprefix("nl/p1: ").split("\n")
    assert line.startswith(f"question ({tmp_path / 'bad.wav'}): ")
    assert says in line
    assert remedy in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cannot be read as audio"),
        (b"RIFF\0\0\0\0WAVEfmt ", "cannot be read as audio"),
        (b"ID3\x04not audio", "cannot be read as audio"),
        (None, "no such file"),
    ],
)
def test_what_is_no_audio_is_refused(
    tmp_path: Path, recordings: dict[str, Path], content: bytes | None, says: str
) -> None:
    recordings["question"] = tmp_path / "bad.wav"
    if content is not None:
        recordings["question"].write_bytes(content)
    with pytest.raises(AudioError, match=says):
        bring(tmp_path / "out", recordings)


def test_other_containers_and_low_rates_are_refused(tmp_path: Path, recordings: dict[str, Path]) -> None:
    with pytest.raises(AudioError, match="neither WAV nor FLAC"):
        bring(tmp_path / "out", {**recordings, "question": record(tmp_path / "q.aiff", studio())})
    with pytest.raises(AudioError, match="recorded at 6000 Hz"):
        bring(tmp_path / "out", {**recordings, "question": record(tmp_path / "q.wav", studio(6000), 6000)})


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, recordings: dict[str, Path]) -> None:
    bad = studio()
    bad[1000] = np.nan
    recordings["question"] = record(tmp_path / "bad.wav", bad, subtype="FLOAT")
    with pytest.raises(AudioError, match="no numbers"):
        bring(tmp_path / "out", recordings)


def test_every_problem_is_said_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as caught:
        bring(
            tmp_path / "out",
            {
                "information": record(tmp_path / "quiet.wav", with_pause() * 0.02),
                "menu": record(tmp_path / "menu.wav", studio()),
            },
            spoken_by="espeak-ng nl",
        )
    for problem in (
        "question: no recording was given for this part",
        f"menu ({tmp_path / 'menu.wav'}): the announcement has no such part",
        f"information ({tmp_path / 'quiet.wav'}): too quiet",
        f"information ({tmp_path / 'quiet.wav'}): 2.",
        "Name the person who spoke",
    ):
        assert problem in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_bad_recording_leaves_the_announcement_that_was_there(
    tmp_path: Path, recordings: dict[str, Path]
) -> None:
    before = bring(tmp_path / "out", recordings)
    recordings["question"] = record(tmp_path / "bad.wav", clipped())
    with pytest.raises(AudioError):
        bring(tmp_path / "out", recordings)
    assert load_prompt_set(tmp_path / "out") == before
    assert before.unchanged()


@pytest.mark.parametrize("spoken_by", ["", "  "])
def test_a_recording_of_nobody_is_refused(
    tmp_path: Path, recordings: dict[str, Path], spoken_by: str
) -> None:
    with pytest.raises(AudioError, match="nobody is named"):
        bring(tmp_path / "out", recordings, spoken_by=spoken_by)


def test_natural_loud_speech_is_not_taken_for_clipped(tmp_path: Path, recordings: dict[str, Path]) -> None:
    voice = studio()
    recordings["question"] = record(
        tmp_path / "q.wav", voice * 0.9999 / np.abs(voice).max(), subtype="PCM_16"
    )
    assert audio_problems(bring(tmp_path / "out", recordings)) == []
