"""Copies of a ledger: written while the service runs, and brought back into a working copy.

Rule: a backup is one file, of one moment, with no page that is not in use and no write-ahead log; it has its name only
once its chain was verified. Writing it keeps no writer waiting: it reads one moment of the ledger, and what it writes
goes to the disk bit by bit, so that nobody's commit has to wait for all of it (``VACUUM INTO``,
https://sqlite.org/lang_vacuum.html).
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.durable import make_names_durable
from asterisk_consent.errors import LedgerBrokenError, RequestRefusedError
from asterisk_consent.ledger.chain import Head
from asterisk_consent.ledger.commit import read_head
from asterisk_consent.ledger.connection import connect, reading, require_current, require_file, translating
from asterisk_consent.ledger.file import LedgerFile
from asterisk_consent.ledger.schema import MIGRATIONS, check_schema
from asterisk_consent.ledger.verify import rebuild, verify

_MODE = 0o600
_BUSY_S = 2.0
_FLUSH_EVERY_S = 0.1
WAL = "-wal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was written: the last entry in it, and its size in bytes."""

    head: Head
    size: int


def back_up(ledger: Path, output: Path) -> Backup:
    """Write a verified copy of the ledger as it is now, beside the running service or without one.

    :raises RequestRefusedError: there is a file of that name, or it cannot be written.
    :raises LedgerBrokenError: the chain does not verify; nothing is written.
    :raises LedgerError: the ledger cannot be read.
    """
    require_file(ledger)
    refuse_existing(output)
    partial = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with writing_private(partial) as descriptor:
            with _flushing(descriptor):
                _copy(ledger, partial)
            os.fsync(descriptor)
            report = verify(partial)
            if report.problem is not None:
                raise LedgerBrokenError(
                    f"entry {report.problem.seq}: {report.problem.what}; no backup was written",
                    where=str(ledger),
                    remedy="Run 'ledger verify'; keep the backups that you have",
                )
            take_name(partial, output)
            return Backup(head=report.head, size=os.fstat(descriptor).st_size)
    except OSError as error:
        raise RequestRefusedError(
            f"the backup cannot be written ({error.strerror})", where=str(output), remedy="Name another file"
        ) from error


def bring_back(backup: Path, working: Path, *, clock: Callable[[], float] = time.time) -> Head:
    """Copy a backup to ``working``, brought to this release's schema; return its last entry. Verifies nothing.

    :raises LedgerError: it cannot be read, or is no ledger.
    """
    require_file(backup)
    with translating(str(backup)):
        for end in ("", WAL):
            source, target = Path(f"{backup}{end}"), Path(f"{working}{end}")
            if not end or source.exists():
                shutil.copyfile(source, target)
                target.chmod(_MODE)
        with closing(connect(working, mode="rw", busy_s=_BUSY_S)) as connection:
            version = check_schema(connection, where=str(backup))
            if version == 0:
                # An empty file: it would be made a ledger, and a new one.
                raise LedgerBrokenError("this file is not a ledger", where=str(backup))
        LedgerFile(working).create(at=int(clock()), randomness=os.urandom)
    if version < len(MIGRATIONS):
        rebuild(working)
    with reading(working) as connection:
        return read_head(connection)


def refuse_existing(output: Path) -> None:
    """Refuse to write over a file.

    :raises RequestRefusedError: there is one of that name.
    """
    if os.path.lexists(output):
        raise RequestRefusedError(
            "there is a file of that name", where=str(output), remedy="Name another one; none is written over"
        )


@contextmanager
def writing_private(partial: Path) -> Iterator[int]:
    """Make a file for its owner alone and give its descriptor; it is removed unless it got another name."""
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        os.fchmod(descriptor, _MODE)
        yield descriptor
    finally:
        os.close(descriptor)
        with suppress(OSError):
            partial.unlink()


def take_name(partial: Path, output: Path) -> None:
    """Give a whole file its name, durably.

    :raises RequestRefusedError: there is one of that name meanwhile.
    """
    refuse_existing(output)
    partial.replace(output)
    make_names_durable(output.parent)


def _copy(ledger: Path, partial: Path) -> None:
    with translating(str(ledger)), closing(connect(ledger, mode="ro", busy_s=_BUSY_S)) as connection:
        require_current(connection, where=str(ledger))
        connection.execute("VACUUM INTO ?", (str(partial.absolute()),))


@contextmanager
def _flushing(descriptor: int) -> Iterator[None]:
    """Send what another connection writes to a file on its way to the disk, little by little."""
    ended = threading.Event()

    def flush() -> None:
        while not ended.wait(_FLUSH_EVERY_S):
            with suppress(OSError):
                os.fdatasync(descriptor)

    thread = threading.Thread(target=flush, name="flushing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
