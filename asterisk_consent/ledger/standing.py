"""How calls stand: restricted, held, asked to be erased; and whose calls they are.

Rule: what restricts a call holds from the moment its entry is committed, whatever has been carried out of it since.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import msgspec

from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Kind, read_header
from asterisk_consent.ledger.payload import LegalHold, read_payload
from asterisk_consent.model import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request about a call; moments in UTC seconds, ``settled_seq`` 0 while it is not carried out."""

    seq: int
    call_id: str
    controller: str
    right: Right
    way: str
    reference: str
    entered_at: int
    erase_at: int
    settled_seq: int
    lifted_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """One legal hold; ``confirmed_seq`` is 0 while it waits for a second person, ``released_seq`` while it holds.

    ``confirmed_by`` is empty where the policy wants no second person.
    """

    hold_id: str
    seq: int
    recording_id: str
    call_id: str
    controller: str
    purpose: str
    case: str
    until: int
    reason: str
    person: str
    placed_at: int
    confirmed_seq: int
    released_seq: int
    confirmed_by: str = ""
    released_by: str = ""
    released_for: str = ""

    def holds(self, at: int) -> bool:
        """Tell whether it keeps the recording at this moment."""
        return bool(self.confirmed_seq) and not self.released_seq and at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was asked about a call, and what keeps it."""

    requests: tuple[RequestRow, ...]
    holds: tuple[HoldRow, ...]

    @property
    def is_restricted(self) -> bool:
        """Whether what is kept of it may not be shown."""
        return any(not request.lifted_seq for request in self.requests)

    def held_for(self, at: int) -> tuple[str, ...]:
        """Return the purposes that legal holds keep it for at this moment, UTC seconds."""
        return tuple(hold.purpose for hold in self.holds if hold.holds(at))


_REQUEST_FIELDS = tuple(field.name for field in fields(RequestRow))
_HOLD_FIELDS = tuple(field.name for field in fields(HoldRow))
_REQUESTS = """
    SELECT seq, call_id, stream, "right", way, reference, entered_at, erase_at, settled_seq, lifted_seq FROM request
"""
_UNSAID = LegalHold(hold_id="", recording_id="", purpose="", case="", until=0, reason="", person="")
_HOLDS = """
    SELECT hold_id, seq, recording_id, call_id, stream, purpose, case_name, until, reason, person, placed_at,
        confirmed_seq, released_seq,
        (SELECT body FROM payload p WHERE p.seq = confirmed_seq AND confirmed_seq != legal_hold.seq),
        (SELECT body FROM payload p WHERE p.seq = released_seq)
    FROM legal_hold
