"""Whether a recording holds the conversation of its caller and nothing else.

Rule: judged by the sound alone: whose voice is on which side, how long, and what else is heard.
"""

from typing import Any

from numpy.typing import NDArray

from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.model import RecordingState
from tests.pbx.demo_callers import AGENT_HZ, Caller
from tests.pbx.demo_evidence import Audio
from tests.pbx.sound import side_ratio_db, sound_spans, tone_db, tone_spans

Judged = tuple[list[str], str]
"""What is wrong, and what was measured."""

LENGTH_TOLERANCE_S = 1.0
SIDES_APART_DB = 40.0
VOICE_DB = -30.0
"""How loud a caller's own voice is at least; it is sent at -12 dBFS, and another caller's leaves far less."""
STRAY_S = 0.2
"""What counts as another sound: shorter is a click, and no word, ring or music."""
_QUIET_DB = -50.0
_PURITY_DB = 3.0


def judge_conversation(caller: Caller, recording: RecordingRow | None, audio: Audio | None) -> Judged:
    """Compare a recording with what its caller said and heard."""
    if recording is None or audio is None or recording.state is not RecordingState.VERIFIED:
        state = recording.state.value if recording else "missing"
        return [f"{caller.name}: the recording is {state}"], ""
    hz, talked_s = caller.role.hz, caller.with_agent_s
    apart_db = min(
        side_ratio_db(audio.caller, audio.agent, audio.rate, hz),
        side_ratio_db(audio.agent, audio.caller, audio.rate, AGENT_HZ),
    )
    stray_s = max(
        _other_sound_s(audio.caller, audio.rate, hz), _other_sound_s(audio.agent, audio.rate, AGENT_HZ)
    )
    wrong = []
    if tone_db(audio.caller, audio.rate, hz) < VOICE_DB:
        wrong.append(f"{caller.name}: another voice")
    if apart_db < SIDES_APART_DB:
        wrong.append(f"{caller.name}: the sides are {apart_db:.0f} dB apart")
    if stray_s > STRAY_S:
        wrong.append(f"{caller.name}: other sound for {stray_s:.2f} s")
    if abs(audio.duration_s - talked_s) > LENGTH_TOLERANCE_S:
        wrong.append(f"{caller.name}: {audio.duration_s:.1f} s recorded, {talked_s:.1f} s talked")
    return wrong, f"{caller.name} {audio.duration_s:.1f} of {talked_s:.1f} s, {apart_db:.0f} dB apart"


def _other_sound_s(samples: NDArray[Any], rate: int, hz: float) -> float:
    """How long at a stretch something other than the tone is heard; where a tone begins or ends it clicks."""
    tone = tone_spans(samples, rate, hz, _QUIET_DB, purity_db=_PURITY_DB)
    stretches = [0.0]
    for start, end in sound_spans(samples, rate, _QUIET_DB, bridge_s=0.04):
        for tone_start, tone_end in tone:
            if start < tone_end and tone_start < end:
                stretches.append(tone_start - start)
                start = tone_end
        stretches.append(end - start)
    return max(stretches)
