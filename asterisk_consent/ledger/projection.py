"""The tables for reading, made from entries: one row per decided call, one per recording, one per approval.

Rule: a projection says nothing that the entries do not, except that a recording is ``closing``, which the
service knows before the entry about its end exists. The first decision of a call counts, and the first end of
a recording. Numbers, names and digits are not copied here: they are read from the payload, and go with it.
"""

import sqlite3
from collections.abc import Iterable
from types import MappingProxyType

from asterisk_consent.ledger.entry import Header, Kind
from asterisk_consent.ledger.payload import Approval, Decision, Payload, Recording
from asterisk_consent.ledger.schema import PROJECTION_TABLES
from asterisk_consent.model import RecordingState

_ENDS = MappingProxyType(
    {
        Kind.RECORDING_VERIFIED: RecordingState.VERIFIED,
        Kind.RECORDING_FAILED: RecordingState.FAILED,
        Kind.RECORDING_NOT_STARTED: RecordingState.NOT_STARTED,
    }
)

_DECIDED = """
    INSERT INTO {schema}.call (call_id, policy, policy_version, seq, stream, language, outcome, direction,
        started_at, recording_id, alias)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_APPROVED = """
    INSERT INTO {schema}.approval (seq, policy, policy_version, stream, approved_at, sha256) VALUES (?, ?, ?, ?, ?, ?)
"""
_ALLOWED = """
    INSERT INTO {schema}.recording (recording_id, call_id, stream, state, channel, allowed_seq, allowed_at)
    VALUES (?, ?, ?, 'allowed', ?, ?, ?)
    ON CONFLICT (recording_id) DO UPDATE SET
        channel = excluded.channel, allowed_seq = excluded.allowed_seq, allowed_at = excluded.allowed_at
        WHERE allowed_seq = 0
"""
_STARTED = """
    INSERT INTO {schema}.recording (recording_id, call_id, stream, state, started_at)
    VALUES (?, ?, ?, 'recording', ?)
    ON CONFLICT (recording_id) DO UPDATE SET
        started_at = excluded.started_at, state = iif(state = 'allowed', 'recording', state)
        WHERE started_at = 0
"""
_ENDED = """
    INSERT INTO {schema}.recording (recording_id, call_id, stream, state, ended_seq, ended_at, duration_ms,
    size, sha256, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (recording_id) DO UPDATE SET state
    = excluded.state, ended_seq = excluded.ended_seq, ended_at = excluded.ended_at, duration_ms =
    excluded.duration_ms, size = excluded.size, sha256 = excluded.sha256, reason = excluded.reason WHERE
    ended_seq = 0
"""
_CLOSING = (
    "UPDATE recording SET state = 'closing' WHERE recording_id = ? AND state IN ('allowed', 'recording')"
)


class Projector:
    """Applies entries to the projections in one schema, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, *, schema: str = "main") -> None:
        self._connection = connection
        self._decided, self._allowed, self._started, self._ended, self._approved = (
            statement.format(schema=schema) for statement in (_DECIDED, _ALLOWED, _STARTED, _ENDED, _APPROVED)
        )

    def add(self, header: Header, payload: Payload | None) -> None:
        """Apply the next entry; one whose payload was erased changes nothing."""
        if isinstance(payload, Decision):
            self._add_decision(header, payload)
        elif isinstance(payload, Recording):
            self._add_recording(header, payload)
        elif isinstance(payload, Approval):
            of_policy = (header.seq, header.policy, header.policy_version, header.stream, header.at)
            self._connection.execute(self._approved, (*of_policy, payload.sha256))

    def _add_decision(self, header: Header, decision: Decision) -> None:
        of_call = (
            header.call_id,
            header.policy,
            header.policy_version,
            header.seq,
            header.stream,
            header.language,
        )
        answer = (str(decision.outcome), str(decision.direction), decision.started_at, decision.recording_id)
        self._connection.execute(self._decided, (*of_call, *answer, decision.alias or ""))
        if decision.recording_id is not None:
            key = (decision.recording_id, header.call_id, header.stream)
            self._connection.execute(self._allowed, (*key, decision.channel, header.seq, header.at))

    def _add_recording(self, header: Header, recording: Recording) -> None:
        key = (recording.recording_id, header.call_id, header.stream)
        state = _ENDS.get(header.kind)
        if state is None:
            self._connection.execute(self._started, (*key, recording.started_at or header.at))
        else:
            found = (recording.duration_ms, recording.size, recording.sha256, recording.reason)
            self._connection.execute(self._ended, (*key, str(state), header.seq, header.at, *found))


def mark_closing(connection: sqlite3.Connection, recording_ids: Iterable[str]) -> None:
    """Note that the sides of these recordings are closed and being looked at."""
    connection.executemany(_CLOSING, [(recording_id,) for recording_id in recording_ids])


def create_projections(connection: sqlite3.Connection, *, schema: str) -> None:
    """Make empty projection tables in ``schema``."""
    for table in PROJECTION_TABLES:
        connection.execute(table.format(schema=schema))
