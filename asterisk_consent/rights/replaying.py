"""Erases again what was erased before, in a ledger and among files that do not know of it.

Rule: whatever the sources name is gone afterwards, from keys, vault and entries alike, and the entries say so; nothing
is noted in the journal that came from there. May be repeated (GDPR art. 17(1), 5(1)(e)).
"""

from collections.abc import Sequence
from contextlib import closing

from asterisk_consent.errors import KeysError
from asterisk_consent.ledger.erasures import Erasures, Extent, beyond, erasures_of
from asterisk_consent.ledger.read import recordings_of_calls
from asterisk_consent.rights.erasing import (
    BATCH,
    Holdings,
    destroy_audio,
    empty_calls,
    enter_erased_audio,
)
from asterisk_consent.vault.call_keys import destroy_keys
from asterisk_consent.vault.proof_keys import ProofKeys, destroy_proof_keys

REASON = "erased before the ledger was restored"
_KEYS_AT_ONCE = 10_000


def destroy_again(erasures: Erasures, held: Holdings) -> None:
    """Destroy the keys of everything that was erased, wherever they came from, and leave no older copy of them.

    :raises KeysError: one cannot be destroyed.
    """
    # In the order of the keys' directories, of which each batch then touches few.
    calls = sorted(erasures)
    for batch in _batches(calls, _KEYS_AT_ONCE):
        destroy_keys(batch, held.keys)
    for batch in _batches([each for each in calls if erasures[each] is Extent.ALL], _KEYS_AT_ONCE):
        destroy_proof_keys(batch, held.keys)
    with closing(ProofKeys(held.keys)) as proof_keys:
        if not proof_keys.scrub():
            raise KeysError(
                "the write-ahead log still holds what was destroyed: somebody reads the keys",
                where=str(held.keys),
                remedy="End it, then restore again",
            )


def erase_again(erasures: Erasures, held: Holdings) -> int:
    """Bring a ledger and the vault up to date; return of how many calls the ledger still had something.

    :raises AudioError: a file cannot be removed; its key is destroyed.
    :raises LedgerError: the ledger cannot be read or written.
    """
    calls = sorted(erasures)
    for batch in _batches(calls, BATCH):
        destroy_audio(recordings_of_calls(held.ledger, batch), held)
    due = beyond(erasures, erasures_of(held.ledger))
    changed: set[str] = set()
    for batch in _batches(sorted(due), BATCH):
        rows = [row for row in recordings_of_calls(held.ledger, batch) if not row.erased_seq]
        if enter_erased_audio(rows, REASON, held):
            changed |= {row.call_id for row in rows}
        whole = [call_id for call_id in batch if due[call_id] is Extent.ALL]
        changed |= set(empty_calls(whole, REASON, held))
    return len(changed)


def _batches(calls: Sequence[str], size: int) -> list[Sequence[str]]:
    return [calls[start : start + size] for start in range(0, len(calls), size)]
