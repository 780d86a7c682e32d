"""The dialogue of an opt-in policy: one table of every transition, and the steps it names.

Rules kept here: a refusal works at any moment; an agreement counts only once the information was played to its
end; silence, a wrong digit, a hang-up and a fault are never an agreement (GDPR art. 4(11), recital 32); only a
committed entry leads to a recording; there is one decision, whatever comes after it.

``step`` is a function from (dialogue, event) to (dialogue, commands). A pair that the table does not list raises
``DialogueError`` and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from asterisk_consent.dialogue.commands import (
    AppendEntry,
    CancelTimer,
    Command,
    EnterNotStarted,
    PlayPrompt,
    ReleaseCall,
    SetTimer,
    StartRecording,
    StopPrompt,
)
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
from asterisk_consent.errors import DialogueError
from asterisk_consent.model import Outcome

COMMIT_TIMEOUT_S = 2.0
"""How long a caller waits for the entry to be on disk before going on unrecorded."""


class State(StrEnum):
    """Where the conversation stands."""

    ARRIVING = "arriving"
    INFORMING = "informing"
    QUESTIONING = "questioning"
    LISTENING = "listening"
    DECIDING = "deciding"
    STARTING = "starting"
    DEPARTED = "departed"
    """The call is gone or was let go while its entry is still being written."""
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a policy prescribes for the conversation; durations in seconds."""

    agree_digit: str
    refuse_digit: str
    repeat_digit: str
    attempts: int
    repeats: int
    first_digit_s: float
    overall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """The state of one conversation; replaced, never changed."""

    script: Script
    state: State = State.ARRIVING
    play: int = 0
    informed: bool = False
    attempts_used: int = 0
    repeats_used: int = 0
    decided: Outcome | None = None


Step = tuple[Dialogue, list[Command]]


def _play(d: Dialogue, *parts: Part) -> Step:
    state = State.INFORMING if parts[0] is Part.INFORMATION else State.QUESTIONING
    d = replace(d, state=state, play=d.play + 1)
    return d, [PlayPrompt(d.play, parts)]


def _stop(d: Dialogue) -> list[Command]:
    """Stop what plays, or the timer that runs once it has been played."""
    if d.state is State.LISTENING:
        return [CancelTimer(Timer.FIRST_DIGIT)]
    return [] if d.state is State.ARRIVING else [StopPrompt(d.play)]


def _decide(d: Dialogue, outcome: Outcome, *, digit: str = "", reason: str = "") -> Step:
    """Enter the decision while the caller waits for it to be on disk."""
    commands: list[Command] = [
        *_stop(d),
        CancelTimer(Timer.OVERALL),
        SetTimer(Timer.COMMIT, COMMIT_TIMEOUT_S),
        AppendEntry(outcome, digit, reason),
    ]
    return replace(d, state=State.DECIDING, decided=outcome), commands


def _depart(d: Dialogue, outcome: Outcome, reason: str) -> Step:
    """Enter the decision of a call that is no longer with us."""
    timers: list[Command] = [CancelTimer(Timer.FIRST_DIGIT), CancelTimer(Timer.OVERALL)]
    return replace(d, state=State.DEPARTED, decided=outcome), [*timers, AppendEntry(outcome, "", reason)]


def _arrived(d: Dialogue, _: CallArrived) -> Step:
    """Play information and question."""
    d, commands = _play(d, Part.INFORMATION, Part.QUESTION)
    return d, [SetTimer(Timer.OVERALL, d.script.overall_s), *commands]


def _unaskable(d: Dialogue, event: CallUnaskable) -> Step:
    """Enter why the call was not asked, then let it go on."""
    return _decide(d, Outcome.FAILED, reason=event.reason)


def _part_played(d: Dialogue, event: PartPlayed) -> Step:
    """A part that was cut short ends the asking; the question played out begins the wait for a digit."""
    expected = Part.INFORMATION if d.state is State.INFORMING else Part.QUESTION
    if event.play != d.play or event.part is not expected:
        return d, []
    if not event.complete:
        return _decide(d, Outcome.FAILED, reason=f"{event.part} not played in full")
    if event.part is Part.INFORMATION:
        return replace(d, state=State.QUESTIONING, informed=True), []
    return replace(d, state=State.LISTENING), [SetTimer(Timer.FIRST_DIGIT, d.script.first_digit_s)]


def _playback_failed(d: Dialogue, event: PlaybackFailed) -> Step:
    """Nothing that was not heard can be agreed to."""
    if event.play != d.play:
        return d, []
    return _decide(d, Outcome.FAILED, reason=event.reason)


def _digit_early(d: Dialogue, event: DigitReceived) -> Step:
    """While the information plays only a refusal counts, unless the caller has heard it all before."""
    if event.digit == d.script.refuse_digit:
        return _decide(d, Outcome.REFUSED, digit=event.digit)
    if event.digit == d.script.agree_digit and d.informed:
        return _decide(d, Outcome.GIVEN, digit=event.digit)
    return d, []


