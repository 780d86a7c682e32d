"""The lines are loaded from what was rendered; one that lacks anything says nothing and is reported."""

import shutil
from pathlib import Path

import pytest
import structlog

from asterisk_consent.calls.withdrawal_line import Lines, load_lines, log_lines
from asterisk_consent.config import Config, load_config, load_policies
from asterisk_consent.dialogue.withdrawal.script import LineScript, Saying, SpokenDigit
from asterisk_consent.prompts.form import DIGITS, WITHDRAWAL_LINE
from asterisk_consent.prompts.line import (
    AGAIN_DIGIT,
    CONFIRM_DIGIT,
    DECLINE_DIGIT,
    END_DIGIT,
    lines_of,
    spoken_digits_of,
    spoken_line,
)
from tests.policy.shipped import PROJECT, TEXTS
from tests.prompts.made_announcement import make_announcement


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A place with one policy in two languages, and everything of its line."""
    (tmp_path / "policies").mkdir()
    shutil.copy(PROJECT / "policies" / "p1-nl.toml", tmp_path / "policies")
    file = tmp_path / "asterisk-consent.toml"
    file.write_text(
        '[asterisk]\nari_password = "x"\nami_secret = "x"\nprompts = "/in/asterisk"\n'
        '[paths]\npolicies = "policies"\nprompts = "prompts"\n'
    )
    config = load_config(file)
    (words,) = lines_of(each.policy for each in load_policies(config.policies).values()).values()
    for tag in words.languages:
        _, spoken = spoken_line(words, tag, TEXTS)
        directory = config.prompts / "_withdrawal" / "voorbeeld" / tag
        make_announcement(directory, spoken, language=tag, form=WITHDRAWAL_LINE)
        digits = config.prompts / "_digits" / tag
        make_announcement(digits, spoken_digits_of(tag), language=tag, form=DIGITS)
    return config


def lines(config: Config) -> Lines:
    return Lines(load_lines(load_policies(config.policies), config))


def test_a_line_that_is_all_there_speaks_in_its_languages(config: Config) -> None:
    line = lines(config).find("voorbeeld")

    assert line.fault == ""
    assert (line.script.languages, line.script.menu) == (("nl", "en"), (("1", "nl"), ("2", "en")))
    words = (Saying.REFERENCE, SpokenDigit.TWO, SpokenDigit.PAUSE)
    assert [segment.path for _, segment in line.files(words, "en")] == [
        "/in/asterisk/_withdrawal/voorbeeld/en/reference",
        "/in/asterisk/_digits/en/2",
        "/in/asterisk/_digits/en/pause",
    ]
    assert {part for part, _ in line.files(words, "en")} == {Saying.REFERENCE}


def test_the_menu_is_spoken_in_every_language(config: Config) -> None:
    files = lines(config).find("voorbeeld").files((Saying.MENU,), "")

    assert [segment.path.rpartition("voorbeeld/")[2] for _, segment in files] == ["nl/menu", "en/menu"]


@pytest.mark.parametrize(
    "missing",
    ["_withdrawal/voorbeeld/en", "_withdrawal/voorbeeld/nl/later.wav", "_digits/nl/7.alaw", "_digits/en"],
)
def test_a_line_that_lacks_anything_says_nothing_and_is_reported(config: Config, missing: str) -> None:
    path = config.prompts / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    loaded = load_lines(load_policies(config.policies), config)
    with structlog.testing.capture_logs() as logs:
        log_lines(loaded)

    assert "render-line" in loaded["voorbeeld"].fault
    assert [each["controller"] for each in logs] == ["voorbeeld"]


def test_a_controller_without_a_line_is_a_line_that_says_nothing(config: Config) -> None:
    assert lines(config).find("niemand").fault == "no such controller"


def test_every_word_of_the_dialogue_is_a_part_that_is_made() -> None:
    assert {str(saying) for saying in Saying} == set(WITHDRAWAL_LINE.parts)
    assert {str(digit) for digit in SpokenDigit} == set(DIGITS.parts)


def test_the_digits_that_are_announced_are_those_of_the_dialogue() -> None:
    usual = LineScript(languages=("nl",))

    assert (usual.confirm_digit, usual.decline_digit) == (CONFIRM_DIGIT, DECLINE_DIGIT)
    assert (usual.end_digit, usual.again_digit) == (END_DIGIT, AGAIN_DIGIT)
