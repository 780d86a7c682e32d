"""The demo is a check: each promise turns red when the evidence speaks against it. Here the evidence is made up."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from asterisk_consent.ledger.read import CallRow, RecordingRow
from asterisk_consent.model import Direction, Outcome, RecordingState
from tests.pbx.demo_callers import AGENT_HZ, CALLER_HZ, CAST, Caller, Speech
from tests.pbx.demo_promises import Audio, Evidence, judge
from tests.pbx.demo_screen import words_now

RATE = 8000
TALKED_S = 8.0
PRESSED_AT = 124.0
RECORDING = "8e" * 16
ANSWERS = (
    (Outcome.GIVEN, "1"),
    (Outcome.REFUSED, "2"),
    (Outcome.NO_CHOICE, ""),
    (Outcome.ABANDONED, ""),
)


@dataclass
class Shown:
    """What a good demo leaves behind, to be spoilt by a test."""

    callers: dict[str, Caller] = field(default_factory=lambda: {each.wish: each for each in cast()})
    evidence: Evidence = field(default_factory=lambda: good_evidence())

    def broken(self) -> list[str]:
        return [promise.text for promise in judge(self.callers, self.evidence) if not promise.kept]


def cast() -> list[Caller]:
    callers = []
    for name, wish, number, caller_id, _ in CAST:
        caller = Caller(name=name, wish=wish, number=number, caller_id=caller_id, called_at=100.0)
        if wish in ("agrees", "refuses"):
            caller.pressed_at = PRESSED_AT
        if wish != "hangs up":
            caller.agent_at = max(caller.pressed_at, caller.called_at) + 0.4
        caller.ended_at = max(caller.agent_at, caller.called_at) + TALKED_S
        callers.append(caller)
    return callers


def tone(hz: float, seconds: float = TALKED_S) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return (8000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


def row(outcome: Outcome, digit: str) -> CallRow:
    given = outcome is Outcome.GIVEN
    return CallRow(
        seq=1,
        call_id=outcome.value,
        started_at=1_800_000_000,
        controller="voorbeeld",
        policy="p1-nl",
        policy_version=1,
        language="nl",
        direction=Direction.INCOMING,
        caller="+442079460101" if given else None,
        outcome=outcome,
        digit=digit,
        played_ms=20_000,
        reason="",
        recording=recording() if given else None,
    )


def recording(state: RecordingState = RecordingState.VERIFIED) -> RecordingRow:
    return RecordingRow(
        recording_id=RECORDING,
        call_id="given",
        controller="voorbeeld",
        state=state,
        channel="PJSIP/caller-1",
        allowed_seq=1,
        allowed_at=1,
        started_at=1,
        ended_seq=2,
        ended_at=2,
        duration_ms=8000,
        size=256_044,
        sha256="cd" * 32,
        reason="",
    )


def good_evidence() -> Evidence:
    return Evidence(
        rows=[row(outcome, digit) for outcome, digit in ANSWERS],
        first_seen_at={f"{RECORDING}-caller.wav": PRESSED_AT + 0.1, f"{RECORDING}.wav": PRESSED_AT + 9},
        left_in_spool=[],
        audio=Audio(caller=tone(CALLER_HZ), agent=tone(AGENT_HZ), rate=RATE),
        verify_status=0,
        verify_text="9 entries hold.",
    )


def changed(**changes: object) -> Callable[[Shown], None]:
    def spoil(shown: Shown) -> None:
        shown.evidence = replace(shown.evidence, **changes)  # type: ignore[arg-type]

    return spoil


def of_caller(wish: str, **changes: object) -> Callable[[Shown], None]:
    def spoil(shown: Shown) -> None:
        for name, value in changes.items():
            setattr(shown.callers[wish], name, value)

    return spoil


def rows(change: Callable[[CallRow], CallRow | None]) -> Callable[[Shown], None]:
    def spoil(shown: Shown) -> None:
        changed_rows = [change(each) for each in shown.evidence.rows]
        shown.evidence = replace(shown.evidence, rows=[each for each in changed_rows if each])

    return spoil


def of_outcome(found: Outcome, /, **changes: object) -> Callable[[Shown], None]:
    return rows(lambda each: replace(each, **changes) if each.outcome is found else each)  # type: ignore[arg-type]


SEEN = good_evidence().first_seen_at
NOISE = np.concatenate([tone(CALLER_HZ, 4.0), tone(300, 0.3), tone(CALLER_HZ, 3.7)])


def test_a_good_demo_keeps_every_promise() -> None:
    assert Shown().broken() == []


@pytest.mark.parametrize(
    ("spoil", "broken"),
    [
        (of_caller("refuses", agent_at=0.0, failure="no agent"), "Everybody"),
        (of_caller("agrees", failure="cut off"), "Everybody"),
        (of_caller("says nothing", agent_at=0.0), "Everybody"),
        (rows(lambda each: None if each.outcome is Outcome.REFUSED else each), "holds each answer"),
        (of_outcome(Outcome.NO_CHOICE, outcome=Outcome.FAILED), "holds each answer"),
        (of_outcome(Outcome.REFUSED, digit="3"), "holds each answer"),
        (changed(first_seen_at={**SEEN, f"{'11' * 16}-caller.wav": PRESSED_AT + 1}), "Only the agreement"),
        (changed(first_seen_at={f"{RECORDING}-caller.wav": PRESSED_AT - 0.1}), "Only the agreement"),
        (changed(first_seen_at={}), "Only the agreement"),
        (changed(left_in_spool=[f"{RECORDING}-agent.wav"]), "Only the agreement"),
        (of_outcome(Outcome.REFUSED, recording=recording()), "Only the agreement"),
        (of_outcome(Outcome.GIVEN, recording=None), "Only the agreement"),
        (of_outcome(Outcome.GIVEN, recording=recording(RecordingState.FAILED)), "the conversation"),
        (changed(audio=None), "the conversation"),
        (changed(audio=Audio(caller=tone(CALLER_HZ), agent=tone(CALLER_HZ), rate=RATE)), "the conversation"),
        (changed(audio=Audio(caller=NOISE, agent=tone(AGENT_HZ), rate=RATE)), "the conversation"),
        (
            changed(audio=Audio(caller=tone(CALLER_HZ, 20.0), agent=tone(AGENT_HZ, 20.0), rate=RATE)),
            "the conversation",
        ),
        (of_caller("needs help", spoken_to_s=3.0), "112"),
        (of_caller("needs help", agent_at=104.0), "112"),
        (of_outcome(Outcome.REFUSED, caller="+442079460102"), "Nobody's number"),
        (of_outcome(Outcome.GIVEN, caller=None), "Nobody's number"),
        (changed(verify_status=4), "chain"),
    ],
)
def test_a_broken_promise_is_told(spoil: Callable[[Shown], None], broken: str) -> None:
    shown = Shown()
    spoil(shown)
    assert any(broken in text for text in shown.broken())


def test_clicks_where_somebody_stops_and_begins_to_talk_break_no_promise() -> None:
    shown = Shown()
    sentences = np.concatenate([part for _ in range(16) for part in (tone(CALLER_HZ, 0.3), tone(0, 0.2))])
    changed(audio=Audio(caller=sentences, agent=tone(AGENT_HZ), rate=RATE))(shown)
    assert shown.broken() == []


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (100.0, "Toets 1 als wij …"),
        (102.5, "mogen opnemen."),
        (99.0, "Toets 1 als wij …"),
        (200.0, "opnemen."),
    ],
)
def test_the_words_shown_follow_the_time_and_are_whole(now: float, words: str) -> None:
    speech = Speech(text="Toets 1 als wij\nmogen opnemen.", began_at=100.0, duration_s=4.0)
    assert words_now(speech, now, 20) == words
