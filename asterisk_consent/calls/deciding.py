"""Enters a decision, the same for every way a call can reach us.

Rule: an agreement that is on disk has a recorder before anybody hears of it; one of which that is not known is looked
for; what allows nothing is entered later where it cannot be entered now, for nobody waits for it.
"""

from typing import Protocol

import structlog

from asterisk_consent.calls.awaited import Awaited
from asterisk_consent.errors import LedgerError
from asterisk_consent.ledger.entry import NewEntry
from asterisk_consent.ledger.payload import Decision
from asterisk_consent.model import RecordingId

log = structlog.get_logger(__name__)


class Appender(Protocol):
    """What a session needs of the ledger."""

    async def append(self, entry: NewEntry) -> object:
        """Commit the entry durably; ``LedgerError`` when that is not known to have happened."""
        ...


class RecordingKeeper(Protocol):
    """What a session needs of the recorder."""

    def expect(self, awaited: Awaited) -> None:
        """Take over a recording that is on disk as allowed: from here on the recorder finds its end."""
        ...

    def doubt(self) -> None:
        """Look for recordings that nobody handed over: whether an entry is on disk is not known."""
        ...

    def enter_later(self, entry: NewEntry) -> None:
        """Enter a decision that allows nothing as soon as the ledger takes it again; nobody waits for it."""
        ...

    def end_unstarted(self, recording_id: RecordingId, reason: str) -> None:
        """Enter that the recording will not be made."""
        ...


async def enter_decision(
    entry: NewEntry, *, channel: str, ledger: Appender, recorder: RecordingKeeper
) -> bool:
    """Enter the decision of the call on ``channel``; return whether it is on disk."""
    allowed = entry.payload.recording_id if isinstance(entry.payload, Decision) else None
    try:
        await ledger.append(entry)
    except Exception as error:
        unexpected = None if isinstance(error, LedgerError) else error
        log.error("session.entry_failed", call_id=entry.call_id, error=str(error), exc_info=unexpected)
        recorder.doubt()
        if allowed is None and unexpected is None:
            recorder.enter_later(entry)
        return False
    if allowed is not None:
        recorder.expect(
            Awaited(
                recording_id=RecordingId(allowed),
                call_id=entry.call_id,
                controller=entry.stream,
                channel=channel,
            )
        )
    return True
