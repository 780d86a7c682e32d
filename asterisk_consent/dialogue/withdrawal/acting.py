"""The steps of the withdrawal line from the confirmation on: look, withdraw, say what was done.

Rule: what is over the limit, what failed and what took too long sound the same; whether there is a recording is told
by what was done, or by there being none.
"""

from dataclasses import replace

from asterisk_consent.dialogue.commands import CancelTimer, SetTimer
from asterisk_consent.dialogue.events import (
    CallLeft,
    CallLost,
    ChannelHungUp,
    ConnectionRestored,
    PartPlayed,
    PlaybackFailed,
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.withdrawal.commands import FindRecording, LineCommand, WithdrawRecording
from asterisk_consent.dialogue.withdrawal.events import (
    LineEvent,
    NothingFound,
    RecordingFound,
    RecordingWithdrawn,
    TooManyAttempts,
    WithdrawalFailed,
)
from asterisk_consent.dialogue.withdrawal.saying import Step, ask, close, fail, hush, let_go, say
from asterisk_consent.dialogue.withdrawal.script import (
    LineDialogue,
    Result,
    Saying,
    State,
    Word,
    spoken_digits,
)
from asterisk_consent.model import Effect, KeptBecause

REFERENCE_GROUP = 4

_EFFECTS = {
    (Effect.ERASED, None): (Result.ERASED, Saying.ERASED),
    (Effect.KEPT, KeptBecause.LEGAL_OBLIGATION): (Result.KEPT, Saying.KEPT_BY_LAW),
    (Effect.KEPT, KeptBecause.LEGAL_HOLD): (Result.KEPT, Saying.KEPT_ON_HOLD),
    (Effect.PENDING, None): (Result.PENDING, Saying.PENDING),
}


def find(d: LineDialogue) -> Step:
    """Have the recording looked for, now that it is confirmed; an attempt."""
    commands = [
        *hush(d),
        CancelTimer(Timer.OVERALL),
        SetTimer(Timer.COMMIT, d.script.act_s),
        FindRecording(d.digits),
    ]
    d = replace(d, state=State.FINDING, digits="", attempts_used=d.attempts_used + 1, silences_heard=0)
    return d, commands


def found(d: LineDialogue, _: RecordingFound) -> Step:
    """The caller confirmed: withdraw."""
    return replace(d, state=State.WITHDRAWING), [WithdrawRecording()]


def found_after_departure(d: LineDialogue, _: RecordingFound) -> Step:
    """The caller confirmed before going: withdraw."""
    return d, [WithdrawRecording()]


def not_found(d: LineDialogue, _: NothingFound) -> Step:
    """Say so and ask again, as often as the script allows."""
    if d.attempts_used >= d.script.attempts:
        return close(d, Result.NOT_FOUND, Saying.NOT_FOUND, Saying.GOODBYE)
    timers: list[LineCommand] = [
        CancelTimer(Timer.COMMIT),
        SetTimer(Timer.OVERALL, d.script.overall_s),
    ]
    d, commands = ask(d, Saying.NOT_FOUND)
    return d, [*timers, *commands] if d.state is not State.CLOSING else commands


def limited(d: LineDialogue, _: TooManyAttempts) -> Step:
    """Say to try later, in the words of any fault."""
    return close(d, Result.LIMITED, Saying.LATER, Saying.GOODBYE)


def withdrawn(d: LineDialogue, event: RecordingWithdrawn) -> Step:
    """Say what was done, and the reference twice."""
    result, saying = _EFFECTS[event.done.effect, event.done.because]
    reference = spoken_digits(event.done.reference, group=REFERENCE_GROUP)
    words: tuple[Word, ...] = (Saying.REFERENCE, *reference, Saying.REFERENCE_AGAIN, *reference)
    return close(d, result, saying, *words, Saying.GOODBYE)


def act_failed(d: LineDialogue, _: WithdrawalFailed) -> Step:
    """Say to try later: whether there is a recording, and what became of it, is not told."""
    return fail(d)


def act_timed_out(d: LineDialogue, event: TimerFired) -> Step:
    """The caller does not wait any longer."""
    return fail(d) if event.timer is Timer.COMMIT else (d, [])


def stopping_while_acting(d: LineDialogue, _: ServiceStopping) -> Step:
    """The call goes; what was confirmed is done all the same."""
    return let_go(d, Result.FAILED, State.DEPARTED)


def left_while_acting(d: LineDialogue, _: ChannelHungUp | CallLeft | CallLost) -> Step:
    """What was confirmed is done all the same."""
    return replace(d, state=State.DEPARTED), []


def settled(d: LineDialogue, _: LineEvent) -> Step:
    """What was confirmed has come to its end."""
    return replace(d, state=State.GONE), []


def settled_in_time(d: LineDialogue, event: TimerFired) -> Step:
    """Nobody waits, and nothing is waited for longer."""
    return (replace(d, state=State.GONE), []) if event.timer is Timer.COMMIT else (d, [])


def closed(d: LineDialogue, event: PartPlayed | PlaybackFailed) -> Step:
    """The last words were spoken, or cannot be."""
    if event.play != d.play:
        return d, []
    return let_go(replace(d, words=()), d.result or Result.FAILED)


def closing_timed_out(d: LineDialogue, event: TimerFired) -> Step:
    """Do not wait for the end of the last words for ever."""
    return let_go(d, d.result or Result.FAILED) if event.timer is Timer.OVERALL else (d, [])


def stopping_while_closing(d: LineDialogue, _: ServiceStopping) -> Step:
    """The call does not wait for the service; how it ended is known."""
    return let_go(d, d.result or Result.FAILED)


def restored_while_closing(d: LineDialogue, _: ConnectionRestored) -> Step:
    """Whether the last words were heard is not known: say them again."""
    return say(replace(d, cut_off=False), State.CLOSING, *d.words)
