"""``prompts render-line`` and ``check-line``: what the line says is made, and found where it is not right."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli import cli
from asterisk_consent.cli.prompts_line import check_line
from asterisk_consent.config import Config, load_config
from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.form import DIGITS, WITHDRAWAL_LINE
from asterisk_consent.prompts.rendered import load_prompt_set
from tests.cli.conftest import POLICIES


def run(config: Config, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(config.file), "prompts", *arguments])


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A place with the line of one controller, in two languages."""
    directory = tmp_path_factory.mktemp("line")
    (directory / "policies").mkdir()
    shutil.copy(POLICIES / "p1-nl.toml", directory / "policies")
    file = directory / "asterisk-consent.toml"
    file.write_text(
        '[asterisk]\nari_password = "x"\nami_secret = "x"\n[paths]\npolicies = "policies"\nprompts = "prompts"\n'
    )
    config = load_config(file)
    result = run(config, "render-line")
    assert result.exit_code == 0, result.output
    assert "voorbeeld (en)" in result.output
    return config


@pytest.fixture
def place(rendered: Config, tmp_path: Path) -> Config:
    """The same, to be changed."""
    shutil.copytree(rendered.file.parent, tmp_path / "place")
    return load_config(tmp_path / "place" / rendered.file.name)


def line(place: Config, language: str) -> Path:
    return place.prompts / "_withdrawal" / "voorbeeld" / language


def problems(place: Config) -> list[str]:
    error = CliRunner().invoke(check_line, obj=place).exception
    assert isinstance(error, AudioError)
    return error.what.splitlines()


def test_the_line_says_everything_in_each_language_of_its_controller(place: Config) -> None:
    prompts = load_prompt_set(line(place, "nl"), WITHDRAWAL_LINE)
    assert "Voorbeeld BV" in prompts.parts["greeting"].text
    assert "hekje" in prompts.parts["ask_last"].text
    assert prompts.parts["menu"].text == "Voor Nederlands toetst u 1."
    assert load_prompt_set(line(place, "en"), WITHDRAWAL_LINE).parts["menu"].text == "For English, press 2."


def test_every_digit_is_a_word_and_groups_are_apart(place: Config) -> None:
    digits = load_prompt_set(place.prompts / "_digits" / "nl", DIGITS)
    assert [part.text for part in digits.parts.values()][:3] == ["nul.", "één.", "twee."]
    assert digits.parts["pause"].text == ""
    assert digits.parts["pause"].duration_ms > 300


def test_what_was_rendered_passes_the_check_until_it_is_changed(place: Config) -> None:
    assert run(place, "check-line").exit_code == 0

    (line(place, "nl") / "confirm.alaw").write_bytes(b"")
    (place.prompts / "_digits" / "en" / "7.wav").unlink()
    digit, part = problems(place)
    assert digit.startswith("digits/en: ")
    assert "7.wav" in digit
    assert part.startswith("voorbeeld/nl: ")
    assert "confirm.alaw" in part


def test_a_line_that_says_something_else_than_its_text_is_found(place: Config) -> None:
    file = place.policies / "p1-nl.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("Voorbeeld BV", "Ander BV"), encoding="utf-8")
    assert problems(place) == [
        f"voorbeeld/{language}: it does not say what its text says now" for language in ("nl", "en")
    ]


def test_a_controller_without_policies_is_refused(place: Config) -> None:
    result = CliRunner().invoke(check_line, ["--controller", "niemand"], obj=place)
    assert result.exit_code == 2
    assert "niemand" in result.output