"""


def standing_of(path: Path, call_id: str) -> Standing:
    """Return how a call stands."""
    with reading(path) as connection:
        requests = connection.execute(f"{_REQUESTS} WHERE call_id = ? ORDER BY seq", (call_id,))
        holds = connection.execute(f"{_HOLDS} WHERE call_id = ? ORDER BY seq", (call_id,))
        return Standing(
            requests=tuple(request_row(row) for row in requests), holds=tuple(_hold_row(row) for row in holds)
        )


def erased_at(path: Path, beginning: str) -> int:
    """Return when everything of the call was erased whose id begins so, in UTC seconds; 0 where none was."""
    query = """
        SELECT c.header FROM about a JOIN chain c ON c.seq = a.seq
        WHERE a.call_id >= :start AND a.call_id < :start || 'g' AND instr(c.header, :kind)
        AND NOT EXISTS (SELECT 1 FROM call WHERE call.call_id = a.call_id) ORDER BY a.seq DESC LIMIT 1
    """
    kind = f'"kind":"{Kind.PAYLOAD_ERASED}"'.encode()
    with reading(path) as connection:
        row = connection.execute(query, {"start": beginning, "kind": kind}).fetchone()
        return read_header(row[0]).at if row else 0


def controllers_of_calls(path: Path) -> list[str]:
    """Return the controllers that calls were asked for."""
    with reading(path) as connection:
        rows = connection.execute("SELECT DISTINCT stream FROM call WHERE subject != '' ORDER BY stream")
        return [controller for (controller,) in rows]


def find_request(path: Path, seq: int) -> RequestRow | None:
    """Return the request of this entry; ``None`` where there is none, or it went with its call."""
    with reading(path) as connection:
        row = connection.execute(f"{_REQUESTS} WHERE seq = ?", (seq,)).fetchone()
        return request_row(row) if row else None


def exports_of(path: Path, call_id: str) -> list[int]:
    """Return the entries that say a recording of this call was handed out."""
    query = """
        SELECT a.seq FROM about a JOIN chain c ON c.seq = a.seq
        WHERE a.call_id = ? AND instr(c.header, ?) ORDER BY a.seq
    """
    kind = f'"kind":"{Kind.RECORDING_EXPORTED}"'.encode()
    with reading(path) as connection:
        return [seq for (seq,) in connection.execute(query, (call_id, kind))]


def list_requests(path: Path) -> list[RequestRow]:
    """Return every request about a call that is still there, in the order they were entered."""
    with reading(path) as connection:
        return [request_row(row) for row in connection.execute(f"{_REQUESTS} ORDER BY seq")]


def unsettled_requests(connection: sqlite3.Connection) -> list[RequestRow]:
    """Return the requests that were not carried out, oldest first."""
    found = connection.execute(f"{_REQUESTS} WHERE settled_seq = 0 ORDER BY seq")
    return [request_row(row) for row in found]


def requests_to_carry_out(connection: sqlite3.Connection, *, at: int) -> list[RequestRow]:
    """Return the requests that ask for more than is done, settled or not: audio is left, or the whole call.

    :param at: UTC seconds; those that wait for a later moment are left out.
    """
    left = """
        WHERE "right" != 'restriction' AND erase_at <= ? AND ("right" = 'erasure' OR settled_seq = 0 OR EXISTS (
            SELECT 1 FROM recording r WHERE r.call_id = request.call_id AND r.sha256 != '' AND r.erased_seq = 0
        )) ORDER BY seq
    """
    return [request_row(row) for row in connection.execute(f"{_REQUESTS} {left}", (at,))]


def legal_holds(path: Path) -> list[HoldRow]:
    """Return every legal hold in the order they were placed."""
    with reading(path) as connection:
        return [_hold_row(row) for row in connection.execute(f"{_HOLDS} ORDER BY seq")]


def calls_of_subject(path: Path, subject: str, *, controller: str) -> list[str]:
    """Return the ids of the calls of somebody, by the blind index of the number, oldest first."""
    query = "SELECT call_id FROM call WHERE subject = ? AND subject != '' AND stream = ? ORDER BY seq"
    return _ids(path, query, (subject, controller))


def calls_of_receipt(path: Path, receipt: str) -> list[str]:
    """Return the ids of the calls that this receipt names."""
    return _ids(path, "SELECT call_id FROM call WHERE receipt = ? AND receipt != '' ORDER BY seq", (receipt,))


def running_though_asked(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the calls, each with its channel, that are being recorded though something was asked about them."""
    query = """
        SELECT DISTINCT r.call_id, r.channel FROM request q JOIN recording r ON r.call_id = q.call_id
        WHERE q.settled_seq = 0 AND q.lifted_seq = 0 AND r.state IN ('allowed', 'recording', 'closing')
    """
    return list(connection.execute(query))


Objections = frozenset[tuple[str, str]]
"""Controllers, each with the blind index of somebody who objects."""


def objections_in(connection: sqlite3.Connection) -> Objections:
    """Return everybody who objects, and to whom."""
    return frozenset(connection.execute("SELECT stream, subject FROM objection"))


def objections(path: Path) -> Objections:
    """Return everybody who objects, and to whom."""
    with reading(path) as connection:
        return objections_in(connection)


def objected_at(path: Path) -> dict[tuple[str, str], int]:
    """Return everybody who objects, and to whom, with when that was entered; UTC seconds."""
    with reading(path) as connection:
        found = connection.execute("SELECT stream, subject, entered_at FROM objection")
        return {(controller, subject): at for controller, subject, at in found}


def has_objected(path: Path, subject: str, *, controller: str) -> bool:
    """Tell whether somebody is on a controller's list of objections."""
    with reading(path) as connection:
        found = connection.execute(
            "SELECT 1 FROM objection WHERE stream = ? AND subject = ?", (controller, subject)
        )
        return found.fetchone() is not None


def _ids(path: Path, query: str, values: Sequence[str]) -> list[str]:
    with reading(path) as connection:
        return list(dict.fromkeys(call_id for (call_id,) in connection.execute(query, values)))


def request_row(row: Sequence[object]) -> RequestRow:
    """Make a value of one row of a query for requests."""
    return msgspec.convert(dict(zip(_REQUEST_FIELDS, row, strict=True)), RequestRow)


def _hold_row(row: Sequence[object]) -> HoldRow:
    *known, confirmed, released = row
    end = _legal_hold(released)
    said = {
        "confirmed_by": _legal_hold(confirmed).person,
        "released_by": end.person,
        "released_for": end.reason,
    }
    return msgspec.convert(dict(zip(_HOLD_FIELDS, known, strict=False)) | said, HoldRow)


def _legal_hold(body: object) -> LegalHold:
    payload = read_payload(body) if isinstance(body, bytes) else None
    return payload if isinstance(payload, LegalHold) else _UNSAID
