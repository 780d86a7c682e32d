"""What the interpreter shall do next. Values only; carried out in the order given."""

from dataclasses import dataclass

from asterisk_consent.dialogue.events import Part, Timer
from asterisk_consent.model import Outcome


@dataclass(frozen=True, slots=True)
class PlayPrompt:
    """Play these parts one after the other; their events carry the same number ``play``.

    ``language`` is empty for the menu, which is spoken in all of them.
    """

    play: int
    parts: tuple[Part, ...]
    language: str


@dataclass(frozen=True, slots=True)
class StopPrompt:
    """Stop what plays."""

    play: int


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Fire ``timer`` after ``seconds``, unless cancelled; a timer set again starts anew."""

    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Do not fire ``timer``."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class AppendEntry:
    """Commit the decision durably, then report ``EntryCommitted`` or ``EntryFailed``."""

    outcome: Outcome
    digit: str
    reason: str


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Send the call to the extension that records it. Only ever follows ``EntryCommitted``."""


@dataclass(frozen=True, slots=True)
class ReleaseCall:
    """Let the call go on unrecorded."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class EnterNotStarted:
    """The recording that the entry allows will not be made: enter that as its end."""

    reason: str


Command = (
    PlayPrompt
    | StopPrompt
    | SetTimer
    | CancelTimer
    | AppendEntry
    | StartRecording
    | ReleaseCall
    | EnterNotStarted
)
