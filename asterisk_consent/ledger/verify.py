"""Checking a whole ledger file, and making its projections anew.

Rule: the file is read in one pass, in the order of the chain, as of one moment, with memory that does not
grow with it. The first problem ends the pass: after it nothing can be said.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.ledger.append import writing_beside
from asterisk_consent.ledger.chain import ChainVerifier, Head, Problem, Row
from asterisk_consent.ledger.checkpoint import Checkpoint, fault_of
from asterisk_consent.ledger.checkpoints import stored_checkpoints
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.projection import Projector, create_projections
from asterisk_consent.ledger.schema import PROJECTIONS

_ROWS = """
    SELECT c.seq, c.header, c.hash, p.salt, p.body
    FROM chain c LEFT JOIN payload p ON p.seq = c.seq ORDER BY c.seq
"""

_BLOB_OR_GONE = (bytes, type(None))
_SORTING_KIB = 64 * 1024
"""Memory for the tables that verify makes for itself; the rest of them goes to a temporary file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """How far the chain holds: ``head`` is the last good entry, ``problem`` the first thing wrong."""

    entries: int
    head: Head
    problem: Problem | None


def verify(
    path: Path, *, expected: Head | None = None, checkpoints: Iterable[Checkpoint] = ()
) -> VerifyReport:
    """Check every entry of the ledger, its payloads, projections and stored checkpoints.

    :param expected: an entry known from elsewhere that must be in the chain.
    :param checkpoints: kept elsewhere; without one, a cut-off tail that took its payloads, projections and
        checkpoints along cannot be told from a shorter history, nor a history written anew from the first.
    :raises LedgerError: the file cannot be read as a ledger at all.
    """
    verifier = ChainVerifier(expected=expected, checkpoints=checkpoints)
    try:
        with reading(path) as connection:
            problem = _check(connection, verifier)
    except LedgerBrokenError as error:
        problem = Problem(seq=verifier.head.seq + 1, what=error.what)
    return VerifyReport(entries=verifier.head.seq, head=verifier.head, problem=problem)


def rebuild(path: Path) -> int:
    """Make the projections anew from the entries, in one transaction; return the number of entries read.

    The write lock is held throughout, about 40 µs an entry.

    :raises LedgerBrokenError: the chain does not verify; nothing is changed.
    :raises LedgerUnavailableError: somebody holds the ledger for more than two seconds.
    """
    verifier = ChainVerifier()
    with writing_beside(path) as connection:
        for table in PROJECTIONS:
            connection.execute(f"DELETE FROM main.{table}")  # noqa: S608 - one of our names
        _read(connection, verifier, Projector(connection))
        if verifier.problem is not None:
            what = f"entry {verifier.problem.seq}: {verifier.problem.what}"
            raise LedgerBrokenError(what, where=str(path), remedy="Restore a backup")
    return verifier.head.seq


def _check(connection: sqlite3.Connection, verifier: ChainVerifier) -> Problem | None:
    connection.execute(f"PRAGMA temp.cache_size = -{_SORTING_KIB}")
    create_projections(connection, schema="temp")
    _read(connection, verifier, Projector(connection, schema="temp"))
    return (
        verifier.problem
        or _stray_payload(connection)
        or _projection_difference(connection)
        or _wrong_index(connection, verifier)
        or _stored_checkpoint(connection, verifier)
    )


def _read(connection: sqlite3.Connection, verifier: ChainVerifier, projector: Projector) -> None:
    for row in _rows(connection):
        found = verifier.check(row)
        if found is None:
            return
        projector.add(*found)
    verifier.finish()


def _rows(connection: sqlite3.Connection) -> Iterator[Row]:
    for seq, header, digest, salt, body in connection.execute(_ROWS):
        blobs = isinstance(header, bytes) and isinstance(digest, bytes)
        if not (blobs and isinstance(salt, _BLOB_OR_GONE) and isinstance(body, _BLOB_OR_GONE)):
            raise LedgerBrokenError(f"entry {seq} is not stored as bytes")
        yield Row(seq, header, digest, salt, body)


def _stray_payload(connection: sqlite3.Connection) -> Problem | None:
    stray = connection.execute(
        "SELECT min(seq) FROM payload WHERE seq NOT IN (SELECT seq FROM chain)",
    ).fetchone()[0]
    return None if stray is None else Problem(seq=int(stray), what="a payload without an entry")


def _stored_checkpoint(connection: sqlite3.Connection, verifier: ChainVerifier) -> Problem | None:
    for checkpoint, digest in stored_checkpoints(connection):
        fault = fault_of(checkpoint, ledger_id=verifier.ledger_id, digest=digest, keys=verifier.keys)
        if fault:
            return Problem(seq=checkpoint.seq, what=f"stored {fault}")
    return None


def _projection_difference(connection: sqlite3.Connection) -> Problem | None:
    """Compare the tables for reading with what the entries say; ``closing`` is known to the service alone."""
    connection.execute(
        "UPDATE temp.recording SET state = 'closing' WHERE state IN ('allowed', 'recording') "
        "AND recording_id IN (SELECT recording_id FROM main.recording WHERE state = 'closing')"
    )
    for table in PROJECTIONS:
        seq = "max(allowed_seq, ended_seq)" if table == "recording" else "seq"
        columns = _columns(connection, table)
        for one, other in (("main", "temp"), ("temp", "main")):
            difference = (
                f"SELECT {columns} FROM {one}.{table} t EXCEPT SELECT {columns} FROM {other}.{table} t"  # noqa: S608 - fixed names
            )
            found = connection.execute(f"SELECT {seq} FROM ({difference}) LIMIT 1").fetchone()  # noqa: S608
            if found is not None:
                return Problem(
                    seq=int(found[0]), what=f"the table {table} does not show what the entries say"
                )
    return None


def _columns(connection: sqlite3.Connection, table: str) -> str:
    """Name the columns as this release does: those of a damaged schema may bear other names."""
    return ", ".join(f't."{name}"' for _, name, *_ in connection.execute(f"PRAGMA temp.table_info({table})"))


def _wrong_index(connection: sqlite3.Connection, verifier: ChainVerifier) -> Problem | None:
    """Compare SQLite's own indexes with their tables: what is missing there is not found by whoever asks."""
    for table in PROJECTIONS:
        found = connection.execute(f"PRAGMA main.integrity_check({table})").fetchone()[0]
        if found != "ok":
            return Problem(
                seq=verifier.head.seq, what=f"the table {table} cannot be searched: {found}; 'ledger rebuild'"
            )
    return None
