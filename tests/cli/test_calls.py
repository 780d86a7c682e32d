"""``calls``: what became of every call, for people and for programs, with or without a running service."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli.calls import calls
from asterisk_consent.config import Config
from asterisk_consent.errors import LedgerError, LedgerUnavailableError, RequestRefusedError
from asterisk_consent.ledger import Kind, Ledger, NewEntry, Recording, decision_kind, decision_payload
from asterisk_consent.ledger.payload import Gone
from asterisk_consent.model import Direction, Outcome, RecordingId
from asterisk_consent.vault.identities import add_identity
from asterisk_consent.vault.names import kept_path
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.ledger.entries import CALLER, CONTROLLER, NOW, decision, hex_id
from tests.vault.keyring import Keyring, give_keys

OUTCOMES = (Outcome.GIVEN, Outcome.REFUSED, Outcome.NO_CHOICE, Outcome.ABANDONED, Outcome.FAILED)
KEYS = {
    "call_id",
    "started_at",
    "controller",
    "policy",
    "policy_version",
    "language",
    "direction",
    "outcome",
    "played_ms",
    "recording",
}


async def fill(config: Config, *entries: NewEntry) -> Config:
    give_keys(CONTROLLER, config.keys)
    add_identity(CONTROLLER, config.identities, [Keyring(config.keys).here.secret])
    ledger = await Ledger.open(config.ledger_path, sealer=ProofKeys(config.keys))
    for entry in entries:
        await ledger.append(entry)
    await ledger.close()
    return config


def ended(number: int, kind: Kind, *, reason: str = "") -> NewEntry:
    payload = Recording(
        recording_id=hex_id(number), reason=reason, duration_ms=12_500, sha256="cd" * 32, size=400_044
    )
    return NewEntry(stream=CONTROLLER, kind=kind, call_id=hex_id(number), payload=payload)


@pytest.fixture
async def config_with_calls(config: Config) -> Config:
    """One call of each outcome; the first has a verified recording."""
    decisions = [decision(number, outcome) for number, outcome in enumerate(OUTCOMES[1:], 2)]
    return await fill(config, decision(1, recording=1), *decisions, ended(1, Kind.RECORDING_VERIFIED))


def run(config: Config, *arguments: str) -> Result:
    return CliRunner().invoke(calls, arguments, obj=config)


def listed(config: Config) -> list[dict[str, object]]:
    answer: list[dict[str, object]] = json.loads(run(config, "list", "--json").output)
    return answer


def test_json_has_every_promised_key_for_every_outcome(config_with_calls: Config) -> None:
    answer = listed(config_with_calls)
    assert [call["outcome"] for call in answer] == [outcome.value for outcome in OUTCOMES]
    assert all(call.keys() >= KEYS for call in answer)
    assert all(call.keys().isdisjoint({"caller", "caller_name", "digit", "dialled"}) for call in answer)
    assert {call["started_at"] for call in answer} == {"2027-01-15T08:00:00+00:00"}


def test_json_of_an_agreement_tells_of_its_recording(config_with_calls: Config) -> None:
    given = listed(config_with_calls)[0]
    assert given["direction"] == "incoming"
    assert given["recording"] == {
        "id": hex_id(1),
        "state": "verified",
        "duration_s": 12.5,
        "reason": None,
        "erased_at": None,
    }


def test_without_an_agreement_there_is_no_recording(config_with_calls: Config) -> None:
    assert [call["recording"] for call in listed(config_with_calls)[1:]] == [None] * 4


def test_nothing_that_is_shown_without_a_key_names_the_caller(config_with_calls: Config) -> None:
    commands = (("list",), ("list", "--json"), ("show", hex_id(1)))
    shown = [run(config_with_calls, *each).output for each in commands]
    assert not any(text in output for output in shown for text in (CALLER, CALLER[1:], "Anna", "1001"))


async def test_an_erased_recording_is_told_and_no_mismatch(config: Config) -> None:
    gone = Gone(recording_id=hex_id(1), reason="withdrawal")
    erasure = NewEntry(stream=CONTROLLER, kind=Kind.RECORDING_ERASED, call_id=hex_id(1), payload=gone)
    await fill(config, decision(1, recording=1), ended(1, Kind.RECORDING_VERIFIED), erasure)
    (call,) = listed(config)
    recording = call["recording"]
    assert isinstance(recording, dict)
    assert recording["erased_at"]
    assert call["mismatch"] is None
    assert "erased" in run(config, "list").output


async def test_an_open_recording_has_a_state_that_is_not_final_and_no_length(config: Config) -> None:
    await fill(config, decision(1, recording=1))
    recording = listed(config)[0]["recording"]
    assert isinstance(recording, dict)
    assert (recording["state"], recording["duration_s"]) == ("allowed", None)


@pytest.mark.parametrize(
    ("kind", "bytes_there", "mismatch"),
    [
        (Kind.RECORDING_VERIFIED, None, "agreement without file"),
        (Kind.RECORDING_VERIFIED, 400_043, "file of another size"),
        (Kind.RECORDING_VERIFIED, 400_044, None),
        (Kind.RECORDING_NOT_STARTED, None, "why"),
        (Kind.RECORDING_NOT_STARTED, 1, "file without agreement"),
        (Kind.RECORDING_FAILED, 400_044, "why"),
    ],
)
async def test_what_does_not_fit_between_ledger_and_files_is_told(
    config: Config, kind: Kind, bytes_there: int | None, mismatch: str | None
) -> None:
    reason = "" if kind is Kind.RECORDING_VERIFIED else "why"
    await fill(config, decision(1, recording=1), ended(1, kind, reason=reason))
    if bytes_there is not None:
        kept_path(RecordingId(hex_id(1)), config.vault).write_bytes(bytes(bytes_there))
    assert listed(config)[0]["mismatch"] == mismatch
    if mismatch:
        assert mismatch in run(config, "list").output


def test_the_list_for_people_shows_the_outcome_whole(config_with_calls: Config) -> None:
    shown = run(config_with_calls, "list").output.splitlines()
    assert [outcome.value in line for outcome, line in zip(OUTCOMES, shown[1:], strict=True)] == [True] * 5


async def test_the_list_for_people_shows_the_language_and_none_where_none_was_chosen(config: Config) -> None:
    await fill(config, replace(decision(1), language="fr"), replace(decision(2), language=""))
    heading, *shown = run(config, "list").output.splitlines()
    at = heading.index("language")
    assert [line[at : at + 2].strip() for line in shown] == ["fr", "–"]


def test_limit_gives_the_latest_calls(config_with_calls: Config) -> None:
    answer = json.loads(run(config_with_calls, "list", "--json", "--limit", "2").output)
    assert [call["outcome"] for call in answer] == ["abandoned", "failed"]


def test_before_the_service_ever_ran_the_list_says_why_there_is_none(config: Config, tmp_path: Path) -> None:
    error = run(config, "list", "--json").exception
    assert isinstance(error, LedgerError)
    assert str(tmp_path) in str(error)
    assert "service" in error.remedy


def test_a_ledger_that_may_not_be_looked_at_is_told_from_none(config: Config) -> None:
    unreachable = replace(config, ledger_path=config.vault / ("x" * 300))
    error = run(unreachable, "list").exception
    assert isinstance(error, LedgerUnavailableError)
    assert "File name too long" in str(error)
    assert "rights" in error.remedy


async def test_a_vault_that_may_not_be_looked_at_is_told_beside_the_call(config: Config) -> None:
    await fill(config, decision(1, recording=1), ended(1, Kind.RECORDING_VERIFIED))
    (call,) = listed(replace(config, vault=config.vault / ("x" * 300)))
    assert call["mismatch"] == "the vault cannot be read (File name too long)"


async def test_an_empty_ledger_lists_nothing(config: Config) -> None:
    await fill(config)
    assert listed(config) == []
    assert "No call has been asked yet." in run(config, "list").output


async def test_text_from_outside_cannot_reach_the_terminal(config: Config) -> None:
    hostile = "\x1b[2J\r\n\u202e$(reboot)"
    payload = decision_payload(
        outcome=Outcome.FAILED,
        started_at=NOW,
        direction=Direction.INCOMING,
        dialled="1001",
        channel="PJSIP/caller-1",
        caller=None,
        caller_name=hostile,
        withheld=False,
        digit="",
        played_ms=0,
        information_ms=0,
        recording_id=None,
        reason=hostile,
    )
    kind = decision_kind(Outcome.FAILED)
    await fill(
        config, NewEntry(stream="system", kind=kind, call_id=hex_id(1), policy="p-\x1b", payload=payload)
    )
    printed = run(config, "list").output
    assert all(line.isprintable() for line in printed.splitlines())
    assert "\\x1b[2J\\r\\n\\u202e$(reboot)" in printed


async def test_show_takes_the_beginning_of_an_id_that_the_list_shows(config: Config) -> None:
    await fill(config, replace(decision(1), call_id="ab" * 16))
    assert json.loads(run(config, "show", "abababab").output)["call_id"] == "ab" * 16


@pytest.mark.parametrize("given", ["ababab", "ffffffff", "../../../etc", "%_______", "ABABABAB", ""])
async def test_show_refuses_what_names_no_call(config: Config, given: str) -> None:
    await fill(config, replace(decision(1), call_id="ab" * 16))
    error = run(config, "show", given).exception
    assert isinstance(error, RequestRefusedError)
    assert "no such call" in str(error)
    assert "calls list" in error.remedy


async def test_show_refuses_a_beginning_that_several_calls_share(config: Config) -> None:
    await fill(config, decision(1), decision(2))
    assert "2 calls begin so" in str(run(config, "show", "0" * 8).exception)
    assert run(config, "show", hex_id(2)).exit_code == 0
