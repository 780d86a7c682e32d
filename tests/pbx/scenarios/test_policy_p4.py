"""Voice logging as a service: the customer who bought it asks; of the calls of one who did not, nothing is kept."""

import asyncio
import time

import pytest

from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import read_entries
from tests.pbx.scenarios.policy_round import IN_TURN, KEPT, OFF_CALLS, PolicyRound
from tests.pbx.scenarios.proof import (
    TONES_HZ,
    TONES_S,
    assert_holds_the_conversation_only,
    assert_nothing_is_kept,
    assert_nothing_was_heard_before_the_agent,
    assert_reached_the_agent_unrecorded,
    assert_recorded,
    assert_the_entry_names_what_was_heard,
    assert_the_number_is_nowhere,
    first_heard_at,
    tones_at_pick_up,
)
from tests.pbx.scenarios.test_service_away import ring_delays
from tests.pbx.service import Service

NOT_BOUGHT = "p4, not bought"
OFF = (NOT_BOUGHT, "p5, excluded", f"{KEPT}off")
ADDED_S = 0.05
"""What a call that is none of ours may cost; the dialplan does no more than compare."""
NOTES = "CONSENT_NOTES"


def test_an_agreement_is_recorded_for_the_customer(policy_calls: PolicyRound, pbx: DevelopmentPbx) -> None:
    call = policy_calls["p4, agreed"]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.GIVEN, "1")
    assert (call.header.stream, call.header.policy) == ("klant-een", "p4-logging")
    assert_recorded(call, ["evidence"])
    assert_the_entry_names_what_was_heard(call, "information")
    assert_holds_the_conversation_only(pbx, call)


def test_a_refusal_is_entered_and_reaches_the_agent(policy_calls: PolicyRound, pbx: DevelopmentPbx) -> None:
    call = policy_calls["p4, refused"]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.REFUSED, "2")
    assert_the_entry_names_what_was_heard(call, "information", "question")
    assert_reached_the_agent_unrecorded(call)
    assert_nothing_is_kept(pbx, call)


@pytest.mark.parametrize("name", OFF)
def test_of_a_call_that_is_none_of_ours_nothing_is_heard_entered_or_kept(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    call = policy_calls[name]
    assert_reached_the_agent_unrecorded(call)
    assert_nothing_was_heard_before_the_agent(call)
    assert read_entries(pbx.settings).decisions(call.caller.channel) == []
    assert_the_number_is_nowhere(pbx, call)
    assert policy_calls.round.spool_left == set()


def test_calls_that_are_none_of_ours_are_counted_and_no_more(policy_calls: PolicyRound) -> None:
    assert policy_calls.counted == len(OFF) + IN_TURN


def test_a_call_that_is_none_of_ours_reaches_the_agent_as_fast_as_an_emergency_call(
    policy_calls: PolicyRound,
) -> None:
    assert policy_calls.ring_delay_s("1005") <= policy_calls.ring_delay_s("112") + ADDED_S


def test_the_agent_hears_one_low_tone_as_long_as_the_two_high_ones(policy_calls: PolicyRound) -> None:
    call = policy_calls[NOT_BOUGHT]
    assert call.caller.agent is not None
    [tone] = tones_at_pick_up(call, TONES_HZ[False])
    assert tone[1] - tone[0] == pytest.approx(TONES_S, abs=0.06)
    assert tone[1] <= first_heard_at(call) - call.caller.agent.answered_at
    assert tones_at_pick_up(call, TONES_HZ[True]) == []


def test_while_the_service_is_away_they_leave_no_note_and_no_entry(
    pbx: DevelopmentPbx, service: Service
) -> None:
    service.stop()
    before = {name: pbx.asterisk.global_number(name) for name in (NOTES, OFF_CALLS)}
    _, channels = asyncio.run(ring_delays(pbx, "1005", "1008", "1225"))
    after = {name: pbx.asterisk.global_number(name) for name in (NOTES, OFF_CALLS)}
    assert after == {NOTES: before[NOTES], OFF_CALLS: before[OFF_CALLS] + len(channels)}
    service.start()
    time.sleep(2.0)
    entries = read_entries(pbx.settings)
    assert [entries.decisions(channel) for channel in channels] == [[]] * len(channels)
