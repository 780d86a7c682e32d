"""Rendering with espeak-ng: what is written, how it sounds, and what is said when it cannot be done."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError, ConfigError
from asterisk_consent.prompts import speech
from asterisk_consent.prompts.render import render_prompts
from asterisk_consent.prompts.rendered import MANIFEST, SUFFIXES, PromptSet, load_prompt_set
from asterisk_consent.prompts.text import PARTS
from tests.prompts.announcement import VALUES, shipped_text


def render(directory: Path, **changed: str) -> PromptSet:
    return render_prompts(text=shipped_text(), values={**VALUES, **changed}, directory=directory, voice="nl")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> PromptSet:
    return render(tmp_path_factory.mktemp("sounds") / "nl" / "p1")


def samples_of(prompts: PromptSet, part: str, suffix: str) -> NDArray[np.float64]:
    path = prompts.parts[part].path_without_suffix.with_suffix(suffix)
    raw = {".alaw": (8000, "ALAW"), ".ulaw": (8000, "ULAW"), ".sln16": (16000, "PCM_16")}
    if suffix == ".wav":
        return np.asarray(soundfile.read(path)[0])
    rate, subtype = raw[suffix]
    return np.asarray(soundfile.read(path, samplerate=rate, channels=1, format="RAW", subtype=subtype)[0])


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_is_level_and_does_not_clip(rendered: PromptSet, part: str, suffix: str) -> None:
    samples = samples_of(rendered, part, suffix)
    assert 20 * np.log10(np.abs(samples).max()) < -1
    assert 20 * np.log10(np.sqrt(np.mean(samples**2))) == pytest.approx(-20, abs=2)


@pytest.mark.parametrize("part", PARTS)
def test_every_format_lasts_as_long_as_the_manifest_says(rendered: PromptSet, part: str) -> None:
    for suffix in SUFFIXES:
        rate = 16000 if suffix == ".sln16" else 8000
        duration_ms = len(samples_of(rendered, part, suffix)) * 1000 / rate
        assert duration_ms == pytest.approx(rendered.parts[part].duration_ms, abs=1)


@pytest.mark.parametrize("part", PARTS)
def test_speech_begins_and_ends_within_a_tenth_of_a_second(rendered: PromptSet, part: str) -> None:
    samples = samples_of(rendered, part, ".wav")
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    assert loud[0] < 800
    assert len(samples) - loud[-1] < 800


def test_the_wav_is_what_asterisk_plays_without_transcoding(rendered: PromptSet) -> None:
    info = soundfile.info(rendered.parts["question"].path_without_suffix.with_suffix(".wav"))
    assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "PCM_16")


def test_the_caller_is_not_kept_longer_than_announced(rendered: PromptSet) -> None:
    assert rendered.parts["information"].duration_ms <= 21_000
    assert rendered.parts["question"].duration_ms <= 7_000


def test_what_was_rendered_can_be_loaded(rendered: PromptSet) -> None:
    directory = rendered.parts["information"].path_without_suffix.parent
    assert load_prompt_set(directory) == rendered


def test_the_digest_changes_with_the_words_and_only_with_them(rendered: PromptSet, tmp_path: Path) -> None:
    assert render(tmp_path / "again").digest == rendered.digest
    assert render(tmp_path / "other", storage_time="30 dagen").digest != rendered.digest


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", ["missing", "empty", "changed"])
def test_a_file_that_is_not_what_was_rendered_is_refused(tmp_path: Path, suffix: str, damage: str) -> None:
    render(tmp_path)
    path = tmp_path / f"information{suffix}"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else path.read_bytes()[:-1] + b"\x01")

    with pytest.raises(AudioError, match=f"information{suffix}") as caught:
        load_prompt_set(tmp_path)
    assert "prompts render" in caught.value.remedy


def test_a_manifest_with_other_words_is_refused(tmp_path: Path) -> None:
    render(tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_bytes())
    manifest["parts"]["question"]["text"] = "Toets 2 als wij mogen opnemen."
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(AudioError, match="changed after rendering"):
        load_prompt_set(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1]", b'{"language": "nl"}'])
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(AudioError, match="manifest"):
        load_prompt_set(tmp_path)


def test_a_directory_without_announcement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no rendered announcement"):
        load_prompt_set(tmp_path)


def test_without_espeak_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioError, match="espeak-ng is not installed") as caught:
        render(tmp_path / "out")
    assert "apt-get install espeak-ng" in caught.value.remedy
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("voice", ["zz", "--version", "../../etc/passwd", "nl; id", ""])
def test_a_voice_that_does_not_exist_is_refused(voice: str) -> None:
    with pytest.raises(AudioError, match="voice"):
        speech.speak("Hallo.", voice=voice)


def test_words_that_look_like_options_or_markup_are_spoken() -> None:
    assert len(speech.speak("--version <break time='30s'/>", voice="nl")) < 15_000


def test_a_text_of_which_nothing_can_be_said_is_refused() -> None:
    with pytest.raises(AudioError, match="nothing that can be heard"):
        speech.speak("   ", voice="nl")


def test_a_missing_value_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="controller"):
        render(tmp_path / "out", controller="")
    assert not (tmp_path / "out").exists()


def test_asterisk_can_read_what_was_rendered_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        render(tmp_path / "nl" / "p1")
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "nl").rglob("*") if path.is_file()}
    assert modes == {0o644}
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("nl", "nl/p1")] == [0o755, 0o755]


def test_a_rendered_voice_is_known_as_a_placeholder(rendered: PromptSet) -> None:
    assert rendered.has_placeholder_voice
    assert not dataclasses.replace(rendered, voice="studio, A. Voorbeeld").has_placeholder_voice


def test_a_directory_that_cannot_be_written_is_an_audio_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(AudioError, match="cannot be written"):
        render(tmp_path / "file" / "p1")
