"""Takes what people ask for (withdrawal, erasure, restriction, objection), carries it out, and says what became of it.

Rule: from the moment a request is entered nothing of its call is shown any more. Carrying it out may be repeated:
whoever comes first does it, the command that took it or the service, also after a crash. The answer names every copy:
done, pending, kept with the article that keeps it, or failed (GDPR art. 7(3), 12(3), 17, 18, 19, 21).
"""

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from asterisk_consent.errors import AudioError, KeysError, RequestRefusedError
from asterisk_consent.ledger.append import append_from_outside, writing_beside
from asterisk_consent.ledger.commit import write_entries
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Copy, Request, Settled
from asterisk_consent.ledger.read import CallRow, RecordingRow, approvals, find_call, recordings_of
from asterisk_consent.ledger.standing import (
    HoldRow,
    RequestRow,
    exports_of,
    find_request,
    standing_of,
    unsettled_requests,
)
from asterisk_consent.model import Basis, CopyState, Right
from asterisk_consent.policy import Policy
from asterisk_consent.rights.erasing import Holdings, erase_audio, erase_calls
from asterisk_consent.rights.retention import approved_policies
from asterisk_consent.vault.proof_keys import ProofKeys

GRACE_S = 24 * 3600
"""A withdrawal by number alone is carried out after so long, if nobody was identified before."""
BY_LAW = "a law requires it to be kept (GDPR art. 17(3)(b))"
_DOCUMENT = re.compile(r"[0-9]{5}|\b[A-Z]{1,3}[A-Z0-9]{3,}[0-9]{2}")


