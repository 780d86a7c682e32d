"""The tables for reading, made from entries: one row per decided call, recording, approval, request, legal hold and
objection, and one per entry about a call.

Rule: a projection says nothing that the entries do not, except that a recording is ``closing``, which the
service knows before the entry about its end exists. The first decision of a call counts, and the first end of
a recording. Numbers, names and digits are not here: they are sealed. An erased payload leaves no row behind, except
which entries there are about a call.
"""

import sqlite3
from collections.abc import Iterable
from types import MappingProxyType

from asterisk_consent.ledger.entry import Header, Kind
from asterisk_consent.ledger.index import DecisionIndex, Index, ObjectionIndex, RequestIndex
from asterisk_consent.ledger.payload import (
    Approval,
    Gone,
    LegalHold,
    Payload,
    Recording,
    Settled,
)
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
        started_at, recording_id, alias, subject, receipt)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
_ABOUT = "INSERT INTO {schema}.about (call_id, seq) VALUES (?, ?)"
_ERASED = (
    "UPDATE {schema}.recording SET erased_seq = ?, erased_at = ? WHERE recording_id = ? AND erased_seq = 0"
)
_REQUESTED = """
    INSERT INTO {schema}.request (seq, call_id, stream, "right", way, reference, entered_at, erase_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_SETTLED = "UPDATE {schema}.request SET settled_seq = ? WHERE seq = ? AND settled_seq = 0"
_LIFTED = """
    UPDATE {schema}.request SET lifted_seq = ? WHERE call_id = ? AND "right" = 'restriction' AND lifted_seq = 0
"""
_HELD = """
    INSERT INTO {schema}.legal_hold (hold_id, seq, recording_id, call_id, stream, purpose, case_name, until, reason,
        person, placed_at, confirmed_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_CONFIRMED = "UPDATE {schema}.legal_hold SET confirmed_seq = ? WHERE hold_id = ? AND confirmed_seq = 0"
_RELEASED = "UPDATE {schema}.legal_hold SET released_seq = ? WHERE hold_id = ? AND released_seq = 0"
_OBJECTED = """
    INSERT INTO {schema}.objection (stream, subject, seq, entered_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_OBJECTION_LIFTED = "DELETE FROM {schema}.objection WHERE stream = ? AND subject = ?"
_STATEMENTS = MappingProxyType(
    {
        "decided": _DECIDED,
        "allowed": _ALLOWED,
        "started": _STARTED,
        "ended": _ENDED,
        "approved": _APPROVED,
        "about": _ABOUT,
        "erased": _ERASED,
        "requested": _REQUESTED,
        "settled": _SETTLED,
        "lifted": _LIFTED,
        "held": _HELD,
        "confirmed": _CONFIRMED,
        "released": _RELEASED,
        "objected": _OBJECTED,
        "objection_lifted": _OBJECTION_LIFTED,
    }
)
_OF_A_CALL = tuple(
    f"DELETE FROM main.{table} WHERE call_id = ?"  # noqa: S608 - our own names
    for table in ("call", "recording", "request", "legal_hold")
)
_CLOSING = (
    "UPDATE recording SET state = 'closing' WHERE recording_id = ? AND state IN ('allowed', 'recording')"
)


class Projector:
    """Applies entries to the projections in one schema, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, *, schema: str = "main") -> None:
        self._connection = connection
        self._statements = {name: each.format(schema=schema) for name, each in _STATEMENTS.items()}

    def add(self, header: Header, payload: Payload | Index | None) -> None:
        """Apply the next entry; of one whose payload was erased no more than that it is there."""
        if header.call_id:
            self._do("about", header.call_id, header.seq)
        match payload:
            case DecisionIndex():
                self._add_decision(header, payload)
            case Recording():
                self._add_recording(header, payload)
            case Approval():
                of_policy = (header.seq, header.policy, header.policy_version, header.stream, header.at)
                self._do("approved", *of_policy, payload.sha256)
            case Gone():
                self._do("erased", header.seq, header.at, payload.recording_id)
            case RequestIndex():
                self._add_request(header, payload)
            case Settled():
                self._do("settled", header.seq, payload.request_seq)
            case LegalHold():
                self._add_hold(header, payload)
            case ObjectionIndex():
                self._add_objection(header, payload)

    def _do(self, name: str, *values: object) -> None:
        self._connection.execute(self._statements[name], values)

    def _add_decision(self, header: Header, decision: DecisionIndex) -> None:
        of_call = (
            header.call_id,
            header.policy,
            header.policy_version,
            header.seq,
            header.stream,
            header.language,
        )
        answer = (str(decision.outcome), str(decision.direction), decision.started_at, decision.recording_id)
        found_by = (decision.alias or "", decision.subject or "", decision.receipt or "")
        self._do("decided", *of_call, *answer, *found_by)
        if decision.recording_id is not None:
            key = (decision.recording_id, header.call_id, header.stream)
            self._do("allowed", *key, decision.channel, header.seq, header.at)

    def _add_recording(self, header: Header, recording: Recording) -> None:
        key = (recording.recording_id, header.call_id, header.stream)
        state = _ENDS.get(header.kind)
        if state is None:
            self._do("started", *key, recording.started_at or header.at)
        else:
            found = (recording.duration_ms, recording.size, recording.sha256, recording.reason)
            self._do("ended", *key, str(state), header.seq, header.at, *found)

    def _add_request(self, header: Header, request: RequestIndex) -> None:
        if header.kind is Kind.RESTRICTION_LIFTED:
            self._do("lifted", header.seq, header.call_id)
        else:
            of_request = (header.seq, header.call_id, header.stream, str(request.right))
            self._do("requested", *of_request, request.way, request.reference, header.at, request.erase_at)

    def _add_hold(self, header: Header, hold: LegalHold) -> None:
        if header.kind is Kind.LEGAL_HOLD_CONFIRMED:
            self._do("confirmed", header.seq, hold.hold_id)
        elif header.kind is Kind.LEGAL_HOLD_RELEASED:
            self._do("released", header.seq, hold.hold_id)
        else:
            of_call = (hold.hold_id, header.seq, hold.recording_id, header.call_id, header.stream)
            why = (hold.purpose, hold.case, hold.until, hold.reason, hold.person)
            self._do("held", *of_call, *why, header.at, 0 if hold.waits_for_second else header.seq)

    def _add_objection(self, header: Header, objection: ObjectionIndex) -> None:
        if header.kind is Kind.OBJECTION_LIFTED:
            self._do("objection_lifted", header.stream, objection.subject)
        else:
            self._do("objected", header.stream, objection.subject, header.seq, header.at)


def forget_calls(connection: sqlite3.Connection, call_ids: Iterable[str]) -> None:
    """Delete every row about these calls, whose payloads are erased in the same transaction."""
    keys = [(call_id,) for call_id in call_ids]
    for statement in _OF_A_CALL:
        connection.executemany(statement, keys)


def mark_closing(connection: sqlite3.Connection, recording_ids: Iterable[str]) -> None:
    """Note that the sides of these recordings are closed and being looked at."""
    connection.executemany(_CLOSING, [(recording_id,) for recording_id in recording_ids])


def create_projections(connection: sqlite3.Connection, *, schema: str) -> None:
    """Make empty projection tables in ``schema``."""
    for table in PROJECTION_TABLES:
        connection.execute(table.format(schema=schema))
