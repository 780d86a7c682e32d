"""Lets somebody at what was sealed about one call: the access is entered first, then its keys are released.

Rule: no reason, no key; and no key before the entry of the access is on disk (GDPR art. 5(2), 32(1)). What is
restricted is kept and not shown (art. 18(2)), save for the purpose that a legal hold keeps it for; and the proof, not
the audio, for a legal claim, or nobody could show that there was consent (art. 7(1)). The keys are those of one call.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.apart import find_apart, open_apart
from asterisk_consent.ledger.append import append_from_outside
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.opening import Opened, Opener, open_call
from asterisk_consent.ledger.payload import Access, Export
from asterisk_consent.ledger.read import CallRow, find_call
from asterisk_consent.ledger.standing import exports_of, standing_of
from asterisk_consent.vault.age import Identity, unseal
from asterisk_consent.vault.call_keys import CallKey, open_key
from asterisk_consent.vault.proof_keys import ProofKeys, call_identities, with_proof_key

LEGAL_CLAIMS = "legal-claims"
"""The purpose that a restricted proof may be opened for: to establish, exercise or defend a legal claim."""
TO_TELL = "to tell whom it was handed out to (GDPR art. 19)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the ledger and the keys are."""

    ledger: Path
    keys: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who wants which call's keys, and why.

    :param kind: ``proof.opened``, ``recording.opened`` or ``recording.exported``.
    :param recipient: to whom a recording is handed out.
    """

    call_id: str
    kind: Kind
    person: str
    reason: str
    purpose: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """A recording that left: the entry that says so, when in UTC seconds, and who received it."""

    call_id: str
    seq: int
    at: int
    recipient: str


def release(wanted: Wanted, *, places: Places, identities: tuple[Identity, ...]) -> tuple[Identity, ...]:
    """Enter the access, and return the private keys of the call: of its proof, or of its audio.

    :param identities: of the call's controller.
    :raises RequestRefusedError: no reason is given, there is no such call, or it is restricted.
    :raises LedgerError: the access cannot be entered; then nothing is released.
    :raises KeysError: the keys were destroyed, or the identities do not open them.
    """
    call = _call_to_show(wanted, places)
    entry = NewEntry(
        stream=call.controller, kind=wanted.kind, call_id=call.call_id, payload=_payload(wanted, call)
    )
    _enter(entry, places)
    if wanted.kind is Kind.PROOF_OPENED:
        return call_identities(call.call_id, keys=places.keys, identities=identities)
    key = CallKey(keys=places.keys, call_id=call.call_id, controller=call.controller)
    return (open_key(key, identities),)


def opener_of(keys: tuple[Identity, ...]) -> Opener:
    """Return what opens the sealed parts of a call's entries."""
    return lambda sealed: unseal(sealed, keys)


def open_entries(
    wanted: Wanted, *, places: Places, identities: tuple[Identity, ...]
) -> tuple[list[Opened], Opener]:
    """Enter the access, and return everything that was entered about the call, and what opens it.

    :raises ConsentError: as :func:`release`, or what is stored is not what was entered.
    """
    opener = opener_of(release(wanted, places=places, identities=identities))
    return open_call(places.ledger, wanted.call_id, opener), opener


def handed_out(
    call: CallRow, *, person: str, places: Places, identities: tuple[Identity, ...]
) -> list[HandedOut]:
    """Return to whom recordings of a call were handed out, so that they can be told; the access is entered first.

    What is restricted is no obstacle: telling them is a duty of its own (GDPR art. 19).

    :raises LedgerError: the access cannot be entered; then nothing is opened.
    :raises KeysError: the keys were destroyed, or the identities do not open them.
    """
    if not exports_of(places.ledger, call.call_id):
        return []
    access = Access(what="proof", person=person, reason=TO_TELL)
    entry = NewEntry(stream=call.controller, kind=Kind.PROOF_OPENED, call_id=call.call_id, payload=access)
    _enter(entry, places)
    keys = call_identities(call.call_id, keys=places.keys, identities=identities)
    return [
        HandedOut(
            call_id=call.call_id,
            seq=entry.header.seq,
            at=entry.header.at,
            recipient=entry.payload.recipient,
        )
        for entry in open_call(places.ledger, call.call_id, opener_of(keys))
        if isinstance(entry.payload, Export)
    ]


def open_entry_apart(
    seq: int, *, person: str, reason: str, places: Places, identities: tuple[Identity, ...]
) -> Opened:
    """Enter the access, and return an entry about no call, opened: an objection, or a look by number.

    :raises RequestRefusedError: no reason is given, or there is nothing to open.
    :raises LedgerError: the access cannot be entered; then nothing is opened.
    :raises KeysError: the identities do not open it.
    """
    _refuse_without(reason)
    row = find_apart(places.ledger, seq)
    if row is None or not with_proof_key([row.key_id], places.keys):
        raise RequestRefusedError(
            "there is nothing sealed in this entry" if row is None else "what was sealed in it is gone",
            where=f"entry {seq}",
            remedy="See 'requests list' and 'calls lookups'; of a call: 'calls show CALL --open'",
        )
    access = Access(what=f"entry {seq}", person=person, reason=reason.strip())
    _enter(NewEntry(stream=row.controller, kind=Kind.PROOF_OPENED, payload=access), places)
    keys = call_identities(row.key_id, keys=places.keys, identities=identities)
    return open_apart(places.ledger, seq, opener_of(keys))


def _enter(entry: NewEntry, places: Places) -> None:
    # Left open, its file would keep the write-ahead log from being emptied.
    with closing(ProofKeys(places.keys)) as sealer:
        append_from_outside(places.ledger, entry, sealer=sealer)


def _call_to_show(wanted: Wanted, places: Places) -> CallRow:
    _refuse_without(wanted.reason)
    call = find_call(places.ledger, wanted.call_id)
    if call is None:
        raise RequestRefusedError(
            "no such call", where=wanted.call_id, remedy="See 'asterisk-consent calls list'"
        )
    standing = standing_of(places.ledger, call.call_id)
    allowed = [
        *standing.held_for(int(time.time())),
        *([LEGAL_CLAIMS] if wanted.kind is Kind.PROOF_OPENED else []),
    ]
    if standing.is_restricted and wanted.purpose not in allowed:
        raise RequestRefusedError(
            "the call is restricted: what is kept of it is not shown (GDPR art. 18(2))",
            where=call.call_id,
            remedy=f"Only for: {', '.join(f'--purpose {each}' for each in allowed)}" if allowed else "",
        )
    return call


def _refuse_without(reason: str) -> None:
    if not reason.strip():
        raise RequestRefusedError("no reason given", remedy="Say why with --reason TEXT")


def _payload(wanted: Wanted, call: CallRow) -> Access | Export:
    recording = call.recording
    if wanted.kind is not Kind.RECORDING_EXPORTED:
        what = "proof" if wanted.kind is Kind.PROOF_OPENED else "recording"
        return Access(
            what=what, person=wanted.person, reason=wanted.reason.strip(), purpose=wanted.purpose.strip()
        )
    if not wanted.recipient.strip():
        raise RequestRefusedError("no recipient given", remedy="Say who receives it with --to RECIPIENT")
    return Export(
        recording_id=recording.recording_id if recording else "",
        reason=wanted.reason.strip(),
        recipient=wanted.recipient.strip(),
        person=wanted.person,
        sha256=recording.sha256 if recording else "",
    )
