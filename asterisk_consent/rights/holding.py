"""Places, confirms and releases legal holds: a recording is kept past its term, for one purpose, by hand.

Rule: only for a purpose that the policy lets be extended and that was granted for the call, never past its limit, and
with a second person where the policy says so: until that one confirms, it keeps nothing. Nothing that was asked to go
is extended, nor what an erasure has begun with: the journal is held from before that is looked up until the hold is
entered, and what begins to erase holds it while it looks for holds. A hold is noted there before it is entered, its
release after that is entered, so both outlive the ledger. Releasing it, or the end of its time, lets the term do its
work, and what was asked meanwhile (GDPR art. 5(1)(e), 7(3), 17(3)(e), 18(2)).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.erasures import Journal, opened_journal
from asterisk_consent.ledger.noted import Note, What
from asterisk_consent.ledger.payload import LegalHold
from asterisk_consent.ledger.read import CallRow, approvals, find_call
from asterisk_consent.ledger.standing import HoldRow, legal_holds, standing_of
from asterisk_consent.model import Right
from asterisk_consent.policy.model import Extension
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.retention import approved_policies

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """A legal hold to be placed.

    :param until: its last day at the controller's; ``None`` for as long as the policy lets it.
    """

    call_id: str
    purpose: str
    case: str
    reason: str
    person: str
    until: date | None = None


def place(placing: Placing, held: Holdings) -> HoldRow:
    """Place a legal hold on the recording of a call.

    :raises RequestRefusedError: the policy does not let it, there is nothing to hold, it was asked to go, or goes now.
    :raises LedgerUnavailableError: it cannot be entered or noted now.
    """
    if not placing.case.strip() or not placing.reason.strip():
        raise RequestRefusedError("no case or no reason given", remedy="Say both: --case and --reason")
    with opened_journal(held.journal) as journal:
        _refuse_going(placing.call_id, journal)
        call = _call_with_audio(placing.call_id, held)
        _refuse_asked(call.call_id, held)
        hold = _hold(placing, call, held)
        if not hold.waits_for_second:
            _note(hold, call.call_id, journal, held)
        _enter(Kind.LEGAL_HOLD_PLACED, hold, stream=call.controller, call_id=call.call_id, held=held)
    return find_hold(hold.hold_id, held)


def _hold(placing: Placing, call: CallRow, held: Holdings) -> LegalHold:
    """Return the hold as it is to be entered.

    :raises RequestRefusedError: the policy does not let it.
    """
    extension, limit = _extension(placing.purpose, call, held)
    until = limit if placing.until is None else _end_of(placing.until, limit)
    now = datetime.fromtimestamp(held.clock(), UTC)
    if not now < until <= limit:
        raise RequestRefusedError(
            f"the last day of a hold for {placing.purpose} is one from today to {limit - _DAY:%Y-%m-%d}",
            where=call.call_id,
            remedy=f"The policy lets it be kept at most {extension.at_most} from the call on, until {extension.until}",
        )
    return LegalHold(
        hold_id=held.randomness(16).hex(),
        recording_id=call.recording.recording_id if call.recording else "",
        purpose=placing.purpose,
        case=placing.case.strip(),
        until=int(until.timestamp()),
        reason=placing.reason.strip(),
        person=placing.person,
        waits_for_second=extension.second_person,
    )


def confirm(hold_id: str, *, person: str, reason: str, held: Holdings) -> HoldRow:
    """Confirm a legal hold as the second person.

    :raises RequestRefusedError: it needs nobody, who placed it confirms it, or the call was withdrawn, or goes now.
    :raises LedgerUnavailableError: it cannot be entered or noted now.
    """
    with opened_journal(held.journal) as journal:
        hold = find_hold(hold_id, held)
        if hold.confirmed_seq or hold.released_seq:
            raise RequestRefusedError("it waits for nobody", where=hold.hold_id, remedy="See legal-hold list")
        _refuse_going(hold.call_id, journal)
        _refuse_asked(hold.call_id, held)
        if person == hold.person:
            raise RequestRefusedError(
                "the policy wants a second person", where=hold.hold_id, remedy=f"Somebody else than {person}"
            )
        again = _said_again(hold, person=person, reason=reason)
        _note(again, hold.call_id, journal, held)
        _enter(Kind.LEGAL_HOLD_CONFIRMED, again, stream=hold.controller, call_id=hold.call_id, held=held)
    return find_hold(hold.hold_id, held)


def release(hold: HoldRow, *, person: str, reason: str, held: Holdings) -> None:
    """Release a legal hold.

    :raises RequestRefusedError: no reason is given, or it is released already.
    :raises LedgerUnavailableError: it cannot be entered now, or, though it is entered, not be noted.
    """
    if not reason.strip():
        raise RequestRefusedError("no reason given", remedy="Say why with --reason TEXT")
    if hold.released_seq:
        raise RequestRefusedError("it is released already", where=hold.hold_id, remedy="See legal-hold list")
    again = _said_again(hold, person=person, reason=reason.strip())
    _enter(Kind.LEGAL_HOLD_RELEASED, again, stream=hold.controller, call_id=hold.call_id, held=held)
    held.note(Note(what=What.HOLD_RELEASED, about=hold.call_id, name=hold.hold_id))


def find_hold(beginning: str, held: Holdings) -> HoldRow:
    """Return the one hold whose id begins so.

    :raises RequestRefusedError: there is none, or several.
    """
    found = [hold for hold in legal_holds(held.ledger) if hold.hold_id.startswith(beginning)]
    if len(found) != 1 or len(beginning) < 8:
        raise RequestRefusedError(
            "no such legal hold" if not found else "that names no single legal hold",
            where=ascii(beginning)[:64],
            remedy="See legal-hold list; 8 characters of the id are enough",
        )
    return found[0]


def holds_of_case(case: str, held: Holdings) -> list[HoldRow]:
    """Return the holds of a case that are not released.

    :raises RequestRefusedError: there is none.
    """
    found = [hold for hold in legal_holds(held.ledger) if hold.case == case and not hold.released_seq]
    if not found:
        raise RequestRefusedError(
            "no legal hold belongs to this case", where=ascii(case)[:64], remedy="See legal-hold list"
        )
    return found


def _call_with_audio(call_id: str, held: Holdings) -> CallRow:
    call = find_call(held.ledger, call_id)
    if call is None:
        raise RequestRefusedError("no such call", where=call_id, remedy="See 'calls list'")
    if call.recording is None or not call.recording.has_audio:
        raise RequestRefusedError("the call has no audio to hold", where=call_id, remedy="See 'calls show'")
    return call


def _refuse_going(call_id: str, journal: Journal) -> None:
    if call_id in journal.read().erasures:
        raise RequestRefusedError(
            "its erasure has begun: nothing holds it any more",
            where=call_id,
            remedy="What is gone cannot be held; 'calls show' tells what is left of the call",
        )


def _refuse_asked(call_id: str, held: Holdings) -> None:
    asked = [
        each for each in standing_of(held.ledger, call_id).requests if each.right is not Right.RESTRICTION
    ]
    if asked:
        raise RequestRefusedError(
            f"a {asked[0].right} was entered for the call: nothing extends what was asked to go",
            where=call_id,
            remedy="What a legal hold kept before that stays as long as that hold does",
        )


def _end_of(day: date, limit: datetime) -> datetime:
    """Return the moment at which a day is over, where the limit is reckoned."""
    return datetime.combine(day, time(), tzinfo=limit.tzinfo) + _DAY


def _extension(purpose: str, call: CallRow, held: Holdings) -> tuple[Extension, datetime]:
    """Return how the policy lets a purpose be extended, and the moment past which it does not."""
    policy = approved_policies(approvals(held.ledger, call.policy)).get((call.policy, call.policy_version))
    granted = {each.name: each for each in policy.purposes if each.name in call.purposes} if policy else {}
    extensible = [name for name, each in granted.items() if each.extension is not None]
    found = granted.get(purpose)
    if policy is None or found is None or found.extension is None:
        raise RequestRefusedError(
            f"the policy lets no recording be kept longer for '{purpose}'",
            where=call.call_id,
            remedy=f"It does for: {', '.join(extensible)}" if extensible else "It does for no purpose",
        )
    began_at = datetime.fromtimestamp(call.started_at, UTC)
    return found.extension, found.extension.at_most.ends_at(began_at, policy.controller.timezone)


def _said_again(hold: HoldRow, *, person: str, reason: str) -> LegalHold:
    return LegalHold(
        hold_id=hold.hold_id,
        recording_id=hold.recording_id,
        purpose=hold.purpose,
        case=hold.case,
        until=hold.until,
        reason=reason,
        person=person,
    )


def _note(hold: LegalHold, call_id: str, journal: Journal, held: Holdings) -> None:
    """Note that it holds now; one that waits for a second person keeps nothing, and is not noted."""
    note = Note(what=What.HELD, about=call_id, name=hold.hold_id, until=hold.until, word=hold.purpose)
    journal.note([note], at=int(held.clock()))


def _enter(kind: Kind, payload: LegalHold, *, stream: str, call_id: str, held: Holdings) -> None:
    entry = NewEntry(stream=stream, kind=kind, call_id=call_id, payload=payload)
    held.append(entry)
