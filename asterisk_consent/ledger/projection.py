"""The tables for reading, made from entries: one row per decided call, one per recording.

Rule: a projection says nothing that the entries do not, except that a recording is ``closing``, which the
service knows before the entry about its end exists. Entries may be applied one by one or in groups with the
same result: the first decision of a call counts, the first end of a recording counts, each statement sets
columns of its own. Numbers, names and digits are not copied here: they are read from the payload, and are
gone when it is.
"""

import sqlite3
from collections.abc import Iterable
from types import MappingProxyType

from asterisk_consent.ledger.entry import Header, Kind
from asterisk_consent.ledger.payload import Decision, Payload, Recording
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
        started_at, recording_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
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

_Parameters = tuple[object, ...]


class Projector:
    """Collects what entries change, then applies it with one statement per kind of change."""

    def __init__(self, *, schema: str = "main") -> None:
        self._statements = tuple(sql.format(schema=schema) for sql in (_DECIDED, _ALLOWED, _STARTED, _ENDED))
        self._pending: tuple[list[_Parameters], ...] = ([], [], [], [])

    def add(self, header: Header, payload: Payload | None) -> None:
        """Take in one entry; an erased payload changes nothing but what its header tells."""
        decided, allowed, started, ended = self._pending
        if isinstance(payload, Decision):
            decided.append(_decided(header, payload))
            if payload.recording_id is not None:
                allowed.append(
                    (
                        payload.recording_id,
                        header.call_id,
                        header.stream,
                        payload.channel,
                        header.seq,
                        header.at,
                    )
                )
        elif isinstance(payload, Recording):
            state = _ENDS.get(header.kind)
            key = (payload.recording_id, header.call_id, header.stream)
            if state is None:
                started.append((*key, payload.started_at or header.at))
            else:
                found = (payload.duration_ms, payload.size, payload.sha256, payload.reason)
                ended.append((*key, str(state), header.seq, header.at, *found))

    def apply(self, connection: sqlite3.Connection) -> None:
        """Write what was collected, inside the caller's transaction."""
        for statement, parameters in zip(self._statements, self._pending, strict=True):
            if parameters:
                connection.executemany(statement, parameters)
                parameters.clear()


def project(connection: sqlite3.Connection, entries: Iterable[tuple[Header, Payload | None]]) -> None:
    """Bring the projections up to date with these entries, inside the caller's transaction."""
    projector = Projector()
    for header, payload in entries:
        projector.add(header, payload)
    projector.apply(connection)


def mark_closing(connection: sqlite3.Connection, recording_ids: Iterable[str]) -> None:
    """Note that the sides of these recordings are closed and being looked at."""
    connection.executemany(_CLOSING, [(recording_id,) for recording_id in recording_ids])


def create_projections(connection: sqlite3.Connection, *, schema: str) -> None:
    """Make empty projection tables in ``schema``."""
    for table in PROJECTION_TABLES:
        connection.execute(table.format(schema=schema))


def _decided(header: Header, decision: Decision) -> _Parameters:
    return (
        header.call_id,
        header.policy,
        header.policy_version,
        header.seq,
        header.stream,
        header.language,
        str(decision.outcome),
        str(decision.direction),
        decision.started_at,
        decision.recording_id,
    )
