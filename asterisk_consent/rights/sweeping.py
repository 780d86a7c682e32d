"""Lets go what has outlived its terms, and what was asked to go and nothing keeps any more.

Rule: never early. A clock that jumped lets nothing go: the entries since the last sweep tell whether it did, and a
person can vouch for it. The plan is made anew for every sweep, so one that broke off is finished by the next, and a
second one finds nothing to do.
"""

import re
import sqlite3
from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry
from asterisk_consent.ledger.payload import Swept
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.ledger.read import recordings as list_recordings
from asterisk_consent.rights.erasing import BATCH, Holdings, erase_audio, erase_calls
from asterisk_consent.rights.requests import Requests
from asterisk_consent.rights.retention import plan

QUIET = timedelta(hours=48)
"""Between two entries, or the last one and now, there is no longer time where the service sweeps every day."""
BACKWARDS = timedelta(minutes=5)
"""So much a clock may be set back without anybody having to ask why."""
TERM_ENDED = "its last term has ended"
PROOF_TERM_ENDED = "the term of the proof has ended"

_AT = re.compile(rb'"at":(-?[0-9]+)')


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
    :raises ConsentError: something cannot be erased or entered; what was done before stays done.
    """
    now = datetime.fromtimestamp(held.clock(), UTC)
    if not clock_confirmed_by:
        refuse_jumped_clock(held, now)
    asked, gone = Requests(held=held).carry_out_again(calls=_calls_of(held, only))
    planned = plan(held.ledger)
    due = {kept.recording_id for kept in planned.recordings if kept.is_due(now)}
    if only is not None:
        due &= only
    proofs = planned.due_proofs(now) if only is None else []
    # In the order of the keys' directories, of which each batch then touches few.
    rows = sorted(_rows(held, due), key=lambda row: row.call_id)
    done, of = 0, len(rows) + len(proofs)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        erase_audio(batch, TERM_ENDED, held)
        done += len(batch)
        if progress is not None:
            progress(done, of)
    for start in range(0, len(proofs), BATCH):
        calls = proofs[start : start + BATCH]
        erase_calls(calls, PROOF_TERM_ENDED, held)
        done += len(calls)
        if progress is not None:
            progress(done, of)
    report = SweepReport(recordings=asked + len(rows), proofs=gone + len(proofs))
    if only is None:
        _enter(held, report, clock_confirmed_by)
    return report


def refuse_jumped_clock(held: Holdings, now: datetime) -> None:
    """Refuse where the entries since the last sweep show that the clock may have jumped.

    :raises RequestRefusedError: it may have.
    """
    with reading(held.ledger) as connection:
        before = None
        for at in _moments_since_last_sweep(connection):
            _compare(before, at)
            before = at
    _compare(before, now)


def _compare(before: datetime | None, after: datetime) -> None:
    if before is None or -BACKWARDS <= after - before <= QUIET:
        return
    between = f"between {before:%Y-%m-%d %H:%M} and {after:%Y-%m-%d %H:%M} UTC"
    raise RequestRefusedError(
        f"the clock may have jumped: nothing was entered {between}"
        if after > before
        else f"the clock was set back {between}",
        remedy="Look at the clock; if it is right: asterisk-consent retention sweep --clock-is-right",
    )


def _moments_since_last_sweep(connection: sqlite3.Connection) -> list[datetime]:
    query = "SELECT seq FROM chain WHERE instr(header, ?) ORDER BY seq DESC LIMIT 1"
    last = connection.execute(query, (f'"kind":"{Kind.RETENTION_SWEPT}"'.encode(),)).fetchone()
    headers = connection.execute(
        "SELECT header FROM chain WHERE seq >= ? ORDER BY seq", (last[0] if last else 1,)
    )
    found = (_AT.search(header) for (header,) in headers)
    return [datetime.fromtimestamp(int(at[1]), UTC) for at in found if at]


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