def _digit(d: Dialogue, event: DigitReceived) -> Step:
    """A refusal or an agreement decides; a repetition plays everything; any other digit is an attempt."""
    script = d.script
    if event.digit == script.refuse_digit:
        return _decide(d, Outcome.REFUSED, digit=event.digit)
    if event.digit == script.agree_digit:
        return _decide(d, Outcome.GIVEN, digit=event.digit)
    stop = _stop(d)
    if event.digit == script.repeat_digit and d.repeats_used < script.repeats:
        d, commands = _play(replace(d, repeats_used=d.repeats_used + 1), Part.INFORMATION, Part.QUESTION)
        return d, stop + commands
    d, commands = _ask_again(d, f"digit {event.digit} is none of the choices")
    return d, commands if d.state is State.DECIDING else stop + commands


def _ask_again(d: Dialogue, reason: str) -> Step:
    if d.attempts_used + 1 >= d.script.attempts:
        return _decide(d, Outcome.NO_CHOICE, reason=reason)
    return _play(replace(d, attempts_used=d.attempts_used + 1), Part.QUESTION)


def _timed_out(d: Dialogue, event: TimerFired) -> Step:
    """Silence is an attempt; the end of the whole conversation decides."""
    if event.timer is Timer.OVERALL:
        return _decide(d, Outcome.NO_CHOICE, reason="overall time-out")
    if event.timer is Timer.FIRST_DIGIT and d.state is State.LISTENING:
        return _ask_again(d, "no digit")
    return d, []


def _hung_up(d: Dialogue, _: ChannelHungUp) -> Step:
    """Enter that the caller hung up."""
    return _depart(d, Outcome.ABANDONED, "hung up")


def _left(d: Dialogue, _: CallLeft) -> Step:
    """Enter that the call went on without an answer."""
    return _depart(d, Outcome.FAILED, "left before an answer")


def _lost(d: Dialogue, _: CallLost) -> Step:
    """Enter that the call was lost."""
    return _depart(d, Outcome.ABORTED, "lost with the connection to Asterisk")


def _stopping(d: Dialogue, _: ServiceStopping) -> Step:
    """The call does not wait for the service."""
    return _decide(d, Outcome.FAILED, reason="the service was stopped")


def _restored(d: Dialogue, _: ConnectionRestored) -> Step:
    """A digit may have been lost: ask again, never infer; the information too unless it was played out."""
    stop = _stop(d)
    d, commands = _play(d, *((Part.QUESTION,) if d.informed else (Part.INFORMATION, Part.QUESTION)))
    return d, stop + commands


def _committed(d: Dialogue, _: EntryCommitted) -> Step:
    """The decision is on disk: start the recording it allows, or let the call go on."""
    cancel = CancelTimer(Timer.COMMIT)
    if d.decided is Outcome.GIVEN:
        return replace(d, state=State.STARTING), [cancel, StartRecording()]
    return replace(d, state=State.GONE), [cancel, ReleaseCall(d.decided or Outcome.FAILED)]


def _not_committed(d: Dialogue, _: EntryFailed) -> Step:
    """Without an entry there is no recording."""
    return replace(d, state=State.GONE), [CancelTimer(Timer.COMMIT), ReleaseCall(Outcome.FAILED)]


def _commit_timed_out(d: Dialogue, event: TimerFired) -> Step:
    """The caller does not wait any longer."""
    if event.timer is not Timer.COMMIT:
        return d, []
    return replace(d, state=State.DEPARTED), [ReleaseCall(Outcome.FAILED)]


def _gone_while_deciding(d: Dialogue, _: ChannelHungUp | CallLeft | CallLost) -> Step:
    """The entry is still being written."""
    return replace(d, state=State.DEPARTED), [CancelTimer(Timer.COMMIT)]


def _committed_too_late(d: Dialogue, _: EntryCommitted) -> Step:
    """What the entry allows cannot be made any more."""
    unmade: list[Command] = [EnterNotStarted("the call had gone before the entry was on disk")]
    return replace(d, state=State.GONE), unmade if d.decided is Outcome.GIVEN else []


def _not_committed_either(d: Dialogue, _: EntryFailed) -> Step:
    """Neither call nor entry are left."""
    return replace(d, state=State.GONE), []


def _recording_refused(d: Dialogue, event: RecordingRefused) -> Step:
    """What the entry allows cannot be made; let the call go on."""
    return replace(d, state=State.GONE), [EnterNotStarted(event.reason), ReleaseCall(Outcome.FAILED)]


def _start_again(d: Dialogue, _: ConnectionRestored) -> Step:
    """Whether the start reached Asterisk is unknown, but the call still waits: it did not."""
    return d, [StartRecording()]


def _started(d: Dialogue, _: CallLeft | ChannelHungUp | CallLost) -> Step:
    """The call left for the recording, or ended on the way: what became of it the recorder finds out."""
    return replace(d, state=State.GONE), []


