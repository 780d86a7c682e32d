"""``policy try``: a conversation that can be read, scripted by lines or typed at a terminal."""

import os
import pty
import subprocess
import sys
import termios
import time

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.cli.keys import keys_of_lines
from asterisk_consent.cli.policy_try import try_
from asterisk_consent.config import Config
from tests.cli.conftest import POLICIES

P1 = str(POLICIES / "p1-nl.toml")


def run(*arguments: str, typed: str = "", config: Config | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(try_, arguments, input=typed, obj=config)


def rows(output: str) -> dict[str, str]:
    """The rows of what it came to, by their label."""
    lines = [line for line in output.splitlines() if line[:1].strip() and line[15:16] == " "]
    return {line[:16].strip(): line[16:] for line in lines}


def test_an_agreement_is_read_from_its_announcement_to_its_consequences() -> None:
    result = run(P1, typed="\n1\n")
    assert result.exit_code == 0, result.output
    assert "information (nl)\n  Welkom bij Voorbeeld BV." in result.output
    assert "question (nl)\n  Toets 1 als wij mogen opnemen" in result.output
    came_to = rows(result.output)
    assert came_to["outcome"] == "given, by digit 1: the caller agreed"
    assert came_to["recorded"].startswith("the conversation with whom the caller is put through to")
    assert came_to["purposes"] == "training: granted"
    assert "quality: not granted, not announced in nl" in result.output
    assert came_to["number kept"] == "+442079460101, with the proof, for 5 years"
    assert came_to["dialplan reads"] == "CONSENT_OUTCOME=given"
    assert "CONSENT_RECORDED=1" in result.output


@pytest.mark.parametrize(
    ("policy", "typed", "outcome"),
    [
        ("p1-nl", "2\n", "refused, by digit 2: the caller does not agree"),
        ("p1-nl", "\n" * 5, "no_choice: the caller made no choice that counts (no digit)"),
        ("p1-nl", "\nt\n", "no_choice: the caller made no choice that counts (overall time-out)"),
        ("p1-nl", "", "abandoned: the caller hung up (hung up)"),
        ("p3-nl", "\n", "informed: the caller was told all of it"),
        ("p5-be", "9\n", "objected, by digit 9: the caller objects"),
        ("p4-plain", "", "off: nothing is asked, recorded or kept; the call goes on as it is"),
    ],
)
def test_every_answer_is_told_for_what_it_is(policy: str, typed: str, outcome: str) -> None:
    result = run(str(POLICIES / f"{policy}.toml"), typed=typed)
    assert result.exit_code == 0, result.output
    assert rows(result.output)["outcome"] == outcome


def test_what_happens_meanwhile_is_said() -> None:
    early = run(P1, typed="1\n\n\n\nq").output
    assert "> 1\n  (1 has no effect now)" in early
    assert "(silence, for 5 s at most)\n  (no digit comes)" in early
    assert "> (hangs up)" in early
    assert "(the information stops)" in run(P1, typed="2").output
    late = run(str(POLICIES / "p5-be.toml"), typed="1\n5\n\n\n\n\n\n").output
    assert "silence will not count as having nothing against it" in late
    assert rows(late)["outcome"].startswith("no_choice")


def test_who_calls_and_what_is_dialled_can_be_said() -> None:
    english = run(P1, "--dialled", "1021", "--caller", "020 794 6010", typed="\n1").output
    assert "information (en)" in english
    assert rows(english)["number kept"].startswith("+31207946010")
    assert rows(run(P1, "--withheld", typed="\n1").output)["number kept"] == "none: the caller withheld it"
    excluded = run(str(POLICIES / "p5-be.toml"), "--dialled", "1008").output
    assert rows(excluded)["outcome"].startswith("off")


def test_a_policy_of_the_configuration_is_tried_by_its_id(config: Config) -> None:
    assert "p2-nb version 1" in run("p2-nb", config=config).output


def test_lines_are_keys_and_an_empty_line_is_enter() -> None:
    assert list(keys_of_lines(["\n", "1 2\n", "  \n", "q"])) == ["\n", "1", "2", "\n", "q"]


@given(typed=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_whatever_is_typed_ends_and_is_shown_and_never_obeyed(typed: str) -> None:
    result = run(P1, typed=typed)
    assert result.exit_code == 0, result.output
    assert "outcome" in rows(result.output)
    assert not {c for c in result.output if not c.isprintable()} - {"\n"}


def test_at_a_terminal_every_key_counts_at_once_and_the_terminal_is_left_as_it_was() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    command = "from asterisk_consent.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "policy", "try", P1], stdin=theirs, stdout=subprocess.PIPE, text=True
    ) as process:
        _wait_for_single_keys(theirs)
        os.write(ours, b"\r")
        os.write(ours, b"1")
        output, _ = process.communicate(timeout=20)
    after = termios.tcgetattr(theirs)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert rows(output)["outcome"] == "given, by digit 1: the caller agreed"
    assert after == before


def _wait_for_single_keys(terminal: int) -> None:
    until = time.monotonic() + 20
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        assert time.monotonic() < until
        time.sleep(0.02)
