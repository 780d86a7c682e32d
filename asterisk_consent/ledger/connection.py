"""How a ledger file is opened, and the place where SQLite's errors become the product's.

Rule: every connection is closed by whoever opened it; no connection checkpoints by itself, only the service
does (SQLite up to 3.51.2 has a rare race when two checkpoint at once); every commit is on disk when it
returns (``synchronous=FULL``, https://sqlite.org/pragma.html#pragma_synchronous); what is deleted is overwritten
(``secure_delete``).
"""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asterisk_consent.errors import LedgerBrokenError, LedgerError, LedgerUnavailableError
from asterisk_consent.ledger.schema import MIGRATIONS, check_schema

_NOT_NOW = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, 0 when the error did not come from SQLite itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def translated(error: sqlite3.Error | OSError, *, where: str) -> LedgerError:
    """Return the product's error for one of SQLite's or the system's."""
    if isinstance(error, OSError) or primary_code(error) in _NOT_NOW:
        why = error.strerror if isinstance(error, OSError) else error
        return LedgerUnavailableError(
            f"the ledger cannot be used now ({why})",
            where=where,
            remedy="Check free space, locks and rights: who is neither root nor the user of the service needs the"
            " service running",
        )
    if primary_code(error) == sqlite3.SQLITE_CORRUPT:
        return _damaged(error, where=where)
    if primary_code(error) == sqlite3.SQLITE_NOTADB:
        return LedgerError(
            "this file is not a ledger", where=where, remedy="Check `paths.ledger` in the configuration"
        )
    return LedgerError(f"the ledger refused ({error})", where=where)


def _damaged(error: Exception, *, where: str) -> LedgerBrokenError:
    return LedgerBrokenError(f"the ledger file is damaged ({error})", where=where, remedy="Restore a backup")


@contextmanager
def translating(where: str) -> Iterator[None]:
    """Let no error of ``sqlite3`` or the system out of the block."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise translated(error, where=where) from error
    except UnicodeDecodeError as error:  # SQLite quotes a damaged schema, and Python reads that as UTF-8
        raise _damaged(error, where=where) from error


def connect(path: Path, *, mode: str, busy_s: float) -> sqlite3.Connection:
    """Open ``path`` without a transaction; ``mode`` is ``ro``, ``rw`` or ``rwc`` (https://sqlite.org/uri.html)."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a read-only connection inside one transaction: everything read through it is of one moment."""
    where = str(path)
    require_file(path)
    with translating(where):
        connection = connect(path, mode="ro", busy_s=2.0)
        try:
            require_current(connection, where=where)
            connection.execute("BEGIN")
            yield connection
            connection.execute("ROLLBACK")
        finally:
            connection.close()


def require_file(path: Path) -> None:
    """Raise :class:`LedgerError` where there is no ledger, or none that we may look at."""
    try:
        there = stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        there = False
    except OSError as error:
        raise translated(error, where=str(path)) from error
    if not there:
        raise LedgerError(
            "there is no ledger", where=str(path), remedy="It is made when the service first starts"
        )


def require_current(connection: sqlite3.Connection, *, where: str) -> None:
    """Raise :class:`LedgerError` unless the file has exactly the schema of this release."""
    version = check_schema(connection, where=where)
    if version < len(MIGRATIONS):
        raise LedgerError(
            f"the ledger has schema {version}, this release needs {len(MIGRATIONS)}",
            where=where,
            remedy="Start the service once, it brings the file up to date",
        )
