"""Rendering with espeak-ng: what is written, how it sounds, and what is said when it cannot be done."""

import dataclasses
import json
import os
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import soundfile

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts import speech
from asterisk_consent.prompts.formats import RATES
from asterisk_consent.prompts.level import LOUDNESS_LUFS, PEAK_DBFS, TOLERANCE_LU, segment_of
from asterisk_consent.prompts.loudness import loudness_lufs, peak_dbfs
from asterisk_consent.prompts.production import make_part
from asterisk_consent.prompts.render import render_prompts
from asterisk_consent.prompts.rendered import MANIFEST, SUFFIXES, PromptSet, load_prompt_set
from asterisk_consent.prompts.text import PARTS
from tests.prompts import sound
from tests.prompts.announcement import SPOKEN
from tests.prompts.sound import decoded


def render(directory: Path, spoken: dict[str, str] = SPOKEN, *, voice: str = "nl") -> PromptSet:
    return render_prompts(
        spoken=spoken, language="nl", name="p1", reviewed_by="unreviewed", directory=directory, voice=voice
    )


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> PromptSet:
    return render(tmp_path_factory.mktemp("sounds") / "nl" / "p1")


@pytest.mark.parametrize("part", SPOKEN)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_of_every_part_is_equally_loud_below_the_peak(
    rendered: PromptSet, part: str, suffix: str
) -> None:
    samples, rate = decoded(rendered, part, suffix)
    assert loudness_lufs(samples, rate) == pytest.approx(LOUDNESS_LUFS, abs=TOLERANCE_LU / 2)
    assert peak_dbfs(samples) <= PEAK_DBFS


@pytest.mark.parametrize("part", SPOKEN)
def test_every_format_lasts_as_long_as_the_manifest_says(rendered: PromptSet, part: str) -> None:
    for suffix in SUFFIXES:
        samples, rate = decoded(rendered, part, suffix)
        assert len(samples) * 1000 / rate == pytest.approx(rendered.parts[part].duration_ms, abs=1)


@pytest.mark.parametrize("part", SPOKEN)
def test_speech_begins_and_ends_within_a_tenth_of_a_second(rendered: PromptSet, part: str) -> None:
    for suffix in SUFFIXES:
        samples, rate = decoded(rendered, part, suffix)
        loud = np.flatnonzero(np.abs(samples) > 0.01)
        assert loud[0] < 0.1 * rate
        assert len(samples) - loud[-1] < 0.1 * rate


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
    other = {**SPOKEN, "question": "Toets 2 als wij mogen opnemen."}
    assert render(tmp_path / "other", other).digest != rendered.digest


def test_another_voice_changes_the_digest_but_not_that_of_the_words(
    rendered: PromptSet, tmp_path: Path
) -> None:
    other = render(tmp_path, voice="nl+f3")
    assert other.digest != rendered.digest
    assert other.text_digest == rendered.text_digest


@pytest.mark.parametrize(
    "parts",
    [("information",), ("information", "question"), ("no_refusal", "information", "question"), PARTS[::-1]],
)
def test_exactly_the_parts_that_are_spoken_are_rendered(tmp_path: Path, parts: tuple[str, ...]) -> None:
    made = render(tmp_path, {part: f"Dit is {part}." for part in parts})
    assert list(made.parts) == [part for part in PARTS if part in parts]
    assert {path.name for path in tmp_path.iterdir()} == {
        MANIFEST,
        *(f"{part}{suffix}" for part in parts for suffix in SUFFIXES),
    }
    assert load_prompt_set(tmp_path) == made


def test_a_part_that_is_no_longer_spoken_is_gone(tmp_path: Path) -> None:
    render(tmp_path)
    render(tmp_path, {"information": "Wij nemen dit gesprek op."})
    assert not list(tmp_path.glob("question*"))
    assert set(load_prompt_set(tmp_path).parts) == {"information"}


@pytest.mark.parametrize("spoken", [{}, {"question": "Ja?"}, {"information": "Hallo.", "../x": "Hallo."}])
def test_parts_that_make_no_announcement_are_refused(tmp_path: Path, spoken: dict[str, str]) -> None:
    with pytest.raises(AudioError, match=r"no information|no part named"):
        render(tmp_path / "out", spoken)
    assert not (tmp_path / "out").exists()


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
    assert not dataclasses.replace(rendered, spoken_by="A. Voorbeeld").has_placeholder_voice


def test_a_directory_that_cannot_be_written_is_an_audio_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(AudioError, match="cannot be written"):
        render(tmp_path / "file" / "p1")


@pytest.mark.parametrize("written", [0, 1, len(SUFFIXES), 2 * len(SUFFIXES)])
def test_a_full_disk_leaves_the_announcement_that_was_there(tmp_path: Path, written: int) -> None:
    before = render(tmp_path, {"information": "Dit was er al."})
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    room, write = iter(range(written)), Path.write_bytes

    def until_full(path: Path, content: bytes) -> int:
        if next(room, None) is None:
            raise OSError(28, "No space left on device")
        return write(path, content)

    with mock.patch.object(Path, "write_bytes", until_full), pytest.raises(AudioError, match="No space left"):
        render(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files
    assert load_prompt_set(tmp_path) == before


def test_what_cannot_be_as_loud_as_all_others_becomes_no_announcement() -> None:
    samples, rate = sound.speech()
    samples = samples * 0.1
    samples[5000:5004] = 1.0
    with pytest.raises(AudioError, match="LU quieter"):
        make_part("information", segment_of(samples, rate), text="Welkom.")


@pytest.mark.parametrize("text", ["Ja.", "1", "A"])
def test_the_shortest_words_are_as_loud_as_all_others(tmp_path: Path, text: str) -> None:
    made = render(tmp_path, {"information": text})
    assert made.parts["information"].duration_ms < 600
    for suffix in SUFFIXES:
        samples, rate = decoded(made, "information", suffix)
        assert rate == RATES[suffix]
        assert loudness_lufs(samples, rate) == pytest.approx(LOUDNESS_LUFS, abs=TOLERANCE_LU)
