"""The list of people who object to being recorded: by the blind index of the number, one list for each controller.

Rule: whoever is on it is not asked and not recorded (GDPR art. 21(1)); the list holds no number, and it survives the
erasure of every call, for without it the next call would be recorded again. It survives the loss of the ledger too: it
is noted in the journal, before its entry, and its end after the entry of that; what breaks off in between protects.
Each request is an entry that says who asked, how that is known and who took it, sealed; also one that changes nothing.
"""

from dataclasses import dataclass

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.erasures import read_journal
from asterisk_consent.ledger.noted import Note, What, last_of
from asterisk_consent.ledger.payload import Objection
from asterisk_consent.ledger.standing import has_objected
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.requests import Asking, refuse_documents
from asterisk_consent.telephone import e164, is_e164
from asterisk_consent.vault.proof_keys import ProofKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Objector:
    """Whose objection, to which controller: the blind index of a number."""

    controller: str
    subject: str


def objector(number: str, *, region: str, controller: str, held: Holdings) -> Objector:
    """Return who that is to a controller.

    :param region: where numbers without a country code belong.
    :raises RequestRefusedError: it is no telephone number.
    :raises KeysError: the controller's key of the blind index cannot be used.
    """
    found = e164(number, region)
    if not is_e164(found):
        raise RequestRefusedError(
            "that is no telephone number",
            remedy=f"Write it as it is dialled in {region}, or with + and country code",
        )
    return Objector(controller=controller, subject=ProofKeys(held.keys).blind(found, controller=controller))


def object_to(who: Objector, asking: Asking, held: Holdings) -> bool:
    """Put somebody on the list; return whether that is new.

    :raises RequestRefusedError: a document is named.
    :raises LedgerUnavailableError: it cannot be entered now, or, though it is entered, not be noted.
    """
    refuse_documents(asking.identified_by)
    is_new = not has_objected(held.ledger, who.subject, controller=who.controller)
    note = Note(what=What.OBJECTED, about=who.controller, name=who.subject)
    try:
        if is_new or not _is_noted(note, held):
            held.note(note)
    finally:
        _enter(Kind.OBJECTION_ENTERED, who, asking, held)
    return is_new


def lift_objection(who: Objector, asking: Asking, held: Holdings) -> None:
    """Take somebody off the list.

    :raises RequestRefusedError: no reason is given, a document is named, or nobody with that number is on it.
    :raises LedgerUnavailableError: it cannot be entered now, or, though it is entered, not be noted; calls may be
        recorded again, so who asked must be entered.
    """
    if not asking.reason.strip():
        raise RequestRefusedError("no reason given", remedy="Say why with --reason TEXT")
    if not has_objected(held.ledger, who.subject, controller=who.controller):
        raise RequestRefusedError(f"that number is not on the list of '{who.controller}'")
    _enter(Kind.OBJECTION_LIFTED, who, asking, held)
    held.note(Note(what=What.OBJECTION_LIFTED, about=who.controller, name=who.subject))


def _is_noted(note: Note, held: Holdings) -> bool:
    if not held.journal.exists():
        return False
    known = last_of(read_journal(held.journal).notes).get(note.key)
    return known is not None and known.what is note.what


def _enter(kind: Kind, who: Objector, asking: Asking, held: Holdings) -> None:
    refuse_documents(asking.identified_by)
    objection = Objection(
        subject=who.subject,
        asked_by=asking.asked_by.strip(),
        identified_by=asking.identified_by.strip(),
        person=asking.person,
        reason=asking.reason.strip(),
    )
    held.append(NewEntry(stream=who.controller, kind=kind, payload=objection))
