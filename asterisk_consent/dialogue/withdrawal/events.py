"""What happened to a call to the withdrawal line. Values only; what happens to any call is in ``dialogue.events``."""

from dataclasses import dataclass

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
from asterisk_consent.model import Done


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReached:
    """A caller is on the line; ``within_limits`` is the verdict of who counts attempts."""

    knows_number: bool
    within_limits: bool


@dataclass(frozen=True, slots=True)
class LineSilent:
    """The line cannot speak: no controller of that name, or its announcements are missing."""


@dataclass(frozen=True, slots=True)
class RecordingFound:
    """There is a recording of this receipt."""


@dataclass(frozen=True, slots=True)
class NothingFound:
    """There is none, for whatever reason."""


@dataclass(frozen=True, slots=True)
class TooManyAttempts:
    """This caller, or all together, tried too often: it was not looked for."""


@dataclass(frozen=True, slots=True)
class RecordingWithdrawn:
    """What was done."""

    done: Done


@dataclass(frozen=True, slots=True)
class WithdrawalFailed:
    """It could not be looked for, or whether it was done is not known."""


LineEvent = (
    LineReached
    | LineSilent
    | PartPlayed
    | PlaybackFailed
    | DigitReceived
    | TimerFired
    | RecordingFound
    | NothingFound
    | TooManyAttempts
    | RecordingWithdrawn
    | WithdrawalFailed
    | ChannelHungUp
    | CallLeft
    | CallLost
    | ConnectionLost
    | ConnectionRestored
    | ServiceStopping
)
