"""Spool, vault and keys against the ledger: files that no entry speaks of, and entries whose file or key is gone.

Rule: judged from the ledger before and after, so that a call which begins or ends meanwhile is no finding.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from asterisk_consent.config import Config
from asterisk_consent.doctor.finding import Finding, counted, error, ok
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.orphans import Orphans, find_orphans

_NAMED = 3
_DETAILS = "All of them: asterisk-consent recordings verify"


def orphans_of(config: Config, rows: Sequence[RecordingRow]) -> Orphans:
    """Compare the three directories with the recordings of the ledger.

    :raises AudioError: where a directory cannot be listed.
    """
    return find_orphans(
        spool=config.spool,
        vault=config.vault,
        keys=config.keys,
        running={RecordingId(row.recording_id): row.call_id for row in rows if not row.state.is_final},
        ended={RecordingId(row.recording_id) for row in rows if row.state.is_final},
        kept={
            RecordingId(row.recording_id): row.call_id for row in rows if row.state.is_final and row.has_audio
        },
    )


def lasting_orphans(
    config: Config,
    read: Callable[[], Sequence[RecordingRow]],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Orphans:
    """Compare them, and where something does not fit, compare again: what fits by then was on its way.

    :raises LedgerError: the recordings cannot be read.
    :raises AudioError: where a directory cannot be listed.
    """
    first = orphans_of(config, read())
    if not first:
        return first
    sleep(1.0)
    second = orphans_of(config, read())
    return Orphans(
        unknown_files=tuple(each for each in second.unknown_files if each in first.unknown_files),
        left_in_spool=(),
        missing=tuple(each for each in second.missing if each in first.missing),
        without_key=tuple(each for each in second.without_key if each in first.without_key),
    )


def orphan_findings(config: Config, orphans: Orphans) -> Iterator[Finding]:
    """Say what does not fit together; what ended and is left in the spool, the check of the spool says."""
    places = (("the spool", config.spool), ("the vault", config.vault), ("the keys", config.keys))
    for name, directory in places:
        strange = sum(path.is_relative_to(directory) for path in orphans.unknown_files)
        if strange:
            yield error(
                f"{counted(strange, 'file')} in {name} of no recording in the ledger",
                directory,
                "'asterisk-consent recordings verify' names them. Find out who put them there",
            )
    if orphans.missing:
        yield error(
            f"{counted(len(orphans.missing), 'recording')} in the ledger, and not in the vault:"
            f" {_some(orphans.missing)}",
            config.vault,
            f"Restore them from a backup. {_DETAILS}",
        )
    if orphans.without_key:
        yield error(
            f"{counted(len(orphans.without_key), 'recording')} that nothing opens, the key is gone:"
            f" {_some(orphans.without_key)}",
            config.keys,
            f"Restore the keys from a backup. {_DETAILS}",
        )
    if not (orphans.unknown_files or orphans.missing or orphans.without_key):
        yield ok("files and ledger name the same recordings", config.vault)


def _some(ids: Sequence[RecordingId]) -> str:
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")
