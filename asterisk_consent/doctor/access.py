"""Who may do what with a file, by its owner and its mode.

Rule: judged for an account, whoever looks. An access control list can allow more than the mode says (acl(5)); that is
not seen here.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import ConsentError

READ, WRITE, SEARCH = 4, 2, 1
ROOT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A file or directory as it lies there."""

    path: Path
    uid: int
    gid: int
    mode: int
    size: int = 0
    is_directory: bool = False

    @property
    def others_may(self) -> int:
        """What everybody on the machine may do."""
        return self.mode & 0o7


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the machine."""

    uid: int
    gids: frozenset[int]
    name: str

    def may(self, seen: Seen, what: int) -> bool:
        """Tell whether it may do all of ``what``."""
        if self.uid == ROOT:
            return True
        if self.uid == seen.uid:
            return (seen.mode >> 6) & what == what
        if seen.gid in self.gids:
            return (seen.mode >> 3) & what == what
        return seen.mode & what == what


def look_at(path: Path) -> Seen:
    """Look at a file or directory.

    :raises ConsentError: it is not there, or may not be looked at.
    """
    try:
        found = path.stat()
    except OSError as problem:
        raise ConsentError(
            f"cannot be looked at: {problem.strerror}",
            where=str(path),
            remedy="Make it, or name another in the configuration",
        ) from problem
    return Seen(
        path=path,
        uid=found.st_uid,
        gid=found.st_gid,
        mode=stat.S_IMODE(found.st_mode),
        size=found.st_size,
        is_directory=stat.S_ISDIR(found.st_mode),
    )


def is_there(path: Path) -> bool:
    """Tell whether there is something of that name.

    :raises ConsentError: it may not be looked at.
    """
    try:
        look_at(path)
    except ConsentError as problem:
        if isinstance(problem.__cause__, FileNotFoundError):
            return False
        raise
    return True


def list_directory(directory: Path) -> list[Path]:
    """List a directory, in sorted order.

    :raises ConsentError: it is not there, or may not be listed.
    """
    try:
        return sorted(directory.iterdir())
    except OSError as problem:
        raise ConsentError(
            f"cannot be listed: {problem.strerror}",
            where=str(directory),
            remedy="Make it, mount it, or name another in the configuration",
        ) from problem


def account_of(uid: int) -> Account:
    """Return the account of a user id, also of one that has no name."""
    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        return Account(uid=uid, gids=frozenset(), name=f"uid {uid}")
    groups = frozenset(os.getgrouplist(found.pw_name, found.pw_gid))
    return Account(uid=uid, gids=groups, name=found.pw_name)


def service_account(ledger: Path, vault: Path) -> Account:
    """Return the account of the service: whose the ledger is, or before the first start the vault.

    :raises ConsentError: neither may be looked at.
    """
    try:
        return account_of(look_at(ledger).uid)
    except ConsentError:
        return account_of(look_at(vault).uid)
