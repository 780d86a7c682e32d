"""Owns the names of files in spool and vault.

Rule: a file name starts with a recording id of 32 hexadecimal digits, and nothing else from outside ever
becomes part of a path here.
"""

import re
from pathlib import Path

from asterisk_consent.errors import AudioError
from asterisk_consent.model import RecordingId, is_hex_id

SIDES = ("caller", "agent")
"""The two sides of a call, in the order of their channels: left the caller, right the agent."""

_IN_SPOOL = re.compile(r"([0-9a-f]{32})-(?:caller|agent|emptying)\.wav")
_IN_VAULT = re.compile(r"([0-9a-f]{32})\.wav")
_PARTIAL = re.compile(r"([0-9a-f]{32})\.part")


def side_path(recording_id: RecordingId, side: str, spool: Path) -> Path:
    """Name the file that MixMonitor writes for one side."""
    return spool / f"{_checked(recording_id)}-{side}.wav"


def emptying_path(recording_id: RecordingId, spool: Path) -> Path:
    """Name the file whose presence tells that the spool is being emptied of this recording."""
    return spool / f"{_checked(recording_id)}-emptying.wav"


def kept_path(recording_id: RecordingId, vault: Path) -> Path:
    """Name the file of a recording in the vault."""
    return vault / f"{_checked(recording_id)}.wav"


def partial_path(recording_id: RecordingId, vault: Path) -> Path:
    """Name the file of a recording that is being written to the vault."""
    return vault / f"{_checked(recording_id)}.part"


def id_in_spool(path: Path) -> RecordingId | None:
    """Give the recording that a file of the spool belongs to by its name, or ``None``."""
    return _match(_IN_SPOOL, path)


def id_in_vault(path: Path) -> RecordingId | None:
    """Give the recording that a file of the vault holds by its name, or ``None``."""
    return _match(_IN_VAULT, path)


def id_being_written(path: Path) -> RecordingId | None:
    """Give the recording that is being written to this file of the vault by its name, or ``None``."""
    return _match(_PARTIAL, path)


def _match(pattern: re.Pattern[str], path: Path) -> RecordingId | None:
    found = pattern.fullmatch(path.name)
    return RecordingId(found[1]) if found else None


def _checked(recording_id: RecordingId) -> RecordingId:
    if not is_hex_id(recording_id):
        raise AudioError("not a recording id", where=ascii(recording_id)[:80])
    return recording_id
