"""Commands and turns that come up in every playbook."""

from asterisk_consent.dialogue.commands import (
    AppendEntry,
    CancelTimer,
    Command,
    EnterNotStarted,
    ReleaseCall,
    SetTimer,
    StartRecording,
)
from asterisk_consent.dialogue.events import EntryCommitted, Part, Timer, TimerFired
from asterisk_consent.dialogue.machine import COMMIT_TIMEOUT_S
from asterisk_consent.model import Outcome
from tests.dialogue.playbook import Playbook

BOTH = (Part.INFORMATION, Part.QUESTION)
OVERALL = SetTimer(Timer.OVERALL, 90.0)
NO_OVERALL = CancelTimer(Timer.OVERALL)
FIRST_DIGIT = SetTimer(Timer.FIRST_DIGIT, 5.0)
NO_FIRST_DIGIT = CancelTimer(Timer.FIRST_DIGIT)
COMMIT = SetTimer(Timer.COMMIT, COMMIT_TIMEOUT_S)
NO_COMMIT = CancelTimer(Timer.COMMIT)
TOO_LATE = EnterNotStarted("the call had gone before the entry was on disk")
SILENCE = TimerFired(Timer.FIRST_DIGIT)


def decided(
    playbook: Playbook, stop: Command | None, outcome: Outcome, *, digit: str = "", reason: str = ""
) -> Playbook:
    """Expect the decision; ``stop`` is what ends what went on before it, if anything did."""
    if stop is not None:
        playbook = playbook << stop
    return playbook << NO_OVERALL << COMMIT << AppendEntry(outcome, digit, reason)


def released(playbook: Playbook, outcome: Outcome) -> Playbook:
    """Have the entry committed and the call let go, unrecorded."""
    return playbook >> EntryCommitted() << NO_COMMIT << ReleaseCall(outcome)


def recorded(playbook: Playbook) -> Playbook:
    """Have the entry committed and the recording started."""
    return playbook >> EntryCommitted() << NO_COMMIT << StartRecording()
