"""Owns the comparison of spool and vault with the recordings of the ledger.

Rule: files in spool and vault = recordings in the ledger, both ways. This only lists; what to do is decided
where the ledger is known.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import AudioError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.names import id_being_written, id_in_spool, id_in_vault, kept_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """What does not fit together; everything in sorted order."""

    unknown_files: tuple[Path, ...]
    """In spool or vault, and of no recording that the ledger names."""
    left_in_spool: tuple[RecordingId, ...]
    """Ended recordings of which the spool still holds files."""
    missing: tuple[RecordingId, ...]
    """Recordings that should be in the vault and are not."""

    def __bool__(self) -> bool:
        return bool(self.unknown_files or self.left_in_spool or self.missing)


def find_orphans(
    *,
    spool: Path,
    vault: Path,
    running: Collection[RecordingId],
    ended: Collection[RecordingId],
    kept: Collection[RecordingId],
) -> Orphans:
    """Compare the files of both directories with the recordings of the ledger.

    :param running: recordings that have not reached their end.
    :param ended: recordings that have, with or without audio.
    :param kept: those among ``ended`` whose audio was entered.
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
    left = {found for found in in_spool.values() if found is not None and found in ended}
    missing = {recording for recording in kept if kept_path(recording, vault) not in in_vault}
    return Orphans(
        unknown_files=tuple(sorted(unknown)),
        left_in_spool=tuple(sorted(left)),
        missing=tuple(sorted(missing)),
    )


def _list(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError as error:
        raise AudioError(
            f"cannot be listed: {error.strerror}",
            where=str(directory),
            remedy="Only the user of the service may look into it",
        ) from error
