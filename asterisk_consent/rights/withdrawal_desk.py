"""Withdrawal by telephone: finds the calls that a caller may withdraw, and withdraws them.

Rule: the receipt of a call names it; its last digits do together with the number that the call came from. Nothing else
finds anything, and what is found is told to nobody: neither how many calls there are nor whose (GDPR art. 7(3)).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from asterisk_consent.ledger.read import find_call
from asterisk_consent.ledger.standing import calls_of_receipt, calls_of_subject
from asterisk_consent.model import CopyState, Right
from asterisk_consent.rights.requests import Answer, Asking, Requests, Way
from asterisk_consent.telephone import e164, is_e164
from asterisk_consent.vault.proof_keys import ProofKeys

RECEIPT_DIGITS = 12
LAST_DIGITS = 4
"""So many of the receipt's last digits suffice together with the number of the call."""

_DIGITS = re.compile(r"[0-9]+")


class Became(StrEnum):
    """What became of what was withdrawn, in one word that can be said."""

    ERASED = "erased"
    KEPT = "kept"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Calls that the caller named, and how."""

    call_ids: tuple[str, ...]
    identified_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done; ``reference`` is 8 digits."""

    became: Became
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephoneDesk:
    """What the withdrawal line asks; everything here blocks.

    :param region: where numbers without a country code belong.
    """

    requests: Requests
    blind: ProofKeys
    region: str

    def find(self, *, controller: str, number: str | None, receipt: str) -> Found | None:
        """Return the calls of a controller that a receipt names, or its last digits with the caller's own number.

        :param number: of whoever calls now; ``None`` where it is withheld.
        :raises LedgerError: the ledger cannot be read.
        :raises KeysError: the key of the blind index cannot be used.
        """
        if not _DIGITS.fullmatch(receipt):
            return None
        if len(receipt) == RECEIPT_DIGITS:
            found = calls_of_receipt(self.requests.held.ledger, receipt)
            return self._of(controller, found, "by the receipt")
        own = e164(number, self.region) if number is not None else ""
        if len(receipt) != LAST_DIGITS or not is_e164(own):
            return None
        subject = self.blind.blind(own, controller=controller)
        theirs = calls_of_subject(self.requests.held.ledger, subject, controller=controller)
        named = [call_id for call_id in theirs if self._receipt_of(call_id).endswith(receipt)]
        return self._of(controller, named, "by the number of the call and its receipt")

    def withdraw(self, found: Found) -> Done:
        """Withdraw the calls, and carry it out as far as it can be now.

        :raises ConsentError: it cannot be entered or carried out now; what is entered is carried out later.
        """
        asking = Asking(
            right=Right.WITHDRAWAL,
            asked_by="whoever called the withdrawal line",
            identified_by=found.identified_by,
            person="the withdrawal line",
            way=Way.TELEPHONE,
        )
        entered = [self.requests.enter(asking, call_id) for call_id in found.call_ids]
        answers = [self.requests.carry_out(seq) for seq in entered]
        return Done(became=_became(answers), reference=next(each.reference for each in answers if each))

    def _of(self, controller: str, call_ids: list[str], identified_by: str) -> Found | None:
        rows = [find_call(self.requests.held.ledger, call_id) for call_id in call_ids]
        ours = tuple(row.call_id for row in rows if row is not None and row.controller == controller)
        return Found(call_ids=ours, identified_by=identified_by) if ours else None

    def _receipt_of(self, call_id: str) -> str:
        row = find_call(self.requests.held.ledger, call_id)
        return row.receipt if row is not None else ""


def _became(answers: list[Answer | None]) -> Became:
    states = {
        copy.state for each in answers if each for copy in each.copies if copy.what.startswith("recording")
    }
    if CopyState.KEPT in states:
        return Became.KEPT
    return Became.PENDING if states & {CopyState.PENDING, CopyState.FAILED} else Became.ERASED
