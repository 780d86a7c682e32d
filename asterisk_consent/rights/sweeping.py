"""Lets go what has outlived its terms, and what was asked to go and nothing keeps any more.

Rule: never early. A clock that jumped lets nothing go: the entries since the last sweep tell whether it did, and a
person can vouch for it. The plan is made anew for every sweep, so one that broke off is finished by the next, and a
second one finds nothing to do.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from asterisk_consent.errors import AudioError, KeysError
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry
from asterisk_consent.ledger.payload import Swept
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.ledger.read import recordings as list_recordings
from asterisk_consent.rights.apart import forget_apart
from asterisk_consent.rights.clock import refuse_jumped_clock
from asterisk_consent.rights.erasing import BATCH, Holdings, erase_audio, erase_calls, spooled
from asterisk_consent.rights.requests import Requests
from asterisk_consent.rights.retention import plan

TERM_ENDED = "its last term has ended"
PROOF_TERM_ENDED = "the term of the proof has ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What went."""

    recordings: int
    proofs: int


Progress = Callable[[int, int], None]
"""Told how many of how many recordings and proofs are done."""


def sweep(
    held: Holdings,
    *,
    clock_confirmed_by: str = "",
    only: frozenset[str] | None = None,
    progress: Progress | None = None,
) -> SweepReport:
    """Erase every recording and proof whose last term has ended and that no legal hold keeps.

    Where somebody asked for it to go, it goes as soon as nothing keeps it, whatever its terms.

    :param clock_confirmed_by: who vouches for the clock, where it looks as if it had jumped.
    :param only: look at these recordings and at no proof.
    :raises RequestRefusedError: the clock may have jumped; nothing was erased.
    :raises AudioError: some recordings could not be erased; the others are.
    :raises ConsentError: something cannot be entered; what was done before stays done.
    """
    now = datetime.fromtimestamp(held.clock(), UTC)
    if not clock_confirmed_by:
        refuse_jumped_clock(held, now)
    held = replace(held, clock_is_right=True)
    asked, gone = Requests(held=held).carry_out_again(calls=_calls_of(held, only))
    planned = plan(held.ledger, in_spool=spooled(held.spool))
    due = {kept.recording_id for kept in planned.recordings if kept.is_due(now)}
    if only is not None:
        due &= only
    proofs = planned.due_proofs(now) if only is None else []
    # In the order of the keys' directories, of which each batch then touches few.
    rows = sorted(_rows(held, due), key=lambda row: row.call_id)
    done, of = 0, len(rows) + len(proofs)
    erased, failures = 0, []
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        went, failed = _erase(batch, held)
        erased += went
        failures += failed
        done += len(batch)
        if progress is not None:
            progress(done, of)
    for start in range(0, len(proofs), BATCH):
        calls = proofs[start : start + BATCH]
        erase_calls(calls, PROOF_TERM_ENDED, held)
        done += len(calls)
        if progress is not None:
            progress(done, of)
    report = SweepReport(recordings=asked + erased, proofs=gone + len(proofs))
    if only is None:
        forget_apart(now, held)
        _enter(held, report, clock_confirmed_by)
    if failures:
        raise AudioError(
            f"{len(failures)} of {len(rows)} recordings could not be erased; the first: {failures[0].what}",
            where=failures[0].where,
            remedy="What could be erased is; mend it and sweep again",
        )
    return report


def _erase(rows: list[RecordingRow], held: Holdings) -> tuple[int, list[AudioError | KeysError]]:
    """Erase recordings, one by one where together something fails; return how many went, and what failed."""
    try:
        return erase_audio(rows, TERM_ENDED, held), []
    except (AudioError, KeysError) as error:
        if len(rows) == 1:
            return 0, [error]
        each = [_erase([row], held) for row in rows]
        return sum(went for went, _ in each), [failed for _, failures in each for failed in failures]


def _calls_of(held: Holdings, only: frozenset[str] | None) -> frozenset[str] | None:
    if only is None:
        return None
    return frozenset(row.call_id for row in _rows(held, only))


def _rows(held: Holdings, due: Set[str]) -> list[RecordingRow]:
    return [row for row in list_recordings(held.ledger) if row.recording_id in due] if due else []


def _enter(held: Holdings, report: SweepReport, clock_confirmed_by: str) -> None:
    swept = Swept(recordings=report.recordings, proofs=report.proofs, clock_confirmed_by=clock_confirmed_by)
    entry = NewEntry(stream=SYSTEM_STREAM, kind=Kind.RETENTION_SWEPT, payload=swept)
    held.append(entry)
