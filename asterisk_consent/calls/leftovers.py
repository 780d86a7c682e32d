"""Brings spool, vault, keys and ledger together when the service starts, before it asks anybody.

Rule: files in spool and vault = recordings in the ledger, both ways. A recording without an end is the recorder's; one
that ended and still lies in the spool is removed there; a file that no decision allows is entered as a failed
recording of nobody's, once, and left for somebody to look at. What is missing is told: the ledger has its end already.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from asterisk_consent.calls.awaited import EntryWriter
from asterisk_consent.calls.recorder import Recorder
from asterisk_consent.errors import AudioError, LedgerError
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry
from asterisk_consent.ledger.payload import Recording
from asterisk_consent.ledger.read import RecordingRow, recordings
from asterisk_consent.model import RecordingId, RecordingState
from asterisk_consent.vault.names import id_being_written, id_in_spool, id_in_vault
from asterisk_consent.vault.orphans import Orphans, find_orphans
from asterisk_consent.vault.store import holds_audio

log = structlog.get_logger(__name__)

NOT_ALLOWED = "nothing in the ledger allows it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where recordings lie, and where it stands what they are."""

    spool: Path
    vault: Path
    keys: Path
    ledger: Path


def orphans_of(rows: Sequence[RecordingRow], places: Places) -> Orphans:
    """Compare the files with the recordings of the ledger.

    :raises AudioError: a directory cannot be listed.
    """
    ended = [row for row in rows if row.state.is_final]
    return find_orphans(
        spool=places.spool,
        vault=places.vault,
        keys=places.keys,
        running={RecordingId(row.recording_id): row.call_id for row in rows if not row.state.is_final},
        ended={RecordingId(row.recording_id) for row in ended},
        kept={RecordingId(row.recording_id): row.call_id for row in ended if row.has_audio},
    )


async def settle_leftovers(recorder: Recorder, ledger: EntryWriter, places: Places) -> None:
    """Remove what an earlier run had ended but not removed, and enter what nothing allows.

    What cannot be looked at now is left to the next start: calls do not wait for it.
    """
    try:
        rows = await asyncio.to_thread(recordings, places.ledger)
        orphans = await asyncio.to_thread(orphans_of, rows, places)
    except (LedgerError, AudioError) as error:
        log.error("leftovers.not_looked_for", error=str(error))
        return
    known = {RecordingId(row.recording_id): row for row in rows}
    for recording_id in orphans.left_in_spool:
        await _empty_unless_needed(recorder, known[recording_id], places.spool)
    for path in orphans.unknown_files:
        log.warning("leftovers.stranger", path=str(path))
    strays = {_recording_of(path) for path in orphans.unknown_files} - {None, *known}
    results = await asyncio.gather(
        *(ledger.append(_not_allowed(each)) for each in strays if each), return_exceptions=True
    )
    for result in results:
        if isinstance(result, LedgerError):
            log.error("leftovers.not_entered", error=str(result))
        elif isinstance(result, BaseException):
            raise result
    for recording_id in {*orphans.missing, *orphans.without_key}:
        log.error("leftovers.missing", recording_id=recording_id, effect="it cannot be opened")


async def _empty_unless_needed(recorder: Recorder, row: RecordingRow, spool: Path) -> None:
    """Empty the spool of an ended recording whose audio is in the vault, or that has none."""
    recording_id = RecordingId(row.recording_id)
    try:
        nothing = row.state is RecordingState.NOT_STARTED and not await asyncio.to_thread(
            holds_audio, recording_id, spool
        )
    except AudioError as error:
        log.error("leftovers.not_looked_at", recording_id=recording_id, error=str(error))
        return
    if row.sha256 or nothing:
        await recorder.spool.empty(recording_id)
    else:
        log.warning("leftovers.left_in_spool", recording_id=recording_id)


def _recording_of(path: Path) -> RecordingId | None:
    return id_in_spool(path) or id_in_vault(path) or id_being_written(path)


def _not_allowed(recording_id: RecordingId) -> NewEntry:
    stray = Recording(recording_id=recording_id, reason=NOT_ALLOWED)
    return NewEntry(stream=SYSTEM_STREAM, kind=Kind.RECORDING_FAILED, payload=stray)
