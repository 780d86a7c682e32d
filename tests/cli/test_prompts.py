"""``prompts``: the announcements of all policies are rendered, and checked against what was rendered."""

from pathlib import Path

from click.testing import CliRunner, Result

from asterisk_consent.cli.prompts import prompts
from asterisk_consent.config import Config
from asterisk_consent.errors import AudioError, ConfigError
from asterisk_consent.prompts.rendered import load_prompt_set


def run(config: Config, *arguments: str) -> Result:
    return CliRunner().invoke(prompts, arguments, obj=config)


def test_every_policy_gets_its_announcement_where_the_service_looks_for_it(config: Config) -> None:
    result = run(config, "render")
    assert result.exit_code == 0, result.output
    rendered = load_prompt_set(config.prompts / "p1-nl" / "nl")
    assert "Voorbeeld BV" in rendered.parts["information"].text
    assert rendered.parts["question"].text.startswith("Toets 1")
    assert "unreviewed" in result.output
    assert "placeholder" in result.output


def test_what_was_rendered_passes_the_check_until_it_is_changed(config: Config) -> None:
    run(config, "render")
    assert run(config, "check").exit_code == 0

    (config.prompts / "p1-nl" / "nl" / "question.alaw").write_bytes(b"")
    error = run(config, "check").exception
    assert isinstance(error, AudioError)
    assert "p1-nl" in str(error)
    assert "question.alaw" in str(error)


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
