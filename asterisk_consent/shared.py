"""Owns who else may use what is made in a directory.

Rule: a directory with the set-group-id bit is shared with its group, and what is made in it takes that group
(inode(7)); any other directory is its owner's alone. So an installation shares keys and identities with the key holder
by the mode of two directories, and one that does not shares nothing by accident.
"""

import stat
from pathlib import Path


def mode_in(directory: Path, *, alone: int, shared: int) -> int:
    """Return the mode of what is made in a directory: ``shared`` where its group is meant to use it too.

    :raises OSError: the directory cannot be looked at.
    """
    return shared if directory.stat().st_mode & stat.S_ISGID else alone
