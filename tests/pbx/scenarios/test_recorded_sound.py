"""What is in a recording, measured in its audio: the conversation, the two sides apart, and nothing else."""

from pathlib import Path

import pytest

from tests.pbx import sound
from tests.pbx.configure import MUSIC_HZ
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.exchange import BEFORE_HZ
from tests.pbx.scenarios.recorded import export
from tests.pbx.scenarios.round import Round

RINGING_HZ = 425
MEASURED = ("agreed", "agreed after the question", "agreed and queued", "agreed too early and again")


@pytest.mark.parametrize("name", MEASURED)
def test_each_party_is_on_its_own_side_only(
    asked: Round, pbx: DevelopmentPbx, exports: Path, name: str
) -> None:
    caller_db, agent_db = export(pbx, asked[name].decision.recording_id, exports).apart_db()
    assert caller_db >= 40
    assert agent_db >= 40


@pytest.mark.parametrize("name", MEASURED)
def test_a_recording_holds_nothing_but_the_conversation(
    asked: Round, pbx: DevelopmentPbx, exports: Path, name: str
) -> None:
    recorded = export(pbx, asked[name].decision.recording_id, exports)
    assert recorded.impure_s() == pytest.approx((0, 0), abs=0.15)
    assert sound.tone_db(recorded.caller, recorded.rate, BEFORE_HZ) < -55
    for hz in (RINGING_HZ, MUSIC_HZ):
        assert sound.tone_db(recorded.agent, recorded.rate, hz) < -55


@pytest.mark.parametrize("name", MEASURED)
def test_a_recording_is_as_long_as_the_parties_were_connected(
    asked: Round, pbx: DevelopmentPbx, exports: Path, name: str
) -> None:
    call = asked[name]
    recorded = export(pbx, call.decision.recording_id, exports)
    assert call.caller.agent is not None
    connected_s = call.caller.call.ended_at - call.caller.agent.answered_at
    assert recorded.duration_s == pytest.approx(connected_s, abs=0.3)
    assert max(recorded.first_heard_s()) < 0.15


def test_no_reason_no_recording(asked: Round, pbx: DevelopmentPbx, exports: Path) -> None:
    file = exports / "refused.wav"
    recording_id = str(asked["agreed"].decision.recording_id)
    done = pbx.service.run("recordings", "export", recording_id, "--to", "the test", "-o", str(file))
    assert done.returncode == 1
    assert not file.exists()
