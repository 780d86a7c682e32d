"""The service's own hold on the ledger file: made, migrated, opened, opened again after an error.

Rule: a file is made once, by :meth:`LedgerFile.create`; after an error the same ledger is opened again or
none.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from asterisk_consent.durable import make_names_durable
from asterisk_consent.errors import LedgerBrokenError, LedgerError
from asterisk_consent.ledger.commit import Committed, prepare, read_head, read_ledger_id, write_entries
from asterisk_consent.ledger.connection import connect, require_current
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry
from asterisk_consent.ledger.payload import Created
from asterisk_consent.ledger.schema import migrate

_BUSY_SLICE_S = 0.1
"""Longest single wait for a lock: the writer waits in slices, each entry has a time limit of its own."""
_CREATION_BUSY_S = 2.0


class LedgerFile:
    """A connection that can be lost and found again; its errors pass through to the writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ledger_id = ""
        self._connection: sqlite3.Connection | None = None

    def create(self, *, at: int, randomness: Callable[[int], bytes]) -> None:
        """Make or migrate the file; its first entry is ``ledger.created``."""
        _make(self._path)
        connection = connect(self._path, mode="rw", busy_s=_CREATION_BUSY_S)
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise LedgerError(
                    f"this file system cannot hold a ledger (journal mode {mode})", where=str(self._path)
                )
            connection.execute("BEGIN IMMEDIATE")
            migrate(connection, where=str(self._path))
            if read_head(connection).seq == 0:
                created = Created(ledger_id=randomness(16).hex())
                entry = NewEntry(stream=SYSTEM_STREAM, kind=Kind.LEDGER_CREATED, payload=created)
                write_entries(connection, [prepare(entry, at=at, randomness=randomness)])
            self._ledger_id = _identify(connection, self._path)
            connection.execute("COMMIT")
        finally:
            connection.close()

    def connected(self) -> sqlite3.Connection:
        """Return the connection, opened again if it was dropped."""
        if self._connection is None:
            connection = connect(self._path, mode="rw", busy_s=_BUSY_SLICE_S)
            try:
                require_current(connection, where=str(self._path))
                if _identify(connection, self._path) != self._ledger_id:
                    raise LedgerError("another ledger lies in place of ours", where=str(self._path))
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def drop(self) -> None:
        """Give the connection up, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def holds(self, committed: Sequence[Committed]) -> bool:
        """Tell whether a group is on disk after its commit failed.

        A row that can be read may still lie in memory only: fsync(2) reports a failed page once and then
        forgets it. Copying everything into the database file writes and syncs it anew.
        """
        last = committed[-1]
        connection = self.connected()
        row = connection.execute("SELECT hash FROM chain WHERE seq = ?", (last.seq,)).fetchone()
        if row is None or row[0] != last.hash:
            return False
        blocked, frames, copied = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        return not blocked and frames == copied

    def checkpoint(self) -> None:
        """Copy what the write-ahead log holds into the database, as far as no reader needs it."""
        self.connected().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def scrub(self) -> bool:
        """Empty the write-ahead log into the database; tell whether no reader was in the way."""
        connection = self.connected()
        connection.execute("PRAGMA busy_timeout = 0")
        blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_SLICE_S * 1000:.0f}")
        return not blocked

    def free_bytes(self) -> int:
        """Return the space that is left for us on the ledger's file system."""
        found = os.statvfs(self._path.parent)
        return found.f_bavail * found.f_frsize


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o660))
    except FileExistsError:
        return
    make_names_durable(path.parent)


def _identify(connection: sqlite3.Connection, path: Path) -> str:
    ledger_id = read_ledger_id(connection, where=str(path))
    last_payload = connection.execute("SELECT max(seq) FROM payload").fetchone()[0]
    if last_payload > read_head(connection).seq:
        raise LedgerBrokenError(
            "the end of the chain is cut off", where=str(path), remedy="Run `ledger verify`, restore a backup"
        )
    return ledger_id
