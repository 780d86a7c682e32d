"""Owns the comparison of spool, vault and keys with the recordings of the ledger.

Rule: files in spool and vault = recordings in the ledger, both ways, and each in the vault has its key. This only
lists; what to do is decided where the ledger is known.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import AudioError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.names import (
    call_of_key,
    id_being_written,
    id_in_spool,
    id_in_vault,
    kept_path,
)
from asterisk_consent.vault.proof_keys import BLIND
from asterisk_consent.vault.recipients import RECIPIENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """What does not fit together; everything in sorted order."""

    unknown_files: tuple[Path, ...]
    """In spool, vault or keys, and of no recording that the ledger names."""
    left_in_spool: tuple[RecordingId, ...]
    """Ended recordings of which the spool still holds files."""
    missing: tuple[RecordingId, ...]
    """Recordings that should be in the vault and are not."""
    without_key: tuple[RecordingId, ...]
    """Recordings in the vault that nothing opens any more."""

    def __bool__(self) -> bool:
        return bool(self.unknown_files or self.left_in_spool or self.missing or self.without_key)


def find_orphans(
    *,
    spool: Path,
    vault: Path,
    keys: Path,
    running: Mapping[RecordingId, str],
    ended: Collection[RecordingId],
    kept: Mapping[RecordingId, str],
) -> Orphans:
    """Compare the files of the three directories with the recordings of the ledger.

    :param running: recordings that have not reached their end, each with its call.
    :param ended: recordings that have, with or without audio.
    :param kept: those among ``ended`` whose audio was entered, each with its call.
    :raises AudioError: where a directory cannot be listed.
    """
    in_spool = {path: id_in_spool(path) for path in _list(spool)}
    in_vault = {path: id_in_vault(path) for path in _list(vault)}
    unknown = [path for path, found in in_spool.items() if found not in running and found not in ended]
    unknown += [
        path
        for path, found in in_vault.items()
        if found not in running and found not in kept and id_being_written(path) not in running
    ]
    in_keys = {path: call_of_key(path) for path in _list_keys(keys)}
    calls = {*running.values(), *kept.values()}
    unknown += [path for path, found in in_keys.items() if found not in calls]
    with_key = set(in_keys.values())
    left = {found for found in in_spool.values() if found is not None and found in ended}
    missing = {recording for recording in kept if kept_path(recording, vault) not in in_vault}
    return Orphans(
        unknown_files=tuple(sorted(unknown)),
        left_in_spool=tuple(sorted(left)),
        missing=tuple(sorted(missing)),
        without_key=tuple(sorted(each for each, call in kept.items() if call not in with_key)),
    )


def _list_keys(keys: Path) -> list[Path]:
    """List the files in the directories of the calls' keys; recipients and blind indexes are no keys of theirs."""
    directories = [path for path in _list(keys) if path.is_dir() and path.name not in (RECIPIENTS, BLIND)]
    return [path for directory in directories for path in _list(directory)]


def _list(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError as error:
        raise AudioError(
            f"cannot be listed: {error.strerror}",
            where=str(directory),
            remedy="Only the user of the service may look into it",
        ) from error
