"""What every way of answering comes to: the entry, and nothing more than the entry allows."""

import json
from collections.abc import Callable

import pytest

from asterisk_consent.ledger import Decision, Kind
from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import files_holding
from tests.pbx.scenarios.main_round import WITHHELD_NUMBER
from tests.pbx.scenarios.round import Round

RECORDED = (
    "agreed",
    "agreed after the question",
    "agreed and queued",
    "agreed on the second hearing",
    "agreed too early and again",
    "pressed many digits",
    "withheld",
    "long, agreed",
    "long, agreed over FastAGI",
)
NOT_RECORDED = {
    "agreed too early": Outcome.NO_CHOICE,
    "refused in the information": Outcome.REFUSED,
    "refused": Outcome.REFUSED,
    "said nothing": Outcome.NO_CHOICE,
    "said nothing over FastAGI": Outcome.NO_CHOICE,
    "pressed wrong digits": Outcome.NO_CHOICE,
    "hung up in the information": Outcome.ABANDONED,
    "unknown policy": Outcome.FAILED,
    "long, refused": Outcome.REFUSED,
    "long, said nothing": Outcome.NO_CHOICE,
    "long, unknown policy": Outcome.FAILED,
}
GONE_WITH_THE_DIGIT = (
    "agreed and left the queue",
    "hung up with the digit",
    "hung up 10 ms after the digit",
    "hung up 100 ms after the digit",
)
SPOOL_IN_ASTERISK = "/asterisk-consent/"
FIELDS = {
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


@pytest.mark.parametrize("name", RECORDED)
def test_an_agreement_is_recorded_and_verified(asked: Round, name: str) -> None:
    call = asked[name]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.GIVEN, "1")
    assert call.end[0] is Kind.RECORDING_VERIFIED
    assert f"{call.decision.recording_id}.flac.age" in asked.vault
    assert f"{call.decision.recording_id}-caller" in call.caller.recorders


@pytest.mark.parametrize("name", NOT_RECORDED)
def test_without_an_agreement_the_outcome_is_entered_and_nothing_else(asked: Round, name: str) -> None:
    call = asked[name]
    decision = call.decision
    assert decision.outcome is NOT_RECORDED[name]
    assert (decision.recording_id, decision.caller, decision.caller_name) == (None, None, None)
    assert SPOOL_IN_ASTERISK not in call.caller.recorders


@pytest.mark.parametrize("name", GONE_WITH_THE_DIGIT)
def test_a_hang_up_right_after_the_digit_leaves_no_recording(asked: Round, name: str) -> None:
    call = asked[name]
    decision = call.decision
    if decision.outcome is Outcome.GIVEN:
        assert call.end[0] is Kind.RECORDING_NOT_STARTED
        assert f"{decision.recording_id}.flac.age" not in asked.vault
    else:
        assert (decision.outcome, decision.recording_id) == (Outcome.ABANDONED, None)


def test_an_emergency_call_is_neither_asked_nor_entered_nor_recorded(asked: Round) -> None:
    call = asked["emergency"]
    assert asked.entries.decisions(call.caller.channel) == []
    assert "MixMonitor ID" in call.caller.recorders
    assert SPOOL_IN_ASTERISK not in call.caller.recorders
    assert call.caller.rang_at - call.caller.call.placed_at < 0.5


def test_no_call_gets_a_second_decision(asked: Round) -> None:
    channels = [call.caller.channel for call in asked.calls.values()]
    assert max(len(asked.entries.decisions(channel)) for channel in channels) == 1


def test_every_recording_has_exactly_one_end(asked: Round) -> None:
    allowed = [
        decision.recording_id
        for call in asked.calls.values()
        for decision in asked.entries.decisions(call.caller.channel)
        if decision.recording_id
    ]
    assert len(allowed) > len(RECORDED)
    assert {len(asked.entries.ends(recording_id)) for recording_id in allowed} == {1}


