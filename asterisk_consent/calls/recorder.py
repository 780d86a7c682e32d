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
from asyncinotify import Inotify, Mask

from asterisk_consent.calls.awaited import Awaited, dropped, entry_about, not_stored, started, verdict
from asterisk_consent.errors import AudioError, KeysError, LedgerError, PbxError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Recording
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.model import RecordingId, is_hex_id
from asterisk_consent.vault.call_keys import CallKey
from asterisk_consent.vault.names import JOINED, SIDES, id_in_spool
from asterisk_consent.vault.store import close_recording, discard_recording, empty_spool

log = structlog.get_logger(__name__)

SWEEP_S = 5.0
"""How often recordings without news are compared with the channels that Asterisk has."""
GRACE_S = 10.0
"""How long after its channel is gone a recording may still produce files: Asterisk opens them in a thread."""
SETTLE_S = 30.0
"""How long storing a recording is tried again, on a full disk for instance, before it is entered as failed."""
SETTLE_AGAIN_S = 3.0
DOUBT_S = 60.0
"""How long after an unanswered write its entry may still turn up: a disk can hang that long."""
ENTER_AGAIN_S = 1.0
"""How long after a write that failed an end is entered again."""
STARTS_TOGETHER_S = 1.0
"""Starts are entered together, this long after the first of them: nobody waits for these entries."""
CLOSING_S = 5.0
"""How long a stopping service waits for the ends it is working on."""


class EntryWriter(Protocol):
    """What the recorder needs of the ledger."""

    async def append(self, entry: NewEntry) -> object:
        """Commit the entry durably."""
        ...

    async def set_closing(self, recording_id: str) -> None:
        """Show the recording as closing until its end is entered."""
        ...

    async def open_recordings(self) -> list[RecordingRow]:
        """Return the recordings without an end."""
        ...


class Recorder:
    """Watches the spool and brings each recording to its end.

    :param channels: returns the ids of the channels that Asterisk has now; ``PbxError`` when it cannot tell.
    :param drops: tells whether the audio of a call is to go instead of being kept; ``LedgerError`` when it cannot.
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
        drops: Callable[[str], bool] = lambda _: False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._spool = spool
        self._vault = vault
        self._keys = keys
        self._ledger = ledger
        self._channels = channels
        self._monotonic_s = monotonic_s
        self._now = now
        self._drops = drops
        self._sleep = sleep
        self._awaited: dict[RecordingId, Awaited] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Semaphore(2)
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

    def is_recorded(self, channel: str) -> bool:
        """Tell whether a recording without an end belongs to this channel."""
        return any(awaited.channel == channel for awaited in self._awaited.values())

    async def watch(self) -> None:
        """Watch the spool until cancelled.

        :raises AudioError: the spool cannot be watched.
        """
        try:
            inotify = Inotify(cache_size=64)
            inotify.add_watch(self._spool, Mask.CREATE | Mask.CLOSE_WRITE)
        except OSError as error:
            raise AudioError(
                f"the spool cannot be watched: {error.strerror}",
                where=str(self._spool),
                remedy="Create it, writable for Asterisk and readable and writable for the service",
            ) from error
        with inotify:
            async for event in inotify:
                if Mask.Q_OVERFLOW in event.mask:
                    log.warning("recorder.inotify_overflow")
                elif event.name is not None:
                    self.take_file_event(str(event.name), created=Mask.CREATE in event.mask)

    async def empty_leftovers(self, is_kept: Callable[[RecordingId], bool]) -> None:
        """Empty the spool of recordings whose end an earlier run entered, but no more.

        :param is_kept: tells whether the ledger holds the end and the digest of a recording.
        """
        for recording_id in {found for path in self._spool.iterdir() if (found := id_in_spool(path))}:
            if recording_id not in self._awaited and await asyncio.to_thread(is_kept, recording_id):
                await self._empty_spool(recording_id)

    async def sweep(self) -> None:
        """Compare what is awaited with the channels there are, for ever."""
        while True:
            await self._sleep(SWEEP_S)
            if self._in_doubt():
                with contextlib.suppress(LedgerError):
                    await self.adopt()
            else:
                self._ended_in_doubt.clear()
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

    def _close(self, awaited: Awaited) -> None:
        if not awaited.ending:
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
        last_try_s = self._monotonic_s() + SETTLE_S
        while True:
            if await self._is_dropped(awaited):
                return
            try:
                async with self._closing:
                    closed = await asyncio.to_thread(
                        close_recording, awaited.recording_id, self._spool, self._vault, self._key_of(awaited)
                    )
                break
            except (AudioError, KeysError) as error:
                log.error("recorder.not_stored", recording_id=awaited.recording_id, error=str(error))
                if self._monotonic_s() >= last_try_s:
                    await self._enter(awaited, Kind.RECORDING_FAILED, not_stored(awaited, error))
                    return
                await self._sleep(SETTLE_AGAIN_S)
        await self._enter(awaited, *verdict(awaited, closed))
        await self._empty_spool(awaited.recording_id)

    async def _is_dropped(self, awaited: Awaited) -> bool:
        """Remove what there is of a recording that is to go instead of being kept, and enter that.

        Without the ledger nobody knows, and no end can be entered: they lie in the spool until it can be asked.
        """
        while True:
            try:
                if not await asyncio.to_thread(self._drops, awaited.call_id):
                    return False
                await asyncio.to_thread(
                    discard_recording, awaited.recording_id, self._spool, self._vault, self._key_of(awaited)
                )
                break
            except (AudioError, KeysError, LedgerError) as error:
                log.error("recorder.not_dropped", recording_id=awaited.recording_id, error=str(error))
                await self._sleep(SETTLE_AGAIN_S)
        await self._enter(awaited, Kind.RECORDING_FAILED, dropped(awaited))
        return True

    def _key_of(self, awaited: Awaited) -> CallKey:
        return CallKey(keys=self._keys, call_id=awaited.call_id, controller=awaited.controller)

    async def _empty_spool(self, recording_id: RecordingId) -> None:
        try:
            await asyncio.to_thread(empty_spool, recording_id, self._spool)
        except AudioError as error:
            log.error("recorder.spool_not_emptied", recording_id=recording_id, error=str(error))

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
