"""What several steps of the withdrawal line do: say something, ask, close, let the call go.

Rule: nothing is said beside something else, and whatever is asked uses up one of the rounds of the script.
"""

from dataclasses import replace

from asterisk_consent.dialogue.commands import CancelTimer, SetTimer, StopPrompt
from asterisk_consent.dialogue.events import Timer
from asterisk_consent.dialogue.withdrawal.commands import EndCall, LineCommand, SayWords
from asterisk_consent.dialogue.withdrawal.script import LineDialogue, Result, Saying, State, Word

Step = tuple[LineDialogue, list[LineCommand]]

_PLAYING = frozenset({State.CHOOSING, State.ASKING, State.CONFIRMING, State.CLOSING})
TIMED = frozenset({State.AWAITING_LANGUAGE, State.ENTERING, State.AWAITING_CONFIRMATION})
"""Where nothing plays and a digit is waited for."""


def hush(d: LineDialogue) -> list[LineCommand]:
    """Stop what plays, or the timers that run once it has been played."""
    if d.state in TIMED:
        return [CancelTimer(Timer.FIRST_DIGIT), CancelTimer(Timer.NEXT_DIGIT)]
    return [StopPrompt(d.play)] if d.state in _PLAYING and d.words else []


def say(d: LineDialogue, state: State, *words: Word) -> Step:
    """Say this in place of what is being said."""
    stop = hush(d)
    language = "" if state is State.CHOOSING else d.language
    d = replace(d, state=state, play=d.play + 1, words=words, digits="")
    return d, [*stop, SayWords(d.play, words, language)]


def close(d: LineDialogue, result: Result, *words: Word) -> Step:
    """Say the last words, in the first language where none was chosen, then let the call go."""
    d, said = say(replace(d, language=d.language or d.script.languages[0]), State.CLOSING, *words)
    timers: list[LineCommand] = [
        CancelTimer(Timer.COMMIT),
        SetTimer(Timer.OVERALL, d.script.closing_s),
    ]
    return replace(d, result=result), [*said[:-1], *timers, said[-1]]


def give_up(d: LineDialogue) -> Step:
    """Nothing was confirmed: say that nothing was changed."""
    return close(d, Result.UNCHANGED, Saying.UNCHANGED, Saying.GOODBYE)


def next_round(d: LineDialogue, state: State, *words: Word) -> Step:
    """Ask something, as often as the script allows in all."""
    if d.rounds_used >= d.script.rounds:
        return give_up(d)
    return say(replace(d, rounds_used=d.rounds_used + 1), state, *words)


def ask(d: LineDialogue, *before: Saying) -> Step:
    """Ask for the receipt."""
    return next_round(d, State.ASKING, *before, Saying.ASK_LAST if d.knows_number else Saying.ASK_WHOLE)


def ask_to_confirm(d: LineDialogue) -> Step:
    """Ask whether to withdraw; what was entered is kept until then."""
    digits = d.digits
    d, commands = next_round(d, State.CONFIRMING, Saying.CONFIRM)
    return replace(d, digits=digits) if d.state is State.CONFIRMING else d, commands


def begin(d: LineDialogue) -> Step:
    """Greet in the language that is known now."""
    if not d.within_limits:
        return close(d, Result.LIMITED, Saying.LATER, Saying.GOODBYE)
    return ask(d, Saying.GREETING)


def fail(d: LineDialogue) -> Step:
    """Say to try later."""
    return close(d, Result.FAILED, Saying.LATER, Saying.GOODBYE)


def let_go(d: LineDialogue, result: Result, state: State = State.GONE) -> Step:
    """Give the call back at once."""
    return replace(d, state=state, result=result, words=()), [*hush(d), EndCall(result)]
