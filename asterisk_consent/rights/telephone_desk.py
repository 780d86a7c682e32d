"""Withdrawal by telephone: finds the call that a receipt belongs to, and withdraws it.

Rule: the receipt of a call names it; its last digits do together with the number that the call came from. Nothing else
finds anything, and what is found is told to nobody: neither how many calls there are nor whose (GDPR art. 7(3)).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from asterisk_consent.ledger.read import find_call
from asterisk_consent.ledger.standing import calls_of_receipt, calls_of_subject, find_request
from asterisk_consent.model import CopyState, Done, Effect, KeptBecause, Right
from asterisk_consent.rights.copies import BY_LAW, RECORDING
from asterisk_consent.rights.requests import REFERENCE_DIGITS, Answer, Asking, Requests, Way
from asterisk_consent.telephone import is_e164

RECEIPT_DIGITS = 12
LAST_DIGITS = 4
"""So many of the receipt's last digits suffice together with the number of the call."""
PATIENCE_S = 2.0
"""How long the caller waits at most for a recording that runs to end."""
_AGAIN_S = 0.1
_GONE = "0" * REFERENCE_DIGITS
"""The reference of a request that went with its call a moment after it was entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephoneDesk:
    """What the withdrawal line asks; everything here blocks.

    :param blind: returns the blind index of an E.164 number for a controller.
    """

    requests: Requests
    blind: Callable[..., str]
    monotonic_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def find(self, *, controller: str, number: str | None, receipt: str) -> str | None:
        """Return the one call of a controller that a receipt names, or its last digits with the caller's own number.

        :param number: in E.164 form; ``None`` where it is withheld.
        :raises LedgerError: the ledger cannot be read.
        :raises KeysError: the key of the blind index cannot be used.
        """
        ledger = self.requests.held.ledger
        if len(receipt) == RECEIPT_DIGITS:
            named = calls_of_receipt(ledger, receipt)
        elif len(receipt) == LAST_DIGITS and number is not None and is_e164(number):
            theirs = calls_of_subject(
                ledger, self.blind(number, controller=controller), controller=controller
            )
            named = [call_id for call_id in theirs if self._receipt_of(call_id).endswith(receipt)]
        else:
            return None
        found = [row for row in (find_call(ledger, call_id) for call_id in named) if row is not None]
        ours = [row.call_id for row in found if row.controller == controller]
        return ours[0] if len(ours) == 1 else None

    def withdraw(self, call_id: str, *, channel: str) -> Done:
        """Withdraw a call, and carry it out as far as it can be now.

        :param channel: of the call in which it was confirmed; for the entry.
        :raises ConsentError: it cannot be entered or carried out now; what is entered is carried out later.
        """
        asking = Asking(
            right=Right.WITHDRAWAL,
            asked_by="whoever called the withdrawal line",
            identified_by="by the receipt of the call",
            person="the withdrawal line",
            way=Way.TELEPHONE,
            reason=f"channel {channel}",
        )
        seq = self.requests.enter(asking, call_id)
        reference = self._reference_of(seq)
        give_up_at_s = self.monotonic_s() + PATIENCE_S
        while True:
            answer = self.requests.carry_out(seq)
            if answer is None or answer.settled or self.monotonic_s() >= give_up_at_s:
                return _done(answer, reference)
            self.sleep(_AGAIN_S)

    def _receipt_of(self, call_id: str) -> str:
        row = find_call(self.requests.held.ledger, call_id)
        return row.receipt if row is not None else ""

    def _reference_of(self, seq: int) -> str:
        entered = find_request(self.requests.held.ledger, seq)
        return entered.reference if entered is not None else _GONE


def _done(answer: Answer | None, reference: str) -> Done:
    """Say in one word what became of the recording; of a call that was erased meanwhile nothing is left."""
    copies = [copy for copy in (answer.copies if answer else ()) if copy.what.startswith(RECORDING)]
    kept = [copy for copy in copies if copy.state is CopyState.KEPT]
    if kept:
        by_law = any(copy.note == BY_LAW for copy in kept)
        because = KeptBecause.LEGAL_OBLIGATION if by_law else KeptBecause.LEGAL_HOLD
        return Done(effect=Effect.KEPT, reference=reference, because=because)
    if any(copy.state in (CopyState.PENDING, CopyState.FAILED) for copy in copies):
        return Done(effect=Effect.PENDING, reference=reference)
    return Done(effect=Effect.ERASED, reference=reference)
