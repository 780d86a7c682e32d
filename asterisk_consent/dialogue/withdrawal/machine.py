"""The conversation on the withdrawal line: one table of every transition, and the steps it names.

Rules kept here: nothing is looked for and nothing is withdrawn before the caller confirmed it, and confirming counts
only once the question was played to its end; silence, wrong digits, a hang-up and a break before that change nothing.
Up to the confirmation everybody hears the same, whether or not there is a recording; what fails and what is over the
limit sounds the same too. Nothing is read back but a reference that was made for this withdrawal. Attempts, rounds
and silences are bounded, and every state has a timer that ends it. What was confirmed is done, also where the caller
hangs up meanwhile.

``step`` is a function from (dialogue, event) to (dialogue, commands). A pair that the table does not list raises
``DialogueError`` and changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace

from asterisk_consent.dialogue.events import (
    CallLeft,
    CallLost,
    ChannelHungUp,
    ConnectionLost,
    ConnectionRestored,
    DigitReceived,
    PartPlayed,
    PlaybackFailed,
    ServiceStopping,
    TimerFired,
)
from asterisk_consent.dialogue.withdrawal import acting, entering
from asterisk_consent.dialogue.withdrawal.events import (
    LineEvent,
    LineReached,
    LineSilent,
    NothingFound,
    RecordingFound,
    RecordingWithdrawn,
    TooManyAttempts,
    WithdrawalFailed,
)
from asterisk_consent.dialogue.withdrawal.saying import Step
from asterisk_consent.dialogue.withdrawal.script import LineDialogue, State
from asterisk_consent.errors import DialogueError


def _left(d: LineDialogue, _: ChannelHungUp | CallLeft | CallLost) -> Step:
    """Nobody is there any more, and nothing was confirmed, or everything is done."""
    return replace(d, state=State.GONE), []


def _ignore(d: LineDialogue, _: LineEvent) -> Step:
    """Means nothing here."""
    return d, []


_MENU = (State.CHOOSING, State.AWAITING_LANGUAGE)
_RECEIPT = (State.ASKING, State.ENTERING)
_CONFIRMATION = (State.CONFIRMING, State.AWAITING_CONFIRMATION)
_ASKING = (*_MENU, *_RECEIPT, *_CONFIRMATION)
_ACTING = (State.FINDING, State.WITHDRAWING)
_OVER = (State.DEPARTED, State.GONE)
_LEAVING = (ChannelHungUp, CallLeft, CallLost)
_SETTLING = (NothingFound, TooManyAttempts, RecordingWithdrawn, WithdrawalFailed)

TABLE: dict[tuple[State, type], tuple[Callable[..., Step], tuple[State, ...]]] = {
    (State.ARRIVING, LineReached): (entering.reached, (State.CHOOSING, State.ASKING, State.CLOSING)),
    (State.ARRIVING, LineSilent): (entering.silent, (State.GONE,)),
    (State.CHOOSING, PartPlayed): (
        entering.played,
        (State.CHOOSING, State.AWAITING_LANGUAGE, State.GONE),
    ),
    (State.ASKING, PartPlayed): (entering.played, (State.ASKING, State.ENTERING, State.GONE)),
    (State.CONFIRMING, PartPlayed): (
        entering.played,
        (State.CONFIRMING, State.AWAITING_CONFIRMATION, State.GONE),
    ),
    **{
        (state, PlaybackFailed): (entering.playback_failed, (state, State.GONE))
        for state in (State.CHOOSING, State.ASKING, State.CONFIRMING)
    },
    **{
        (state, DigitReceived): (
            entering.language_chosen,
            (State.CHOOSING, State.ASKING, State.CLOSING),
        )
        for state in _MENU
    },
    (State.ASKING, DigitReceived): (entering.first_digit, (State.ASKING, State.ENTERING)),
    (State.ENTERING, DigitReceived): (
        entering.digit,
        (State.ENTERING, State.ASKING, State.CONFIRMING, State.CLOSING),
    ),
    (State.CONFIRMING, DigitReceived): (
        entering.digit_early,
        (State.CONFIRMING, State.ASKING, State.CLOSING),
    ),
    (State.AWAITING_CONFIRMATION, DigitReceived): (
        entering.answer,
        (State.FINDING, State.CONFIRMING, State.ASKING, State.CLOSING),
    ),
    (State.CHOOSING, TimerFired): (entering.timed_out, (State.CHOOSING, State.CLOSING)),
    (State.AWAITING_LANGUAGE, TimerFired): (
        entering.timed_out,
        (State.AWAITING_LANGUAGE, State.CHOOSING, State.ASKING, State.CLOSING),
    ),
    (State.ASKING, TimerFired): (entering.timed_out, (State.ASKING, State.CLOSING)),
    (State.ENTERING, TimerFired): (
        entering.timed_out,
        (State.ENTERING, State.ASKING, State.CONFIRMING, State.CLOSING),
    ),
    (State.CONFIRMING, TimerFired): (entering.timed_out, (State.CONFIRMING, State.CLOSING)),
    (State.AWAITING_CONFIRMATION, TimerFired): (
        entering.timed_out,
        (State.AWAITING_CONFIRMATION, State.CONFIRMING, State.CLOSING),
    ),
    (State.FINDING, RecordingFound): (acting.found, (State.WITHDRAWING,)),
    (State.FINDING, NothingFound): (acting.not_found, (State.ASKING, State.CLOSING)),
    (State.FINDING, TooManyAttempts): (acting.limited, (State.CLOSING,)),
    (State.WITHDRAWING, RecordingWithdrawn): (acting.withdrawn, (State.CLOSING,)),
    **{(state, WithdrawalFailed): (acting.act_failed, (State.CLOSING,)) for state in _ACTING},
    **{(state, TimerFired): (acting.act_timed_out, (state, State.CLOSING)) for state in _ACTING},
    **{(state, ServiceStopping): (acting.stopping_while_acting, (State.DEPARTED,)) for state in _ACTING},
    **{
        (state, event): (acting.left_while_acting, (State.DEPARTED,))
        for state in _ACTING
        for event in _LEAVING
    },
    (State.CLOSING, PartPlayed): (acting.closed, (State.CLOSING, State.GONE)),
    (State.CLOSING, PlaybackFailed): (acting.closed, (State.CLOSING, State.GONE)),
    (State.CLOSING, TimerFired): (acting.closing_timed_out, (State.CLOSING, State.GONE)),
    (State.CLOSING, ServiceStopping): (acting.stopping_while_closing, (State.GONE,)),
    (State.CLOSING, ConnectionLost): (entering.cut_off, (State.CLOSING,)),
    (State.CLOSING, ConnectionRestored): (acting.restored_while_closing, (State.CLOSING,)),
    (State.DEPARTED, RecordingFound): (acting.found_after_departure, (State.DEPARTED,)),
    (State.DEPARTED, TimerFired): (acting.settled_in_time, (State.DEPARTED, State.GONE)),
    **{(State.DEPARTED, event): (acting.settled, (State.GONE,)) for event in _SETTLING},
    **{(state, ServiceStopping): (entering.stopping, (State.GONE,)) for state in (State.ARRIVING, *_ASKING)},
    **{
        (state, event): (_left, (State.GONE,))
        for state in (State.ARRIVING, *_ASKING, State.CLOSING)
        for event in _LEAVING
    },
    **{(state, ConnectionLost): (entering.cut_off, (state,)) for state in _ASKING},
    **{
        (state, ConnectionRestored): (entering.restored, (first[0], State.CLOSING))
        for first in (_MENU, _RECEIPT, _CONFIRMATION)
        for state in first
    },
    **{
        (state, event): (_ignore, (state,))
        for state in (State.AWAITING_LANGUAGE, State.ENTERING, State.AWAITING_CONFIRMATION)
        for event in (PartPlayed, PlaybackFailed)
    },
    **{
        (state, event): (_ignore, (state,))
        for state in (*_ACTING, *_OVER)
        for event in (PartPlayed, PlaybackFailed, DigitReceived, ConnectionLost, ConnectionRestored)
    },
    (State.CLOSING, DigitReceived): (_ignore, (State.CLOSING,)),
    **{
        (state, event): (_ignore, (state,))
        for state in (State.CLOSING, State.GONE)
        for event in (RecordingFound, *_SETTLING)
    },
    (State.GONE, TimerFired): (_ignore, (State.GONE,)),
    **{(state, event): (_ignore, (state,)) for state in _OVER for event in (*_LEAVING, ServiceStopping)},
}
"""Every transition: (state, event) to the step that takes it and the states it can lead to."""


def step(dialogue: LineDialogue, event: LineEvent) -> Step:
    """Take one event; return the dialogue after it and what is to be done.

    :raises DialogueError: the state does not list the event; nothing has changed.
    """
    entry = TABLE.get((dialogue.state, type(event)))
    if entry is None:
        raise DialogueError(f"{type(event).__name__} has no meaning in state {dialogue.state}")
    return entry[0](dialogue, event)
