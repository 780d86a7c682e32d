"""The ledger as the service uses it: append and know that it is on disk, or know that it is not known.

Rule: :meth:`Ledger.append` returns only after a durable commit. Nothing here holds the event loop: a full
disk, a lock of somebody else's or a disk that does not answer cost the caller two seconds at most.
"""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import aiosqlite

from asterisk_consent.errors import LedgerError, LedgerUnavailableError
from asterisk_consent.ledger.commit import BUSY_S, Committed, prepare
from asterisk_consent.ledger.connection import translated, translating
from asterisk_consent.ledger.entry import NewEntry
from asterisk_consent.ledger.exchange import remove_working_copy
from asterisk_consent.ledger.file import LedgerFile
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.ledger.read import OPEN_RECORDINGS, RecordingRow, recording_row
from asterisk_consent.ledger.sealing import Sealer
from asterisk_consent.ledger.writer import Append, Job, MarkClosing, Probe, Scrub, Writer

_ANSWER_S = BUSY_S
_PATIENCE_S = BUSY_S - 0.15
"""The writer lets go of a job before its caller does, so that "locked" can be said instead of "no answer"."""

MIN_FREE_BYTES = 64 * 1024 * 1024
"""Space below which calls are no longer asked: those under way still find room for their entries."""


class Ledger:
    """The service's writer of one ledger file; made with :meth:`open`, ended with :meth:`close`."""

    def __init__(
        self,
        path: Path,
        *,
        writer: Writer,
        ownership: Ownership,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        randomness: Callable[[int], bytes],
        sealer: Sealer | None,
    ) -> None:
        self._path = path
        self._writer = writer
        self._ownership = ownership
        self._clock = clock
        self._monotonic = monotonic
        self._randomness = randomness
        self._sealer = sealer
        self._closed = False

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        sealer: Sealer | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        randomness: Callable[[int], bytes] = os.urandom,
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> "Ledger":
        """Take the ledger for this process, make or migrate it, and start its writer.

        :param sealer: seals what names somebody; without one nothing that allows a recording can be entered.
        :raises LedgerError: another service has it, its schema is newer, or the file is no ledger.
        :raises LedgerUnavailableError: the file cannot be made or opened now.
        """
        ownership = Ownership(path)
        file = LedgerFile(path)
        try:
            await asyncio.to_thread(ownership.take)
            await asyncio.to_thread(remove_working_copy, path)
            with translating(str(path)):
                await asyncio.to_thread(file.create, at=int(clock()), randomness=randomness)
        except BaseException:
            ownership.release()
            raise
        writer = Writer(
            file,
            where=str(path),
            min_free_bytes=min_free_bytes,
            monotonic=monotonic,
            loop=asyncio.get_running_loop(),
            keep_keys=sealer.keep if sealer is not None else None,
        )
        writer.start()
        return cls(
            path,
            writer=writer,
            ownership=ownership,
            clock=clock,
            monotonic=monotonic,
            randomness=randomness,
            sealer=sealer,
        )

    async def append(self, entry: NewEntry) -> Committed:
        """Append ``entry``; return its place in the chain once it is on disk.

        :raises LedgerUnavailableError: it could not be written within two seconds; it may exist all the same.
        """
        prepared = prepare(entry, at=int(self._clock()), randomness=self._randomness, sealer=self._sealer)
        committed = await self._done(Append(prepared=prepared, until=self._patience()))
        if committed is None:
            raise LedgerUnavailableError("the writer did not say where the entry is", where=str(self._path))
        return committed

    async def probe(self) -> None:
        """Return when an entry could be written durably now; writes nothing while the last commit is fresh.

        :raises LedgerUnavailableError: locked, full, failing, or less free space than asked for.
        """
        await self._done(Probe(until=self._patience()))

    async def set_closing(self, recording_id: str) -> None:
        """Show a recording as ``closing`` until its end is entered; a final one stays as it is.

        :raises LedgerUnavailableError: it could not be written.
        """
        await self._done(MarkClosing(recording_id=recording_id, until=self._patience()))

    async def scrub(self) -> None:
        """Empty the write-ahead log, which may hold what was deleted.

        :raises LedgerUnavailableError: somebody reads the ledger, or it cannot be written.
        """
        await self._done(Scrub(until=self._patience()))

    async def open_recordings(self) -> list[RecordingRow]:
        """Return the recordings that have not come to an end, oldest first: those to adopt after a restart.

        :raises LedgerUnavailableError: the ledger could not be read.
        """
        try:
            async with (
                aiosqlite.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True) as connection,
                connection.execute(OPEN_RECORDINGS) as cursor,
            ):
                return [recording_row(row) for row in await cursor.fetchall()]
        except aiosqlite.Error as error:
            raise translated(error, where=str(self._path)) from error

    async def close(self) -> None:
        """Commit what is waiting, close the file and give it back. May be called twice."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._writer.stop)
            self._ownership.release()

    def _patience(self) -> float:
        return self._monotonic() + _PATIENCE_S

    async def _done(self, job: Job) -> Committed | None:
        if self._closed:
            raise LedgerError("the ledger is closed", where=str(self._path))
        self._writer.put(job)
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await job.answer
        except TimeoutError as error:
            raise LedgerUnavailableError(
                f"the ledger's disk did not answer within {_ANSWER_S:.0f} s", where=str(self._path)
            ) from error
