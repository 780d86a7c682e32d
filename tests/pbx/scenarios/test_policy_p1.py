"""Opt-in in Dutch and English: the caller decides, and a purpose is granted only in a language that names it."""

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

GRANTED = {"p1 nl, agreed": ("training",), "p1 en, agreed": ("training", "quality")}
REFUSED = ("p1 nl, refused", "p1 en, refused")


@pytest.mark.parametrize("name", GRANTED)
def test_an_agreement_grants_the_purposes_announced_in_its_language_and_no_other(
    policy_calls: PolicyRound, name: str
) -> None:
    call = policy_calls[name]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.GIVEN, "1")
    assert (call.header.stream, call.header.policy) == ("voorbeeld", "p1-nl")
    assert_recorded(call, GRANTED[name])


@pytest.mark.parametrize("name", GRANTED)
def test_what_the_entry_names_was_heard_before_the_digit(policy_calls: PolicyRound, name: str) -> None:
    call = policy_calls[name]
    assert_the_entry_names_what_was_heard(call, "information")
    assert heard(call, "information").ended_at < call.caller.pressed_at
    assert 0 < heard(call, "question").share < 1


@pytest.mark.parametrize("name", ["p1 en, refused", "p1 nl, silent"])
def test_the_question_follows_the_information(policy_calls: PolicyRound, name: str) -> None:
    assert_the_entry_names_what_was_heard(policy_calls[name], "information", "question")


@pytest.mark.parametrize("name", GRANTED)
def test_the_recording_holds_the_conversation_only(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    assert_holds_the_conversation_only(pbx, policy_calls[name])


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_entered_and_reaches_the_agent(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    call = policy_calls[name]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.REFUSED, "2")
    assert_reached_the_agent_unrecorded(call)
    assert_nothing_is_kept(pbx, call)


def test_silence_is_no_agreement_and_reaches_the_agent(
    policy_calls: PolicyRound, pbx: DevelopmentPbx
) -> None:
    call = policy_calls["p1 nl, silent"]
    assert (call.decision.outcome, call.decision.reason) == (Outcome.NO_CHOICE, "no digit")
    assert_reached_the_agent_unrecorded(call)
    assert_nothing_is_kept(pbx, call)
