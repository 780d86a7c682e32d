"""Puts a backup in place of the ledger, and brings back keys.

Rule: everything that any source says was erased is erased again before anything of the backup can be read, and what was
objected to, held or asked stands again: in a working copy, which then takes the place of the ledger by one rename. Of
what was erased no key is written. Until that rename the ledger is what it was; a run that was cut short leaves nothing
but a working copy, which the next one removes. What the backup lacks is told, and entered; what speaks against it needs
a reason.

Held while it runs: the ledger's lock, so that no service serves meanwhile, and the journal of erasures, so that nobody
erases what the working copy would not know of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from asterisk_consent.errors import (
    ConsentError,
    LedgerBrokenError,
    LedgerError,
    RequestRefusedError,
)
from asterisk_consent.ledger.append import append_from_outside
from asterisk_consent.ledger.backup import bring_back
from asterisk_consent.ledger.chain import Head
from asterisk_consent.ledger.checkpoint import Checkpoint
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry
from asterisk_consent.ledger.erasure_copies import read_erasures
from asterisk_consent.ledger.erasures import (
    Erasures,
    Extent,
    Journal,
    ReadJournal,
    beyond,
    erasures_of,
    merged,
    opened_journal,
    parse_journal,
)
from asterisk_consent.ledger.exchange import put_in_place, working_copy
from asterisk_consent.ledger.history import (
    against_checkpoint,
    against_ledger,
    entered_at,
)
from asterisk_consent.ledger.noted import Note, Notes, What, beyond_notes, last_of
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.ledger.payload import Restored
from asterisk_consent.ledger.standing import objected_at
from asterisk_consent.ledger.verify import verify
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.key_backups import Known, doubt_about, doubts_about_objections
from asterisk_consent.rights.reentering import Reentered, enter_again, notes_of
from asterisk_consent.rights.replaying import destroy_again, erase_again
from asterisk_consent.vault.key_backup import bring_back_keys, journal_in
from asterisk_consent.vault.places import make_keys_directory
from asterisk_consent.vault.proof_keys import destroyed_calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be brought back, and what else is known.

    :param erasures: journals of erasures that were kept elsewhere, or directories of their parts.
    :param even_so: why it is to be put in place in spite of what speaks against it; empty where nothing may.
    """

    backup: Path
    person: str
    key_backup: Path | None = None
    erasures: Sequence[Path] = ()
    checkpoints: Sequence[Checkpoint] = ()
    even_so: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What was put in place, and what not.

    :param head: the last entry of the backup, entered at ``last_at`` (UTC seconds).
    :param missing: how many later entries are known to be lost; ``known_of`` tells whether anything could tell.
    :param told: whether anything tells what was erased, objected to, held and asked since.
    :param erased: of how many calls the backup still had something that was erased since.
    :param reentered: what stood and was entered again.
    :param keys: how many keys of calls were brought back.
    :param kept_aside: the ledger that was in its place.
    :param doubts: what spoke against it.
    """

    head: Head
    last_at: int
    missing: int
    known_of: bool
    told: bool
    erased: int
    reentered: Reentered
    keys: int
    kept_aside: Path | None
    doubts: tuple[str, ...]


Tell = Callable[[str], None]
"""Told what is being done."""


def restore(wanted: Wanted, held: Holdings, *, tell: Tell = lambda _: None) -> RestoreReport:
    """Put a backup in place of the ledger, with everything that was erased since erased again.

    :raises RequestRefusedError: something speaks against it; the ledger is as it was.
    :raises LedgerBrokenError: the chain of the backup does not verify; the ledger is as it was.
    :raises KeysError: the backup of the keys cannot be used, or the keys not be written.
    :raises LedgerError: the service runs, or a file cannot be read or written.
    """
    ownership = Ownership(held.ledger)
    ownership.take()
    try:
        make_keys_directory(held.keys, beside=held.vault)
        with opened_journal(held.journal) as journal, working_copy(held.ledger) as working:
            return _Restoring(wanted, held, working, journal, tell).run()
    finally:
        ownership.release()


class _Restoring:
    def __init__(self, wanted: Wanted, held: Holdings, working: Path, journal: Journal, tell: Tell) -> None:
        self._wanted = wanted
        self._held = held
        self._working = working
        self._journal = journal
        self._tell = tell
        self._doubts: list[str] = []
        self._missing = 0
        self._known_of = False
        self._told = False

    def run(self) -> RestoreReport:
        self._tell("reading the backup")
        head = bring_back(self._wanted.backup, self._working, clock=self._held.clock)
        self._look_at_key_backup()
        self._compare()
        noted, elsewhere = self._journal.read(), self._read_elsewhere()
        self._doubts += [fault for each in (noted, *elsewhere) for fault in each.faults]
        erasures, notes = self._erasures([noted, *elsewhere]), self._notes([noted, *elsewhere])
        self._doubts += doubts_about_objections(
            self._objected_to(notes), keys=self._held.keys, key_backup=self._wanted.key_backup
        )
        self._refuse_doubts()
        self._tell(f"erasing again what was erased: {len(erasures)} calls are known")
        self._journal.add(beyond(erasures, noted.erasures), at=int(self._held.clock()))
        self._journal.note(beyond_notes(notes, last_of(noted.notes)), at=int(self._held.clock()))
        destroy_again(erasures, self._held)
        erased = erase_again(erasures, self._of_working())
        reentered = self._enter_again(notes, erasures)
        last_at = entered_at(self._working, head.seq)
        self._enter(head, erased, reentered)
        self._tell("verifying")
        self._verify(head)
        self._bring_up_to_date(erasures)
        keys = self._bring_back_keys(erasures)
        aside = put_in_place(
            self._working, self._held.ledger, beside=self._held.keys, at=int(self._held.clock())
        )
        return RestoreReport(
            head=head,
            last_at=last_at,
            missing=self._missing,
            known_of=self._known_of,
            told=self._told,
            erased=erased,
            reentered=reentered,
            keys=keys,
            kept_aside=aside,
            doubts=tuple(self._doubts),
        )

    def _of_working(self) -> Holdings:
        held = self._held
        return Holdings(
            ledger=self._working,
            spool=held.spool,
            vault=held.vault,
            keys=held.keys,
            clock=held.clock,
            randomness=held.randomness,
        )

    def _look_at_key_backup(self) -> None:
        path = self._wanted.key_backup
        if path is not None:
            known = Known(
                backup=self._working, in_place=self._held.ledger, checkpoints=self._wanted.checkpoints
            )
            doubt = doubt_about(path, known, now=self._held.clock())
            self._doubts += [doubt] if doubt else []

    def _compare(self) -> None:
        """Compare the backup with every checkpoint, and with the ledger in its place where that can be read."""
        compared = [against_checkpoint(self._working, each) for each in self._wanted.checkpoints]
        if self._held.ledger.exists():
            try:
                compared.append(against_ledger(self._working, self._held.ledger))
            except LedgerError as error:
                self._tell(f"the ledger in its place cannot be read: {error.what}")
        self._known_of = bool(compared)
        self._missing = max((each.missing for each in compared), default=0)
        self._doubts += [each.fault for each in compared if each.fault]

    def _read_elsewhere(self) -> list[ReadJournal]:
        """Read every other copy of a journal that there is."""
        read = [read_erasures(path) for path in self._wanted.erasures]
        key_backup = self._wanted.key_backup
        if key_backup is not None and (content := journal_in(key_backup)):
            read.append(parse_journal(content))
        return read

    def _notes(self, journals: Sequence[ReadJournal]) -> Notes:
        """Gather what stands, from every source that there is."""
        found: list[Note] = [note for each in journals for note in each.notes]
        if self._held.ledger.exists():
            try:
                found += notes_of(self._held.ledger)
            except LedgerError as error:
                self._tell(
                    f"what the ledger in its place says of objections and holds is not known: {error.what}"
                )
        return last_of(found)

    def _objected_to(self, notes: Notes) -> set[str]:
        noted = {note.about for note in notes.values() if note.what is What.OBJECTED}
        return noted | {controller for controller, _ in objected_at(self._working)}

    def _enter_again(self, notes: Notes, erasures: Erasures) -> Reentered:
        whole = {call_id for call_id, extent in erasures.items() if extent is Extent.ALL}
        return enter_again(notes, self._of_working(), person=self._wanted.person, erased=whole)

    def _erasures(self, journals: Sequence[ReadJournal]) -> dict[str, Extent]:
        """Gather what was erased, from every source that there is."""
        self._told = any(each.erasures or each.notes for each in journals)
        found = [each.erasures for each in journals]
        found.append(dict.fromkeys(destroyed_calls(self._held.keys), Extent.ALL))
        if self._held.ledger.exists():
            try:
                found.append(erasures_of(self._held.ledger))
                self._told = True
            except LedgerError as error:
                self._tell(f"what the ledger in its place says of erasures is not known: {error.what}")
        return merged(found)

    def _refuse_doubts(self) -> None:
        if self._doubts and not self._wanted.even_so.strip():
            raise RequestRefusedError(
                "; ".join(self._doubts),
                where=str(self._wanted.backup),
                remedy="Look for a backup of this history. To put this one in place all the same: --even-so REASON",
            )

    def _enter(self, head: Head, erased: int, reentered: Reentered) -> None:
        restored = Restored(
            seq=head.seq,
            hash=head.hash.hex(),
            missing=self._missing,
            erasures=erased,
            person=self._wanted.person,
            reason=self._wanted.even_so.strip() if self._doubts else "",
            replayed=reentered.entries or UNSET,
        )
        entry = NewEntry(stream=SYSTEM_STREAM, kind=Kind.LEDGER_RESTORED, payload=restored)
        append_from_outside(self._working, entry, clock=self._held.clock, randomness=self._held.randomness)

    def _verify(self, head: Head) -> None:
        report = verify(self._working, expected=head)
        if report.problem is not None:
            raise LedgerBrokenError(
                f"entry {report.problem.seq}: {report.problem.what}; the ledger is as it was",
                where=str(self._wanted.backup),
                remedy="Take another backup",
            )

    def _bring_up_to_date(self, erasures: Erasures) -> None:
        """Erase also in the ledger that is put aside, where it does not know of it and can be written."""
        if self._held.ledger.exists():
            try:
                erase_again(erasures, self._held)
            except ConsentError as error:
                self._tell(f"the ledger in its place is put aside as it is: {error.what}")

    def _bring_back_keys(self, erasures: Erasures) -> int:
        if self._wanted.key_backup is None:
            return 0
        self._tell("bringing back keys")
        erased = {call_id for call_id, extent in erasures.items() if extent is Extent.ALL}
        return bring_back_keys(
            self._wanted.key_backup, self._held.keys, erased=erased, no_audio=erasures.keys()
        )
