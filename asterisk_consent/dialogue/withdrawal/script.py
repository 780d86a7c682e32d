"""What a conversation on the withdrawal line is made of, and where it stands.

Rule: values only; ``machine`` replaces them, nothing changes them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Saying(StrEnum):
    """What the line says."""

    MENU = "menu"
    """The languages, each in its own."""
    GREETING = "greeting"
    ASK_LAST = "ask_last"
    """For the last digits of the receipt, or all: the caller's own number is known."""
    ASK_WHOLE = "ask_whole"
    """For all digits of the receipt."""
    UNCLEAR = "unclear"
    """What was entered cannot be a receipt."""
    CONFIRM = "confirm"
    NOT_FOUND = "not_found"
    ERASED = "erased"
    KEPT_BY_LAW = "kept_by_law"
    KEPT_ON_HOLD = "kept_on_hold"
    PENDING = "pending"
    REFERENCE = "reference"
    REFERENCE_AGAIN = "reference_again"
    UNCHANGED = "unchanged"
    LATER = "later"
    """It cannot be done now: a fault, or too many attempts."""
    GOODBYE = "goodbye"


class SpokenDigit(StrEnum):
    """A digit as a word, and the pause between groups of them."""

    ZERO = "0"
    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"
    FIVE = "5"
    SIX = "6"
    SEVEN = "7"
    EIGHT = "8"
    NINE = "9"
    PAUSE = "pause"


Word = Saying | SpokenDigit


def spoken_digits(digits: str, *, group: int) -> tuple[SpokenDigit, ...]:
    """Return digits as they are read out, a pause between groups of so many."""
    spoken: list[SpokenDigit] = []
    for place, digit in enumerate(digits):
        if place and place % group == 0:
            spoken.append(SpokenDigit.PAUSE)
        spoken.append(SpokenDigit(digit))
    return tuple(spoken)


class State(StrEnum):
    """Where the conversation stands."""

    ARRIVING = "arriving"
    CHOOSING = "choosing"
    """The languages are named."""
    AWAITING_LANGUAGE = "awaiting_language"
    ASKING = "asking"
    """The receipt is asked for."""
    ENTERING = "entering"
    CONFIRMING = "confirming"
    """It is asked whether to withdraw."""
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    FINDING = "finding"
    WITHDRAWING = "withdrawing"
    CLOSING = "closing"
    """The last words are spoken."""
    DEPARTED = "departed"
    """The call is gone while what was confirmed is still being done."""
    GONE = "gone"


class Result(StrEnum):
    """How a call to the line ended."""

    ERASED = "erased"
    KEPT = "kept"
    PENDING = "pending"
    UNCHANGED = "unchanged"
    """Nothing was confirmed."""
    NOT_FOUND = "not_found"
    LIMITED = "limited"
    """Too many attempts, of this caller or of all."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineScript:
    """What the conversation may take; durations in seconds.

    :param languages: in the order they are named.
    :param menu: digit and language, where there are several.
    :param attempts: how often a receipt is looked for.
    :param rounds: how often the caller is asked for something, whatever for.
    """

    languages: tuple[str, ...]
    menu: tuple[tuple[str, str], ...] = ()
    attempts: int = 3
    rounds: int = 10
    silences: int = 2
    first_digit_s: float = 7.0
    next_digit_s: float = 5.0
    overall_s: float = 180.0
    act_s: float = 10.0
    """How long the caller waits for what was asked for."""
    closing_s: float = 60.0
    confirm_digit: str = "1"
    decline_digit: str = "2"
    end_digit: str = "#"
    again_digit: str = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDialogue:
    """The state of one conversation; replaced, never changed.

    :param knows_number: whether the caller showed a number, so that the last digits do.
    :param within_limits: whether this caller may try at all.
    :param words: what plays, or was played last.
    :param silences_heard: how often in a row nothing was pressed.
    :param cut_off: whether the connection to Asterisk is away.
    :param result: how it ends, once that is known.
    """

    script: LineScript
    state: State = State.ARRIVING
    language: str = ""
    knows_number: bool = False
    within_limits: bool = True
    play: int = 0
    words: tuple[Word, ...] = ()
    digits: str = ""
    rounds_used: int = 0
    attempts_used: int = 0
    silences_heard: int = 0
    cut_off: bool = False
    result: Result | None = None
