"""Tells whether anything was entered since the last look, at hardly any cost.

Source: ``PRAGMA data_version`` changes when another connection commits (https://sqlite.org/pragma.html).
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.ledger.connection import connect, translating
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.standing import (
    Objections,
    RequestRow,
    objections_in,
    running_though_asked,
    unsettled_requests,
)

_BUSY_S = 0.2
_ERASED = f'"kind":"{Kind.PAYLOAD_ERASED}"'.encode()
_SWEPT = f'"kind":"{Kind.RETENTION_SWEPT}"'.encode()
"""A sweep may have destroyed keys of entries about no call, of which no entry of its own tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What there is to do.

    :param due: requests that are to be carried out now, oldest first.
    :param running: calls about which something was asked while they are being recorded, each with its channel.
    """

    objections: Objections
    due: tuple[RequestRow, ...]
    running: tuple[tuple[str, str], ...]


class Watch:
    """A connection that only looks; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._version = -1
        self._looked_at = 0
        self._objections: Objections = frozenset()
        self._objections_stamp: object = None

    def has_changed(self) -> bool:
        """Tell whether something was committed since the last call; true the first time.

        :raises LedgerError: the ledger cannot be looked at.
        """
        with translating(str(self._path)):
            version = int(self._connected().execute("PRAGMA data_version").fetchone()[0])
        changed = version != self._version
        self._version = version
        return changed

    def look(self, at: int) -> Look:
        """Return what there is to do at this moment, UTC seconds.

        :raises LedgerError: the ledger cannot be looked at.
        """
        with translating(str(self._path)):
            connection = self._connected()
            connection.execute("BEGIN")
            try:
                return Look(
                    objections=self._objections_now(connection),
                    due=tuple(
                        request for request in unsettled_requests(connection) if request.erase_at <= at
                    ),
                    running=tuple(running_though_asked(connection)),
                )
            finally:
                connection.execute("ROLLBACK")

    def _objections_now(self, connection: sqlite3.Connection) -> Objections:
        stamp = connection.execute("SELECT count(*), max(seq) FROM objection").fetchone()
        if stamp != self._objections_stamp:
            self._objections_stamp, self._objections = stamp, objections_in(connection)
        return self._objections

    def has_erased(self) -> bool:
        """Tell whether anything may have been erased since the last call; true the first time.

        :raises LedgerError: the ledger cannot be looked at.
        """
        with translating(str(self._path)):
            connection = self._connected()
            last = int(connection.execute("SELECT max(seq) FROM chain").fetchone()[0] or 0)
            query = "SELECT 1 FROM chain WHERE seq > ? AND (instr(header, ?) OR instr(header, ?)) LIMIT 1"
            found = connection.execute(query, (self._looked_at, _ERASED, _SWEPT)).fetchone()
        first, self._looked_at = self._looked_at == 0, last
        return first or found is not None

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, mode="ro", busy_s=_BUSY_S)
        return self._connection
