"""``prompts``: announcements are rendered or imported, checked in word and sound, and played to a telephone."""

import shutil
from pathlib import Path

import pytest
import soundfile
import soxr
from click.testing import CliRunner, Result

from asterisk_consent.cli.prompts import prompts
from asterisk_consent.config import Config, load_config
from asterisk_consent.errors import AudioError, ConfigError, PbxError
from asterisk_consent.prompts.rendered import load_prompt_set
from tests.cli.conftest import POLICIES
from tests.policy.shipped import reviewed_texts


def run(config: Config, *arguments: str) -> Result:
    return CliRunner().invoke(prompts, arguments, obj=config)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A place with the announcement of one policy."""
    directory = tmp_path_factory.mktemp("prompts")
    (directory / "policies").mkdir()
    shutil.copy(POLICIES / "p2-nb.toml", directory / "policies")
    file = directory / "asterisk-consent.toml"
    file.write_text(
        '[asterisk]\nari_password = "x"\nami_secret = "x"\n[paths]\npolicies = "policies"\nprompts = "prompts"\n'
    )
    config = load_config(file)
    result = run(config, "render")
    assert result.exit_code == 0, result.output
    assert "unreviewed" in result.output
    assert "placeholder" in result.output
    return config


@pytest.fixture
def place(rendered: Config, tmp_path: Path) -> Config:
    """The same, to be changed."""
    shutil.copytree(rendered.file.parent, tmp_path / "place")
    return load_config(tmp_path / "place" / rendered.file.name)


def announcement(place: Config) -> Path:
    return place.prompts / "p2-nb" / "1" / "nb"


def problems(place: Config) -> list[str]:
    error = run(place, "check").exception
    assert isinstance(error, AudioError)
    return str(error).splitlines()


def test_an_announcement_lies_under_policy_version_and_language(place: Config) -> None:
    prompts = load_prompt_set(announcement(place))
    assert "Eksempel AS" in prompts.parts["information"].text
    assert prompts.parts["question"].text.startswith("Trykk 1")
    assert list(prompts.parts) == ["information", "question"]


def test_what_was_rendered_passes_the_check_until_it_is_changed(place: Config) -> None:
    assert run(place, "check").exit_code == 0

    (announcement(place) / "question.alaw").write_bytes(b"")
    (problem,) = problems(place)
    assert problem.startswith("p2-nb: ")
    assert "question.alaw" in problem


def test_a_change_of_the_policy_that_is_not_spoken_is_found(place: Config) -> None:
    file = place.policies / "p2-nb.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('keep = "90 days"', 'keep = "30 days"'), encoding="utf-8"
    )
    assert problems(place) == [
        "p2-nb/nb: it does not say what the policy and its text say now. Render or import it again"
    ]


def test_an_announcement_longer_than_the_conversation_is_found(place: Config) -> None:
    file = place.policies / "p2-nb.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n[timing]\noverall_s = 10\n", encoding="utf-8")
    (problem,) = problems(place)
    assert "the whole conversation 10 s at most: shorten the text" in problem


def test_words_that_say_too_little_are_found(place: Config, tmp_path: Path) -> None:
    texts = reviewed_texts(tmp_path / "texts")
    file = texts / "nb/p2.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(line for line in lines if not line.startswith("withdrawal")), encoding="utf-8")
    error = run(place, "check", "--texts", str(texts)).exception
    assert isinstance(error, AudioError)
    assert "p2-nb: nb/p2.toml: information.withdrawal: nothing says that consent can be withdrawn" in str(
        error
    )


def test_a_studio_recording_takes_the_place_of_the_placeholder(place: Config, tmp_path: Path) -> None:
    studio = tmp_path / "studio"
    studio.mkdir()
    for part in ("information", "question"):
        samples, rate = soundfile.read(announcement(place) / f"{part}.wav")
        soundfile.write(studio / f"{part}.flac", soxr.resample(samples, rate, 48000), 48000)
    result = run(place, "import", "p2-nb", "nb", str(studio), "--spoken-by", "K. Nordmann")
    assert result.exit_code == 0, result.output
    assert "voice K. Nordmann" in result.output
    assert "placeholder" not in result.output
    assert run(place, "check").exit_code == 0
    assert load_prompt_set(announcement(place)).spoken_by == "K. Nordmann"


def test_a_recording_that_cannot_be_used_leaves_what_there_was(place: Config, tmp_path: Path) -> None:
    before = load_prompt_set(announcement(place)).digest
    (tmp_path / "studio").mkdir()
    (tmp_path / "studio/question.wav").write_bytes(b"no sound")
    result = run(place, "import", "p2-nb", "nb", str(tmp_path / "studio"), "--spoken-by", "K. Nordmann")
    assert isinstance(result.exception, AudioError)
    assert "information: no recording was given" in str(result.exception)
    assert load_prompt_set(announcement(place)).digest == before


def test_a_language_in_which_the_policy_is_not_announced_is_a_usage_error(
    place: Config, tmp_path: Path
) -> None:
    result = run(place, "import", "p2-nb", "sv", str(tmp_path), "--spoken-by", "K. Nordmann")
    assert result.exit_code == 2
    assert "not announced in 'sv'" in result.output


def test_playing_to_a_telephone_without_an_asterisk_says_so(place: Config) -> None:
    error = run(place, "play", "p2-nb", "--on", "PJSIP/100").exception
    assert isinstance(error, PbxError)


def test_a_policy_whose_announcement_was_never_rendered_fails_the_check(config: Config) -> None:
    assert isinstance(run(config, "check").exception, AudioError)


def test_a_policy_that_does_not_exist_is_a_usage_error(config: Config) -> None:
    for command in ("render", "check"):
        result = run(config, command, "--policy", "no-such")
        assert result.exit_code == 2
        assert "no-such" in result.output


def test_a_missing_text_is_a_configuration_error(config: Config, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    error = run(config, "render", "--texts", str(tmp_path / "texts")).exception
    assert isinstance(error, ConfigError)
    assert "p1.toml" in str(error)