class Way(StrEnum):
    """How a request came."""

    COMMAND = "command"
    TELEPHONE = "telephone"


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
    call_id: str
    copies: tuple[Copy, ...]
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What carrying out a request needs.

    :param key_backups_days: how long backups of the keys live, as the controller states it; 0 where there are none.
    """

    held: Holdings
    key_backups_days: int = 0

    def enter(self, asking: Asking, call_id: str) -> int:
        """Enter a request about a call, which restricts it from now on; return the number of its entry.

        :raises RequestRefusedError: there is no such call, or a document is named.
        :raises LedgerUnavailableError: it cannot be entered now.
        """
        refuse_documents(asking.identified_by)
        call = find_call(self.held.ledger, call_id)
        if call is None:
            raise RequestRefusedError("no such call", where=call_id, remedy="See 'calls list'")
        waits = asking.right is Right.WITHDRAWAL and not asking.identified_by.strip()
        request = Request(
            right=asking.right,
            way=str(asking.way),
            asked_by=asking.asked_by.strip(),
            identified_by=asking.identified_by.strip(),
            person=asking.person,
            reason=asking.reason.strip(),
            erase_at=int(self.held.clock()) + GRACE_S if waits else 0,
        )
        entry = NewEntry(
            stream=call.controller, kind=Kind.REQUEST_ENTERED, call_id=call.call_id, payload=request
        )
        # Whoever has the keys open keeps their write-ahead log, which holds what is destroyed next.
        with closing(ProofKeys(self.held.keys)) as sealer:
            return append_from_outside(self.held.ledger, entry, sealer=sealer, clock=self.held.clock).seq

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
        if request is None or call is None:
            return None
        waiting = request.erase_at > self.held.clock()
        copies = tuple(self._waiting(request, call) if waiting else self._copies(request, call))
        settled = not waiting and all(copy.state in _SETTLED or copy.what in _OUTSIDE for copy in copies)
        if settled and request.right is Right.ERASURE and all(c.state is not CopyState.KEPT for c in copies):
            erase_calls([call.call_id], "erasure was asked for", self.held)
            done = Copy(what="proof", state=CopyState.DONE, note="key destroyed, entries emptied")
            return Answer(request_seq=request.seq, call_id=call.call_id, copies=(*copies, done), settled=True)
        if settled:
            self._settle(request, copies)
        return Answer(request_seq=request.seq, call_id=call.call_id, copies=copies, settled=settled)

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

        :raises RequestRefusedError: it is not restricted, or for another reason.
        """
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
            asked_by="",
            identified_by="",
            person=person,
            reason=reason,
        )
        entry = NewEntry(
            stream=mine[0].controller, kind=Kind.RESTRICTION_LIFTED, call_id=call_id, payload=lifted
        )
        with closing(ProofKeys(self.held.keys)) as sealer:
            append_from_outside(self.held.ledger, entry, sealer=sealer, clock=self.held.clock)

    def _waiting(self, request: RequestRow, call: CallRow) -> list[Copy]:
        until = _moment(request.erase_at)
        note = f"restricted now; erased once somebody is identified, at the latest at {until}"
        rows = [row for row in recordings_of(self.held.ledger, call.call_id) if not row.erased_seq]
        return [Copy(what=_named(row), state=CopyState.PENDING, note=note) for row in rows]

    def _copies(self, request: RequestRow, call: CallRow) -> list[Copy]:
        policy = self._policy_of(call)
        rows = recordings_of(self.held.ledger, call.call_id)
        if request.right is Right.RESTRICTION:
            copies = [Copy(what=_named(row), state=CopyState.DONE, note="kept, not shown") for row in rows]
            return [*copies, self._proof(call, policy)]
        copies = [self._audio(request, row, policy, self._holds(call)) for row in rows]
        erased = any(copy.state is CopyState.DONE for copy in copies)
        if erased and self.key_backups_days:
            until = datetime.fromtimestamp(self.held.clock(), UTC) + timedelta(days=self.key_backups_days)
            note = f"could still open it until {until:%Y-%m-%d}"
            copies.append(Copy(what=BACKUPS, state=CopyState.PENDING, note=note))
        for seq in exports_of(self.held.ledger, call.call_id):
            note = f"tell whom entry {seq} names (GDPR art. 19)"
            copies.append(Copy(what=HANDED_OUT, state=CopyState.PENDING, note=note))
        if request.right is not Right.ERASURE:
            copies.append(self._proof(call, policy))
        return copies

    def _audio(
        self, request: RequestRow, row: RecordingRow, policy: Policy | None, holds: list[HoldRow]
    ) -> Copy:
        """Erase one recording unless something keeps it."""
        what = _named(row)
        if policy is not None and policy.basis is Basis.LEGAL_OBLIGATION:
            return Copy(what=what, state=CopyState.KEPT, note=BY_LAW)
        hold = next((hold for hold in holds if hold.recording_id == row.recording_id), None)
        if hold is not None:
            until = _moment(hold.until)
            note = f"legal hold for {hold.purpose}, at the latest until {until} (GDPR art. 17(3)(e))"
            return Copy(what=what, state=CopyState.KEPT, note=note)
        if not row.state.is_final:
            return Copy(what=what, state=CopyState.PENDING, note="it is being recorded: the service stops it")
        if row.erased_seq or not row.sha256:
            return Copy(what=what, state=CopyState.DONE, note="" if row.erased_seq else "there is no audio")
        try:
            erase_audio([row], f"{request.right}, entry {request.seq}", self.held)
        except (KeysError, AudioError) as error:
            return Copy(what=what, state=CopyState.FAILED, note=str(error))
        return Copy(what=what, state=CopyState.DONE, note="key destroyed, file removed")

    def _holds(self, call: CallRow) -> list[HoldRow]:
        now = int(self.held.clock())
        return [hold for hold in standing_of(self.held.ledger, call.call_id).holds if hold.holds(now)]

    def _proof(self, call: CallRow, policy: Policy | None) -> Copy:
        if policy is None:
            return Copy(what="proof", state=CopyState.DONE, note="restricted")
        began_at = datetime.fromtimestamp(call.started_at, UTC)
        ends_at = policy.proof_term.ends_at(began_at, policy.controller.timezone)
        return Copy(
            what="proof", state=CopyState.DONE, note=f"restricted until {ends_at:%Y-%m-%d}, then gone"
        )

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


BACKUPS = "backups of the keys"
HANDED_OUT = "copy handed out"
_SETTLED = frozenset({CopyState.DONE, CopyState.KEPT})
_OUTSIDE = frozenset({BACKUPS, HANDED_OUT})


def refuse_documents(text: str) -> None:
    """Refuse how somebody was identified where it looks like the number of a document (GDPR art. 5(1)(c)).

    :raises RequestRefusedError: it does.
    """
    if _DOCUMENT.search(text):
        raise RequestRefusedError(
            "that looks like the number of a document, which is never stored",
            remedy="Say how the person was identified, not with what: 'called back on the number of the call'",
        )


def _named(row: RecordingRow) -> str:
    return f"recording {row.recording_id[:8]}"


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
