"""A call to the withdrawal line as a playbook, and the words that come up in every one."""

from asterisk_consent.dialogue.commands import CancelTimer, SetTimer, StopPrompt
from asterisk_consent.dialogue.events import DigitReceived, PartPlayed, Timer, TimerFired
from asterisk_consent.dialogue.withdrawal.commands import LineCommand, SayWords
from asterisk_consent.dialogue.withdrawal.events import LineEvent, LineReached
from asterisk_consent.dialogue.withdrawal.machine import step
from asterisk_consent.dialogue.withdrawal.script import LineDialogue, LineScript, Result, Saying, State, Word
from tests.dialogue.playbook import Conversation

SCRIPT = LineScript(languages=("nl",))
MENU = LineScript(languages=("nl", "fr"), menu=(("1", "nl"), ("2", "fr")))

KNOWN = LineReached(knows_number=True, within_limits=True)
WITHHELD = LineReached(knows_number=False, within_limits=True)
OVER_LIMIT = LineReached(knows_number=True, within_limits=False)

OVERALL = SetTimer(Timer.OVERALL, SCRIPT.overall_s)
NO_OVERALL = CancelTimer(Timer.OVERALL)
FIRST = SetTimer(Timer.FIRST_DIGIT, SCRIPT.first_digit_s)
NEXT = SetTimer(Timer.NEXT_DIGIT, SCRIPT.next_digit_s)
NO_FIRST, NO_NEXT = CancelTimer(Timer.FIRST_DIGIT), CancelTimer(Timer.NEXT_DIGIT)
ACT = SetTimer(Timer.COMMIT, SCRIPT.act_s)
NO_ACT = CancelTimer(Timer.COMMIT)
CLOSING = SetTimer(Timer.OVERALL, SCRIPT.closing_s)

SILENCE, PAUSED = TimerFired(Timer.FIRST_DIGIT), TimerFired(Timer.NEXT_DIGIT)
END, AGAIN, YES, NO, OTHER = (DigitReceived(digit) for digit in "#*125")

GREET_KNOWN = (Saying.GREETING, Saying.ASK_LAST)
GREET_WITHHELD = (Saying.GREETING, Saying.ASK_WHOLE)
UNCHANGED = (Saying.UNCHANGED, Saying.GOODBYE)
LATER = (Saying.LATER, Saying.GOODBYE)


def said(play: int, word: Word = Saying.GREETING) -> PartPlayed:
    """Everything of this playback was played."""
    return PartPlayed(play, word, True)


class Line(Conversation[LineDialogue, LineEvent, LineCommand]):
    """One call to the line."""

    def __init__(self, script: LineScript = SCRIPT) -> None:
        super().__init__(LineDialogue(script=script), step)

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self.dialogue.state

    @property
    def result(self) -> Result | None:
        """How it ended."""
        return self.dialogue.result

    def press(self, digits: str) -> "Line":
        """Press digits of a receipt that are not the last, the line having asked and been silent for a while."""
        self >> DigitReceived(digits[0]) << NO_FIRST << NO_NEXT << NEXT
        for digit in digits[1:]:
            self >> DigitReceived(digit) << NEXT
        return self

    def closes(self, play: int, *words: Word, language: str = "nl", stops: int = 0) -> "Line":
        """Expect the last words."""
        stop = self << StopPrompt(stops) if stops else self
        return stop << NO_ACT << CLOSING << SayWords(play, words, language)


def asked(reached: LineReached = KNOWN, script: LineScript = SCRIPT) -> Line:
    """The receipt is being asked for."""
    words = GREET_KNOWN if reached.knows_number else GREET_WITHHELD
    return Line(script) >> reached << OVERALL << SayWords(1, words, "nl")


def listening(reached: LineReached = KNOWN) -> Line:
    """The receipt was asked for."""
    return asked(reached) >> said(1) << FIRST


def entered(digits: str = "4711") -> Line:
    """The last digits were entered, and it is being asked whether to withdraw."""
    return listening().press(digits) >> END << NO_FIRST << NO_NEXT << SayWords(2, (Saying.CONFIRM,), "nl")


def to_confirm(digits: str = "4711") -> Line:
    """It was asked whether to withdraw."""
    return entered(digits) >> said(2) << FIRST
