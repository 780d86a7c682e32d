"""A ledger for the tests of ``calls``: keeps entries in a list, and waits, fails or is late when told to."""

import asyncio
from dataclasses import dataclass, field

from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Decision, Recording
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.model import RecordingState

ENDS = (Kind.RECORDING_VERIFIED, Kind.RECORDING_FAILED, Kind.RECORDING_NOT_STARTED)


@dataclass(slots=True)
class FakeLedger:
    """What is on disk, and how the next writes go."""

    entries: list[NewEntry] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)
    delay_s: float = 0.0
    failures: int = 0
    """How many of the next writes fail without an entry; -1 for all."""
    unanswered: int = 0
    """How many of the next appends write their entry and fail all the same."""
    unreadable: bool = False
    """Whether reading fails."""
    stale_rows: list[RecordingRow] | None = None
    """What reading returns although it is no longer so."""
    appended: asyncio.Event = field(default_factory=asyncio.Event)
    bug: Exception | None = None
    """What every write raises that no ledger should."""

    async def append(self, entry: NewEntry) -> object:
        """Write the entry, in the way that was asked for."""
        await self._write()
        self.entries.append(entry)
        self.appended.set()
        if self.unanswered:
            self.unanswered -= 1
            raise LedgerUnavailableError("the ledger's disk did not answer within 2 s")
        return len(self.entries)

    async def probe(self) -> None:
        """Return where a write would work."""
        await self._write()

    async def set_closing(self, recording_id: str) -> None:
        """Note that the recording is closing."""
        await self._write()
        self.closing.append(recording_id)

    async def open_recordings(self) -> list[RecordingRow]:
        """Return the recordings that were allowed and have no end."""
        if self.unreadable:
            raise LedgerUnavailableError("the ledger cannot be read", where="ledger")
        if self.stale_rows is not None:
            return self.stale_rows
        ended = {entry.payload.recording_id for entry in self.ends()}  # type: ignore[union-attr]  # ends() gives no other payload
        return [
            _row(entry, entry.payload.recording_id)
            for entry in self.entries
            if isinstance(entry.payload, Decision)
            and entry.payload.recording_id is not None
            and entry.payload.recording_id not in ended
        ]

    async def wait_for(self, kind: Kind) -> None:
        """Return when there is an entry of this kind."""
        while kind not in self.kinds():
            self.appended.clear()
            await self.appended.wait()

    def ends(self) -> list[NewEntry]:
        """Return the entries that end a recording."""
        return [entry for entry in self.entries if entry.kind in ENDS]

    def kinds(self) -> list[Kind]:
        """Return what the entries are about, in order."""
        return [entry.kind for entry in self.entries]

    def decisions(self) -> list[Decision]:
        """Return the decisions, in order."""
        return [entry.payload for entry in self.entries if isinstance(entry.payload, Decision)]

    def recordings(self) -> list[Recording]:
        """Return what is said about recordings, in order."""
        return [entry.payload for entry in self.entries if isinstance(entry.payload, Recording)]

    async def _write(self) -> None:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.bug is not None:
            raise self.bug
        if self.failures:
            self.failures -= 1
            raise LedgerUnavailableError("no space left on device", where="ledger")


def _row(entry: NewEntry, recording_id: str) -> RecordingRow:
    assert isinstance(entry.payload, Decision)
    return RecordingRow(
        recording_id=recording_id,
        call_id=entry.call_id,
        controller=entry.stream,
        state=RecordingState.ALLOWED,
        channel=entry.payload.channel,
        allowed_seq=1,
        allowed_at=0,
        started_at=0,
        ended_seq=0,
        ended_at=0,
        duration_ms=0,
        size=0,
        sha256="",
        reason="",
        erased_seq=0,
        erased_at=0,
    )
