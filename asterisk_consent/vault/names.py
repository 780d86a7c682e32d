"""Owns the names of files in spool, vault and among the keys.

Rule: a file name starts with a recording id or a call id of 32 hexadecimal digits, and nothing else from outside
ever becomes part of a path here.
"""

import re
from pathlib import Path

from asterisk_consent.errors import AudioError, KeysError
from asterisk_consent.model import RecordingId, is_hex_id

SIDES = ("caller", "agent")
"""The two sides of a call, in the order of their channels: left the caller, right the agent."""

JOINED = "joined.flac"
"""How the file's name goes on that both sides are joined in; the service makes it, not Asterisk."""

CODES = ("withdraw", "stop")
"""What the files are called by which the dialplan tells that a code was dialled: by who called, by who answered."""

_IN_SPOOL = re.compile(r"([0-9a-f]{32})-(?:(?:caller|agent|emptying)\.wav|joined\.flac|withdraw|stop)")
_CODE = re.compile(r"([0-9a-f]{32})-(?:withdraw|stop)")
_IN_VAULT = re.compile(r"([0-9a-f]{32})\.flac\.age")
_PARTIAL = re.compile(r"([0-9a-f]{32})\.part")
_KEY = re.compile(r"([0-9a-f]{32})\.audio\.age")


def side_path(recording_id: RecordingId, side: str, spool: Path) -> Path:
    """Name the file that MixMonitor writes for one side."""
    return spool / f"{_checked(recording_id)}-{side}.wav"


def emptying_path(recording_id: RecordingId, spool: Path) -> Path:
    """Name the file whose presence tells that the spool is being emptied of this recording."""
    return spool / f"{_checked(recording_id)}-emptying.wav"


def joined_path(recording_id: RecordingId, spool: Path) -> Path:
    """Name the file in the spool that both sides are joined in, until it is sealed."""
    return spool / f"{_checked(recording_id)}-{JOINED}"


def code_path(recording_id: RecordingId, code: str, spool: Path) -> Path:
    """Name the file whose presence tells that a code was dialled to end a recording."""
    return spool / f"{_checked(recording_id)}-{code}"


def kept_path(recording_id: RecordingId, vault: Path) -> Path:
    """Name the sealed file of a recording in the vault."""
    return vault / f"{_checked(recording_id)}.flac.age"


def partial_path(recording_id: RecordingId, vault: Path) -> Path:
    """Name the file of a recording that is being written to the vault."""
    return vault / f"{_checked(recording_id)}.part"


def key_path(call_id: str, keys: Path) -> Path:
    """Name the file of the key that opens the audio of a call; 256 directories, so that none grows long."""
    if not is_hex_id(call_id):
        raise KeysError("not a call id", where=ascii(call_id)[:80])
    return keys / call_id[:2] / f"{call_id}.audio.age"


def id_in_spool(path: Path) -> RecordingId | None:
    """Give the recording that a file of the spool belongs to by its name, or ``None``."""
    return _match(_IN_SPOOL, path)


def code_in_spool(path: Path) -> RecordingId | None:
    """Give the recording for which a code was dialled by the name of the file that tells it, or ``None``."""
    return _match(_CODE, path)


def id_in_vault(path: Path) -> RecordingId | None:
    """Give the recording that a file of the vault holds by its name, or ``None``."""
    return _match(_IN_VAULT, path)


def id_being_written(path: Path) -> RecordingId | None:
    """Give the recording that is being written to this file of the vault by its name, or ``None``."""
    return _match(_PARTIAL, path)


def call_of_key(path: Path) -> str | None:
    """Give the call whose audio a key opens by the name of its file, or ``None``."""
    found = _KEY.fullmatch(path.name)
    return found[1] if found and path.parent.name == found[1][:2] else None


def _match(pattern: re.Pattern[str], path: Path) -> RecordingId | None:
    found = pattern.fullmatch(path.name)
    return RecordingId(found[1]) if found else None


def _checked(recording_id: RecordingId) -> RecordingId:
    if not is_hex_id(recording_id):
        raise AudioError("not a recording id", where=ascii(recording_id)[:80])
    return recording_id
