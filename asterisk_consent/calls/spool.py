"""Owns what lies in the spool after its end: how long it waits, how it gets to the vault, and that it is removed.

Rule: audio in the clear lies in the spool no longer than needed, 5 s and 2 % of the recording's length; what cannot be
stored or removed now is tried again, and how much waits, and since when, can be asked. The work is done in threads,
two at a time: the event loop answers calls meanwhile.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import structlog
from asyncinotify import Inotify, Mask

from asterisk_consent.calls.awaited import Awaited
from asterisk_consent.errors import AudioError, KeysError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.call_keys import CallKey
from asterisk_consent.vault.store import Closed, close_recording, discard_recording, empty_spool

log = structlog.get_logger(__name__)

SETTLE_S = 30.0
"""How long storing a recording is tried again, on a full disk for instance, before it is entered as failed."""
SETTLE_AGAIN_S = 3.0
FULL_BYTES = 64 << 10
"""Less free space than this may be too little for what Asterisk writes of a recording at a time, 32 KiB a side."""
_AT_A_TIME = 2


class Spool:
    """The queue of recordings that Asterisk has closed.

    :param monotonic_s: a clock that no one sets.
    :param sleep: waits for so many seconds.
    """

    def __init__(
        self,
        *,
        spool: Path,
        vault: Path,
        keys: Path,
        monotonic_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.directory = spool
        self._vault = vault
        self._keys = keys
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self._storing = asyncio.Semaphore(_AT_A_TIME)
        self._since_s: dict[RecordingId, float] = {}
        self._to_empty: set[RecordingId] = set()

    @property
    def depth(self) -> int:
        """How many recordings are closed and still in the spool, those apart that were given up."""
        return len(self._since_s)

    @property
    def oldest_s(self) -> float:
        """How long the oldest of them has waited; 0 where none waits."""
        return self._monotonic_s() - min(self._since_s.values()) if self._since_s else 0.0

    async def file_events(self) -> AsyncIterator[tuple[str, bool]]:
        """Yield the name of each file that is created (true), or closed after it was written to (false).

        :raises AudioError: the spool cannot be watched.
        """
        try:
            inotify = Inotify(cache_size=64)
            inotify.add_watch(self.directory, Mask.CREATE | Mask.CLOSE_WRITE)
        except OSError as error:
            raise AudioError(
                f"the spool cannot be watched: {error.strerror}",
                where=str(self.directory),
                remedy="Create it, writable for Asterisk and readable and writable for the service",
            ) from error
        with inotify:
            async for event in inotify:
                if Mask.Q_OVERFLOW in event.mask:
                    log.warning("recorder.inotify_overflow")
                elif event.name is not None:
                    yield str(event.name), Mask.CREATE in event.mask

    def is_full(self) -> bool:
        """Tell whether Asterisk may have been unable to write; where it cannot be told, it is not said."""
        try:
            return shutil.disk_usage(self.directory).free < FULL_BYTES
        except OSError:
            return False

    def take_in(self, recording_id: RecordingId) -> None:
        """Note that a recording is closed."""
        self._since_s.setdefault(recording_id, self._monotonic_s())

    def give_up(self, recording_id: RecordingId) -> None:
        """Leave a recording in the spool, for somebody to look at."""
        self._since_s.pop(recording_id, None)

    async def store(self, awaited: Awaited) -> Closed:
        """Check, join and seal the two sides of a recording, which stay where they are.

        :raises AudioError: the vault cannot be written, nor could it for as long as it was tried.
        :raises KeysError: the key of the call cannot be kept; the same.
        """
        key = CallKey(keys=self._keys, call_id=awaited.call_id, controller=awaited.controller)
        last_try_s = self._monotonic_s() + SETTLE_S
        while True:
            try:
                async with self._storing:
                    return await asyncio.to_thread(
                        close_recording, awaited.recording_id, self.directory, self._vault, key
                    )
            except (AudioError, KeysError) as error:
                log.error("recorder.not_stored", recording_id=awaited.recording_id, error=str(error))
                if self._monotonic_s() >= last_try_s:
                    raise
                await self._sleep(SETTLE_AGAIN_S)

    async def discard(self, awaited: Awaited) -> None:
        """Remove whatever there is of a recording, its key first.

        :raises AudioError: a file cannot be removed.
        :raises KeysError: the key cannot be destroyed.
        """
        key = CallKey(keys=self._keys, call_id=awaited.call_id, controller=awaited.controller)
        await asyncio.to_thread(discard_recording, awaited.recording_id, self.directory, self._vault, key)
        self._since_s.pop(awaited.recording_id, None)

    async def empty(self, recording_id: RecordingId) -> None:
        """Remove the sides of a recording whose end is entered; what fails is left to :meth:`empty_again`."""
        self.take_in(recording_id)
        try:
            await asyncio.to_thread(empty_spool, recording_id, self.directory)
        except AudioError as error:
            if recording_id not in self._to_empty:
                log.error("recorder.spool_not_emptied", recording_id=recording_id, error=str(error))
            self._to_empty.add(recording_id)
        else:
            self._to_empty.discard(recording_id)
            self._since_s.pop(recording_id, None)

    async def empty_again(self) -> None:
        """Remove what could not be removed before."""
        for recording_id in sorted(self._to_empty):
            await self.empty(recording_id)
