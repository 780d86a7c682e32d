"""Somebody who made no decision: put in the caller's place, or beside the caller, that person is not recorded."""

from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.recorded import from_vault
from tests.pbx.scenarios.round import Round
from tests.pbx.scenarios.scripts import STRANGER_HZ, UNCOVERED_S


def test_a_recording_does_not_move_to_a_stranger_in_the_callers_place(
    asked: Round, pbx: DevelopmentPbx
) -> None:
    _, recording = asked["replaced by a stranger"].end
    assert not recording.sha256 or from_vault(pbx, recording.recording_id).heard_s(STRANGER_HZ) == 0


def test_a_recording_stops_when_somebody_joins(asked: Round, pbx: DevelopmentPbx) -> None:
    call = asked["joined by a stranger"]
    _, recording = call.end
    assert call.caller.agent is not None
    alone_s = call.caller.joined_at - call.caller.agent.answered_at
    assert recording.duration_ms / 1000 <= alone_s + UNCOVERED_S
    assert from_vault(pbx, recording.recording_id).heard_s(STRANGER_HZ) <= UNCOVERED_S
