"""Figures of what people asked for, what became of it, and of the sweep; read from the ledger when they are asked for.

Rule: they name nobody and no call. What is counted is counted since they began, entry by entry; what waits is what
waits at the moment. An erasure takes its request away with the call, mostly before anybody counts: a request that is
gone is counted as one, by command, which is the only way it comes.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection

from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Header, Kind, read_header
from asterisk_consent.ledger.index import RequestIndex, read_index
from asterisk_consent.ledger.payload import Erased, Settled, Swept, read_payload
from asterisk_consent.ledger.sealing import parts_of
from asterisk_consent.model import CopyState, Right
from asterisk_consent.rights.requests import ERASURE_ASKED, Way

DONE, KEPT, LIFTED = "done", "kept", "lifted"
"""How a request ends: all was done, something is kept with the article that keeps it, or it was taken back."""
_COUNTED = (
    Kind.REQUEST_ENTERED,
    Kind.REQUEST_SETTLED,
    Kind.RESTRICTION_LIFTED,
    Kind.OBJECTION_ENTERED,
    Kind.OBJECTION_LIFTED,
    Kind.PAYLOAD_ERASED,
    Kind.RECORDING_ERASED,
    Kind.RETENTION_SWEPT,
)
_KINDS = tuple(f'"kind":"{kind}"'.encode() for kind in _COUNTED)
_NEW = f"""
    SELECT c.header, p.body FROM chain c LEFT JOIN payload p ON p.seq = c.seq
    WHERE c.seq > ? AND c.seq <= ? AND ({" OR ".join(["instr(c.header, ?)"] * len(_KINDS))}) ORDER BY c.seq
"""  # noqa: S608 - question marks alone
_LAST_SWEEP = "SELECT header FROM chain WHERE seq <= ? AND instr(header, ?) ORDER BY seq DESC LIMIT 1"
_WAITING = "SELECT count(*), min(entered_at) FROM request WHERE settled_seq = 0 AND lifted_seq = 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was counted up to a moment.

    :param requests: by right and way.
    :param ended: by right and end.
    :param waiting: requests that are not carried out, those included that wait for somebody to be identified.
    :param waiting_oldest_s: how long the oldest of them has; 0 where none waits.
    :param swept_at: UTC seconds of the last sweep that went through; 0 where none did.
    :param erased: recordings, for whatever reason.
    :param erased_by_sweeps: those of them that a sweep erased.
    """

    requests: dict[tuple[str, str], int]
    ended: dict[tuple[str, str], int]
    waiting: int
    waiting_oldest_s: float
    swept_at: int
    erased: int
    erased_by_sweeps: int


@dataclass(slots=True)
class _Counts:
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    swept_at: int = 0
    erased: int = 0
    erased_by_sweeps: int = 0

    def add(self, header: Header, body: bytes | None, right_of: Callable[[int], str]) -> None:
        """Count one entry."""
        match header.kind:
            case Kind.REQUEST_ENTERED:
                self.requests[_asked(body)] += 1
            case Kind.OBJECTION_ENTERED:
                self.requests[Right.OBJECTION, Way.COMMAND] += 1
                self.ended[Right.OBJECTION, DONE] += 1
            case Kind.OBJECTION_LIFTED:
                self.ended[Right.OBJECTION, LIFTED] += 1
            case Kind.RESTRICTION_LIFTED:
                self.ended[Right.RESTRICTION, LIFTED] += 1
            case Kind.RECORDING_ERASED:
                self.erased += 1
            case Kind.RETENTION_SWEPT:
                self.swept_at = header.at
        payload = read_payload(body) if body is not None and header.kind in _PLAIN else None
        if isinstance(payload, Swept):
            self.erased_by_sweeps += payload.recordings
        elif isinstance(payload, Erased) and payload.reason == ERASURE_ASKED:
            self.ended[Right.ERASURE, DONE] += 1
        elif isinstance(payload, Settled):
            kept = any(copy.state is CopyState.KEPT for copy in payload.copies)
            self.ended[right_of(payload.request_seq), KEPT if kept else DONE] += 1


_PLAIN = (Kind.REQUEST_SETTLED, Kind.PAYLOAD_ERASED, Kind.RETENTION_SWEPT)


class FiguresOfRights:
    """Counts from now on; asked by one thread at a time.

    :param clock: UTC seconds.
    :raises LedgerError: the ledger cannot be read.
    """

    def __init__(self, ledger: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._clock = clock
        self._counts = _Counts()
        self._lock = threading.Lock()
        self._knows_last_sweep = False
        with reading(ledger) as connection:
            self._seq = _last(connection)

    def read(self) -> Figures:
        """Count what is new, and return everything.

        :raises LedgerError: the ledger cannot be read now.
        """
        with self._lock, reading(self._ledger) as connection:
            self._count(connection)
            waiting, oldest = connection.execute(_WAITING).fetchone()
            counts = self._counts
            return Figures(
                requests=dict(counts.requests),
                ended=dict(counts.ended),
                waiting=waiting,
                waiting_oldest_s=max(0.0, self._clock() - oldest) if waiting else 0.0,
                swept_at=counts.swept_at,
                erased=counts.erased,
                erased_by_sweeps=counts.erased_by_sweeps,
            )

    def _count(self, connection: Connection) -> None:
        if not self._knows_last_sweep:
            # Looked for here, where no call waits: it may mean going back over many entries.
            before = connection.execute(_LAST_SWEEP, (self._seq, _KINDS[-1])).fetchone()
            self._counts.swept_at = read_header(before[0]).at if before else 0
            self._knows_last_sweep = True
        last = _last(connection)
        for raw, body in connection.execute(_NEW, (self._seq, last, *_KINDS)):
            self._counts.add(read_header(raw), body, lambda seq: _right_of(connection, seq))
        self._seq = last


def _last(connection: Connection) -> int:
    return int(connection.execute("SELECT max(seq) FROM chain").fetchone()[0] or 0)


def _asked(body: bytes | None) -> tuple[str, str]:
    index = read_index(parts_of(body)[0]) if body is not None else None
    if not isinstance(index, RequestIndex):
        return Right.ERASURE, Way.COMMAND
    return index.right, index.way


def _right_of(connection: Connection, seq: int) -> str:
    found = connection.execute('SELECT "right" FROM request WHERE seq = ?', (seq,)).fetchone()
    return str(found[0]) if found else Right.ERASURE
