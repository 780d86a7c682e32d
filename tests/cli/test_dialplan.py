"""``dialplan``: what it prints is what it writes, and neither needs a configuration."""

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli import cli
from asterisk_consent.emergency import emergency_dialplan
from asterisk_consent.errors import ConfigError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--config", "/nowhere/none.toml", "dialplan", "emergency", *arguments])


def test_the_list_is_printed_without_a_configuration() -> None:
    shown = run("--country", "NL", "--country", "BE")

    assert (shown.exit_code, shown.output) == (0, emergency_dialplan(["BE", "NL"], ["0", "9"]))


def test_the_list_is_written_over_an_older_one(tmp_path: Path) -> None:
    file = tmp_path / "emergency.conf"
    file.write_text("older\n" * 1000)

    assert run("--country", "NO", "--prefix", "8", "-o", str(file)).output == ""
    assert file.read_text() == emergency_dialplan(["NO"], ["8"])


@pytest.mark.parametrize("prefixes", [("0", "*9"), ("",)])
def test_the_command_that_a_list_names_makes_it_again(prefixes: tuple[str, ...]) -> None:
    text = emergency_dialplan(["SE", "DE"], prefixes)
    (line,) = (line for line in text.splitlines() if "asterisk-consent dialplan emergency" in line)

    assert run(*shlex.split(line.lstrip("; "))[3:]).output == text


def test_a_country_has_to_be_named() -> None:
    assert run().exit_code == 2


def test_a_file_that_cannot_be_written_is_named() -> None:
    failed = run("--country", "NL", "-o", "/nowhere/emergency.conf").exception

    assert isinstance(failed, ConfigError)
    assert str(failed).startswith(
        "/nowhere/emergency.conf: cannot be written: No such file or directory. Name"
    )
