"""What a conversation is made of: the script that a policy prescribes, and where the conversation stands.

Rule: values only; ``machine`` replaces them, nothing changes them.
"""

from dataclasses import dataclass
from enum import StrEnum

from asterisk_consent.dialogue.events import Part
from asterisk_consent.model import Mode, Outcome


class State(StrEnum):
    """Where the conversation stands."""

    ARRIVING = "arriving"
    CHOOSING = "choosing"
    """The languages are named."""
    AWAITING_LANGUAGE = "awaiting_language"
    INFORMING = "informing"
    QUESTIONING = "questioning"
    LISTENING = "listening"
    DECIDING = "deciding"
    READING_OUT = "reading_out"
    """The receipt of a call that may be recorded is read out."""
    STARTING = "starting"
    DEPARTED = "departed"
    """The call is gone or was let go while its entry is still being written."""
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a policy prescribes for the conversation; durations in seconds, digits empty where there are none.

    :param refusal: what the refusal digit comes to: ``refused`` where consent is asked for, else ``objected``.
    :param takes_refusal: false where the law demands the recording: the caller is told so.
    :param menu: digit and language, where the caller chooses.
    :param reads_receipt: whether the receipt is read out before a call goes on to be recorded.
    """

    mode: Mode
    agree_digit: str = ""
    refuse_digit: str = ""
    repeat_digit: str = ""
    refusal: Outcome = Outcome.REFUSED
    takes_refusal: bool = True
    menu: tuple[tuple[str, str], ...] = ()
    attempts: int = 1
    repeats: int = 0
    first_digit_s: float = 0.0
    overall_s: float = 0.0
    reads_receipt: bool = False

    @property
    def announcement(self) -> tuple[Part, ...]:
        """What is played once the language is known: a notice asks nothing."""
        return (Part.INFORMATION,) if self.mode is Mode.NOTICE else (Part.INFORMATION, Part.QUESTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """The state of one conversation; replaced, never changed.

    :param parts: what of the current playback has not ended yet.
    :param informed: whether the information was played out, once at least, in ``language``.
    :param explained: whether the caller was told that the law demands the recording.
    :param wrong_digit: whether a digit that means nothing was pressed since the language is known: silence is then
        no sign of having nothing against it.
    :param cut_off: whether the connection to Asterisk is away.
    """

    script: Script
    state: State = State.ARRIVING
    language: str = ""
    play: int = 0
    parts: tuple[Part, ...] = ()
    informed: bool = False
    explained: bool = False
    wrong_digit: bool = False
    cut_off: bool = False
    attempts_used: int = 0
    repeats_used: int = 0
    decided: Outcome | None = None
