"""Where the law demands the recording a refusal has no effect, and who tries one is told so."""

import pytest

from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.policy_round import PolicyRound
from tests.pbx.scenarios.proof import (
    FOLLOWS_S,
    TONES_HZ,
    assert_holds_the_conversation_only,
    assert_nothing_is_kept,
    assert_recorded,
    assert_the_entry_names_what_was_heard,
    heard,
    tones_at_pick_up,
)
from tests.pbx.spoken import spoken

TRIED = "legal, tried to refuse"
INFORMED = ("legal, stayed", TRIED)
ANSWERED_S = 0.3
"""How soon after the digit the caller hears why it has no effect."""


@pytest.mark.parametrize("name", INFORMED)
def test_the_call_is_informed_and_recorded_whatever_is_pressed(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    call = policy_calls[name]
    assert call.decision.outcome is Outcome.INFORMED
    assert (call.header.stream, call.header.policy) == ("voorbeeld-beleggen", "legal-nl")
    assert_recorded(call, ["evidence"])
    assert_holds_the_conversation_only(pbx, call)
    assert len(tones_at_pick_up(call, TONES_HZ[True])) == 2


def test_a_refusal_is_answered_with_why_there_is_none_and_everything_is_said_again(
    policy_calls: PolicyRound,
) -> None:
    call = policy_calls[TRIED]
    assert_the_entry_names_what_was_heard(call, "no_refusal", "information")
    answer = heard(call, "no_refusal")
    assert answer.began_at == pytest.approx(call.caller.pressed_at, abs=ANSWERED_S)
    assert heard(call, "information").ended_at <= call.caller.rang_at
    before = call.caller.call.stream.received_in_step.between(
        call.caller.call.answered_at - 0.5, answer.began_at
    )
    broken_off = spoken(before, call.caller.announcement.sound("information"))
    assert 0.1 < broken_off.share < 0.5
    assert broken_off.began_at == pytest.approx(call.caller.call.answered_at, abs=2 * FOLLOWS_S)


def test_who_does_not_try_hears_nothing_of_it(policy_calls: PolicyRound) -> None:
    call = policy_calls["legal, stayed"]
    assert_the_entry_names_what_was_heard(call, "information")
    assert heard(call, "no_refusal").share < 0.1


def test_who_hangs_up_is_not_recorded(policy_calls: PolicyRound, pbx: DevelopmentPbx) -> None:
    call = policy_calls["legal, hung up"]
    assert call.decision.outcome is Outcome.ABANDONED
    assert_nothing_is_kept(pbx, call)
