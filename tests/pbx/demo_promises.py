"""What the demo promises, and whether the evidence shows that it was kept.

Rule: judged by what others hold, never by what the demo intended: the sound that callers heard, the files that
lay on disk and when, the entries of the ledger, the audio that was handed out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from asterisk_consent.ledger.read import CallRow, RecordingRow
from asterisk_consent.model import Outcome, RecordingState
from tests.pbx.demo_callers import AGENT_HZ, CALLER_HZ, Caller
from tests.pbx.sound import side_ratio_db, sound_spans, tone_spans

LENGTH_TOLERANCE_S = 1.0
SIDES_APART_DB = 40.0
AT_ONCE_S = 3.0
"""How soon the emergency caller hears the agent, who takes 0.3 s to answer; a busy machine is slow."""
STRAY_S = 0.2
"""What counts as another sound: shorter is a click, and no word, ring or music."""
_QUIET_DB = -50.0
_PURITY_DB = 3.0

_EXPECTED = {
    Outcome.GIVEN: "1",
    Outcome.REFUSED: "2",
    Outcome.NO_CHOICE: "",
    Outcome.ABANDONED: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """What was handed out: the two sides of the conversation."""

    caller: NDArray[Any]
    agent: NDArray[Any]
    rate: int

    @property
    def duration_s(self) -> float:
        """Its length."""
        return len(self.caller) / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found after the calls."""

    rows: Sequence[CallRow]
    """What the ledger tells of the demo's calls."""
    first_seen_at: Mapping[str, float]
    """Names of files seen in the spool or new in the vault, and the monotonic moment they were first seen."""
    left_in_spool: Sequence[str]
    audio: Audio | None
    verify_status: int
    verify_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise, whether it was kept, and what was measured."""

    text: str
    kept: bool
    measured: str


def judge(callers: Mapping[str, Caller], evidence: Evidence) -> list[Promise]:
    """Compare what was promised with what was found."""
    return [
        _all_were_put_through(callers),
        _ledger_holds_each_answer(evidence),
        _only_the_agreement_was_recorded(callers["agrees"], evidence),
        _only_the_conversation_is_in_it(callers["agrees"], evidence),
        _emergency_was_left_alone(callers["needs help"]),
        _no_number_without_agreement(callers["agrees"], evidence),
        Promise(
            text="The ledger's chain verifies",
            kept=evidence.verify_status == 0,
            measured=evidence.verify_text,
        ),
    ]


def _all_were_put_through(callers: Mapping[str, Caller]) -> Promise:
    stayed = [caller for wish, caller in callers.items() if wish != "hangs up"]
    lost = [f"{caller.name}: {caller.failure or 'no agent'}" for caller in stayed if not caller.agent_at]
    lost += [f"{each.name}: {each.failure}" for each in callers.values() if each.failure and each.agent_at]
    times = ", ".join(
        f"{caller.wish} {caller.agent_at - caller.pressed_at:.1f} s after the digit"
        for caller in stayed
        if caller.agent_at and caller.pressed_at
    )
    return Promise(
        text="Everybody who stayed talked with the agent, whatever they answered",
        kept=not lost,
        measured="; ".join(lost) or times,
    )


def _ledger_holds_each_answer(evidence: Evidence) -> Promise:
    found = sorted((row.outcome.value, row.digit) for row in evidence.rows)
    wanted = sorted((outcome.value, digit) for outcome, digit in _EXPECTED.items())
    told = ", ".join(f"{outcome}{f' (digit {digit})' if digit else ''}" for outcome, digit in found)
    return Promise(
        text="The ledger holds each answer for what it was, once",
        kept=found == wanted,
        measured=told or "no entry at all",
    )


def _only_the_agreement_was_recorded(caller: Caller, evidence: Evidence) -> Promise:
    recording = _recording(evidence)
    text = "Only the agreement was recorded, nothing before its digit was pressed"
    if recording is None:
        return Promise(text=text, kept=False, measured="no recording of the agreement")
    others = sorted(name for name in evidence.first_seen_at if not name.startswith(recording.recording_id))
    wrong = [f"a file of somebody else: {name}" for name in others]
    wrong += [f"a recording in the ledger: {row.outcome}" for row in evidence.rows if _wrongly(row)]
    wrong += [f"left in the spool: {name}" for name in evidence.left_in_spool]
    first_at = min(evidence.first_seen_at.values(), default=0.0)
    if not first_at:
        wrong.append("no file was ever seen")
    elif first_at < caller.pressed_at:
        wrong.append(f"a file existed {caller.pressed_at - first_at:.1f} s before the digit")
    seen = f"first file {first_at - caller.pressed_at:.1f} s after the digit; the spool is empty again"
    return Promise(text=text, kept=not wrong, measured="; ".join(wrong) or seen)


def _only_the_conversation_is_in_it(caller: Caller, evidence: Evidence) -> Promise:
    text = "In it is the conversation and nothing else, the two sides apart"
    recording, audio = _recording(evidence), evidence.audio
    if recording is None or audio is None or recording.state is not RecordingState.VERIFIED:
        state = recording.state.value if recording else "missing"
        return Promise(text=text, kept=False, measured=f"the recording is {state}")
    apart_db = min(
        side_ratio_db(audio.caller, audio.agent, audio.rate, CALLER_HZ),
        side_ratio_db(audio.agent, audio.caller, audio.rate, AGENT_HZ),
    )
    stray_s = max(
        _other_sound_s(audio.caller, audio.rate, CALLER_HZ), _other_sound_s(audio.agent, audio.rate, AGENT_HZ)
    )
    off_s = audio.duration_s - caller.with_agent_s
    return Promise(
        text=text,
        kept=apart_db >= SIDES_APART_DB and stray_s <= STRAY_S and abs(off_s) <= LENGTH_TOLERANCE_S,
        measured=f"{audio.duration_s:.1f} s recorded, {caller.with_agent_s:.1f} s talked; left the caller, right"
        f" the agent, {apart_db:.0f} dB apart; other sound: {stray_s:.2f} s",
    )


def _emergency_was_left_alone(caller: Caller) -> Promise:
    waited_s = caller.agent_at - caller.called_at if caller.agent_at else 0.0
    return Promise(
        text="112 went straight to the agent, not asked and not recorded",
        kept=bool(caller.agent_at) and caller.spoken_to_s < STRAY_S and waited_s < AT_ONCE_S,
        measured=f"agent heard {waited_s:.1f} s after dialling, {caller.spoken_to_s:.1f} s of anything before",
    )


def _no_number_without_agreement(caller: Caller, evidence: Evidence) -> Promise:
    kept = {row.outcome.value: row.caller for row in evidence.rows if row.caller}
    return Promise(
        text="Nobody's number was kept but that of the caller who agreed",
        kept=kept == {Outcome.GIVEN.value: caller.caller_id},
        measured=", ".join(f"{outcome}: {number}" for outcome, number in kept.items()) or "none kept",
    )


def _recording(evidence: Evidence) -> RecordingRow | None:
    return next((row.recording for row in evidence.rows if row.outcome is Outcome.GIVEN), None)


def _wrongly(row: CallRow) -> bool:
    return row.recording is not None and row.outcome is not Outcome.GIVEN


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
