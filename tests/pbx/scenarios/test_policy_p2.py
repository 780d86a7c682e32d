"""Opt-in in Norwegian: the same as in Dutch, under another controller."""

import pytest

from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.policy_round import PolicyRound
from tests.pbx.scenarios.proof import (
    assert_holds_the_conversation_only,
    assert_nothing_is_kept,
    assert_reached_the_agent_unrecorded,
    assert_recorded,
    assert_the_entry_names_what_was_heard,
    heard,
)

UNRECORDED = {"p2, refused": (Outcome.REFUSED, "2"), "p2, silent": (Outcome.NO_CHOICE, "")}


def test_an_agreement_is_recorded_for_what_was_announced(
    policy_calls: PolicyRound, pbx: DevelopmentPbx
) -> None:
    call = policy_calls["p2, agreed"]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.GIVEN, "1")
    assert (call.header.stream, call.header.policy, call.header.language) == ("eksempel", "p2-nb", "nb")
    assert_recorded(call, ["training"])
    assert_holds_the_conversation_only(pbx, call)


def test_what_the_entry_names_was_heard_before_the_digit(policy_calls: PolicyRound) -> None:
    call = policy_calls["p2, agreed"]
    assert_the_entry_names_what_was_heard(call, "information")
    assert heard(call, "information").ended_at < call.caller.pressed_at


@pytest.mark.parametrize("name", UNRECORDED)
def test_refusal_and_silence_are_entered_and_reach_the_agent(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    call = policy_calls[name]
    assert (call.decision.outcome, call.decision.digit) == UNRECORDED[name]
    assert_the_entry_names_what_was_heard(call, "information", "question")
    assert_reached_the_agent_unrecorded(call)
    assert_nothing_is_kept(pbx, call)