def _ignore(d: Dialogue, _: Event) -> Step:
    """Means nothing here."""
    return d, []


_ASKING = (State.INFORMING, State.QUESTIONING, State.LISTENING)
_DECIDED = (State.DECIDING, State.STARTING, State.DEPARTED, State.GONE)
_LEAVING = (ChannelHungUp, CallLeft, CallLost)

TABLE: dict[tuple[State, type], tuple[Callable[..., Step], tuple[State, ...]]] = {
    (State.ARRIVING, CallArrived): (_arrived, (State.INFORMING,)),
    (State.ARRIVING, CallUnaskable): (_unaskable, (State.DECIDING,)),
    (State.INFORMING, PartPlayed): (_part_played, (State.INFORMING, State.QUESTIONING, State.DECIDING)),
    (State.INFORMING, PlaybackFailed): (_playback_failed, (State.INFORMING, State.DECIDING)),
    (State.INFORMING, DigitReceived): (_digit_early, (State.INFORMING, State.DECIDING)),
    (State.INFORMING, TimerFired): (_timed_out, (State.INFORMING, State.DECIDING)),
    (State.QUESTIONING, PartPlayed): (_part_played, (State.QUESTIONING, State.LISTENING, State.DECIDING)),
    (State.QUESTIONING, PlaybackFailed): (_playback_failed, (State.QUESTIONING, State.DECIDING)),
    (State.QUESTIONING, DigitReceived): (_digit, (State.INFORMING, State.QUESTIONING, State.DECIDING)),
    (State.QUESTIONING, TimerFired): (_timed_out, (State.QUESTIONING, State.DECIDING)),
    (State.LISTENING, PartPlayed): (_ignore, (State.LISTENING,)),
    (State.LISTENING, PlaybackFailed): (_ignore, (State.LISTENING,)),
    (State.LISTENING, DigitReceived): (_digit, (State.INFORMING, State.QUESTIONING, State.DECIDING)),
    (State.LISTENING, TimerFired): (_timed_out, (State.LISTENING, State.QUESTIONING, State.DECIDING)),
    **{(state, ChannelHungUp): (_hung_up, (State.DEPARTED,)) for state in (State.ARRIVING, *_ASKING)},
    **{(state, CallLeft): (_left, (State.DEPARTED,)) for state in (State.ARRIVING, *_ASKING)},
    **{(state, CallLost): (_lost, (State.DEPARTED,)) for state in (State.ARRIVING, *_ASKING)},
    **{(state, ServiceStopping): (_stopping, (State.DECIDING,)) for state in (State.ARRIVING, *_ASKING)},
    (State.INFORMING, ConnectionRestored): (_restored, (State.INFORMING, State.QUESTIONING)),
    (State.QUESTIONING, ConnectionRestored): (_restored, (State.QUESTIONING,)),
    (State.LISTENING, ConnectionRestored): (_restored, (State.QUESTIONING,)),
    (State.DECIDING, EntryCommitted): (_committed, (State.STARTING, State.GONE)),
    (State.DECIDING, EntryFailed): (_not_committed, (State.GONE,)),
    (State.DECIDING, TimerFired): (_commit_timed_out, (State.DECIDING, State.DEPARTED)),
    **{(State.DECIDING, event): (_gone_while_deciding, (State.DEPARTED,)) for event in _LEAVING},
    (State.STARTING, RecordingRefused): (_recording_refused, (State.GONE,)),
    (State.STARTING, ConnectionRestored): (_start_again, (State.STARTING,)),
    **{(State.STARTING, event): (_started, (State.GONE,)) for event in _LEAVING},
    (State.DEPARTED, EntryCommitted): (_committed_too_late, (State.GONE,)),
    (State.DEPARTED, EntryFailed): (_not_committed_either, (State.GONE,)),
    **{
        (state, event): (_ignore, (state,))
        for state in _DECIDED
        for event in (PartPlayed, PlaybackFailed, DigitReceived, ServiceStopping)
    },
    **{
        (state, ConnectionRestored): (_ignore, (state,))
        for state in (State.DECIDING, State.DEPARTED, State.GONE)
    },
    **{(state, TimerFired): (_ignore, (state,)) for state in (State.STARTING, State.DEPARTED, State.GONE)},
    **{(state, event): (_ignore, (state,)) for state in (State.DEPARTED, State.GONE) for event in _LEAVING},
    (State.GONE, RecordingRefused): (_ignore, (State.GONE,)),
}
"""Every transition: (state, event) to the step that takes it and the states it can lead to."""


def step(dialogue: Dialogue, event: Event) -> Step:
    """Take one event; return the dialogue after it and what is to be done.

    :raises DialogueError: the state does not list the event; nothing has changed.
    """
    entry = TABLE.get((dialogue.state, type(event)))
    if entry is None:
        raise DialogueError(f"{type(event).__name__} has no meaning in state {dialogue.state}")
    return entry[0](dialogue, event)
