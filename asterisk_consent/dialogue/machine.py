"""The dialogue with a caller: one table of every transition, and the steps it names.

Rules kept here, for every mode: a refusal works at any moment, in the menu of languages too, unless the law demands
the recording, and then the caller is told; an agreement counts only once the information was played to its end;
silence, a wrong digit, a hang-up and a fault are never an agreement (GDPR art. 4(11), recital 32). With opt-out and
notice the call is recorded once everything was played to its end in a language the caller chose, and not after a
digit that means nothing. Only a committed entry leads to a recording; there is one decision, whatever comes after it.

``step`` is a function from (dialogue, event) to (dialogue, commands). A pair that the table does not list raises
``DialogueError`` and changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace

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
from asterisk_consent.dialogue.script import Dialogue, State
from asterisk_consent.errors import DialogueError
from asterisk_consent.model import Mode, Outcome

COMMIT_TIMEOUT_S = 2.0
"""How long a caller waits for the entry to be on disk before going on unrecorded."""

NO_LANGUAGE = "no language chosen"
ON_THE_LIST = "on the list of objections"

Step = tuple[Dialogue, list[Command]]

_SILENT = frozenset({State.LISTENING, State.AWAITING_LANGUAGE})
_BEGINS_WITH = {Part.MENU: State.CHOOSING, Part.QUESTION: State.QUESTIONING}


def _play(d: Dialogue, *parts: Part) -> Step:
    state = _BEGINS_WITH.get(parts[0], State.INFORMING)
    d = replace(d, state=state, play=d.play + 1, parts=parts)
    return d, [PlayPrompt(d.play, parts, d.language)]


def _stop(d: Dialogue) -> list[Command]:
    """Stop what plays, or the timer that runs once it has been played."""
    if d.state in _SILENT:
        return [CancelTimer(Timer.FIRST_DIGIT)]
    return [StopPrompt(d.play)] if d.parts else []


def _is(event: DigitReceived, choice: str) -> bool:
    """Tell whether it is this digit; where the policy has none for a choice, none is."""
    return bool(choice) and event.digit == choice


def _agrees(d: Dialogue, event: DigitReceived) -> bool:
    return d.script.mode is Mode.OPT_IN and d.informed and _is(event, d.script.agree_digit)


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


def _arrived(d: Dialogue, event: CallArrived) -> Step:
    """Play the announcement, or name the languages to choose from; without either nothing can be asked."""
    if not event.language and not d.script.menu:
        return _decide(d, Outcome.NO_CHOICE, reason=NO_LANGUAGE)
    d = replace(d, language=event.language)
    d, commands = _play(d, *(d.script.announcement if d.language else (Part.MENU,)))
    return d, [SetTimer(Timer.OVERALL, d.script.overall_s), *commands]


def _unaskable(d: Dialogue, event: CallUnaskable) -> Step:
    """Enter why the call was not asked, then let it go on."""
    return _decide(d, Outcome.FAILED, reason=event.reason)


def _objected(d: Dialogue, _: CallerObjected) -> Step:
    """Enter the refusal of somebody who objected before, without asking again; where the law takes none, nothing is."""
    if not d.script.takes_refusal:
        return _decide(d, Outcome.FAILED, reason=ON_THE_LIST)
    return _decide(d, d.script.refusal, reason=ON_THE_LIST)


def _part_played(d: Dialogue, event: PartPlayed) -> Step:
    """A part that was cut short ends the asking; the last one played out begins the wait, or is the notice."""
    if event.play != d.play or event.part not in d.parts[:1]:
        return d, []
    if not event.complete:
        return _decide(d, Outcome.FAILED, reason=f"{event.part} not played in full")
    d = replace(d, parts=d.parts[1:], informed=d.informed or event.part is Part.INFORMATION)
    if d.parts:
        return replace(d, state=_BEGINS_WITH.get(d.parts[0], State.INFORMING)), []
    if event.part is Part.INFORMATION:
        return _decide(d, Outcome.INFORMED)
    state = State.AWAITING_LANGUAGE if event.part is Part.MENU else State.LISTENING
    return replace(d, state=state), [SetTimer(Timer.FIRST_DIGIT, d.script.first_digit_s)]


def _playback_failed(d: Dialogue, event: PlaybackFailed) -> Step:
    """Nothing that was not heard can be agreed to."""
    if event.play != d.play:
        return d, []
    return _decide(d, Outcome.FAILED, reason=event.reason)


def _digit_in_menu(d: Dialogue, event: DigitReceived) -> Step:
    """A refusal decides; a language is spoken from here on; any other digit is an attempt."""
    if _is(event, d.script.refuse_digit) and d.script.takes_refusal:
        return _decide(d, d.script.refusal, digit=event.digit)
    language = dict(d.script.menu).get(event.digit)
    if not language:
        return _ask_again(d, NO_LANGUAGE)
    stop = _stop(d)
    d, commands = _play(replace(d, language=language, attempts_used=0), *d.script.announcement)
    return d, stop + commands


def _digit_early(d: Dialogue, event: DigitReceived) -> Step:
    """While the information plays only a refusal counts, unless the caller has heard it all before."""
    if _is(event, d.script.refuse_digit):
        return _refuse(d, event.digit)
    if _agrees(d, event):
        return _decide(d, Outcome.GIVEN, digit=event.digit)
    return replace(d, wrong_digit=d.wrong_digit or not _is(event, d.script.repeat_digit)), []


def _digit(d: Dialogue, event: DigitReceived) -> Step:
    """A refusal or an agreement decides; a repetition plays everything; any other digit is an attempt."""
    script = d.script
    if _is(event, script.refuse_digit):
        return _refuse(d, event.digit)
    if _agrees(d, event):
        return _decide(d, Outcome.GIVEN, digit=event.digit)
    if _is(event, script.repeat_digit) and d.repeats_used < script.repeats:
        stop = _stop(d)
        d, commands = _play(replace(d, repeats_used=d.repeats_used + 1), *script.announcement)
        return d, stop + commands
    return _ask_again(replace(d, wrong_digit=True), f"digit {event.digit} is none of the choices")


def _refuse(d: Dialogue, digit: str) -> Step:
    """Respect a refusal; where the law demands the recording say so, once, and inform anew."""
    if d.script.takes_refusal:
        return _decide(d, d.script.refusal, digit=digit)
    if d.explained:
        return d, []
    stop = _stop(d)
    d, commands = _play(replace(d, explained=True), Part.NO_REFUSAL, *d.script.announcement)
    return d, stop + commands


def _ask_again(d: Dialogue, reason: str) -> Step:
    """Ask once more what was asked, as often as the policy says; then there is no choice."""
    if d.attempts_used + 1 >= d.script.attempts:
        return _decide(d, Outcome.NO_CHOICE, reason=reason)
    stop = _stop(d)
    again = Part.QUESTION if d.language else Part.MENU
    d, commands = _play(replace(d, attempts_used=d.attempts_used + 1), again)
    return d, stop + commands


def _timed_out(d: Dialogue, event: TimerFired) -> Step:
    """Silence is an attempt, or no objection where no wrong digit came; the end of it all decides."""
    if event.timer is Timer.OVERALL:
        return _decide(d, Outcome.NO_CHOICE, reason="overall time-out" if d.language else NO_LANGUAGE)
    if event.timer is not Timer.FIRST_DIGIT or d.state not in _SILENT or d.cut_off:
        return d, []
    if d.state is State.AWAITING_LANGUAGE:
        return _ask_again(d, NO_LANGUAGE)
    if d.script.mode is Mode.OPT_OUT and d.informed and not d.wrong_digit:
        return _decide(d, Outcome.INFORMED)
    return _ask_again(d, "no digit")


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


def _cut_off(d: Dialogue, _: ConnectionLost) -> Step:
    """Digits cannot be heard: silence means nothing until the connection is back."""
    return replace(d, cut_off=True), []


def _restored(d: Dialogue, _: ConnectionRestored) -> Step:
    """A digit may have been lost: ask again, never infer; all of it where the information was being played."""
    stop = _stop(d)
    d = replace(d, cut_off=False)
    if not d.language:
        d, commands = _play(d, Part.MENU)
    elif d.state is State.INFORMING:
        unexplained = [part for part in d.parts if part is Part.NO_REFUSAL]
        d, commands = _play(d, *unexplained, *d.script.announcement)
    else:
        d, commands = _play(d, Part.QUESTION)
    return d, stop + commands


def _committed(d: Dialogue, _: EntryCommitted) -> Step:
    """The decision is on disk: start the recording it allows, or let the call go on."""
    cancel = CancelTimer(Timer.COMMIT)
    outcome = d.decided or Outcome.FAILED
    if outcome.allows_recording:
        return replace(d, state=State.STARTING), [cancel, StartRecording()]
    return replace(d, state=State.GONE), [cancel, ReleaseCall(outcome)]


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
    allowed = d.decided is not None and d.decided.allows_recording
    return replace(d, state=State.GONE), unmade if allowed else []


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


_MENU = (State.CHOOSING, State.AWAITING_LANGUAGE)
_ASKING = (*_MENU, State.INFORMING, State.QUESTIONING, State.LISTENING)
_DECIDED = (State.DECIDING, State.STARTING, State.DEPARTED, State.GONE)
_LEAVING = (ChannelHungUp, CallLeft, CallLost)

TABLE: dict[tuple[State, type], tuple[Callable[..., Step], tuple[State, ...]]] = {
    (State.ARRIVING, CallArrived): (_arrived, (State.CHOOSING, State.INFORMING, State.DECIDING)),
    (State.ARRIVING, CallUnaskable): (_unaskable, (State.DECIDING,)),
    (State.ARRIVING, CallerObjected): (_objected, (State.DECIDING,)),
    (State.CHOOSING, PartPlayed): (_part_played, (State.CHOOSING, State.AWAITING_LANGUAGE, State.DECIDING)),
    (State.CHOOSING, PlaybackFailed): (_playback_failed, (State.CHOOSING, State.DECIDING)),
    (State.CHOOSING, DigitReceived): (_digit_in_menu, (State.CHOOSING, State.INFORMING, State.DECIDING)),
    (State.CHOOSING, TimerFired): (_timed_out, (State.CHOOSING, State.DECIDING)),
    (State.AWAITING_LANGUAGE, DigitReceived): (
        _digit_in_menu,
        (State.CHOOSING, State.INFORMING, State.DECIDING),
    ),
    (State.AWAITING_LANGUAGE, TimerFired): (
        _timed_out,
        (State.AWAITING_LANGUAGE, State.CHOOSING, State.DECIDING),
    ),
    (State.INFORMING, PartPlayed): (_part_played, (State.INFORMING, State.QUESTIONING, State.DECIDING)),
    (State.INFORMING, PlaybackFailed): (_playback_failed, (State.INFORMING, State.DECIDING)),
    (State.INFORMING, DigitReceived): (_digit_early, (State.INFORMING, State.DECIDING)),
    (State.INFORMING, TimerFired): (_timed_out, (State.INFORMING, State.DECIDING)),
    (State.QUESTIONING, PartPlayed): (_part_played, (State.QUESTIONING, State.LISTENING, State.DECIDING)),
    (State.QUESTIONING, PlaybackFailed): (_playback_failed, (State.QUESTIONING, State.DECIDING)),
    (State.QUESTIONING, DigitReceived): (_digit, (State.INFORMING, State.QUESTIONING, State.DECIDING)),
    (State.QUESTIONING, TimerFired): (_timed_out, (State.QUESTIONING, State.DECIDING)),
    (State.LISTENING, DigitReceived): (
        _digit,
        (State.INFORMING, State.QUESTIONING, State.LISTENING, State.DECIDING),
    ),
    (State.LISTENING, TimerFired): (_timed_out, (State.LISTENING, State.QUESTIONING, State.DECIDING)),
    **{
        (state, event): (_ignore, (state,))
        for state in (State.AWAITING_LANGUAGE, State.LISTENING)
        for event in (PartPlayed, PlaybackFailed)
    },
    **{(state, ChannelHungUp): (_hung_up, (State.DEPARTED,)) for state in (State.ARRIVING, *_ASKING)},
    **{(state, CallLeft): (_left, (State.DEPARTED,)) for state in (State.ARRIVING, *_ASKING)},
    **{(state, CallLost): (_lost, (State.DEPARTED,)) for state in (State.ARRIVING, *_ASKING)},
    **{(state, ServiceStopping): (_stopping, (State.DECIDING,)) for state in (State.ARRIVING, *_ASKING)},
    **{(state, ConnectionRestored): (_restored, (State.CHOOSING,)) for state in _MENU},
    **{(state, ConnectionLost): (_cut_off, (state,)) for state in _ASKING},
    (State.INFORMING, ConnectionRestored): (_restored, (State.INFORMING,)),
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
        for event in (PartPlayed, PlaybackFailed, DigitReceived, ServiceStopping, ConnectionLost)
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
