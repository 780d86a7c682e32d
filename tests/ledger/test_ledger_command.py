"""``ledger verify`` and ``ledger rebuild`` as a person or a script meets them."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli.ledger import ledger as command
from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.ledger import list_calls
from tests.ledger.tampering import tampering


@dataclass(frozen=True)
class Place:
    ledger_path: Path


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, obj=Place(path))


def test_verify_prints_a_head_that_a_later_verify_takes(filled: Path) -> None:
    printed = run(filled, "verify").output
    assert printed.startswith("4 entries hold.")
    assert run(filled, "verify", *printed.partition("Head: ")[2].split()).exit_code == 0


def test_verify_with_a_head_of_another_history_is_broken(filled: Path) -> None:
    result = run(filled, "verify", "--json", "--seq", "3", "--head", "00" * 32)
    assert result.exit_code == 4
    assert json.loads(result.output)["problem"]["seq"] == 3


def test_a_broken_chain_exits_with_4_in_words_and_as_json(filled: Path) -> None:
    with tampering(filled) as connection:
        connection.execute("UPDATE chain SET header = replace(header, 'p1-nl', 'p2-nl') WHERE seq = 3")
    in_words = run(filled, "verify")
    assert isinstance(in_words.exception, LedgerBrokenError)
    assert in_words.exception.exit_status == 4
    as_json = run(filled, "verify", "--json")
    assert as_json.exit_code == 4
    report = json.loads(as_json.output)
    assert (report["verified"], report["entries"], report["problem"]["seq"]) == (False, 2, 3)


@pytest.mark.parametrize("arguments", [("--seq", "3"), ("--head", "00"), ("--seq", "1", "--head", "xyz")])
def test_half_a_head_is_wrong_usage(filled: Path, arguments: tuple[str, ...]) -> None:
    assert run(filled, "verify", *arguments).exit_code == 2


def test_rebuild_brings_back_what_was_lost_for_reading(filled: Path) -> None:
    before = list_calls(filled)
    with tampering(filled) as connection:
        connection.execute("DELETE FROM call")
    assert run(filled, "verify").exit_code != 0
    assert json.loads(run(filled, "rebuild", "--json").output) == {"entries": 4}
    assert list_calls(filled) == before
    assert run(filled, "verify").exit_code == 0
