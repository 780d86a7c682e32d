"""How long it can be read who objected or looked somebody up, how that was known, and why: entries about no call.

Rule: what is sealed in them goes after the longest term that the controller's approved policies have for proof, from
the entry on (GDPR art. 5(1)(e)); the list of objections stays, for it consists of what is not sealed. Where no approved
policy tells a term they are kept.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from asterisk_consent.ledger.apart import ApartRow, entries_apart
from asterisk_consent.ledger.erasures import Extent, note_erasures
from asterisk_consent.ledger.read import approvals
from asterisk_consent.policy import Policy
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.retention import approved_policies
from asterisk_consent.vault.proof_keys import destroy_proof_keys, with_proof_key


def forget_apart(now: datetime, held: Holdings) -> int:
    """Destroy the keys of what has outlived its term; return of how many entries. May be repeated.

    :raises LedgerError: the ledger cannot be read, or the journal of erasures not be written.
    :raises KeysError: a key cannot be destroyed.
    """
    rows = [row for row in entries_apart(held.ledger) if row.key_id]
    policies = list(approved_policies(approvals(held.ledger)).values()) if rows else []
    over = {row.key_id for row in rows if _is_over(row, policies, now)}
    due = sorted(with_proof_key(over, held.keys)) if over else []
    if due:
        try:
            note_erasures(held.journal, dict.fromkeys(due, Extent.ALL), at=int(held.clock()))
        finally:
            destroy_proof_keys(due, held.keys)
    return len(due)


def _is_over(row: ApartRow, policies: Sequence[Policy], now: datetime) -> bool:
    ends = list(_ends(row, policies))
    return bool(ends) and now >= max(ends)


def _ends(row: ApartRow, policies: Sequence[Policy]) -> Iterator[datetime]:
    entered_at = datetime.fromtimestamp(row.at, UTC)
    for policy in policies:
        if policy.controller.id == row.controller:
            yield policy.proof_term.ends_at(entered_at, policy.controller.timezone)
