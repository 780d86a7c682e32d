"""The command line as a whole: its exit status, and that every error says what, where, and what to do."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from asterisk_consent import cli as command_line
from asterisk_consent.cli import cli, main
from asterisk_consent.config import Config
from asterisk_consent.ledger import Ledger
from tests.ledger.entries import decision, hex_id
from tests.ledger.open_sealing import OpenSealer
from tests.ledger.tampering import tampering


@pytest.fixture
async def config_with_call(config: Config) -> Config:
    ledger = await Ledger.open(config.ledger_path, sealer=OpenSealer())
    await ledger.append(decision(1, recording=1))
    await ledger.close()
    return config


def status_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["asterisk-consent", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def paths_of_commands(command: click.Command, *before: str) -> Iterator[tuple[str, ...]]:
    yield before
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from paths_of_commands(inner, *before, name)


@pytest.mark.parametrize("path", list(paths_of_commands(cli)), ids=" ".join)
def test_help_needs_no_configuration(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arguments = ("--config", str(tmp_path / "none.toml"), *path, "--help")
    assert status_of(monkeypatch, *arguments) == 0


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("calls", "list"), 0),
        (("recordings", "list"), 0),
        (("ledger", "verify"), 0),
        (("calls", "show", hex_id(9)), 1),
        (("recordings", "export", hex_id(1), "--reason", "x", "--to", "y", "-o", "/nowhere/out.wav"), 1),
        (("bypass", "status"), 1),
        (("prompts", "check"), 1),
        (("calls", "lost"), 2),
        (("calls", "list", "--limit", "0"), 2),
        (("bypass", "on"), 2),
        (("recordings", "export", hex_id(1)), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_exit_status_tells_what_happened_while_the_service_is_away(
    config_with_call: Config,
    arguments: tuple[str, ...],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status_of(monkeypatch, "--config", str(config_with_call.file), *arguments) == status
    printed = capsys.readouterr()
    assert bool(printed.err) == (status != 0)
    assert "Traceback" not in printed.err


def test_a_chain_that_does_not_verify_ends_with_4(
    config_with_call: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with tampering(config_with_call.ledger_path) as connection:
        connection.execute("UPDATE chain SET header = replace(header, 'p1-nl', 'p2-nl') WHERE seq = 2")
    arguments = ("--config", str(config_with_call.file), "ledger", "verify")
    assert status_of(monkeypatch, *arguments) == 4
    assert_says_what_where_and_what_to_do(capsys.readouterr().err, str(config_with_call.ledger_path))
    assert status_of(monkeypatch, *arguments, "--json") == 4


def test_an_unexpected_error_ends_with_3_and_is_told_whole(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(command_line.cli, "invoke", fail)
    assert status_of(monkeypatch, "--config", str(config.file), "calls", "list") == 3
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert printed.endswith(
        "unexpected: ZeroDivisionError: a defect. This is a defect: report it with the lines above\n"
    )


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("calls", "show", "ffffffff"), "ffffffff"),
        (("recordings", "verify", hex_id(9)), hex_id(9)),
        (("recordings", "verify", hex_id(1)), hex_id(1)),
        (("bypass", "status"), "http://127.0.0.1:1/ari"),
        (("bypass", "on", "--reason", "a test"), "http://127.0.0.1:1/ari"),
        (("prompts", "check"), "prompts.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_error_says_what_where_and_what_to_do(
    config_with_call: Config,
    arguments: tuple[str, ...],
    where: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status_of(monkeypatch, "--config", str(config_with_call.file), *arguments) == 1
    assert_says_what_where_and_what_to_do(capsys.readouterr().err, where)


def test_before_the_service_ever_ran_commands_say_why_not(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (("calls", "list"), ("recordings", "list"), ("ledger", "verify"), ("ledger", "rebuild")):
        assert status_of(monkeypatch, "--config", str(config.file), *arguments) == 1
        assert_says_what_where_and_what_to_do(capsys.readouterr().err, str(config.ledger_path))


def test_every_problem_of_the_configuration_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "asterisk-consent.toml"
    file.write_text(
        'region = "nl"\n[asterisk]\nari_password = ""\nami_port = 99999\namy_secret = "x"\n'
        "[limits]\nmin_free_mb = true\nmetrics_port = 1.5\n"
    )
    assert status_of(monkeypatch, "--config", str(file), "calls", "list") == 2
    told = capsys.readouterr().err.removeprefix("asterisk-consent: ").splitlines()
    assert all(line.startswith(f"{file}:") for line in told)
    for at, key in (
        (1, "region"),
        (3, "ari_password"),
        (4, "ami_port"),
        (2, "ami_secret"),
        (5, "amy_secret"),
        (7, "min_free_mb"),
        (8, "metrics_port"),
    ):
        (line,) = (line for line in told if f".{key}: " in line or f" {key}: " in line)
        assert line.startswith(f"{file}:{at}: "), key


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"\xff", "UTF-8"), (b"a b", "TOML")])
def test_an_unreadable_configuration_ends_with_2_and_names_the_file(
    tmp_path: Path,
    content: bytes | None,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "asterisk-consent.toml"
    if content is not None:
        file.write_bytes(content)
    assert status_of(monkeypatch, "--config", str(file), "calls", "list") == 2
    printed = capsys.readouterr().err
    assert printed.count(str(file)) == 1
    assert why in printed


def test_a_reader_that_closes_early_gets_no_traceback(config_with_call: Config) -> None:
    program = [sys.executable, "-c", "from asterisk_consent.cli import main; main()"]
    arguments = ["--config", str(config_with_call.file), "calls", "list", "--json"]
    with subprocess.Popen(
        [*program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, printed = process.communicate(timeout=60)
    assert "Traceback" not in printed


def assert_says_what_where_and_what_to_do(printed: str, where: str) -> None:
    """What is wrong, and after a full stop what to do; the place is named."""
    assert printed.startswith("asterisk-consent: ")
    assert where in printed
    what, stop, remedy = printed.rpartition(". ")
    assert stop, printed
    assert what
    assert remedy[0].isupper()
