"""Notice: who listens to its end is recorded, no digit changes that, and who hangs up is not."""

import pytest

from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.policy_round import PolicyRound
from tests.pbx.scenarios.proof import (
    TONES_HZ,
    TONES_S,
    assert_holds_the_conversation_only,
    assert_nothing_is_kept,
    assert_recorded,
    assert_the_entry_names_what_was_heard,
    first_heard_at,
    heard,
    tones_at_pick_up,
)

INFORMED = ("p3, stayed", "p3, pressed digits")
PURPOSES = ("complaint", "safety", "training", "sampling")


@pytest.mark.parametrize("name", INFORMED)
def test_listening_to_the_end_is_informed_and_recorded_whatever_is_pressed(
    policy_calls: PolicyRound, name: str
) -> None:
    call = policy_calls[name]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.INFORMED, "")
    assert (call.header.stream, call.header.policy) == ("voorbeeld-advies", "p3-nl")
    assert_recorded(call, PURPOSES)


@pytest.mark.parametrize("name", INFORMED)
def test_the_notice_was_heard_in_full_and_once_before_the_agent(policy_calls: PolicyRound, name: str) -> None:
    call = policy_calls[name]
    assert_the_entry_names_what_was_heard(call, "information")
    assert heard(call, "information").ended_at <= call.caller.rang_at


@pytest.mark.parametrize("name", INFORMED)
def test_the_recording_holds_neither_the_notice_nor_the_agents_tone(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    assert_holds_the_conversation_only(pbx, policy_calls[name])


@pytest.mark.parametrize("name", INFORMED)
def test_the_agent_hears_two_high_tones_before_the_caller(policy_calls: PolicyRound, name: str) -> None:
    call = policy_calls[name]
    assert call.caller.agent is not None
    tones = tones_at_pick_up(call, TONES_HZ[True])
    assert len(tones) == 2
    assert tones[-1][1] - tones[0][0] == pytest.approx(TONES_S, abs=0.06)
    assert tones[-1][1] <= first_heard_at(call) - call.caller.agent.answered_at
    assert tones_at_pick_up(call, TONES_HZ[False]) == []


def test_who_hangs_up_in_the_notice_has_decided_and_leaves_nothing(
    policy_calls: PolicyRound, pbx: DevelopmentPbx
) -> None:
    call = policy_calls["p3, hung up"]
    assert call.decision.outcome is Outcome.ABANDONED
    assert_nothing_is_kept(pbx, call)
