"""Who may write and checkpoint a ledger for as long as it likes: one service, by a lock on a file beside it.

Rule: the lock is the kernel's (flock(2)), so it goes with its process however that ends, and is never stale.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from asterisk_consent.errors import LedgerError, LedgerUnavailableError

_GRACE_S = 1.0
"""A command that closes the ledger holds the lock for milliseconds; a starting service waits that out."""
_RETRY_S = 0.02


class Ownership:
    """The lock of one ledger, from :meth:`take` or a successful :meth:`try_take` to :meth:`release`."""

    def __init__(self, ledger: Path) -> None:
        self._path = ledger.with_name(ledger.name + ".lock")
        self._descriptor = -1

    def take(
        self, *, monotonic: Callable[[], float] = time.monotonic, wait: Callable[[float], None] = time.sleep
    ) -> None:
        """Take the lock, leave our process id in it; :class:`LedgerError` names the process that has it."""
        give_up_at = monotonic() + _GRACE_S
        while not self.try_take():
            if monotonic() >= give_up_at:
                raise LedgerError(
                    f"another service writes this ledger (process {self._holder()})",
                    where=str(self._path),
                    remedy="Stop it, or give this one a ledger of its own",
                )
            wait(_RETRY_S)
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def try_take(self) -> bool:
        """Take the lock if it is free now."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        except OSError as error:
            raise LedgerUnavailableError(
                f"cannot lock the ledger ({error.strerror})",
                where=str(self._path),
                remedy="The directory must exist and belong to the user of the service",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def is_taken(self) -> bool:
        """Tell whether a service has the lock; makes no file and leaves no trace.

        :raises LedgerUnavailableError: the lock may not be looked at.
        """
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise LedgerUnavailableError(
                f"whether a service runs cannot be told ({error.strerror})",
                where=str(self._path),
                remedy="Run it as root or as the user of the service",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def release(self) -> None:
        """Give the lock back; does nothing when we do not have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _holder(self) -> str:
        try:
            return self._path.read_text(encoding="ascii", errors="replace").strip()[:20] or "unknown"
        except OSError:
            return "unknown"
