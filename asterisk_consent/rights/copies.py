"""What becomes of each copy of a call that somebody asked about: done, pending, kept or failed.

Rule: the answer names every copy there is, and the article by which one is kept (GDPR art. 12(3), 17(3), 18, 19).
Audio is erased here, unless something keeps it; of the proof only the answer is given.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asterisk_consent.errors import AudioError, KeysError
from asterisk_consent.ledger.payload import Copy
from asterisk_consent.ledger.read import CallRow, RecordingRow, recordings_of
from asterisk_consent.ledger.standing import HoldRow, RequestRow, exports_of, standing_of
from asterisk_consent.model import Basis, CopyState, Right
from asterisk_consent.policy import Policy
from asterisk_consent.rights.clock import is_in_doubt
from asterisk_consent.rights.erasing import Holdings, erase_audio, lies_in_spool

BACKUPS = "backups of the keys"
HANDED_OUT = "copy handed out"
PROOF = "proof"
RECORDING = "recording"
BY_LAW = "a law requires it to be kept (GDPR art. 17(3)(b))"
STILL_RECORDED = "it is being recorded: the service stops it"

_SETTLED = frozenset({CopyState.DONE, CopyState.KEPT})
_OUTSIDE = frozenset({BACKUPS, HANDED_OUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request about a call, and the policy that the call was asked under; ``None`` where no approved one is known."""

    request: RequestRow
    call: CallRow
    policy: Policy | None

    @property
    def kept_by_law(self) -> bool:
        """Whether a law demands the recording, and with it refuses the erasure."""
        return self.policy is not None and self.policy.basis is Basis.LEGAL_OBLIGATION


def is_settled(copy: Copy) -> bool:
    """Tell whether nothing more can be done about a copy here."""
    return copy.state in _SETTLED or copy.what in _OUTSIDE


def waiting_copies(asked: Asked, held: Holdings) -> list[Copy]:
    """Say what happens to each copy of a call while nobody was identified."""
    until = f"{datetime.fromtimestamp(asked.request.erase_at, UTC):%Y-%m-%d %H:%M} UTC"
    note = f"not shown any more; erased once somebody is identified, at the latest at {until}"
    rows = [row for row in recordings_of(held.ledger, asked.call.call_id) if not row.erased_seq]
    return [Copy(what=_named(row), state=CopyState.PENDING, note=note) for row in rows]


def copies_of(asked: Asked, held: Holdings) -> list[Copy]:
    """Erase the audio of the call where that is asked for, and say what became of each copy."""
    rows = recordings_of(held.ledger, asked.call.call_id)
    if asked.request.right is Right.RESTRICTION:
        copies = [_restricted(asked, row) for row in rows]
    else:
        holds = _holds_now(asked.call, held)
        copies = [_audio(asked, row, holds, held) for row in rows]
        copies += _backups(rows, copies, held)
    if not rows:
        copies.append(Copy(what=RECORDING, state=CopyState.DONE, note="nothing was recorded"))
    copies += _handed_out(asked.call, held)
    if asked.request.right is not Right.ERASURE:
        copies.append(_proof(asked, CopyState.DONE))
    elif any(copy.state is CopyState.KEPT for copy in copies):
        copies.append(_proof(asked, CopyState.KEPT))
    return copies


def _restricted(asked: Asked, row: RecordingRow) -> Copy:
    if not row.state.is_final and not asked.kept_by_law:
        return Copy(what=_named(row), state=CopyState.PENDING, note=STILL_RECORDED)
    if not row.has_audio:
        return Copy(what=_named(row), state=CopyState.DONE, note=_gone(row))
    return Copy(what=_named(row), state=CopyState.DONE, note="kept for its terms, not shown")


def _audio(asked: Asked, row: RecordingRow, holds: list[HoldRow], held: Holdings) -> Copy:
    """Erase one recording unless something keeps it."""
    what = _named(row)
    if asked.kept_by_law:
        return Copy(what=what, state=CopyState.KEPT, note=BY_LAW)
    hold = next((hold for hold in holds if hold.recording_id == row.recording_id), None)
    if hold is not None:
        until = f"{datetime.fromtimestamp(hold.until, UTC):%Y-%m-%d %H:%M} UTC"
        note = (
            f"legal hold for {hold.purpose}, case {hold.case}, at the latest until {until}; then erased"
            " (GDPR art. 17(3)(e))"
        )
        return Copy(what=what, state=CopyState.KEPT, note=note)
    if not row.state.is_final:
        return Copy(what=what, state=CopyState.PENDING, note=STILL_RECORDED)
    if row.erased_seq or not (row.sha256 or lies_in_spool(row, held)):
        return Copy(what=what, state=CopyState.DONE, note=_gone(row))
    try:
        went = erase_audio([row], f"{asked.request.right}, entry {asked.request.seq}", held)
    except (KeysError, AudioError) as error:
        return Copy(what=what, state=CopyState.FAILED, note=str(error))
    placed = (
        []
        if went
        else [each for each in _holds_now(asked.call, held) if each.recording_id == row.recording_id]
    )
    if placed:
        return _audio(asked, row, placed, held)
    return Copy(what=what, state=CopyState.DONE, note="key destroyed, file removed")


def _gone(row: RecordingRow) -> str:
    if row.erased_seq:
        return f"erased on {datetime.fromtimestamp(row.erased_at, UTC):%Y-%m-%d}"
    return "there is no audio"


def _backups(rows: list[RecordingRow], copies: list[Copy], held: Holdings) -> list[Copy]:
    """Say until when a backup of the keys opens what was erased: a stated life, counted from the erasure on."""
    now = held.clock()
    gone_at = [
        row.erased_at or now
        for row, copy in zip(rows, copies, strict=True)
        if row.sha256 and copy.state is CopyState.DONE
    ]
    until = max(gone_at, default=0.0) + timedelta(days=held.key_backups_days).total_seconds()
    if not gone_at or until <= now:
        return []
    note = f"could still open it until {datetime.fromtimestamp(until, UTC):%Y-%m-%d}"
    return [Copy(what=BACKUPS, state=CopyState.PENDING, note=note)]


def _handed_out(call: CallRow, held: Holdings) -> list[Copy]:
    return [
        Copy(what=HANDED_OUT, state=CopyState.PENDING, note=f"tell whom entry {seq} names (GDPR art. 19)")
        for seq in exports_of(held.ledger, call.call_id)
    ]


def _holds_now(call: CallRow, held: Holdings) -> list[HoldRow]:
    """Return the holds that keep it: also one whose time seems to be over, while the clock may have jumped."""
    now = int(held.clock())
    placed = [
        hold
        for hold in standing_of(held.ledger, call.call_id).holds
        if hold.confirmed_seq and not hold.released_seq
    ]
    keeping = [hold for hold in placed if hold.holds(now)]
    return placed if len(keeping) < len(placed) and is_in_doubt(held) else keeping


def _proof(asked: Asked, state: CopyState) -> Copy:
    if asked.policy is None:
        return Copy(what=PROOF, state=state, note="restricted")
    began_at = datetime.fromtimestamp(asked.call.started_at, UTC)
    ends_at = asked.policy.proof_term.ends_at(began_at, asked.policy.controller.timezone)
    return Copy(what=PROOF, state=state, note=f"restricted until {ends_at:%Y-%m-%d}, then gone")


def _named(row: RecordingRow) -> str:
    return f"{RECORDING} {row.recording_id[:8]}"
