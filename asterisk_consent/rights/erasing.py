"""Erases: the audio of recordings, or everything that was kept of calls.

Rule: it is noted in the journal of erasures first, so that a restored backup can be brought up to date; then keys are
destroyed, durably, then what was sealed to them is removed, then the entry says so. Each step may be repeated, so a
crash at any point leaves nothing half readable and nothing that a second run does not finish (GDPR art. 17(1)). What
cannot be noted goes all the same, and does not count as done until it is. What binds the chain stays: it names nobody.
Nothing here decides what may go, but that a legal hold is looked for once more under the lock of the journal: who
places one takes that too, and refuses a call that is in it. So either the hold is seen or the erasure is.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.durable import make_names_durable
from asterisk_consent.errors import AudioError
from asterisk_consent.ledger.append import append_from_outside, writing_beside
from asterisk_consent.ledger.commit import Prepared, prepare, write_entries
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.erasures import JOURNAL, Extent, note, note_erasures, opened_journal
from asterisk_consent.ledger.noted import Note
from asterisk_consent.ledger.opening import seqs_about
from asterisk_consent.ledger.payload import Erased, Gone
from asterisk_consent.ledger.projection import forget_calls
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.ledger.standing import legal_holds
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.call_keys import destroy_keys
from asterisk_consent.vault.names import (
    SIDES,
    emptying_path,
    id_in_spool,
    joined_path,
    kept_path,
    partial_path,
    side_path,
)
from asterisk_consent.vault.proof_keys import PROOF_KEYS, ProofKeys, destroy_proof_keys
from asterisk_consent.vault.store import empty_spool

BATCH = 100
"""Calls in one transaction: the ledger is locked for some milliseconds by it, and calls under way wait no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Where everything lies that may have to go.

    :param key_backups_days: how long backups of the keys live, as the controller states it; 0 where there are none.
    :param clock: UTC seconds.
    """

    ledger: Path
    spool: Path
    vault: Path
    keys: Path
    key_backups_days: int = 0
    clock: Callable[[], float] = time.time
    randomness: Callable[[int], bytes] = os.urandom
    clock_is_right: bool = False
    """Somebody vouched for the clock."""

    def append(self, entry: NewEntry) -> int:
        """Append an entry, what names somebody in it sealed; return its number.

        :raises LedgerUnavailableError: it cannot be written now.
        :raises KeysError: its key cannot be kept.
        """
        with closing(ProofKeys(self.keys)) as sealer:
            committed = append_from_outside(
                self.ledger, entry, sealer=sealer, clock=self.clock, randomness=self.randomness
            )
        return committed.seq

    def note(self, *notes: Note) -> None:
        """Note in the journal what stands, durably.

        :raises LedgerUnavailableError: it cannot be written.
        """
        note(self.journal, notes, at=int(self.clock()))

    @property
    def journal(self) -> Path:
        """The journal of erasures."""
        return self.keys / JOURNAL

    def prepared(self, entry: NewEntry) -> Prepared:
        """Prepare an entry that names nobody."""
        return prepare(entry, at=int(self.clock()), randomness=self.randomness)


def erase_audio(rows: Sequence[RecordingRow], reason: str, held: Holdings) -> int:
    """Destroy the audio keys of ended recordings, remove their files, and enter it; return how many it were.

    What could not be sealed, or not be removed from the spool after it was, lies there in the clear, and goes too.

    May be repeated; what is erased already stays as it is, and so does what a legal hold keeps.

    :raises KeysError: a key cannot be destroyed.
    :raises AudioError: a file cannot be removed; its key is destroyed.
    :raises LedgerUnavailableError: it cannot be entered now; the audio is gone all the same.
    """
    begun = _not_held(rows, held)
    if not begun:
        return 0
    try:
        with opened_journal(held.journal) as journal:
            looked_at, begun = begun, []
            begun = _not_held(looked_at, held)
            journal.add({row.call_id: Extent.AUDIO for row in begun}, at=int(held.clock()))
    finally:
        destroy_audio(begun, held)
    return enter_erased_audio(begun, reason, held)


def _not_held(rows: Sequence[RecordingRow], held: Holdings) -> Sequence[RecordingRow]:
    """Return those that no legal hold keeps now."""
    now = int(held.clock())
    holding = {hold.recording_id for hold in legal_holds(held.ledger) if hold.holds(now)}
    return [row for row in rows if row.recording_id not in holding]


def destroy_audio(rows: Sequence[RecordingRow], held: Holdings) -> None:
    """Destroy the audio keys of recordings and remove their files. May be repeated.

    :raises KeysError: a key cannot be destroyed.
    :raises AudioError: a file cannot be removed; its key is destroyed.
    """
    destroy_keys([row.call_id for row in rows], held.keys)
    _remove_files([RecordingId(row.recording_id) for row in rows], held)


def enter_erased_audio(rows: Sequence[RecordingRow], reason: str, held: Holdings) -> int:
    """Enter that the audio of these recordings was erased, where no entry says so yet; return how many it were.

    :raises LedgerUnavailableError: it cannot be entered now.
    """
    prepared = {row.recording_id: held.prepared(_audio_erased(row, reason)) for row in rows}
    with writing_beside(held.ledger) as connection:
        new = [prepared[each] for each in prepared if _is_not_erased(connection, each)]
        write_entries(connection, new)
    return len(new)


def erase_calls(call_ids: Sequence[str], reason: str, held: Holdings) -> int:
    """Destroy the proof keys of calls, delete their payloads and every row about them, and enter it.

    Their audio must be gone already. Returns how many calls had anything left. May be repeated.

    :raises KeysError: a key cannot be destroyed.
    :raises LedgerUnavailableError: it cannot be entered now; nothing can be opened all the same.
    """
    try:
        note_erasures(held.journal, dict.fromkeys(call_ids, Extent.ALL), at=int(held.clock()))
    finally:
        destroy_proof_keys(call_ids, held.keys)
    return len(empty_calls(call_ids, reason, held))


def empty_calls(call_ids: Sequence[str], reason: str, held: Holdings) -> list[str]:
    """Delete the payloads of calls and every row about them, and enter it; return those that had anything left.

    :raises LedgerUnavailableError: it cannot be entered now.
    """
    with writing_beside(held.ledger) as connection:
        gone = [(call_id, _payloads_of(connection, call_id)) for call_id in call_ids]
        gone = [(call_id, seqs) for call_id, seqs in gone if seqs]
        streams = {call_id: _stream_of(connection, call_id) for call_id, _ in gone}
        connection.executemany(
            "DELETE FROM payload WHERE seq = ?", [(seq,) for _, seqs in gone for seq in seqs]
        )
        forget_calls(connection, [call_id for call_id, _ in gone])
        write_entries(
            connection,
            [held.prepared(_erased(call_id, seqs, streams[call_id], reason)) for call_id, seqs in gone],
        )
    return [call_id for call_id, _ in gone]


def lies_in_spool(row: RecordingRow, held: Holdings) -> bool:
    """Tell whether anything of a recording lies in the spool, in the clear."""
    recording_id = RecordingId(row.recording_id)
    names = [side_path(recording_id, side, held.spool) for side in SIDES]
    names += [emptying_path(recording_id, held.spool), joined_path(recording_id, held.spool)]
    return any(path.exists() for path in names)


def spooled(spool: Path) -> frozenset[str]:
    """Return the recordings of which anything lies in the spool.

    :raises AudioError: it cannot be listed.
    """
    try:
        return frozenset(found for path in spool.iterdir() if (found := id_in_spool(path)) is not None)
    except OSError as error:
        raise AudioError(
            f"the spool cannot be listed: {error.strerror}", where=str(spool), remedy="Run it as root"
        ) from error


def is_scrubbed(held: Holdings) -> bool:
    """Tell whether the write-ahead logs, which may hold what was overwritten, are empty or gone."""
    return all(_is_empty(Path(f"{file}-wal")) for file in (held.ledger, held.keys / PROOF_KEYS))


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True


def _payloads_of(connection: sqlite3.Connection, call_id: str) -> tuple[int, ...]:
    """Return the entries about a call whose payload is there and may go; an erasure's own stays."""
    query = "SELECT p.seq FROM about a JOIN payload p ON p.seq = a.seq WHERE a.call_id = ? ORDER BY p.seq"
    found = [seq for (seq,) in connection.execute(query, (call_id,))]
    own = set(_erasures_of(connection, call_id))
    return tuple(seq for seq in found if seq not in own)


