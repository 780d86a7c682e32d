"""Takes what people ask for (withdrawal, erasure, restriction, objection), carries it out, and says what became of it.

Rule: from the moment a request is entered nothing of its call is shown any more; it is noted in the journal before, so
that this outlives the ledger. Carrying it out may be repeated:
whoever comes first does it, the command that took it or the service, also after a crash. The answer names every copy:
done, pending, kept with the article that keeps it, or failed (GDPR art. 7(3), 12(3), 17, 18, 19, 21).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.append import writing_beside
from asterisk_consent.ledger.commit import write_entries
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.noted import Note, What
from asterisk_consent.ledger.payload import Copy, Request, Settled
from asterisk_consent.ledger.read import CallRow, approvals, find_call, recordings_of
from asterisk_consent.ledger.standing import (
    RequestRow,
    find_request,
    requests_to_carry_out,
    standing_of,
    unsettled_requests,
)
from asterisk_consent.model import Basis, CopyState, Right
from asterisk_consent.policy import Policy
from asterisk_consent.rights.clock import is_in_doubt
from asterisk_consent.rights.copies import PROOF, Asked, copies_of, is_settled, waiting_copies
from asterisk_consent.rights.erasing import Holdings, erase_calls
from asterisk_consent.rights.retention import approved_policies

REFERENCE_DIGITS = 8
ERASURE_ASKED = "erasure was asked for"
"""Why an erasure that somebody asked for took everything of a call."""
GRACE_S = 24 * 3600
"""A withdrawal by number alone is carried out after so long, if nobody was identified before."""
_PROOF_LATER = Copy(what=PROOF, state=CopyState.PENDING, note="erased once the audio is gone")
_DOCUMENT = re.compile(r"[0-9]{5}|\b[A-Z]{1,3}[A-Z0-9]{3,}[0-9]{2}")


class Way(StrEnum):
    """How a request came."""

    COMMAND = "command"
    TELEPHONE = "telephone"
    CODE = "code"
    """Dialled during the call."""
    RESTORE = "restore"
    """It was entered by a ledger that is lost, and is entered again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks for what.

    :param asked_by: who asked.
    :param identified_by: how we know; empty where we do not yet.
    :param person: who took the request.
    """

    right: Right
    asked_by: str
    identified_by: str
    person: str
    way: Way = Way.COMMAND
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request about one call; ``settled`` is false while something of it is still to be done."""

    request_seq: int
    reference: str
    call_id: str
    copies: tuple[Copy, ...]
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What takes requests and carries them out."""

    held: Holdings

    def enter(self, asking: Asking, call_id: str) -> int:
        """Enter a request about a call, which restricts it from now on; return the number of its entry.

        :raises RequestRefusedError: there is no such call, or a document is named.
        :raises LedgerUnavailableError: it cannot be entered now, or, though it is entered, not be noted.
        """
        refuse_documents(asking.identified_by)
        call = find_call(self.held.ledger, call_id)
        if call is None:
            raise RequestRefusedError("no such call", where=call_id, remedy="See 'calls list'")
        waits = asking.right is Right.WITHDRAWAL and not asking.identified_by.strip()
        request = Request(
            right=asking.right,
            way=str(asking.way),
            reference=f"{int.from_bytes(self.held.randomness(8)) % 10**REFERENCE_DIGITS:0{REFERENCE_DIGITS}d}",
            asked_by=asking.asked_by.strip(),
            identified_by=asking.identified_by.strip(),
            person=asking.person,
            reason=asking.reason.strip(),
            erase_at=int(self.held.clock()) + GRACE_S if waits else 0,
        )
        entry = NewEntry(
            stream=call.controller, kind=Kind.REQUEST_ENTERED, call_id=call.call_id, payload=request
        )
        note = Note(
            what=What.ASKED,
            about=call.call_id,
            name=request.reference,
            until=request.erase_at,
            word=str(request.right),
        )
        try:
            self.held.note(note)
        finally:
            seq = self.held.append(entry)
        return seq

    def unsettled(self) -> list[RequestRow]:
        """Return the requests that are not carried out, those that wait for a moment included, oldest first.

        :raises LedgerError: the ledger cannot be read.
        """
        with reading(self.held.ledger) as connection:
            return unsettled_requests(connection)

    def carry_out(self, request_seq: int) -> Answer | None:
        """Carry out a request as far as it can be now, and enter the answer once nothing of it is left to do.

        Returns ``None`` where the request is gone: its call was erased.

        :raises LedgerError: the ledger cannot be read or written now.
        """
        request = find_request(self.held.ledger, request_seq)
        call = find_call(self.held.ledger, request.call_id) if request else None
        if request is not None and call is None:
            # It was entered while the call was being erased: what it brought goes too.
            erase_calls([request.call_id], "its call was erased", self.held)
        if request is None or call is None:
            return None
        asked = Asked(request=request, call=call, policy=self._policy_of(call))
        waiting = bool(request.erase_at) and (request.erase_at > self.held.clock() or is_in_doubt(self.held))
        copies = waiting_copies(asked, self.held) if waiting else copies_of(asked, self.held)
        settled = not waiting and all(map(is_settled, copies))
        if request.right is Right.ERASURE and all(copy.state is not CopyState.KEPT for copy in copies):
            copies.append(self._erase_proof(call) if settled else _PROOF_LATER)
        elif settled:
            self._settle(request, copies)
        return _answer(request, copies, settled=settled)

    def carry_out_again(self, *, calls: frozenset[str] | None = None) -> tuple[int, int]:
        """Carry out what was asked and is due, also where a legal hold kept it that has ended.

        Returns how many recordings went, and how many calls of which nothing is kept any more.

        :param calls: only what was asked about these.
        :raises LedgerError: the ledger cannot be read or written now.
        """
        with reading(self.held.ledger) as connection:
            due = requests_to_carry_out(connection, at=int(self.held.clock()))
        recordings = gone = 0
        for request in due:
            if calls is None or request.call_id in calls:
                before = self._audio_of(request.call_id)
                self.carry_out(request.seq)
                recordings += before - self._audio_of(request.call_id)
                gone += find_call(self.held.ledger, request.call_id) is None
        return recordings, gone

    def drops(self, call_id: str) -> bool:
        """Tell whether the audio of a call that is being recorded is to go: the service asks before it seals.

        :raises LedgerError: the ledger cannot be read.
        """
        now = self.held.clock()
        return self._is_asked(
            call_id, lambda request: request.right is not Right.RESTRICTION and request.erase_at <= now
        )

    def stops(self, call_id: str) -> bool:
        """Tell whether a recording of a call that runs is to be stopped; nothing stops one that a law demands.

        :raises LedgerError: the ledger cannot be read.
        """
        return self._is_asked(call_id, lambda _: True)

    def _is_asked(self, call_id: str, counts: Callable[[RequestRow], bool]) -> bool:
        standing = standing_of(self.held.ledger, call_id)
        asked = any(not request.lifted_seq and counts(request) for request in standing.requests)
        call = find_call(self.held.ledger, call_id) if asked else None
        if call is None:
            return False
        policy = self._policy_of(call)
        return policy is None or policy.basis is not Basis.LEGAL_OBLIGATION

    def lift(self, call_id: str, *, person: str, reason: str) -> None:
        """End the restriction of a call that was asked for as such (GDPR art. 18(3)).

        :raises RequestRefusedError: no reason is given, or it is not restricted, or for another reason.
        """
        if not reason.strip():
            raise RequestRefusedError("no reason given", remedy="Say why with --reason TEXT")
        standing = standing_of(self.held.ledger, call_id)
        mine = [each for each in standing.requests if each.right is Right.RESTRICTION and not each.lifted_seq]
        if not mine:
            raise RequestRefusedError(
                "no restriction was asked for that could be lifted",
                where=call_id,
                remedy="What a withdrawal, an erasure or an objection restricts stays restricted",
            )
        lifted = Request(
            right=Right.RESTRICTION,
            way=str(Way.COMMAND),
            reference=mine[0].reference,
            asked_by="",
            identified_by="",
            person=person,
            reason=reason.strip(),
        )
        entry = NewEntry(
            stream=mine[0].controller, kind=Kind.RESTRICTION_LIFTED, call_id=call_id, payload=lifted
        )
        self.held.append(entry)
        self.held.note(
            *(Note(what=What.RESTRICTION_LIFTED, about=call_id, name=each.reference) for each in mine)
        )

    def _audio_of(self, call_id: str) -> int:
        return sum(row.has_audio for row in recordings_of(self.held.ledger, call_id))

    def _erase_proof(self, call: CallRow) -> Copy:
        erase_calls([call.call_id], ERASURE_ASKED, self.held)
        return Copy(what=PROOF, state=CopyState.DONE, note="key destroyed, entries emptied")

    def _policy_of(self, call: CallRow) -> Policy | None:
        rows = approvals(self.held.ledger, call.policy)
        return approved_policies(rows).get((call.policy, call.policy_version))

    def _settle(self, request: RequestRow, copies: Sequence[Copy]) -> None:
        """Enter the answer, unless somebody did meanwhile."""
        entry = NewEntry(
            stream=request.controller,
            kind=Kind.REQUEST_SETTLED,
            call_id=request.call_id,
            payload=Settled(request_seq=request.seq, copies=tuple(copies)),
        )
        prepared = self.held.prepared(entry)
        with writing_beside(self.held.ledger) as connection:
            query = "SELECT 1 FROM request WHERE seq = ? AND settled_seq = 0"
            if connection.execute(query, (request.seq,)).fetchone():
                write_entries(connection, [prepared])


def refuse_documents(text: str) -> None:
    """Refuse how somebody was identified where it looks like the number of a document (GDPR art. 5(1)(c)).

    :raises RequestRefusedError: it does.
    """
    if _DOCUMENT.search(text):
        raise RequestRefusedError(
            "that looks like the number of a document, which is never stored",
            remedy="Say how the person was identified, not with what: 'called back on the number of the call'",
        )


def _answer(request: RequestRow, copies: Sequence[Copy], *, settled: bool) -> Answer:
    return Answer(
        request_seq=request.seq,
        reference=request.reference,
        call_id=request.call_id,
        copies=tuple(copies),
        settled=settled,
    )
