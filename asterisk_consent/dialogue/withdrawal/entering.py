"""The steps of the withdrawal line up to the confirmation: language, receipt, yes or no.

Rule: they depend on what is pressed and on nothing else; nothing has been looked for yet, and whatever ends one of
them changes nothing.
"""

from dataclasses import replace

from asterisk_consent.dialogue.commands import SetTimer
from asterisk_consent.dialogue.events import (
    ConnectionLost,
    ConnectionRestored,
    DigitReceived,
    PartPlayed,
    PlaybackFailed,
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.withdrawal.acting import find
from asterisk_consent.dialogue.withdrawal.events import LineReached, LineSilent
from asterisk_consent.dialogue.withdrawal.receipt import Match, match_receipt
from asterisk_consent.dialogue.withdrawal.saying import (
    TIMED,
    Step,
    ask,
    ask_to_confirm,
    begin,
    give_up,
    hush,
    let_go,
    next_round,
)
from asterisk_consent.dialogue.withdrawal.script import LineDialogue, Result, Saying, State


def reached(d: LineDialogue, event: LineReached) -> Step:
    """Greet, or name the languages first where there are several."""
    d = replace(d, knows_number=event.knows_number, within_limits=event.within_limits)
    overall = SetTimer(Timer.OVERALL, d.script.overall_s)
    if d.script.menu:
        d, commands = next_round(d, State.CHOOSING, Saying.MENU)
    else:
        d, commands = begin(replace(d, language=d.script.languages[0]))
    return d, [overall, *commands] if d.state is not State.CLOSING else commands


def silent(d: LineDialogue, _: LineSilent) -> Step:
    """Nothing can be said: give the call back."""
    return let_go(d, Result.FAILED)


def played(d: LineDialogue, event: PartPlayed) -> Step:
    """Wait for digits once everything was played; what was cut off was not said."""
    if event.play != d.play:
        return d, []
    if not event.complete:
        return let_go(replace(d, words=()), Result.FAILED)
    waiting = {
        State.CHOOSING: State.AWAITING_LANGUAGE,
        State.ASKING: State.ENTERING,
        State.CONFIRMING: State.AWAITING_CONFIRMATION,
    }
    return replace(d, state=waiting[d.state], words=()), [SetTimer(Timer.FIRST_DIGIT, d.script.first_digit_s)]


def playback_failed(d: LineDialogue, event: PlaybackFailed) -> Step:
    """A line that cannot speak gives the call back."""
    if event.play != d.play:
        return d, []
    return let_go(replace(d, words=()), Result.FAILED)


def language_chosen(d: LineDialogue, event: DigitReceived) -> Step:
    """Go on in the language of the digit; another digit has the languages named again."""
    language = dict(d.script.menu).get(event.digit)
    return _with_language(d, language) if language else _name_again(d)


def _with_language(d: LineDialogue, language: str) -> Step:
    return begin(replace(d, language=language, silences_heard=0))


def _name_again(d: LineDialogue) -> Step:
    """Name the languages once more, then go on in the first: nothing depends on it but being understood."""
    if d.silences_heard + 1 >= d.script.silences:
        return _with_language(d, d.script.languages[0])
    return next_round(replace(d, silences_heard=d.silences_heard + 1), State.CHOOSING, Saying.MENU)


def _is_number(digit: str) -> bool:
    return len(digit) == 1 and digit in "0123456789"


def first_digit(d: LineDialogue, event: DigitReceived) -> Step:
    """A digit begins the receipt, also while it is being asked for."""
    if not _is_number(event.digit):
        return d, []
    stop = hush(d)
    d = replace(d, state=State.ENTERING, words=(), digits=event.digit, silences_heard=0)
    return d, [*stop, SetTimer(Timer.NEXT_DIGIT, d.script.next_digit_s)]


def digit(d: LineDialogue, event: DigitReceived) -> Step:
    """Add a digit; the last one, or the digit that ends, leads on; one starts over."""
    if event.digit == d.script.again_digit:
        return ask(d)
    if event.digit == d.script.end_digit:
        return _entered(d, ended=True)
    if not _is_number(event.digit):
        return d, []
    if not d.digits:
        return first_digit(d, event)
    return _entered(replace(d, digits=d.digits + event.digit), ended=False)


def _entered(d: LineDialogue, *, ended: bool) -> Step:
    match match_receipt(d.digits, last_do=d.knows_number, ended=ended):
        case Match.INCOMPLETE:
            return d, [SetTimer(Timer.NEXT_DIGIT, d.script.next_digit_s)]
        case Match.INVALID:
            return ask(d, Saying.UNCLEAR)
        case Match.COMPLETE:
            return ask_to_confirm(d)


def digit_early(d: LineDialogue, event: DigitReceived) -> Step:
    """While it is asked whether to withdraw one may decline or start over; confirming does not count yet."""
    if event.digit == d.script.decline_digit:
        return give_up(d)
    if event.digit == d.script.again_digit:
        return ask(d)
    return d, []


def answer(d: LineDialogue, event: DigitReceived) -> Step:
    """The digit that confirms has the recording looked for; a wrong one is asked about again."""
    if event.digit == d.script.confirm_digit:
        return find(d)
    if event.digit in (d.script.decline_digit, d.script.again_digit):
        return digit_early(d, event)
    return ask_to_confirm(replace(d, silences_heard=0))


def timed_out(d: LineDialogue, event: TimerFired) -> Step:
    """Silence ends an entry that was begun, and is asked about else; the end of the time changes nothing."""
    if event.timer is Timer.OVERALL:
        return give_up(d)
    if event.timer not in (Timer.FIRST_DIGIT, Timer.NEXT_DIGIT) or d.state not in TIMED or d.cut_off:
        return d, []
    if d.digits and d.state is State.ENTERING:
        return _entered(d, ended=True) if event.timer is Timer.NEXT_DIGIT else (d, [])
    if d.state is State.AWAITING_LANGUAGE:
        return _name_again(d)
    if d.silences_heard + 1 >= d.script.silences:
        return give_up(d)
    d = replace(d, silences_heard=d.silences_heard + 1)
    return ask(d) if d.state is State.ENTERING else ask_to_confirm(d)


def restored(d: LineDialogue, _: ConnectionRestored) -> Step:
    """A digit may have been lost: ask again, never infer."""
    d = replace(d, cut_off=False)
    if d.state in (State.CHOOSING, State.AWAITING_LANGUAGE):
        return next_round(d, State.CHOOSING, Saying.MENU)
    if d.state in (State.CONFIRMING, State.AWAITING_CONFIRMATION):
        return ask_to_confirm(d)
    return ask(d)


def stopping(d: LineDialogue, _: ServiceStopping) -> Step:
    """The call does not wait for the service."""
    return let_go(d, Result.FAILED)


def cut_off(d: LineDialogue, _: ConnectionLost) -> Step:
    """Digits cannot be heard: silence means nothing until the connection is back."""
    return replace(d, cut_off=True), []
