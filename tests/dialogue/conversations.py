"""Ways to bring a conversation somewhere: one list of events per state and road."""

from asterisk_consent.dialogue.events import (
    CallArrived,
    CallLeft,
    CallLost,
    CallUnaskable,
    ChannelHungUp,
    ConnectionRestored,
    DigitReceived,
    EntryCommitted,
    EntryFailed,
    Event,
    Part,
    PartPlayed,
    PlaybackFailed,
    RecordingRefused,
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.machine import Dialogue, State, step
from tests.dialogue.playbook import SCRIPT

INFORMED = PartPlayed(1, Part.INFORMATION, True)
QUESTIONED = PartPlayed(1, Part.QUESTION, True)
AGREE, REFUSE, REPEAT, WRONG = (DigitReceived(digit) for digit in "1239")

ROADS: dict[State, list[list[Event]]] = {
    State.ARRIVING: [[]],
    State.INFORMING: [
        [CallArrived()],
        [CallArrived(), INFORMED, QUESTIONED, REPEAT],
    ],
    State.QUESTIONING: [
        [CallArrived(), INFORMED],
        [CallArrived(), INFORMED, QUESTIONED, WRONG],
    ],
    State.LISTENING: [
        [CallArrived(), INFORMED, QUESTIONED],
        [CallArrived(), INFORMED, QUESTIONED, WRONG, PartPlayed(2, Part.QUESTION, True)],
    ],
    State.DECIDING: [
        [CallArrived(), INFORMED, QUESTIONED, AGREE],
        [CallArrived(), REFUSE],
    ],
    State.STARTING: [[CallArrived(), INFORMED, AGREE, EntryCommitted()]],
    State.DEPARTED: [
        [CallArrived(), ChannelHungUp()],
        [CallArrived(), INFORMED, AGREE, ChannelHungUp()],
        [CallArrived(), INFORMED, AGREE, TimerFired(Timer.COMMIT)],
    ],
    State.GONE: [
        [CallArrived(), REFUSE, EntryCommitted()],
        [CallArrived(), INFORMED, AGREE, EntryCommitted(), CallLeft()],
    ],
}
"""Every state, and roads that differ in what was heard, tried and decided before."""

EVENTS: list[Event] = [
    CallArrived(),
    CallUnaskable("unknown policy"),
    *(PartPlayed(play, part, complete) for play in (1, 2) for part in Part for complete in (True, False)),
    *(PlaybackFailed(play, "no such file") for play in (1, 2)),
    *(DigitReceived(digit) for digit in "1239#A"),
    *(TimerFired(timer) for timer in Timer),
    ChannelHungUp(),
    CallLeft(),
    CallLost(),
    ConnectionRestored(),
    ServiceStopping(),
    EntryCommitted(),
    EntryFailed(),
    RecordingRefused("the call had left"),
]
"""Every kind of event, in every form that the dialogue tells apart."""


def dialogue_after(events: list[Event]) -> Dialogue:
    """Return the dialogue after these events."""
    dialogue = Dialogue(script=SCRIPT)
    for event in events:
        dialogue, _ = step(dialogue, event)
    return dialogue
