"""The steps of reading out the receipt, between the entry that allows a recording and its start.

Rule: it holds no call: any digit, the end of the reading, a fault, a time-out and a stop of the service all let the
call go on to be recorded; only one that is gone is not.
"""

from dataclasses import replace

from asterisk_consent.dialogue.commands import (
    CancelTimer,
    Command,
    EnterNotStarted,
    PlayPrompt,
    SetTimer,
    StartRecording,
    StopPrompt,
)
from asterisk_consent.dialogue.events import (
    CallLeft,
    CallLost,
    ChannelHungUp,
    ConnectionRestored,
    DigitReceived,
    Part,
    PartPlayed,
    PlaybackFailed,
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.script import Dialogue, State

Step = tuple[Dialogue, list[Command]]

RECEIPT_TIMEOUT_S = 30.0
"""How long reading out the receipt may take, however it ends."""


def begin(d: Dialogue, cancel: Command) -> Step:
    """Read out the receipt; ``cancel`` ends the wait for the entry."""
    d = replace(d, state=State.READING_OUT, play=d.play + 1, parts=(Part.RECEIPT,))
    timer = SetTimer(Timer.OVERALL, RECEIPT_TIMEOUT_S)
    return d, [cancel, timer, PlayPrompt(d.play, d.parts, d.language)]


def _start(d: Dialogue, *before: Command) -> Step:
    commands = [*before, CancelTimer(Timer.OVERALL), StartRecording()]
    return replace(d, state=State.STARTING, parts=()), commands


def ended(d: Dialogue, event: PartPlayed | PlaybackFailed) -> Step:
    """Let the call go on, whether or not the receipt was heard."""
    return _start(d) if event.play == d.play else (d, [])


def skip(d: Dialogue, _: DigitReceived | ServiceStopping | ConnectionRestored) -> Step:
    """The call does not wait for the receipt."""
    return _start(d, StopPrompt(d.play))


def timed_out(d: Dialogue, event: TimerFired) -> Step:
    """The call does not wait for the receipt any longer."""
    return _start(d, StopPrompt(d.play)) if event.timer is Timer.OVERALL else (d, [])


def gone(d: Dialogue, _: ChannelHungUp | CallLeft | CallLost) -> Step:
    """What the entry allows will not be made."""
    unmade = EnterNotStarted("the call had gone before it was put through")
    return replace(d, state=State.GONE, parts=()), [CancelTimer(Timer.OVERALL), unmade]
