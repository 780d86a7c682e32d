"""Announcements on disk: their digests, and whether they are still what was loaded."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from asterisk_consent.prompts import watched
from asterisk_consent.prompts.render import render_prompts
from asterisk_consent.prompts.rendered import (
    SUFFIXES,
    ManifestPart,
    PromptSet,
    announcement_digest,
    load_prompt_set,
    text_digest,
)
from asterisk_consent.prompts.text import PARTS


def part(name: str) -> ManifestPart:
    return ManifestPart(text=f"text of {name}", duration_ms=1, files={".wav": f"wav of {name}"})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made")
    render_prompts(
        spoken={name: f"Dit is {name}." for name in PARTS},
        language="nl",
        name="p1",
        reviewed_by="unreviewed",
        directory=directory,
        voice="nl",
    )
    return directory


@pytest.fixture
def prompts(made: Path, tmp_path: Path) -> PromptSet:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return load_prompt_set(tmp_path)


def test_information_and_question_keep_their_digest() -> None:
    parts = {name: part(name) for name in ("question", "information")}
    assert announcement_digest(parts) == "ad5d9d72fea333ac97d7885af5625497867c1e380a3871f06bd64138e06a2221"


def test_the_digest_is_taken_over_the_parts_there_are_in_their_order() -> None:
    names = ["menu", "information", "question", "no_refusal"]
    expected = hashlib.sha256(b"asterisk-consent announcement 1\n")
    for name in names:
        text = hashlib.sha256(f"text of {name}".encode()).hexdigest()
        expected.update(f"{name}\n{text}\nwav of {name}\n".encode())
    assert announcement_digest({name: part(name) for name in reversed(names)}) == expected.hexdigest()


def test_the_digest_of_the_words_is_over_language_and_words_alone() -> None:
    words = {"question": "Ja?", "information": "Hallo."}
    expected = hashlib.sha256(b"asterisk-consent words 1\nnl\n")
    for name, text in (("information", "Hallo."), ("question", "Ja?")):
        expected.update(f"{name}\n{hashlib.sha256(text.encode()).hexdigest()}\n".encode())
    assert text_digest("nl", words) == expected.hexdigest()
    changed = [("nb", words), ("nl", {**words, "question": "Nee?"}), ("nl", {"information": "Hallo."})]
    assert len({text_digest(*each) for each in [("nl", words), *changed]}) == 4


def test_what_was_just_loaded_is_unchanged(prompts: PromptSet) -> None:
    assert prompts.unchanged()


def pass_a_tick_of_the_clock_of_files(path: Path) -> None:
    """The kernel's clock for files ticks every few milliseconds; within one tick nothing looks changed."""
    probe = path.with_name("probe")
    probe.touch()
    while probe.stat().st_ctime_ns <= path.stat().st_ctime_ns:
        probe.touch()


def overwrite(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def overwrite_and_hide_it(path: Path) -> None:
    before = path.stat()
    overwrite(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def put_another_in_its_place(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    overwrite_and_hide_it(other)
    other.replace(path)


def lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def make_a_directory_of_it(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "change",
    [
        overwrite,
        overwrite_and_hide_it,
        put_another_in_its_place,
        lengthen,
        Path.unlink,
        make_a_directory_of_it,
    ],
)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_change_of_any_file_is_noticed(
    prompts: PromptSet, tmp_path: Path, suffix: str, change: Callable[[Path], None]
) -> None:
    path = tmp_path / f"question{suffix}"
    pass_a_tick_of_the_clock_of_files(path)
    change(path)
    assert not prompts.unchanged()
    assert not prompts.unchanged()


def test_a_file_that_came_back_is_unchanged_again(prompts: PromptSet, tmp_path: Path) -> None:
    (tmp_path / "menu.wav").rename(tmp_path / "away")
    assert not prompts.unchanged()
    (tmp_path / "away").rename(tmp_path / "menu.wav")
    assert prompts.unchanged()


def test_a_file_replaced_by_the_same_bytes_is_unchanged_and_read_once(
    prompts: PromptSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "information.g722"
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    copy.replace(path)
    assert prompts.unchanged()

    monkeypatch.setattr(watched, "_read", lambda _: pytest.fail("read again"))
    assert prompts.unchanged()


def test_what_is_not_touched_is_not_read(prompts: PromptSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_read", lambda _: pytest.fail("read again"))
    assert prompts.unchanged()


def test_a_file_of_another_length_is_not_read(
    prompts: PromptSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengthen(tmp_path / "information.wav")
    monkeypatch.setattr(watched, "_read", lambda _: pytest.fail("read again"))
    assert not prompts.unchanged()


def test_asking_before_every_call_costs_next_to_nothing(prompts: PromptSet) -> None:
    def seconds() -> float:
        started_at = time.perf_counter()
        prompts.unchanged()
        return time.perf_counter() - started_at

    assert min(seconds() for _ in range(200)) < 100e-6


def test_a_prompt_set_of_another_time_is_equal_to_it(prompts: PromptSet, tmp_path: Path) -> None:
    assert load_prompt_set(tmp_path) == prompts
