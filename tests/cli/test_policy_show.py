"""``policy show``: pages without a configuration, one file a language, and what keeps them from being published."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli import cli
from asterisk_consent.cli.policy_show import show
from asterisk_consent.config import Config
from asterisk_consent.errors import ConfigError, RequestRefusedError
from tests.cli.conftest import POLICIES


def run(*arguments: str, config: Config | Path = Path("/nonexistent")) -> Result:
    return CliRunner().invoke(show, arguments, obj=config)


def test_a_file_is_shown_without_a_configuration_in_every_language_that_is_announced() -> None:
    result = CliRunner().invoke(cli, ["policy", "show", str(POLICIES / "p1-nl.toml")])
    assert result.exit_code == 0, result.output
    assert "Als u niets toetst" in result.stdout
    assert "If you press nothing" in result.stdout
    assert "“Toets 1 als wij mogen opnemen" in result.stdout


def test_a_policy_of_the_configuration_is_shown_by_its_id(config: Config) -> None:
    assert "Eksempel AS" in run("p2-nb", config=config).stdout


def test_a_policy_that_is_off_is_shown_in_every_language() -> None:
    result = run(str(POLICIES / "p4-plain.toml"))
    assert result.exit_code == 0
    assert "These calls are not recorded." in result.stdout
    assert "Ces appels ne sont pas enregistrés." in result.stdout


def test_each_language_is_a_file_that_names_the_others(tmp_path: Path) -> None:
    result = run(str(POLICIES / "p5-be.toml"), "--html", str(tmp_path / "new"))
    assert result.exit_code == 0, result.output
    files = {file.name: file.read_text("utf-8") for file in (tmp_path / "new").iterdir()}
    assert set(files) == {f"p5-be.{tag}.html" for tag in ("nl", "fr", "en", "de")}
    assert '<a href="p5-be.nl.html" lang="nl" hreflang="nl">Nederlands</a>' in files["p5-be.fr.html"]
    assert "p5-be.fr.html" not in files["p5-be.fr.html"]


def test_one_language_can_be_written_into_one_file(tmp_path: Path) -> None:
    file = tmp_path / "privacy.html"
    policy = str(POLICIES / "p1-nl.toml")
    assert run(policy, "--html", str(file), "--language", "en").exit_code == 0
    assert file.read_text("utf-8").startswith('<!DOCTYPE html>\n<html lang="en">')

    result = run(policy, "--html", str(file))
    assert result.exit_code == 2
    assert "name a directory" in " ".join(result.output.replace("│", " ").split())


def test_a_language_that_is_not_announced_is_refused_with_those_that_are() -> None:
    result = run(str(POLICIES / "p1-nl.toml"), "--language", "de")
    assert result.exit_code == 2
    assert "nl, en" in result.output


def test_what_is_not_ready_is_said_beside_the_page_and_never_on_it(tmp_path: Path) -> None:
    result = run(str(POLICIES / "p1-nl.toml"), "--language", "nl")
    assert "Nobody has reviewed the wording of the announcement yet: nl." in result.stderr
    assert "reviewed" not in result.stdout

    overdue = tmp_path / "overdue.toml"
    policy = (POLICIES / "p1-nl.toml").read_text("utf-8")
    overdue.write_text(policy.replace("next_review = 2027-10-01", "next_review = 2020-10-01"), "utf-8")
    assert "the policy has 1 error" in run(str(overdue)).stderr


@pytest.mark.parametrize(
    ("named", "said"),
    [("no/such.toml", "no such file"), ("no-such.toml", "no such file"), ("no-such", "no such policy")],
)
def test_what_is_not_there_is_told_for_what_it_is(config: Config, named: str, said: str) -> None:
    error = run(named, config=config).exception
    assert isinstance(error, ConfigError)
    assert said in str(error)


def test_an_id_without_a_configuration_says_both() -> None:
    error = run("p1-nl").exception
    assert isinstance(error, ConfigError)
    assert "no such file" in str(error)
    assert "/nonexistent" in str(error)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = run(str(POLICIES / "p1-nl.toml"), "--html", str(tmp_path / "file" / "below")).exception
    assert isinstance(error, RequestRefusedError)
    assert str(tmp_path) in str(error)
