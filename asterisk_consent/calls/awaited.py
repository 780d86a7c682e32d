"""A recording on its way to its end, and what the ledger is told about it.

Rule: ``verified`` is only what is whole and right; a recording that was cut off, is one-sided or cannot be read is
``failed`` with the reason, and one of which there is nothing was ``not_started``.
"""

from dataclasses import dataclass, field
from typing import Protocol

from asterisk_consent.errors import AudioError, KeysError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Recording, Side
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.store import Closed

CUT_OFF = "cut off while Asterisk wrote it"
LOST = "it had started, and nothing of it is left"
NO_ROOM = "no space was left in the spool while it was recorded"


class EntryWriter(Protocol):
    """What bringing recordings to their end needs of the ledger."""

    async def append(self, entry: NewEntry) -> object:
        """Commit the entry durably."""
        ...

    async def set_closing(self, recording_id: str) -> None:
        """Show the recording as closing until its end is entered."""
        ...

    async def open_recordings(self) -> list[RecordingRow]:
        """Return the recordings without an end."""
        ...


@dataclass(slots=True, kw_only=True)
class Awaited:
    """A recording on its way to its end."""

    recording_id: RecordingId
    call_id: str
    controller: str
    channel: str
    started_at: int = 0
    closed_sides: set[str] = field(default_factory=set)
    gone_since_s: float | None = None
    ending: bool = False
    lacked_room: bool = False
    """The spool was full while it was recorded: what Asterisk could not write then is missing."""


def entry_about(awaited: Awaited, kind: Kind, recording: Recording) -> NewEntry:
    """Return an entry about a recording; it names the call, whose decision tells the rest."""
    return NewEntry(stream=awaited.controller, kind=kind, call_id=awaited.call_id, payload=recording)


def started(awaited: Awaited) -> NewEntry:
    """Return the entry that the recording has started."""
    recording = Recording(recording_id=awaited.recording_id, started_at=awaited.started_at)
    return entry_about(awaited, Kind.RECORDING_STARTED, recording)


DROPPED = "withdrawn while it was recorded"


def dropped(awaited: Awaited) -> Recording:
    """Return the end of a recording that was withdrawn before it had one: nothing of it was kept."""
    return Recording(recording_id=awaited.recording_id, reason=DROPPED, started_at=awaited.started_at)


def not_stored(awaited: Awaited, error: AudioError | KeysError) -> Recording:
    """Return the end of a recording whose sides stay in the spool, for somebody to look at."""
    return Recording(recording_id=awaited.recording_id, reason=error.what, started_at=awaited.started_at)


def verdict(awaited: Awaited, closed: Closed) -> tuple[Kind, Recording]:
    """Return what the files are: a conversation, a damaged one, or none."""
    inspection = closed.inspection
    lost = closed.left_nothing and awaited.started_at > 0
    reasons = [(NO_ROOM, awaited.lacked_room), (LOST, lost), (CUT_OFF, closed.repaired)]
    found = [reason for reason, holds in reasons if holds]
    reason = "; ".join([*found, closed.problem] if closed.problem else found)
    recording = Recording(
        recording_id=awaited.recording_id,
        reason=reason,
        started_at=awaited.started_at,
        duration_ms=closed.duration_ms,
        sha256=closed.sha256,
        size=closed.size,
        caller=Side(silent_ms=inspection.caller.silent_spans_ms),
        agent=Side(silent_ms=inspection.agent.silent_spans_ms),
    )
    if closed.nothing_recorded and not lost:
        return Kind.RECORDING_NOT_STARTED, recording
    return (Kind.RECORDING_FAILED if reason else Kind.RECORDING_VERIFIED), recording