def test_no_file_appears_before_the_entry_that_allows_it(asked: Round) -> None:
    assert len(asked.spool.allowed) >= 2 * len(RECORDED)
    assert asked.spool.unallowed == set()


def test_spool_is_empty_and_the_vault_holds_what_was_verified(asked: Round) -> None:
    kept = {
        f"{recording.recording_id}.flac.age" for _, recording in asked.entries.all_ends() if recording.sha256
    }
    assert asked.spool_left == set()
    assert asked.vault == kept


def test_the_announcement_is_measured_up_to_the_digit(asked: Round) -> None:
    call = asked["agreed"]
    heard_ms = (call.caller.pressed_at - call.caller.call.answered_at) * 1000
    assert call.decision.played_ms == pytest.approx(heard_ms, abs=400)
    assert call.decision.played_ms >= call.decision.information_ms


@pytest.mark.parametrize("name", [name for name in (*RECORDED, *NOT_RECORDED) if name.startswith("long")])
def test_no_outcome_cuts_a_call_of_three_times_the_escape_time_out(
    asked: Round, three_escapes_s: float, name: str
) -> None:
    call = asked[name].caller.call
    assert not call.ended_by_peer
    assert call.ended_at - call.answered_at >= three_escapes_s


@pytest.mark.parametrize(
    ("name", "limit_s"), [("limited by the administrator", 45), ("limited to less than the announcement", 10)]
)
def test_the_administrators_own_limit_is_honoured(asked: Round, name: str, limit_s: float) -> None:
    call = asked.calls[name].caller.call
    assert call.ended_by_peer
    assert call.ended_at - call.answered_at == pytest.approx(limit_s, abs=1.5)


def test_a_withheld_number_is_in_no_file_of_ours(asked: Round, pbx: DevelopmentPbx) -> None:
    assert asked["withheld"].decision.caller is None
    places = [pbx.settings.data, pbx.settings.log / "service.log", pbx.settings.spool]
    plain = str(asked["agreed"].decision.recording_id).encode()
    assert files_holding(plain, places), "the search finds what lies there in the clear"
    assert files_holding(WITHHELD_NUMBER.removeprefix("+44").encode(), places) == []


def test_no_number_and_no_name_of_anybody_is_readable_in_a_file_of_ours(
    asked: Round, pbx: DevelopmentPbx
) -> None:
    places = [pbx.settings.data, pbx.settings.log / "service.log", pbx.settings.spool]
    numbers = {call.caller.number.removeprefix("+44").encode() for call in asked.calls.values()}
    opened = [entry.payload for entry in asked.entries.all if isinstance(entry.payload, Decision)]
    names = {payload.caller_name for payload in opened if payload.caller_name}
    written = {json.dumps(name, ensure_ascii=False)[1:-1] for name in names}
    assert len(names) > 1
    texts = numbers | {text.encode() for text in names | written}
    assert [text for text in texts if files_holding(text, places)] == []


def test_the_list_of_calls_holds_the_fields_that_were_promised(
    asked: Round, pbx: DevelopmentPbx, call_listed: Callable[[str], dict[str, object]]
) -> None:
    call = asked["agreed"]
    listed = call_listed(str(call.decision.recording_id))
    assert listed.keys() >= FIELDS
    promised = {name: listed[name] for name in FIELDS - {"call_id", "started_at", "recording"}}
    assert promised == {
        "controller": "voorbeeld",
        "policy": "p1-nl",
        "policy_version": 1,
        "language": "nl",
        "direction": "incoming",
        "outcome": "given",
        "played_ms": call.decision.played_ms,
    }
    recording = listed["recording"]
    assert isinstance(recording, dict)
    assert recording["state"] == "verified"
    assert recording["duration_s"] == call.end[1].duration_ms / 1000


def test_ledger_and_recordings_verify(asked: Round, pbx: DevelopmentPbx) -> None:
    assert json.loads(pbx.consent("ledger", "verify", "--json"))["verified"] is True
    assert "are what was entered" in pbx.consent("recordings", "verify")
