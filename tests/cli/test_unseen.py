"""What is typed in place of ``-`` at a terminal: prompted in one order, and what finds somebody is not shown."""

from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from asterisk_consent.cli import unseen
from asterisk_consent.cli.asking import erase, restrict, withdraw
from asterisk_consent.cli.calls import calls
from asterisk_consent.cli.objecting import object_


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool, bool]]:
    """A terminal; what it was prompted for, whether unseen, and whether beside what is printed."""
    prompted: list[tuple[str, bool, bool]] = []

    def prompt(text: str, *, hide_input: bool, err: bool) -> str:
        prompted.append((text, hide_input, err))
        return f"typed {text}"

    monkeypatch.setattr(unseen, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr(click, "prompt", prompt)
    return prompted


def test_a_terminal_is_prompted_in_one_order_and_shows_nothing_that_finds_somebody(
    asked: list[tuple[str, bool, bool]],
) -> None:
    given: dict[str, Any] = {}

    @click.command()
    @click.option("--asked-by", default="")
    @unseen.number_option(about="Whose.")
    @unseen.receipt_option(about="Which.")
    @unseen.reading_unseen
    def command(**values: Any) -> None:
        given.update(values)

    result = CliRunner().invoke(command, ["--asked-by", "-", "--receipt", "-", "--number", "-"])
    assert result.exit_code == 0, result.exception
    assert asked == [("Number", True, True), ("Receipt", True, True), ("Who asks", False, True)]
    assert given == {"number": "typed Number", "receipt": "typed Receipt", "asked_by": "typed Who asks"}


@pytest.mark.parametrize(
    "command", [withdraw, erase, restrict, object_, calls.commands["list"]], ids=lambda each: each.name
)
def test_every_option_that_names_somebody_reads_a_dash_and_says_so(
    command: click.Command, asked: list[tuple[str, bool, bool]]
) -> None:
    options = [
        each for each in command.params if isinstance(each, click.Option) and each.name in unseen.ORDER
    ]
    assert options
    assert all(unseen.HINT in str(each.help) for each in options)
    words = [word for each in options for word in (each.opts[0], "-")]
    CliRunner().invoke(command, words, obj=object())
    assert [text for text, _, _ in asked] == [
        each.prompt for name, each in unseen.ORDER.items() if name in {option.name for option in options}
    ]
