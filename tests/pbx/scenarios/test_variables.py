"""What the dialplan can read after its one line, for every way a call can end being asked."""

import json
import re

import pytest

from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.policy_round import KEPT, PolicyRound
from tests.pbx.scenarios.proof import TONES_HZ, tones_at_pick_up

EXPECTED = {
    "given": ("1", "nl"),
    "informed": ("1", "en"),
    "refused": ("0", "nl"),
    "objected": ("0", "de"),
    "no_choice": ("0", ""),
    "failed": ("0", ""),
    "off": ("0", ""),
}
IDENTIFIED = tuple(outcome for outcome in EXPECTED if outcome != "off")


@pytest.mark.parametrize("outcome", EXPECTED)
def test_outcome_recording_and_language_are_told(policy_calls: PolicyRound, outcome: str) -> None:
    seen = policy_calls.seen[f"{KEPT}{outcome}"]
    assert policy_calls[f"{KEPT}{outcome}"].failure is None
    assert (seen.outcome, seen.recorded, seen.language) == (outcome, *EXPECTED[outcome])


@pytest.mark.parametrize("outcome", EXPECTED)
def test_the_channel_that_is_called_knows_whether_the_call_is_recorded(
    policy_calls: PolicyRound, outcome: str
) -> None:
    call, seen = policy_calls[f"{KEPT}{outcome}"], policy_calls.seen[f"{KEPT}{outcome}"]
    assert seen.called == seen.recorded
    recorded = seen.recorded == "1"
    assert len(tones_at_pick_up(call, TONES_HZ[recorded])) == (2 if recorded else 1)
    assert tones_at_pick_up(call, TONES_HZ[not recorded]) == []


@pytest.mark.parametrize("outcome", IDENTIFIED)
def test_the_id_is_entered_and_is_not_the_one_of_the_chain(policy_calls: PolicyRound, outcome: str) -> None:
    call, seen = policy_calls[f"{KEPT}{outcome}"], policy_calls.seen[f"{KEPT}{outcome}"]
    assert re.fullmatch(r"[0-9a-f]{16}", seen.id)
    assert call.decision.alias == seen.id
    assert seen.id not in call.header.call_id


@pytest.mark.parametrize("outcome", ["given", "objected"])
def test_the_id_finds_the_call(policy_calls: PolicyRound, pbx: DevelopmentPbx, outcome: str) -> None:
    call, seen = policy_calls[f"{KEPT}{outcome}"], policy_calls.seen[f"{KEPT}{outcome}"]
    shown = json.loads(pbx.consent("calls", "show", seen.id))
    assert (shown["call_id"], shown["outcome"]) == (call.header.call_id, outcome)


def test_no_two_calls_have_the_same_id_and_one_that_is_none_of_ours_has_none(
    policy_calls: PolicyRound,
) -> None:
    ids = [policy_calls.seen[f"{KEPT}{outcome}"].id for outcome in IDENTIFIED]
    assert len(set(ids)) == len(ids)
    assert policy_calls.seen[f"{KEPT}off"].id == ""
