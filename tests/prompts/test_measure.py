"""What is wrong with an announcement's sound is measured in every file and said in one sentence."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.formats import RATES, decode, encode
from asterisk_consent.prompts.level import LOUDNESS_LUFS
from asterisk_consent.prompts.measure import audio_problems, measure
from asterisk_consent.prompts.render import render_prompts
from asterisk_consent.prompts.rendered import (
    MANIFEST,
    SUFFIXES,
    Manifest,
    PromptSet,
    announcement_digest,
    load_prompt_set,
)
from tests.prompts.announcement import SPOKEN
from tests.prompts.sound import Sound, silence, tone


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made")
    render_prompts(
        spoken=SPOKEN, language="nl", name="p1", reviewed_by="unreviewed", directory=directory, voice="nl"
    )
    return directory


@pytest.fixture
def prompts(made: Path, tmp_path: Path) -> PromptSet:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return load_prompt_set(tmp_path)


def alter(directory: Path, file: str, change: Callable[[Sound, int], Sound]) -> PromptSet:
    """Change the sound of a file, and the manifest with it."""
    path = directory / file
    rate = RATES[path.suffix]
    content = encode(change(decode(path.read_bytes(), path.suffix), rate), path.suffix)
    path.write_bytes(content)
    manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    manifest.parts[path.stem].files[path.suffix] = hashlib.sha256(content).hexdigest()
    manifest = msgspec.structs.replace(manifest, digest=announcement_digest(manifest.parts))
    (directory / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return load_prompt_set(directory)


def louder(lu: float) -> Callable[[Sound, int], Sound]:
    return lambda samples, rate: samples * 10 ** (lu / 20)


def with_beep(samples: Sound, rate: int) -> Sound:
    return np.concatenate([samples[:rate], tone(1000, 0.005, rate=rate, amplitude=0.99), samples[rate:]])


def test_what_was_rendered_has_no_problem(prompts: PromptSet) -> None:
    assert audio_problems(prompts) == []


def test_every_part_is_measured(prompts: PromptSet) -> None:
    measured = measure(prompts)
    assert list(measured) == ["information", "question"]
    for name, each in measured.items():
        assert each.loudness_lufs == pytest.approx(LOUDNESS_LUFS, abs=0.2)
        assert -12 < each.peak_dbfs < -2
        assert each.duration_ms == prompts.parts[name].duration_ms
        assert max(each.silence_before_ms, each.silence_after_ms) <= 80


def test_silence_at_the_ends_is_measured(prompts: PromptSet, tmp_path: Path) -> None:
    before = measure(prompts)["question"]
    changed = alter(
        tmp_path,
        "question.wav",
        lambda s, rate: np.concatenate([silence(0.5, rate=rate), s, silence(0.8, rate=rate)]),
    )
    after = measure(changed)["question"]
    assert after.silence_before_ms - before.silence_before_ms == pytest.approx(500, abs=5)
    assert after.silence_after_ms - before.silence_after_ms == pytest.approx(800, abs=5)
    assert after.duration_ms - before.duration_ms == 1300


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (louder(1.5), "1.5 LU louder than the -23 LUFS"),
        (louder(-1.5), "1.5 LU quieter than the -23 LUFS"),
        (louder(-90), "nothing can be heard"),
        (lambda s, rate: np.concatenate([silence(0.3, rate=rate), s]), "of silence before the speech"),
        (lambda s, rate: np.concatenate([s, silence(0.3, rate=rate)]), "of silence after the speech"),
        (with_beep, "dBFS, above -1 dBFS"),
    ],
)
def test_each_problem_is_one_sentence_that_says_what_where_and_what_to_do(
    prompts: PromptSet, tmp_path: Path, suffix: str, change: Callable[[Sound, int], Sound], says: str
) -> None:
    (problem,) = audio_problems(alter(tmp_path, f"question{suffix}", change))
    assert problem.startswith(f"question{suffix}: ")
    assert says in problem
    assert "Make the announcement again" in problem


def test_a_difference_that_nobody_hears_is_no_problem(prompts: PromptSet, tmp_path: Path) -> None:
    assert audio_problems(alter(tmp_path, "question.alaw", louder(0.7))) == []


def test_a_problem_of_every_format_is_said_once(prompts: PromptSet, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        prompts = alter(tmp_path, f"question{suffix}", louder(1.5))
    (problem,) = audio_problems(prompts)
    assert all(f"question{suffix}" in problem for suffix in SUFFIXES)


@pytest.mark.parametrize(
    ("part", "seconds", "wrong"),
    [
        ("information", 59.5, False),
        ("information", 60.5, True),
        ("question", 19.5, False),
        ("question", 20.5, True),
    ],
)
def test_a_part_may_not_last_too_long(
    prompts: PromptSet, tmp_path: Path, part: str, seconds: float, wrong: bool
) -> None:
    changed = alter(tmp_path, f"{part}.wav", lambda s, rate: np.resize(s, int(seconds * rate)))
    problems = [problem for problem in audio_problems(changed) if "lasts" in problem]
    assert len(problems) == wrong
    assert all(f"{part}: lasts {seconds} s" in problem and "Shorten" in problem for problem in problems)


def test_a_file_that_is_gone_is_an_audio_error(prompts: PromptSet, tmp_path: Path) -> None:
    (tmp_path / "question.g722").unlink()
    with pytest.raises(AudioError, match=r"question\.g722"):
        audio_problems(prompts)
