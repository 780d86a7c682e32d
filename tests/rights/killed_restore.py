"""Restores that are killed: each in a place of its own, the first at the first step that changes a file, and so on.

Run as ``python -m tests.rights.killed_restore PRISTINE WORK BACKUP KEYS``. Prints how many were killed.
"""

import os
import shutil
import signal
import sqlite3
import sys
from itertools import count
from pathlib import Path
from typing import Any

from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.restoring import Wanted, restore
from tests.rights.kept_calls import Clock

_CHANGES = {
    *("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.chown"),
    *("shutil.copyfile", "shutil.rmtree"),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_STATEMENTS = ("BEGIN IMMEDIATE", "INSERT", "DELETE", "UPDATE", "COMMIT", "PRAGMA wal_checkpoint")


class Killer:
    """Kills this process before its step number ``at``."""

    def __init__(self, at: int) -> None:
        self._left = at

    def step(self) -> None:
        """Count a step."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Count everything that changes a file from here on."""
        connect, fsync = sqlite3.connect, os.fsync

        def connected(*arguments: Any, **options: Any) -> Any:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(
                lambda statement: self.step() if statement.strip().startswith(_STATEMENTS) else None
            )
            return connection

        def synced(descriptor: Any) -> None:
            self.step()
            fsync(descriptor)

        # By their names: what takes their place has another signature than typeshed's.
        for module, name, watched in ((sqlite3, "connect", connected), (os, "fsync", synced)):
            setattr(module, name, watched)
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGES or (event == "open" and int(arguments[2] or 0) & _WRITING):
            self.step()


def holdings(home: Path) -> Holdings:
    """Where everything of a place is."""
    return Holdings(
        ledger=home / "ledger.sqlite",
        spool=home / "spool",
        vault=home / "vault",
        keys=home / "keys",
        clock=Clock(),
    )


def restore_again(home: Path, backup: Path, keys: Path) -> None:
    """Restore both backups."""
    restore(Wanted(backup=backup, person="root", key_backup=keys), holdings(home))


def _killed(home: Path, backup: Path, keys: Path, at: int) -> bool:
    child = os.fork()
    if child == 0:
        Killer(at).watch()
        restore_again(home, backup, keys)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert status == 0, status
    return False


def main(pristine: Path, work: Path, backup: Path, keys: Path) -> None:
    """Restore, killed one step later each time, until one comes to its end."""
    for at in count(1):
        home = work / str(at)
        shutil.copytree(pristine, home)
        if not _killed(home, backup, keys, at):
            print(at - 1)
            return


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
