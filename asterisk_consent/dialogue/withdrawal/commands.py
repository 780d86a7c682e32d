"""What the interpreter of the withdrawal line shall do next. Values only; carried out in the order given."""

from dataclasses import dataclass

from asterisk_consent.dialogue.commands import CancelTimer, SetTimer, StopPrompt
from asterisk_consent.dialogue.withdrawal.script import Result, Word


@dataclass(frozen=True, slots=True)
class SayWords:
    """Play these one after the other; ``PartPlayed`` with this number follows once all were played.

    ``language`` is empty for the menu, which is spoken in all of them.
    """

    play: int
    words: tuple[Word, ...]
    language: str


@dataclass(frozen=True, slots=True)
class FindRecording:
    """Count an attempt and look for the recording of this receipt: all its digits, or the last."""

    digits: str


@dataclass(frozen=True, slots=True)
class WithdrawRecording:
    """Withdraw the consent to the recording that was found. Only ever follows the digit that confirms."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """Give the call back to the dialplan."""

    result: Result


LineCommand = SayWords | StopPrompt | SetTimer | CancelTimer | FindRecording | WithdrawRecording | EndCall
