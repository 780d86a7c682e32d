"""The thread that owns the service's connection and commits entries in groups.

Rule: a job is answered as done only after its commit is on disk. A group is what had arrived while the group
before it was being committed; nobody waits for company. An error inside a transaction means *unknown*: the
connection is dropped, the file opened again, and the chain itself tells whether the group is there. One
thread and one hop each way per group: the figures are in ``docs/decisions/ledger-writer.md``.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from asterisk_consent.errors import KeysError, LedgerError, LedgerUnavailableError
from asterisk_consent.ledger.commit import Committed, Prepared, write_entries
from asterisk_consent.ledger.connection import primary_code, translated
from asterisk_consent.ledger.file import LedgerFile
from asterisk_consent.ledger.projection import mark_closing
from asterisk_consent.model import EntryKey

_MAX_GROUP = 512
_CHECKPOINT_GROUPS = 500
"""About 4,000 pages of write-ahead log: once a second at the highest rate asked for, with nobody waiting."""
_CHECKPOINT_GROUPS_BUSY = 4 * _CHECKPOINT_GROUPS
"""The same while jobs wait all the time."""
_FRESH_S = 1.0
"""How long a commit vouches for the next one."""


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """Something to be done by ``until`` (monotonic seconds), and the future of whoever waits for it."""

    until: float
    answer: "asyncio.Future[Committed | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass(slots=True, eq=False, kw_only=True)
class Append(Job):
    """Append an entry."""

    prepared: Prepared


@dataclass(slots=True, eq=False, kw_only=True)
class MarkClosing(Job):
    """Note that a recording is closing."""

    recording_id: str


@dataclass(slots=True, eq=False, kw_only=True)
class Probe(Job):
    """Show that entries can be written now."""


@dataclass(slots=True, eq=False, kw_only=True)
class Scrub(Job):
    """Empty the write-ahead log, which may hold what was deleted, into the database."""


_Answer = tuple[Job, Committed | LedgerError | None]


class Writer:
    """Takes jobs from the event loop, answers them there.

    :param min_free_bytes: a probe fails while the file system has less space than this.
    :param keep_keys: makes the keys of sealed entries durable, which comes before the entries.
    """

    def __init__(
        self,
        file: LedgerFile,
        *,
        where: str,
        min_free_bytes: int,
        monotonic: Callable[[], float],
        loop: asyncio.AbstractEventLoop,
        keep_keys: Callable[[Sequence[EntryKey]], None] | None = None,
    ) -> None:
        self._file = file
        self._where = where
        self._min_free_bytes = min_free_bytes
        self._monotonic = monotonic
        self._loop = loop
        self._keep_keys = keep_keys
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._stopping = False
        self._committed_at = float("-inf")
        self._groups = 0
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, job: Job) -> None:
        """Hand over a job; it will be answered."""
        self._jobs.put(job)

    def stop(self) -> None:
        """Serve what is waiting, drop the connection and end the thread; blocks until then."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            first = self._jobs.get()
            if first is None:
                break
            group = [first, *self._arrived()]
            try:
                self._serve(group)
            except (sqlite3.Error, OSError) as error:
                self._give_up(group, translated(error, where=self._where))
            except (LedgerError, KeysError) as error:
                self._give_up(group, error)
        with contextlib.suppress(sqlite3.Error):
            self._file.drop()

    def _arrived(self) -> list[Job]:
        group: list[Job] = []
        with contextlib.suppress(Empty):
            while len(group) < _MAX_GROUP and not self._stopping:
                job = self._jobs.get_nowait()
                if job is None:
                    self._stopping = True
                else:
                    group.append(job)
        return group

    def _serve(self, group: list[Job]) -> None:
        self._answer_probes(group)
        if all(isinstance(job, Scrub) for job in group):
            # Nothing is to be committed, and nobody is to be told that something was.
            self._scrub(group)
            return
        connection = self._begin(group)
        if connection is None:
            return
        committed: list[Committed] = []
        appends = [job for job in group if isinstance(job, Append)]
        try:
            self._keep([job.prepared for job in appends])
            if appends:
                committed = write_entries(connection, [job.prepared for job in appends])
            else:
                connection.execute("UPDATE probe SET at = at + 1")
            mark_closing(connection, [job.recording_id for job in group if isinstance(job, MarkClosing)])
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError):
            self._drop()
            if not committed or not self._file.holds(committed):
                raise
        self._committed_at = self._monotonic()
        places = iter(committed)
        scrubs = [job for job in group if isinstance(job, Scrub)]
        self._answer(
            [
                (job, next(places) if isinstance(job, Append) else None)
                for job in group
                if not isinstance(job, Scrub)
            ]
        )
        self._scrub(scrubs)
        self._checkpoint()

    def _scrub(self, scrubs: Sequence[Job]) -> None:
        if scrubs:
            in_the_way = LedgerUnavailableError("somebody reads the ledger", where=self._where)
            refusal = None if self._file.scrub() else in_the_way
            self._answer([(job, refusal) for job in scrubs])

    def _keep(self, group: Sequence[Prepared]) -> None:
        """Make the keys of what is appended durable: an entry without its key could never be opened."""
        keys = [prepared.key for prepared in group if prepared.key is not None]
        if self._keep_keys is not None and keys:
            self._keep_keys(keys)

    def _begin(self, group: list[Job]) -> sqlite3.Connection | None:
        """Begin a transaction; while the file is locked, take in who arrives and let go whose time is up."""
        while group:
            try:
                connection = self._file.connected()
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if primary_code(error) != sqlite3.SQLITE_BUSY:
                    raise
                now = self._monotonic()
                refusal = translated(error, where=self._where)
                self._answer([(job, refusal) for job in group if job.until <= now])
                group[:] = [job for job in group if job.until > now] + self._arrived()
            else:
                return connection
        return None

    def _answer_probes(self, group: list[Job]) -> None:
        """Answer and take out the probes that need no write: too little space, or a commit a moment ago."""
        probes: list[Job] = [job for job in group if isinstance(job, Probe)]
        if not probes:
            return
        free = self._file.free_bytes()
        if free < self._min_free_bytes:
            lack = LedgerUnavailableError(
                f"only {free} bytes are free for the ledger, {self._min_free_bytes} are asked for",
                where=self._where,
                remedy="Free some space; recording resumes by itself",
            )
            self._answer([(job, lack) for job in probes])
        elif self._monotonic() - self._committed_at < _FRESH_S:
            self._answer([(job, None) for job in probes])
        else:
            return
        group[:] = [job for job in group if not isinstance(job, Probe)]

    def _checkpoint(self) -> None:
        self._groups += 1
        due = _CHECKPOINT_GROUPS if self._jobs.empty() else _CHECKPOINT_GROUPS_BUSY
        if self._groups >= due:
            self._groups = 0
            # What keeps a checkpoint from succeeding keeps the next commit from it too, and is reported
            # there.
            with contextlib.suppress(sqlite3.Error):
                self._file.checkpoint()

    def _give_up(self, group: Sequence[Job], error: LedgerError | KeysError) -> None:
        self._drop()
        self._committed_at = float("-inf")
        # Whatever it was, whoever waits must take it as unknown.
        unknown = LedgerUnavailableError(error.what, where=error.where, remedy=error.remedy)
        self._answer([(job, unknown) for job in group])

    def _drop(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._file.drop()

    def _answer(self, answers: Sequence[_Answer]) -> None:
        if answers:
            # The loop may be gone already when the service was cut short; then nobody waits.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_deliver, answers)


def _deliver(answers: Sequence[_Answer]) -> None:
    for job, result in answers:
        if job.answer.done():
            continue
        if isinstance(result, LedgerError):
            job.answer.set_exception(result)
        else:
            job.answer.set_result(result)
