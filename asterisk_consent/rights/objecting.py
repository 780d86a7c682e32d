"""The list of people who object to being recorded: by the blind index of the number, one list for each controller.

Rule: whoever is on it is not asked and not recorded (GDPR art. 21(1)); the list holds no number, and it survives the
erasure of every call, for without it the next call would be recorded again.
"""

from dataclasses import dataclass

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Objection
from asterisk_consent.ledger.standing import has_objected
from asterisk_consent.rights.erasing import Holdings
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


def object_to(who: Objector, *, person: str, held: Holdings) -> bool:
    """Put somebody on the list; return whether that is new.

    :raises LedgerUnavailableError: it cannot be entered now.
    """
    if has_objected(held.ledger, who.subject, controller=who.controller):
        return False
    _enter(Kind.OBJECTION_ENTERED, who, person=person, held=held)
    return True


def lift_objection(who: Objector, *, person: str, held: Holdings) -> None:
    """Take somebody off the list.

    :raises RequestRefusedError: nobody with that number is on it.
    """
    if not has_objected(held.ledger, who.subject, controller=who.controller):
        raise RequestRefusedError(f"that number is not on the list of '{who.controller}'")
    _enter(Kind.OBJECTION_LIFTED, who, person=person, held=held)


def _enter(kind: Kind, who: Objector, *, person: str, held: Holdings) -> None:
    entry = NewEntry(stream=who.controller, kind=kind, payload=Objection(subject=who.subject, person=person))
    held.append(entry)
