"""Owns the keys that open what was entered about a call: one for each sealed entry, itself sealed to the controller.

Rule: the private half is never stored but sealed, and is forgotten as soon as it is; so the ledger's sealed parts can
be opened with an identity of the controller and with nothing that the service has. A key is durable before the entry
that it opens. Destroying a call's keys overwrites them where they lie, row and length unchanged, so that no page of the
file keeps an older copy; what was sealed to them is unreadable from then on, wherever copies of the ledger are.

The keys lie apart from the ledger, so that a backup of one need not hold the other.
"""

import hmac
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from asterisk_consent.durable import make_directory, write_durably
from asterisk_consent.errors import KeysError
from asterisk_consent.model import EntryKey, Sealed, is_hex_id
from asterisk_consent.vault.age import Identity, seal, unseal
from asterisk_consent.vault.recipients import read_recipients, recipients_path

PROOF_KEYS = "proof.sqlite"
"""The file among the keys."""
BLIND = "blind"
"""The directory among the keys that holds the key of each controller's blind index."""

_MODE = 0o600
_DIRECTORY_MODE = 0o700
_BUSY_S = 2.0
_SCRUB_BUSY_MS = 50
_BLIND_BYTES = 32
_BLIND_DIGITS = 32
_BLIND_DOMAIN = b"asterisk-consent blind index 1\n"
_CREATE = (
    "CREATE TABLE IF NOT EXISTS key (id INTEGER PRIMARY KEY, call_id TEXT NOT NULL, wrapped BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS key_by_call ON key (call_id)",
)
_DESTROY = "UPDATE key SET wrapped = zeroblob(length(wrapped)) WHERE call_id = ?"
_OF_CALL = "SELECT wrapped FROM key WHERE call_id = ? AND wrapped != zeroblob(length(wrapped)) ORDER BY id"


class ProofKeys:
    """The keys of all calls, as whoever appends to the ledger uses them: making and keeping, never opening.

    :param keys: the directory of all keys.
    """

    def __init__(self, keys: Path) -> None:
        self._keys = keys
        self._recipients: dict[str, tuple[tuple[int, int, int], tuple[str, ...]]] = {}
        self._blind: dict[str, bytes] = {}
        self._connection: sqlite3.Connection | None = None
        # The ledger's writer keeps keys in one thread while the log is emptied in another.
        self._in_use = threading.RLock()

    def seal(self, content: bytes, *, controller: str, call_id: str) -> Sealed:
        """Seal to a new key of the call, and that to the recipients of the controller.

        :raises KeysError: the controller has too few recipients.
        """
        pair = Identity.generate()
        wrapped = seal(pair.secret.encode(), self._recipients_of(controller))
        return Sealed(content=seal(content, [pair.recipient]), key=EntryKey(call_id=call_id, wrapped=wrapped))

    def keep(self, keys: Sequence[EntryKey]) -> None:
        """Make the keys durable.

        :raises KeysError: they cannot be written.
        """
        with self._in_use:
            try:
                connection = self._connected()
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(
                    "INSERT INTO key (call_id, wrapped) VALUES (?, ?)",
                    [(key.call_id, key.wrapped) for key in keys],
                )
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self.close()
                raise _unusable(self._keys, error) from error

    def blind(self, number: str, *, controller: str) -> str:
        """Return the blind index of an E.164 number: HMAC-SHA-256 with a key of the controller, 128 bits of it.

        :raises KeysError: there is no key for it, and none can be made.
        """
        key = self._blind.get(controller)
        if key is None:
            key = self._blind[controller] = _blind_key(controller, self._keys)
        return hmac.new(key, _BLIND_DOMAIN + number.encode(), sha256).hexdigest()[:_BLIND_DIGITS]

    def scrub(self) -> bool:
        """Empty the write-ahead log, which holds what was overwritten; tell whether nobody was in the way.

        Whoever reads is hardly waited for: who keeps keys waits for this.

        :raises KeysError: it cannot be done.
        """
        with self._in_use:
            try:
                connection = self._connected()
                connection.execute(f"PRAGMA busy_timeout = {_SCRUB_BUSY_MS}")
                blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                connection.execute(f"PRAGMA busy_timeout = {_BUSY_S * 1000:.0f}")
            except sqlite3.Error as error:
                self.close()
                raise _unusable(self._keys, error) from error
        return not blocked

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _recipients_of(self, controller: str) -> tuple[str, ...]:
        path = recipients_path(controller, self._keys)
        try:
            found = path.stat()
        except OSError:
            return read_recipients(controller, self._keys)
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self._recipients.get(controller)
        if known is None or known[0] != stamp:
            known = self._recipients[controller] = (stamp, read_recipients(controller, self._keys))
        return known[1]

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _open(self._keys, checkpoints=True)
        return self._connection


