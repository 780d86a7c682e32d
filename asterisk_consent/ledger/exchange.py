"""Puts another file in the place of a ledger, and keeps what was there.

Rule: at every moment the name of the ledger stands for one whole ledger, the old or the new one; a write-ahead log of
the one never lies beside the other. What was left by a run that was cut short is removed by the next.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from asterisk_consent.durable import make_names_durable
from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.connection import connect, translating
from asterisk_consent.shared import mode_in

_BUSY_S = 2.0
_ALONE, _SHARED, _SHARED_BEHIND = 0o640, 0o660, 0o664
"""Of a ledger that is its owner's; that its group appends to; and that others read too, whom its directory lets in."""
_LOGS = ("-wal", "-shm")


@contextmanager
def working_copy(ledger: Path) -> Iterator[Path]:
    """Give a place for a ledger in the making, on the same file system; it is removed with everything in it.

    :raises LedgerUnavailableError: it cannot be made.
    """
    directory = _working_directory(ledger)
    with translating(str(directory)):
        remove_working_copy(ledger)
        directory.mkdir(mode=0o700)
        try:
            yield directory / ledger.name
        finally:
            remove_working_copy(ledger)


def remove_working_copy(ledger: Path) -> None:
    """Remove what a run that was cut short left; only for whoever has the lock of the ledger."""
    shutil.rmtree(_working_directory(ledger), ignore_errors=True)


def put_in_place(working: Path, ledger: Path, *, beside: Path, at: int) -> Path | None:
    """Give a ledger that nobody has open the name of another; return where the other is kept, if there was one.

    :param beside: where no ledger was, the new one belongs to whom this directory belongs, the keys, and is shared with
        its group as they are (``docs/howto/keys.md``).
    :param at: UTC seconds, for the name of what is kept.
    :raises LedgerUnavailableError: it cannot be done; the ledger is as it was.
    """
    with translating(str(ledger)):
        there = ledger.exists()
        owner = (ledger if there else beside).stat()
        mode = owner.st_mode & 0o777 if there else _mode_beside(ledger, beside)
        working.chmod(mode)
        if os.geteuid() == 0:
            lock = ledger.with_name(f"{ledger.name}.lock")
            for path in (working, lock):
                os.chown(path, owner.st_uid, owner.st_gid)
            lock.chmod(mode & 0o660)
        _empty_log(working)
        _sync(working)
        aside = _keep(ledger, at) if there else None
        working.replace(ledger)
        make_names_durable(ledger.parent)
        return aside


def _working_directory(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.restoring")


def _mode_beside(ledger: Path, keys: Path) -> int:
    is_closed = not ledger.parent.stat().st_mode & 0o007
    return mode_in(keys, alone=_ALONE, shared=_SHARED_BEHIND if is_closed else _SHARED)


def _keep(ledger: Path, at: int) -> Path:
    """Give the ledger a second name, with everything that its write-ahead log holds."""
    with suppress(sqlite3.Error):  # where it is damaged, its log is kept with it as it is
        _empty_log(ledger)
    for left in ledger.parent.glob(f"{ledger.name}.replaced-*"):
        if left.samefile(ledger):
            left.unlink()
    aside = _free_name(ledger, f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}")
    aside.hardlink_to(ledger)
    for end in _LOGS:
        with suppress(FileNotFoundError):
            Path(f"{ledger}{end}").replace(f"{aside}{end}")
    make_names_durable(ledger.parent)
    return aside


def _free_name(ledger: Path, moment: str) -> Path:
    names = (f"{ledger.name}.replaced-{moment}{again}" for again in chain([""], map("-{}".format, count(2))))
    return next(path for path in map(ledger.with_name, names) if not path.exists())


def _empty_log(path: Path) -> None:
    with closing(connect(path, mode="rw", busy_s=_BUSY_S)) as connection:
        blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if blocked:
        raise LedgerUnavailableError(
            "somebody has the ledger open", where=str(path), remedy="End it, then restore again"
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
