"""What happened to a call, in the words of the dialogue. Values only; made by the interpreter in ``calls``."""

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """The parts of an announcement: the information must be played out before an agreement, or silence, counts."""

    MENU = "menu"
    """The languages, each in its own; before one is chosen."""
    INFORMATION = "information"
    QUESTION = "question"
    NO_REFUSAL = "no_refusal"
    """Why a refusal has no effect, where the law demands the recording."""
    RECEIPT = "receipt"
    """The receipt of the call, read out before it goes on to be recorded."""


class Timer(StrEnum):
    """The dialogue's time-outs."""

    FIRST_DIGIT = "first_digit"
    """Silence after the question, or after the languages."""
    OVERALL = "overall"
    """The whole conversation."""
    NEXT_DIGIT = "next_digit"
    """Silence between two digits of a number that is being entered."""
    COMMIT = "commit"
    """Waiting for the entry to be on disk, or for what was asked for to be done."""


@dataclass(frozen=True, slots=True)
class CallArrived:
    """The call is ours and can be asked, in this language; empty where the caller has to choose one."""

    language: str


@dataclass(frozen=True, slots=True)
class CallerObjected:
    """The call is here, and who calls is on the list of objections."""


@dataclass(frozen=True, slots=True)
class CallUnaskable:
    """The call is ours but may not be asked: unknown policy, missing prompt, no ledger."""

    reason: str


@dataclass(frozen=True, slots=True)
class PartPlayed:
    """Asterisk finished a part; ``complete`` tells whether all of it was played. ``play`` numbers the playback."""

    play: int
    part: StrEnum
    complete: bool


@dataclass(frozen=True, slots=True)
class PlaybackFailed:
    """Asterisk could not play, or refused to."""

    play: int
    reason: str


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """The caller pressed a digit (its end was seen)."""

    digit: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A time-out set by ``SetTimer`` passed."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class ChannelHungUp:
    """The caller hung up."""


@dataclass(frozen=True, slots=True)
class CallLeft:
    """The call went on in the dialplan without us: the escape time-out, or somebody moved it."""


@dataclass(frozen=True, slots=True)
class CallLost:
    """After a break in the connection the call is no longer there: Asterisk restarted, or it ended meanwhile."""


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection to Asterisk is away: what the caller presses now is not heard."""


@dataclass(frozen=True, slots=True)
class ConnectionRestored:
    """The connection to Asterisk was away and is back, the call still waits. A digit may have been lost."""


@dataclass(frozen=True, slots=True)
class ServiceStopping:
    """The service is being stopped; the call must not wait for it."""


@dataclass(frozen=True, slots=True)
class EntryCommitted:
    """The decision is durably on disk."""


@dataclass(frozen=True, slots=True)
class EntryFailed:
    """The decision could not be written."""


@dataclass(frozen=True, slots=True)
class RecordingRefused:
    """Asterisk did not let the recording start: the call had left or ended."""

    reason: str


Circumstance = CallLost | ConnectionLost | ConnectionRestored | ServiceStopping
"""What happens to every conversation alike, whatever it is about."""

Event = (
    CallArrived
    | CallUnaskable
    | CallerObjected
    | PartPlayed
    | PlaybackFailed
    | DigitReceived
    | TimerFired
    | ChannelHungUp
    | CallLeft
    | CallLost
    | ConnectionLost
    | ConnectionRestored
    | ServiceStopping
    | EntryCommitted
    | EntryFailed
    | RecordingRefused
)
