"""Names and numbers that were made to do harm: recorded like any other call, and nothing happens."""

import json
from urllib.parse import unquote

import pytest

from asterisk_consent.ledger import Kind
from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.main_round import HOSTILE_NAMES, HOSTILE_NUMBERS, INJECTED
from tests.pbx.scenarios.round import Round


@pytest.mark.parametrize("title", [*HOSTILE_NAMES, *HOSTILE_NUMBERS])
def test_a_hostile_caller_is_asked_and_recorded_as_any_other(asked: Round, title: str) -> None:
    call = asked[title]
    assert call.decision.outcome is Outcome.GIVEN
    assert call.end[0] is Kind.RECORDING_VERIFIED


@pytest.mark.parametrize("title", [title for title, name in HOSTILE_NAMES.items() if isinstance(name, str)])
def test_a_hostile_name_is_kept_as_it_was_sent(asked: Round, title: str) -> None:
    name = HOSTILE_NAMES[title]
    assert isinstance(name, str)
    sent = name.replace("\\", "\\\\").replace('"', '\\"')
    kept = asked[title].decision.caller_name
    assert kept
    assert sent.startswith(kept)
    assert len(kept) >= min(len(sent), 60)


@pytest.mark.parametrize("title", HOSTILE_NUMBERS)
def test_a_hostile_number_is_kept_as_it_was_sent(asked: Round, title: str) -> None:
    assert asked[title].decision.caller == unquote(HOSTILE_NUMBERS[title])


def test_nothing_that_a_caller_wrote_was_carried_out(asked: Round, pbx: DevelopmentPbx) -> None:
    assert "shell in the number" in asked.calls
    in_asterisk = pbx.settings.root / INJECTED.removeprefix("/")
    assert not in_asterisk.exists()
    assert list((pbx.settings.root / "tmp").glob("*inject*")) == []


def test_the_list_of_calls_shows_hostile_text_escaped(asked: Round, pbx: DevelopmentPbx) -> None:
    for arguments in (("list",), ("list", "--json")):
        shown = pbx.consent("calls", *arguments)
        assert all(letter.isprintable() for letter in shown.replace("\n", ""))


def test_a_call_that_is_opened_shows_hostile_text_escaped(asked: Round, pbx: DevelopmentPbx) -> None:
    call = asked["commas and quotes in the number"]
    assert call.decision.caller is not None
    assert "\x1b" in call.decision.caller
    why = ("--open", "--reason", "a test of hostile text")
    shown = pbx.consent_as_root("calls", "show", call.header.call_id, *why)
    assert all(letter.isprintable() for letter in shown.replace("\n", ""))
    opened = json.loads(shown)["opened"]
    assert opened[0]["payload"]["caller"] == call.decision.caller
    assert opened[-1]["kind"] == "proof.opened"
