"""Questions that commands ask of a ledger: calls and recordings, as of one moment.

Rule: reading changes nothing and needs no lock; it works with and without a running service. Number, name, digit and
course are sealed, and not here: :mod:`asterisk_consent.ledger.opening`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import msgspec

from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import read_header
from asterisk_consent.ledger.index import DecisionIndex, read_index
from asterisk_consent.ledger.payload import Approval, read_payload
from asterisk_consent.ledger.sealing import parts_of
from asterisk_consent.model import Direction, Outcome, RecordingState


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRow:
    """One recording; moments in UTC seconds; 0 for a moment or entry that has not come."""

    recording_id: str
    call_id: str
    controller: str
    state: RecordingState
    channel: str
    allowed_seq: int
    allowed_at: int
    started_at: int
    ended_seq: int
    ended_at: int
    duration_ms: int
    size: int
    sha256: str
    reason: str
    erased_seq: int = 0
    erased_at: int = 0

    @property
    def has_audio(self) -> bool:
        """Whether there is audio of it that was not erased."""
        return bool(self.sha256) and not self.erased_seq

    @property
    def duration_s(self) -> float | None:
        """Length of the recorded conversation; ``None`` while it is not known."""
        return self.duration_ms / 1000 if self.ended_seq else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One decided call, as the ledger shows it without a key."""

    seq: int
    call_id: str
    started_at: int
    controller: str
    policy: str
    policy_version: int
    language: str
    direction: Direction
    outcome: Outcome
    alias: str
    subject: str
    """Blind index of the caller's number; empty where none is kept."""
    receipt: str
    announcement: str
    """Digest of what was announced; empty where nothing was."""
    played_ms: int
    reason: str
    purposes: tuple[str, ...]
    recording: RecordingRow | None


_RECORDING_FIELDS = tuple(field.name for field in fields(RecordingRow))
_RECORDING_COLUMNS = ", ".join(f"r.{name}" for name in _RECORDING_FIELDS).replace("r.controller", "r.stream")
_RECORDINGS = f"SELECT {_RECORDING_COLUMNS} FROM recording r"  # noqa: S608 - names of columns are ours
OPEN_RECORDINGS = f"""
    {_RECORDINGS} WHERE r.state IN ('allowed', 'recording', 'closing') ORDER BY r.allowed_seq, r.recording_id
"""
_CALL_FIELDS = (
    "seq",
    "call_id",
    "started_at",
    "controller",
    "policy",
    "policy_version",
    "language",
    "direction",
    "outcome",
    "alias",
    "subject",
    "receipt",
)
_CALL_COLUMNS = ", ".join(f"c.{name}" for name in _CALL_FIELDS).replace("c.controller", "c.stream")
_CALLS = f"""
    SELECT {_CALL_COLUMNS}, h.header, p.body, {_RECORDING_COLUMNS}
    FROM call c JOIN chain h ON h.seq = c.seq LEFT JOIN payload p ON p.seq = c.seq
    LEFT JOIN recording r ON r.recording_id = c.recording_id
"""  # noqa: S608 - names of columns are ours


def list_calls(path: Path, *, limit: int | None = None) -> list[CallRow]:
    """Return the decided calls in the order of their decisions, or the latest ``limit`` of them."""
    with reading(path) as connection:
        rows = connection.execute(f"{_CALLS} ORDER BY c.seq DESC LIMIT ?", (-1 if limit is None else limit,))
        return [_call_row(row) for row in rows][::-1]


def find_call(path: Path, call_id: str) -> CallRow | None:
    """Return the effective decision of one call (its latest policy's); ``None`` when there is none."""
    with reading(path) as connection:
        query = f"{_CALLS} WHERE c.call_id = ? ORDER BY c.seq DESC LIMIT 1"
        row = connection.execute(query, (call_id,)).fetchone()
        return _call_row(row) if row else None


