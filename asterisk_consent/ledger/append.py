"""Writing from a command, beside the running service or without one.

Rule: one transaction, the head read inside it; and no checkpoint while the service may make one. SQLite checkpoints
when the last connection closes: that one takes the service's lock for as long as closing takes.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.commit import BUSY_S, Committed, prepare, write_entries
from asterisk_consent.ledger.connection import connect, require_current, require_file, translating
from asterisk_consent.ledger.entry import NewEntry
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.ledger.sealing import Sealer


def append_from_outside(
    path: Path,
    entry: NewEntry,
    *,
    sealer: Sealer | None = None,
    clock: Callable[[], float] = time.time,
    randomness: Callable[[int], bytes] = os.urandom,
) -> Committed:
    """Append ``entry`` durably; return its place in the chain. Blocks, two seconds at most when locked.

    :param sealer: seals what names somebody; without one only the index of such an entry is appended,
        and none that lets somebody see or record something.
    :raises LedgerError: there is no ledger, or its schema is not this release's.
    :raises LedgerUnavailableError: it could not be written; it may exist all the same.
    :raises KeysError: its key could not be kept.
    """
    prepared = prepare(entry, at=int(clock()), randomness=randomness, sealer=sealer)
    if sealer is not None and prepared.key is not None:
        sealer.keep([prepared.key])
    with writing_beside(path) as connection:
        return write_entries(connection, [prepared])[0]


@contextlib.contextmanager
def writing_beside(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection inside one durable transaction, which an exception undoes."""
    where = str(path)
    require_file(path)
    with translating(where), _closing_alone(connect(path, mode="rw", busy_s=BUSY_S), path) as connection:
        require_current(connection, where=where)
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


@contextlib.contextmanager
def _closing_alone(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    ownership = Ownership(path)
    try:
        yield connection
    finally:
        # Without the lock somebody else is still connected, so this is not the last connection.
        with contextlib.suppress(LedgerUnavailableError):
            ownership.try_take()
        connection.close()
        ownership.release()
