"""Ways to bring a conversation somewhere: a script and a list of events per state and road."""

from dataclasses import replace

from asterisk_consent.dialogue.events import (
    CallArrived,
    CallerObjected,
    CallLeft,
    CallLost,
    CallUnaskable,
    ChannelHungUp,
    ConnectionLost,
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
from asterisk_consent.dialogue.machine import step
from asterisk_consent.dialogue.script import Dialogue, Script, State
from tests.dialogue.playbook import (
    NOTICE,
    NOTICE_DEMANDED,
    NOTICE_MENU,
    OPT_IN_MENU,
    OPT_OUT,
    OPT_OUT_DEMANDED,
    RECEIPT,
    SCRIPT,
)

ARRIVED, TO_CHOOSE = CallArrived("nl"), CallArrived("")
INFORMED = PartPlayed(1, Part.INFORMATION, True)
QUESTIONED = PartPlayed(1, Part.QUESTION, True)
AGREE, REFUSE, REPEAT, WRONG, OBJECT = (DigitReceived(digit) for digit in "12379")
CHOICES = PartPlayed(1, Part.MENU, True)
DUTCH, FRENCH = DigitReceived("1"), DigitReceived("3")

NOTICE_RECEIPT = replace(NOTICE, reads_receipt=True)

Road = tuple[Script, list[Event]]

ROADS: dict[State, list[Road]] = {
    State.ARRIVING: [(SCRIPT, []), (OPT_OUT, [])],
    State.CHOOSING: [
        (OPT_IN_MENU, [TO_CHOOSE]),
        (OPT_OUT, [TO_CHOOSE]),
        (OPT_OUT, [TO_CHOOSE, CHOICES, WRONG]),
        (NOTICE_DEMANDED, [TO_CHOOSE, OBJECT]),
    ],
    State.AWAITING_LANGUAGE: [
        (OPT_IN_MENU, [TO_CHOOSE, CHOICES]),
        (OPT_OUT, [TO_CHOOSE, WRONG, PartPlayed(2, Part.MENU, True)]),
        (NOTICE_MENU, [TO_CHOOSE, CHOICES]),
    ],
    State.INFORMING: [
        (SCRIPT, [ARRIVED]),
        (SCRIPT, [ARRIVED, INFORMED, QUESTIONED, REPEAT]),
        (OPT_OUT, [TO_CHOOSE, CHOICES, FRENCH]),
        (NOTICE, [ARRIVED]),
        (NOTICE_DEMANDED, [ARRIVED, OBJECT]),
        (NOTICE_DEMANDED, [ARRIVED, OBJECT, PartPlayed(2, Part.NO_REFUSAL, True)]),
    ],
    State.QUESTIONING: [
        (SCRIPT, [ARRIVED, INFORMED]),
        (SCRIPT, [ARRIVED, INFORMED, QUESTIONED, WRONG]),
        (OPT_OUT, [ARRIVED, INFORMED]),
        (OPT_OUT_DEMANDED, [ARRIVED, INFORMED]),
    ],
    State.LISTENING: [
        (SCRIPT, [ARRIVED, INFORMED, QUESTIONED]),
        (SCRIPT, [ARRIVED, INFORMED, QUESTIONED, WRONG, PartPlayed(2, Part.QUESTION, True)]),
        (OPT_OUT, [ARRIVED, INFORMED, QUESTIONED]),
        (
            OPT_OUT_DEMANDED,
            [
                ARRIVED,
                OBJECT,
                *(PartPlayed(2, part, True) for part in (Part.NO_REFUSAL, Part.INFORMATION, Part.QUESTION)),
            ],
        ),
    ],
    State.DECIDING: [
        (SCRIPT, [ARRIVED, INFORMED, QUESTIONED, AGREE]),
        (SCRIPT, [ARRIVED, REFUSE]),
        (OPT_OUT, [TO_CHOOSE, OBJECT]),
        (NOTICE, [ARRIVED, INFORMED]),
        (RECEIPT, [ARRIVED, INFORMED, AGREE]),
    ],
    State.READING_OUT: [
        (RECEIPT, [ARRIVED, INFORMED, AGREE, EntryCommitted()]),
        (NOTICE_RECEIPT, [ARRIVED, INFORMED, EntryCommitted()]),
    ],
    State.STARTING: [
        (SCRIPT, [ARRIVED, INFORMED, AGREE, EntryCommitted()]),
        (OPT_OUT, [ARRIVED, INFORMED, QUESTIONED, TimerFired(Timer.FIRST_DIGIT), EntryCommitted()]),
        (NOTICE, [ARRIVED, INFORMED, EntryCommitted()]),
    ],
    State.DEPARTED: [
        (SCRIPT, [ARRIVED, ChannelHungUp()]),
        (SCRIPT, [ARRIVED, INFORMED, AGREE, ChannelHungUp()]),
        (SCRIPT, [ARRIVED, INFORMED, AGREE, TimerFired(Timer.COMMIT)]),
        (NOTICE, [ARRIVED, INFORMED, ChannelHungUp()]),
    ],
    State.GONE: [
        (SCRIPT, [ARRIVED, REFUSE, EntryCommitted()]),
        (SCRIPT, [ARRIVED, INFORMED, AGREE, EntryCommitted(), CallLeft()]),
        (OPT_OUT, [TO_CHOOSE, OBJECT, EntryCommitted()]),
    ],
}
"""Every state, and roads that differ in the mode and in what was heard, tried and decided before."""

EVENTS: list[Event] = [
    ARRIVED,
    TO_CHOOSE,
    CallUnaskable("unknown policy"),
    CallerObjected(),
    *(PartPlayed(play, part, complete) for play in (1, 2) for part in Part for complete in (True, False)),
    *(PlaybackFailed(play, "no such file") for play in (1, 2)),
    *(DigitReceived(digit) for digit in [*"0123579#A", ""]),
    *(TimerFired(timer) for timer in Timer),
    ChannelHungUp(),
    CallLeft(),
    CallLost(),
    ConnectionLost(),
    ConnectionRestored(),
    ServiceStopping(),
    EntryCommitted(),
    EntryFailed(),
    RecordingRefused("the call had left"),
]
"""Every kind of event, in every form that the dialogue tells apart."""


def dialogue_after(road: Road) -> Dialogue:
    """Return the dialogue at the end of this road."""
    script, events = road
    dialogue = Dialogue(script=script)
    for event in events:
        dialogue, _ = step(dialogue, event)
    return dialogue
