"""Owns the question whether a file of spool or vault is there.

Rule: what cannot be looked at now is an error and never taken for missing. ``Path.exists`` takes a disk that fails, or
a directory that may not be entered, for an absent file (from Python 3.14 on), and a recording would be entered as lost.
"""

import os
from pathlib import Path

from asterisk_consent.errors import AudioError


def status_of(path: Path) -> os.stat_result | None:
    """Look at a file; ``None`` where there is none.

    :raises AudioError: it cannot be looked at.
    """
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AudioError(f"cannot be looked at: {error.strerror}", where=str(path)) from error


def is_there(path: Path) -> bool:
    """Tell whether a file is there.

    :raises AudioError: it cannot be looked at.
    """
    return status_of(path) is not None
