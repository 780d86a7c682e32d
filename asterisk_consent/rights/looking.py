"""Looks somebody up by number: who looks, and why, is entered first, and only then is the answer given.

Rule: no reason, no answer; and no answer before its entry is on disk, also where nothing was found (GDPR art. 5(2),
32(1)). How much was found is entered and the number is not: an erasure leaves none. Who enters a request about what was
found needs no second entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Access
from asterisk_consent.ledger.standing import calls_of_subject
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.objecting import Objector

CALLS, OBJECTIONS = "calls", "objections"
"""What a number is looked up among."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Who looks somebody up, and why."""

    person: str
    reason: str

    def check(self) -> None:
        """Refuse a look that has no reason.

        :raises RequestRefusedError: it has none.
        """
        if not self.reason.strip():
            raise RequestRefusedError("no reason given", remedy="Say why with --reason TEXT")


def calls_of(who: Objector, held: Holdings) -> list[str]:
    """Return the ids of somebody's calls; the duty of entering that is the caller's.

    :raises LedgerError: the ledger cannot be read.
    """
    return calls_of_subject(held.ledger, who.subject, controller=who.controller)


def look_up_calls(whom: Sequence[Objector], looking: Looking, held: Holdings) -> list[str]:
    """Enter the look, controller by controller, and return the ids of the calls.

    :raises RequestRefusedError: no reason is given.
    :raises LedgerError: it cannot be entered; then nothing is told.
    """
    looking.check()
    found = [(who, calls_of(who, held)) for who in whom]
    for who, calls in found:
        enter_look(who.controller, looking, among=CALLS, found=len(calls), held=held)
    return [call_id for _, calls in found for call_id in calls]


def enter_look(controller: str, looking: Looking, *, among: str, found: int, held: Holdings) -> None:
    """Enter that somebody was looked up.

    :param among: :data:`CALLS` or :data:`OBJECTIONS`.
    :param found: how many.
    :raises RequestRefusedError: no reason is given.
    :raises LedgerError: it cannot be entered now.
    """
    looking.check()
    access = Access(what=among, person=looking.person, reason=looking.reason.strip(), found=found)
    held.append(NewEntry(stream=controller, kind=Kind.NUMBER_LOOKED_UP, payload=access))
