"""Tells whether anything was entered since the last look, at hardly any cost.

Source: ``PRAGMA data_version`` changes when another connection commits (https://sqlite.org/pragma.html).
"""

import sqlite3
from pathlib import Path

from asterisk_consent.ledger.connection import connect, translating
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.standing import Objections, objections_in

_BUSY_S = 0.2
_ERASED = f'"kind":"{Kind.PAYLOAD_ERASED}"'.encode()


class Watch:
    """A connection that only looks; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._version = -1
        self._looked_at = 0

    def has_changed(self) -> bool:
        """Tell whether something was committed since the last call; true the first time.

        :raises LedgerError: the ledger cannot be looked at.
        """
        with translating(str(self._path)):
            version = int(self._connected().execute("PRAGMA data_version").fetchone()[0])
        changed = version != self._version
        self._version = version
        return changed

    def has_erased(self) -> bool:
        """Tell whether payloads were erased since the last call; true the first time.

        :raises LedgerError: the ledger cannot be looked at.
        """
        with translating(str(self._path)):
            connection = self._connected()
            last = int(connection.execute("SELECT max(seq) FROM chain").fetchone()[0] or 0)
            query = "SELECT 1 FROM chain WHERE seq > ? AND instr(header, ?) LIMIT 1"
            found = connection.execute(query, (self._looked_at, _ERASED)).fetchone()
        first, self._looked_at = self._looked_at == 0, last
        return first or found is not None

    def objections(self) -> Objections:
        """Return the list of objections.

        :raises LedgerError: the ledger cannot be looked at.
        """
        with translating(str(self._path)):
            return objections_in(self._connected())

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, mode="ro", busy_s=_BUSY_S)
        return self._connection
