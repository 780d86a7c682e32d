"""Enters again what stood: objections, legal holds and requests that a restored ledger does not know of.

Rule: what the journals note holds again before the ledger can be read: whoever objected is on the list, what was held
is held, what was hidden is hidden, and what was asked is carried out. Who asked, who placed a hold, for which case and
why is lost with the ledger; each entry says that it comes from a restore (GDPR art. 5(1)(d), 18, 21).
"""

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import KeysError, LedgerUnavailableError
from asterisk_consent.ledger.append import writing_beside
from asterisk_consent.ledger.commit import write_entries
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.noted import Note, Notes, What
from asterisk_consent.ledger.payload import LegalHold, Objection, Request
from asterisk_consent.ledger.read import find_call
from asterisk_consent.ledger.standing import (
    HoldRow,
    RequestRow,
    legal_holds,
    list_requests,
    objected_at,
)
from asterisk_consent.model import Right
from asterisk_consent.rights.erasing import BATCH, Holdings
from asterisk_consent.rights.requests import Way

REASON = "entered again after a restore"
CASE = "unknown since a restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reentered:
    """How many entries were made, and how many holds and requests are about calls that the ledger does not have."""

    entries: int
    about_lost_calls: int


def notes_of(ledger: Path) -> list[Note]:
    """Return what a ledger would have noted of what stands in it; who was taken off the list left no trace there.

    :raises LedgerError: it cannot be read.
    """
    found = [
        Note(what=What.OBJECTED, about=controller, name=subject, at=at)
        for (controller, subject), at in objected_at(ledger).items()
    ]
    for request in list_requests(ledger):
        found.append(_asked(request))
        if request.lifted_seq:
            found.append(Note(what=What.RESTRICTION_LIFTED, about=request.call_id, name=request.reference))
    for hold in legal_holds(ledger):
        if hold.confirmed_seq:
            found.append(_held(hold))
        if hold.released_seq:
            found.append(Note(what=What.HOLD_RELEASED, about=hold.call_id, name=hold.hold_id))
    return found


def enter_again(notes: Notes, held: Holdings, *, person: str, erased: Container[str]) -> Reentered:
    """Bring a ledger up to date with what the journals note; a second time finds nothing to do.

    :param held: with the ledger that is to be brought up to date.
    :param person: who restores.
    :param erased: calls of which everything is erased.
    :raises LedgerError: the ledger cannot be read or written.
    """
    again = _Again(held.ledger, person)
    # What takes back comes first: it lifts all restrictions of a call, those that were asked for later stand.
    left = [note for note in notes.values() if note.is_objection or note.about not in erased]
    ordered = sorted(left, key=lambda note: (note.protects, note.at))
    entries = [entry for note in ordered if (entry := again.entry(note)) is not None]
    _append(entries, held)
    return Reentered(entries=len(entries), about_lost_calls=len(again.lost))


class _Again:
    """What to enter for a note, given what a ledger knows."""

    def __init__(self, ledger: Path, person: str) -> None:
        self._ledger = ledger
        self._person = person
        self._objected_at = objected_at(ledger)
        self._holds = {hold.hold_id: hold for hold in legal_holds(ledger)}
        self._requests = {(each.call_id, each.reference): each for each in list_requests(ledger)}
        self.lost: set[str] = set()

    def entry(self, note: Note) -> NewEntry | None:
        """Return the entry that a note asks for; ``None`` where the ledger knows, or does not have its call."""
        if note.is_objection:
            return self._objection(note)
        if note.what in (What.HELD, What.HOLD_RELEASED):
            return self._hold(note, self._holds.get(note.name))
        return self._request(note, self._requests.get((note.about, note.name)))

    def _objection(self, note: Note) -> NewEntry | None:
        known_at = self._objected_at.get((note.about, note.name))
        payload = Objection(
            subject=note.name, asked_by="", identified_by="", person=self._person, reason=REASON
        )
        if note.protects and known_at is None:
            return NewEntry(stream=note.about, kind=Kind.OBJECTION_ENTERED, payload=payload)
        if not note.protects and known_at is not None and known_at < note.at:
            return NewEntry(stream=note.about, kind=Kind.OBJECTION_LIFTED, payload=payload)
        return None

    def _hold(self, note: Note, known: HoldRow | None) -> NewEntry | None:
        if not note.protects:
            stands = known is not None and not known.released_seq
            return self._of_hold(Kind.LEGAL_HOLD_RELEASED, note, known) if stands else None
        if known is None:
            return self._of_hold(Kind.LEGAL_HOLD_PLACED, note, None)
        waits = not known.confirmed_seq and not known.released_seq
        return self._of_hold(Kind.LEGAL_HOLD_CONFIRMED, note, known) if waits else None

    def _of_hold(self, kind: Kind, note: Note, known: HoldRow | None) -> NewEntry | None:
        call = find_call(self._ledger, note.about)
        if call is None or call.recording is None:
            self.lost.add(note.about)
            return None
        if call.recording.erased_seq:
            return None
        payload = LegalHold(
            hold_id=note.name,
            recording_id=known.recording_id if known else call.recording.recording_id,
            purpose=known.purpose if known else note.word,
            case=known.case if known else CASE,
            until=known.until if known else note.until,
            reason=REASON,
            person=self._person,
        )
        return NewEntry(stream=call.controller, kind=kind, call_id=note.about, payload=payload)

    def _request(self, note: Note, known: RequestRow | None) -> NewEntry | None:
        if not note.protects:
            stands = known is not None and known.right is Right.RESTRICTION and not known.lifted_seq
            return self._of_request(Kind.RESTRICTION_LIFTED, note, Right.RESTRICTION) if stands else None
        return self._of_request(Kind.REQUEST_ENTERED, note, Right(note.word)) if known is None else None

    def _of_request(self, kind: Kind, note: Note, right: Right) -> NewEntry | None:
        call = find_call(self._ledger, note.about)
        if call is None:
            self.lost.add(note.about)
            return None
        payload = Request(
            right=right,
            way=str(Way.RESTORE),
            reference=note.name,
            asked_by="",
            identified_by="",
            person=self._person,
            reason=REASON,
            erase_at=note.until,
        )
        return NewEntry(stream=call.controller, kind=kind, call_id=note.about, payload=payload)


def _append(entries: Sequence[NewEntry], held: Holdings) -> None:
    """Append them; the index alone, which holds all that is known, but of what has somebody recorded again.

    That is sealed, as nothing of the kind is entered unsealed; where it cannot be, the objection stands.
    """
    for entry in entries:
        if entry.kind is Kind.OBJECTION_LIFTED:
            with suppress(KeysError, LedgerUnavailableError):
                held.append(entry)
    others = [entry for entry in entries if entry.kind is not Kind.OBJECTION_LIFTED]
    for start in range(0, len(others), BATCH):
        prepared = [held.prepared(entry) for entry in others[start : start + BATCH]]
        with writing_beside(held.ledger) as connection:
            write_entries(connection, prepared)


def _asked(request: RequestRow) -> Note:
    return Note(
        what=What.ASKED,
        about=request.call_id,
        name=request.reference,
        until=request.erase_at,
        word=str(request.right),
        at=request.entered_at,
    )


def _held(hold: HoldRow) -> Note:
    return Note(
        what=What.HELD,
        about=hold.call_id,
        name=hold.hold_id,
        until=hold.until,
        word=hold.purpose,
        at=hold.placed_at,
    )
