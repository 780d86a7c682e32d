"""Finds the end of every recording that was allowed, from what is on disk.

Rule: every allowed recording reaches exactly one end: ``verified``, ``failed`` or ``not_started``. Neither an
answer of Asterisk nor ``MixMonitorStart`` proves that anything is recorded; the files do. Their start is
``IN_CREATE``, their end ``IN_CLOSE_WRITE`` of both (inotify); a sweep over the channels that Asterisk still has
finds what inotify could not tell, such as a recording that never began or one that ended while we were away.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Protocol

import structlog

from asterisk_consent.calls.awaited import (
    Awaited,
    EntryWriter,
    dropped,
    entry_about,
    not_stored,
    started,
    verdict,
)
from asterisk_consent.calls.spool import SETTLE_AGAIN_S, Spool
from asterisk_consent.errors import AudioError, ConsentError, KeysError, LedgerError, PbxError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Recording
from asterisk_consent.model import RecordingId, is_hex_id
from asterisk_consent.vault.names import CODES, JOINED, SIDES

log = structlog.get_logger(__name__)

SWEEP_S = 5.0
"""How often recordings without news are compared with the channels that Asterisk has."""
GRACE_S = 10.0
"""How long after its channel is gone a recording may still produce files: Asterisk opens them in a thread."""
ROOM_S = 1.0
"""How often it is looked whether the spool is full."""
DOUBT_S = 60.0
"""How long after an unanswered write its entry may still turn up: a disk can hang that long."""
ENTER_AGAIN_S = 1.0
"""How long after a write that failed an end is entered again."""
STARTS_TOGETHER_S = 1.0
"""Starts are entered together, this long after the first of them: nobody waits for these entries."""
CLOSING_S = 5.0
"""How long a stopping service waits for the ends it is working on."""


class Codes(Protocol):
    """Who knows what is not to be kept; everything blocks."""

    def drops(self, recording_id: RecordingId, call_id: str) -> bool:
        """Tell whether the audio of a recording is to go instead of being kept; ``ConsentError`` when it cannot."""
        ...

    def take(self, recording_id: RecordingId) -> None:
        """Take in a code that was dialled to end a recording; ``ConsentError`` when it cannot."""
        ...

    def take_all(self) -> None:
        """Take in every code that was dialled."""
        ...


class Recorder:
    """Watches the spool and brings each recording to its end.

    :param channels: returns the ids of the channels that Asterisk has now; ``PbxError`` when it cannot tell.
    :param codes: knows what was withdrawn while it was recorded.
    :param monotonic_s: a clock that no one sets.
    :param now: UTC seconds.
    :param sleep: waits for so many seconds.
    """

    def __init__(
        self,
        *,
        spool: Path,
        vault: Path,
        keys: Path,
        ledger: EntryWriter,
        channels: Callable[[], Awaitable[set[str]]],
        monotonic_s: Callable[[], float],
        now: Callable[[], int],
        codes: Codes,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.spool = Spool(spool=spool, vault=vault, keys=keys, monotonic_s=monotonic_s, sleep=sleep)
        self._ledger = ledger
        self._channels = channels
        self._monotonic_s = monotonic_s
        self._now = now
        self._codes = codes
        self._sleep = sleep
        self._awaited: dict[RecordingId, Awaited] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starts: list[Awaited] = []
        self._entering_starts = asyncio.Lock()
        self._doubt_until_s = 0.0
        self._ended_in_doubt: set[RecordingId] = set()
        self.ended: dict[str, int] = {}

    @property
    def depth(self) -> int:
        """How many recordings have not reached their end."""
        return len(self._awaited)

    def expect(self, awaited: Awaited) -> None:
        """Take over a recording that is on disk as allowed, now or by an earlier run of the service."""
        self._awaited[awaited.recording_id] = awaited

    def doubt(self) -> None:
        """Look for recordings that nobody handed over: whether an entry is on disk, or will be, is not known."""
        self._doubt_until_s = self._monotonic_s() + DOUBT_S

    def enter_later(self, entry: NewEntry) -> None:
        """Enter a decision that allows nothing as soon as the ledger takes it again; nobody waits for it.

        Whether it is there already is not known; the first decision of a call counts.
        """
        self._spawn(self._enter_when_possible(entry))

    async def _enter_when_possible(self, entry: NewEntry) -> None:
        while True:
            await self._sleep(ENTER_AGAIN_S)
            with contextlib.suppress(LedgerError):
                await self._ledger.append(entry)
                return

    async def adopt(self) -> None:
        """Take over what the ledger holds without an end: of an earlier run, or entered in doubt.

        :raises LedgerError: the ledger cannot be read now.
        """
        for row in await self._ledger.open_recordings():
            recording_id = RecordingId(row.recording_id)
            # The list is a little old by now: what has ended meanwhile may still be in it.
            if recording_id not in self._awaited and recording_id not in self._ended_in_doubt:
                self.expect(
                    Awaited(
                        recording_id=recording_id,
                        call_id=row.call_id,
                        controller=row.controller,
                        channel=row.channel,
                        started_at=row.started_at,
                    )
                )

    def end_unstarted(self, recording_id: RecordingId, reason: str) -> None:
        """Enter that the recording will not be made."""
        awaited = self._awaited.get(recording_id)
        if awaited is not None and not awaited.ending:
            unstarted = Recording(recording_id=recording_id, reason=reason)
            self._end(awaited, self._enter(awaited, Kind.RECORDING_NOT_STARTED, unstarted))

    def is_awaited(self, recording_id: RecordingId) -> bool:
        """Tell whether a recording is on its way to its end."""
        return recording_id in self._awaited

    def is_recorded(self, channel: str) -> bool:
        """Tell whether a recording without an end belongs to this channel."""
        return any(awaited.channel == channel for awaited in self._awaited.values())

    async def watch(self) -> None:
        """Watch the spool until cancelled.

        :raises AudioError: the spool cannot be watched.
        """
        async for name, created in self.spool.file_events():
            self.take_file_event(name, created=created)

    async def watch_room(self) -> None:
        """Note for ever which recordings the spool had no room for: Asterisk says nothing, and writes less."""
        was_full = False
        while True:
            await self._sleep(ROOM_S)
            full = self.spool.is_full()
            if full:
                for awaited in self._awaited.values():
                    awaited.lacked_room |= awaited.started_at > 0 and not awaited.ending
            if full != was_full:
                was_full = full
                log.error("recorder.spool_full" if full else "recorder.spool_has_room")

    async def sweep(self) -> None:
        """Compare what is awaited with the channels there are, for ever."""
        while True:
            await self._sleep(SWEEP_S)
            if self._in_doubt():
                with contextlib.suppress(LedgerError):
                    await self.adopt()
            else:
                self._ended_in_doubt.clear()
            await asyncio.to_thread(self._codes.take_all)
            await self.spool.empty_again()
            if self._awaited:
                await self.sweep_once()

    async def sweep_once(self) -> None:
        """Bring recordings to their end whose channel is gone and whose files will not change any more."""
        try:
            channels = await self._channels()
        except PbxError:
            return
        now_s = self._monotonic_s()
        for awaited in list(self._awaited.values()):
            if awaited.channel in channels or awaited.ending:
                awaited.gone_since_s = None
            elif awaited.gone_since_s is None:
                awaited.gone_since_s = now_s
            elif now_s - awaited.gone_since_s >= GRACE_S:
                self._close(awaited)

    async def close(self) -> None:
        """Wait a little for the ends that are being worked on; the next run of the service finds the others."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSING_S)
        for task in list(self._tasks):
            task.cancel()

    def take_file_event(self, name: str, *, created: bool) -> None:
        """Take note that a file of the spool was created, or closed after it was written to."""
        recording_id, _, rest = name.partition("-")
        side = rest.removesuffix(".wav")
        if is_hex_id(recording_id) and rest == JOINED:
            return
        if is_hex_id(recording_id) and rest in CODES:
            if not created:
                self._spawn(self._take_code(RecordingId(recording_id)))
            return
        if not is_hex_id(recording_id) or side not in SIDES:
            log.warning("recorder.stranger_in_spool")
            return
        awaited = self._awaited.get(RecordingId(recording_id))
        if awaited is None:
            log.warning("recorder.unexpected_file", recording_id=recording_id)
        elif created and not awaited.started_at:
            awaited.started_at = self._now()
            self._starts.append(awaited)
            if len(self._starts) == 1:
                self._spawn(self._enter_starts_soon())
        elif not created:
            awaited.closed_sides.add(side)
            if len(awaited.closed_sides) == len(SIDES):
                self._close(awaited)

    async def _take_code(self, recording_id: RecordingId) -> None:
        try:
            await asyncio.to_thread(self._codes.take, recording_id)
        except ConsentError as error:
            # The sweep tries again.
            log.error("recorder.code_not_taken_in", recording_id=recording_id, error=str(error))

    def _close(self, awaited: Awaited) -> None:
        if not awaited.ending:
            self.spool.take_in(awaited.recording_id)
            self._end(awaited, self._settle(awaited))

    def _end(self, awaited: Awaited, work: Coroutine[None, None, None]) -> None:
        awaited.ending = True
        self._spawn(self._bring_to_end(awaited, work))

    async def _bring_to_end(self, awaited: Awaited, work: Coroutine[None, None, None]) -> None:
        """Do the work; where it breaks off the sweep takes the recording up again."""
        try:
            await work
        finally:
            awaited.ending = False

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="recorder")
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("recorder.failed", exc_info=task.exception())

    async def _enter_starts_soon(self) -> None:
        await self._sleep(STARTS_TOGETHER_S)
        await self._enter_starts()

    async def _enter_starts(self) -> None:
        """Enter the recordings that have started since the last time, all in one commit."""
        async with self._entering_starts:
            starts, self._starts = self._starts, []
            writes = (self._ledger.append(started(awaited)) for awaited in starts)
            for result in await asyncio.gather(*writes, return_exceptions=True):
                if isinstance(result, BaseException) and not isinstance(result, LedgerError):
                    raise result

    async def _settle(self, awaited: Awaited) -> None:
        """Check, join and seal the two sides, enter what they are, then empty the spool."""
        await self._enter_starts()
        with contextlib.suppress(LedgerError):
            await self._ledger.set_closing(awaited.recording_id)
        if await self._is_dropped(awaited):
            return
        try:
            closed = await self.spool.store(awaited)
        except (AudioError, KeysError) as error:
            self.spool.give_up(awaited.recording_id)
            await self._enter(awaited, Kind.RECORDING_FAILED, not_stored(awaited, error))
            return
        await self._enter(awaited, *verdict(awaited, closed))
        if closed.unreadable and not closed.sha256:
            self.spool.give_up(awaited.recording_id)
        else:
            await self.spool.empty(awaited.recording_id)

    async def _is_dropped(self, awaited: Awaited) -> bool:
        """Remove what there is of a recording that is to go instead of being kept, and enter that.

        Without the ledger nobody knows, and no end can be entered: it lies in the spool until it can be asked.
        """
        while True:
            try:
                if not await asyncio.to_thread(self._codes.drops, awaited.recording_id, awaited.call_id):
                    return False
                await self.spool.discard(awaited)
                break
            except ConsentError as error:
                log.error("recorder.not_dropped", recording_id=awaited.recording_id, error=str(error))
                await self._sleep(SETTLE_AGAIN_S)
        await self._enter(awaited, Kind.RECORDING_FAILED, dropped(awaited))
        return True

    async def _enter(self, awaited: Awaited, kind: Kind, recording: Recording) -> None:
        """Enter the end; tried until it is there, since every recording has one, and only one."""
        may_be_there = False
        while True:
            try:
                if not (may_be_there and await self._has_ended(awaited.recording_id)):
                    await self._ledger.append(entry_about(awaited, kind, recording))
                break
            except LedgerError as error:
                may_be_there = True
                log.error("recorder.entry_failed", recording_id=awaited.recording_id, error=str(error))
                await self._sleep(ENTER_AGAIN_S)
        if self._in_doubt():
            self._ended_in_doubt.add(awaited.recording_id)
        self._awaited.pop(awaited.recording_id, None)
        self.ended[kind] = self.ended.get(kind, 0) + 1

    async def _has_ended(self, recording_id: RecordingId) -> bool:
        """Tell whether the ledger has the recording's end, a write that it did not answer included.

        :raises LedgerError: it cannot be written or read now.
        """
        # Writes are carried out in order: once this one is, nothing that came before it can turn up any more.
        await self._ledger.set_closing(recording_id)
        return all(row.recording_id != recording_id for row in await self._ledger.open_recordings())

    def _in_doubt(self) -> bool:
        return self._monotonic_s() < self._doubt_until_s