def _erasures_of(connection: sqlite3.Connection, call_id: str) -> Iterator[int]:
    kind = f'"kind":"{Kind.PAYLOAD_ERASED}"'.encode()
    for seq in seqs_about(connection, call_id):
        (header,) = connection.execute("SELECT header FROM chain WHERE seq = ?", (seq,)).fetchone()
        if kind in header:
            yield seq


def _stream_of(connection: sqlite3.Connection, call_id: str) -> str:
    found = connection.execute("SELECT stream FROM call WHERE call_id = ? LIMIT 1", (call_id,)).fetchone()
    return str(found[0]) if found else ""


def _is_not_erased(connection: sqlite3.Connection, recording_id: str) -> bool:
    query = "SELECT erased_seq FROM recording WHERE recording_id = ?"
    found = connection.execute(query, (recording_id,)).fetchone()
    return found is not None and not found[0]


def _audio_erased(row: RecordingRow, reason: str) -> NewEntry:
    return NewEntry(
        stream=row.controller,
        kind=Kind.RECORDING_ERASED,
        call_id=row.call_id,
        payload=Gone(recording_id=row.recording_id, reason=reason),
    )


def _erased(call_id: str, seqs: tuple[int, ...], stream: str, reason: str) -> NewEntry:
    payload = Erased(seqs=seqs, reason=reason)
    return NewEntry(stream=stream, kind=Kind.PAYLOAD_ERASED, call_id=call_id, payload=payload)


def _remove_files(recording_ids: Sequence[RecordingId], held: Holdings) -> None:
    try:
        for recording_id in recording_ids:
            empty_spool(recording_id, held.spool)
            for path in (kept_path(recording_id, held.vault), partial_path(recording_id, held.vault)):
                with suppress(FileNotFoundError):
                    path.unlink()
        make_names_durable(held.vault)
    except OSError as error:
        raise AudioError(
            f"the recording cannot be removed: {error.strerror}",
            where=str(held.vault),
            remedy="Its key is destroyed; run it again as root or the service's user",
        ) from error