def calls_beginning_with(path: Path, start: str, *, limit: int = 10) -> list[CallRow]:
    """Return the effective decisions of the calls whose id, or alias, begins so, at most ``limit`` of them."""
    with reading(path) as connection:
        # Ids are hexadecimal: all that begin so lie between the beginning and the same followed by a g.
        query = """
            SELECT call_id FROM call WHERE call_id >= :start AND call_id < :start || 'g'
            UNION SELECT call_id FROM call WHERE alias != '' AND alias >= :start AND alias < :start || 'g'
            LIMIT :limit
        """
        ids = connection.execute(query, {"start": start, "limit": limit}).fetchall()
    found = [find_call(path, call_id) for (call_id,) in ids]
    return [row for row in found if row is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """One approval of one version of a policy; ``approval`` is ``None`` once its payload is erased."""

    seq: int
    policy: str
    policy_version: int
    controller: str
    approved_at: int
    sha256: str
    approval: Approval | None


def approvals(path: Path, policy: str | None = None) -> list[ApprovalRow]:
    """Return the approvals of one policy, or of all, in the order they were given."""
    query = """
        SELECT a.seq, a.policy, a.policy_version, a.stream, a.approved_at, a.sha256, p.body
        FROM approval a LEFT JOIN payload p ON p.seq = a.seq
        WHERE ?1 IS NULL OR a.policy = ?1 ORDER BY a.seq
    """
    with reading(path) as connection:
        return [_approval_row(row) for row in connection.execute(query, (policy,))]


def latest_approvals(path: Path) -> dict[tuple[str, int], ApprovalRow]:
    """Return the latest approval of each version of each policy."""
    return {(row.policy, row.policy_version): row for row in approvals(path)}


def recordings(path: Path) -> list[RecordingRow]:
    """Return every recording that an entry speaks of, in the order they were allowed."""
    with reading(path) as connection:
        rows = connection.execute(f"{_RECORDINGS} ORDER BY r.allowed_seq, r.recording_id")
        return [recording_row(row) for row in rows]


def find_recording(path: Path, recording_id: str) -> RecordingRow | None:
    """Return one recording; ``None`` when no entry speaks of it."""
    with reading(path) as connection:
        row = connection.execute(f"{_RECORDINGS} WHERE r.recording_id = ?", (recording_id,)).fetchone()
        return recording_row(row) if row else None


def recordings_of(path: Path, call_id: str) -> list[RecordingRow]:
    """Return the recordings of a call, in the order they were allowed."""
    return recordings_of_calls(path, [call_id])


def recordings_of_calls(path: Path, call_ids: Sequence[str]) -> list[RecordingRow]:
    """Return the recordings of some calls."""
    query = f"{_RECORDINGS} WHERE r.call_id = ? ORDER BY r.allowed_seq, r.recording_id"
    with reading(path) as connection:
        return [recording_row(row) for call_id in call_ids for row in connection.execute(query, (call_id,))]


def recording_row(row: Sequence[object]) -> RecordingRow:
    """Make a value of one row of a query for recordings."""
    return msgspec.convert(dict(zip(_RECORDING_FIELDS, row, strict=True)), RecordingRow)


def _approval_row(row: Sequence[object]) -> ApprovalRow:
    *known, body = row
    names = ("seq", "policy", "policy_version", "controller", "approved_at", "sha256")
    payload = read_payload(body) if isinstance(body, bytes) else None
    found = msgspec.convert(dict(zip(names, known, strict=True)) | {"approval": None}, ApprovalRow)
    return replace(found, approval=payload if isinstance(payload, Approval) else None)


def _call_row(row: Sequence[object]) -> CallRow:
    header, body, *recording = row[len(_CALL_FIELDS) :]
    index = read_index(parts_of(body)[0]) if isinstance(body, bytes) else None
    decision = index if isinstance(index, DecisionIndex) else None
    return msgspec.convert(
        dict(zip(_CALL_FIELDS, row, strict=False))
        | {
            "announcement": read_header(header).announcement if isinstance(header, bytes) else "",
            "played_ms": decision.played_ms if decision else 0,
            "reason": decision.reason if decision else "",
            "purposes": decision.purposes if decision else (),
            "recording": recording_row(recording) if recording[0] is not None else None,
        },
        CallRow,
    )