def open_proof(sealed: bytes, *, call_id: str, keys: Path, identities: Sequence[Identity]) -> bytes:
    """Open the sealed part of an entry about a call.

    :raises KeysError: its key was destroyed, or none of the identities opens it.
    """
    return unseal(sealed, call_identities(call_id, keys=keys, identities=identities))


def call_identities(call_id: str, *, keys: Path, identities: Sequence[Identity]) -> tuple[Identity, ...]:
    """Return the private keys that open what was entered about a call.

    :raises KeysError: they were destroyed, or none of the identities opens them.
    """
    with _using(keys) as connection:
        wrapped = [each for (each,) in connection.execute(_OF_CALL, (call_id,))]
    if not wrapped:
        raise KeysError(
            "there is no key for what was entered about this call",
            where=call_id,
            remedy="It was destroyed, or has to come back from a backup of the keys",
        )
    try:
        return tuple(Identity.read(unseal(each, identities).decode("ascii", "replace")) for each in wrapped)
    except KeysError as error:
        raise KeysError(
            f"the key of the call {error.what}", where=call_id, remedy="Name an identity of its controller"
        ) from error


def has_proof_key(call_id: str, keys: Path) -> bool:
    """Tell whether there is a key for what was entered about a call.

    :raises KeysError: the keys cannot be read.
    """
    with _using(keys) as connection:
        return connection.execute(_OF_CALL, (call_id,)).fetchone() is not None


def destroy_proof_keys(call_ids: Sequence[str], keys: Path) -> None:
    """Destroy the keys of what was entered about these calls, durably. May be repeated.

    The write-ahead log holds them until it is emptied (:meth:`ProofKeys.scrub`); closing the last connection does that.

    :raises KeysError: they cannot be overwritten.
    """
    if not all(is_hex_id(call_id) for call_id in call_ids):
        raise KeysError("not a call id")
    with _using(keys) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_DESTROY, [(call_id,) for call_id in call_ids])
        connection.execute("COMMIT")


def blind_path(controller: str, keys: Path) -> Path:
    """Name the file of the key of a controller's blind index.

    :raises KeysError: that is no id of a controller.
    """
    return keys / BLIND / f"{recipients_path(controller, keys).stem}.key"


def _blind_key(controller: str, keys: Path) -> bytes:
    path = blind_path(controller, keys)
    try:
        if not path.exists():
            make_directory(path.parent, mode=_DIRECTORY_MODE)
            write_durably(path, os.urandom(_BLIND_BYTES).hex().encode() + b"\n", mode=_MODE)
            for made in (path.parent, path):
                _give_to_owner_of(keys, made)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise KeysError(f"the key of the blind index cannot be used ({error})", where=str(path)) from error
    if len(key) != _BLIND_BYTES:
        raise KeysError("the key of the blind index is damaged", where=str(path), remedy="Restore it")
    return key


def _open(keys: Path, *, checkpoints: bool = False) -> sqlite3.Connection:
    path = keys / PROOF_KEYS
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE))
        _give_to_owner_of(keys, path)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if not checkpoints:  # two connections must not checkpoint at once (SQLite up to 3.51.2)
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        for statement in _CREATE:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _give_to_owner_of(keys: Path, made: Path) -> None:
    """Let the service use what root made first."""
    if os.geteuid() == 0:
        owner = keys.stat()
        os.chown(made, owner.st_uid, owner.st_gid)


@contextmanager
def _using(keys: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(_open(keys)) as connection:
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise _unusable(keys, error) from error


def _unusable(keys: Path, error: Exception) -> KeysError:
    return KeysError(
        f"the keys of the calls cannot be used: {error}",
        where=str(keys / PROOF_KEYS),
        remedy="Free space; they belong to the service's user",
    )
