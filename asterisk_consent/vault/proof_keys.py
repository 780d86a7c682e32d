"""Owns the keys that open what was entered about a call: one for each sealed entry, itself sealed to the controller.
An entry about no call has an id of its own in place of the call's (``asterisk_consent.ledger.sealing.key_id``).

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
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from asterisk_consent.durable import make_directory, make_names_durable, write_durably
from asterisk_consent.errors import KeysError
from asterisk_consent.model import EntryKey, Sealed, is_hex_id
from asterisk_consent.shared import mode_in
from asterisk_consent.vault.age import Identity, seal, unseal
from asterisk_consent.vault.recipients import read_recipients, recipients_path

PROOF_KEYS = "proof.sqlite"
"""The file among the keys."""
BLIND = "blind"
"""The directory among the keys that holds the key of each controller's blind index."""

_MODE, _SHARED_MODE = 0o600, 0o660
_DIRECTORY_MODE = 0o700
_BUSY_S = 2.0
_SCRUB_BUSY_MS = 0
_BLIND_BYTES = 32
_BLIND_DIGITS = 32
_BLIND_DOMAIN = b"asterisk-consent blind index 1\n"
_CREATE = (
    "CREATE TABLE IF NOT EXISTS key (id INTEGER PRIMARY KEY, call_id TEXT NOT NULL, wrapped BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS key_by_call ON key (call_id)",
)
_DESTROY = "UPDATE key SET wrapped = zeroblob(length(wrapped)) WHERE call_id = ?"
_OF_CALL = "SELECT wrapped FROM key WHERE call_id = ? AND wrapped != zeroblob(length(wrapped)) ORDER BY id"
_LIVE = """
    SELECT id, call_id, wrapped FROM key WHERE id > ? AND wrapped != zeroblob(length(wrapped)) ORDER BY id LIMIT ?
"""
_DESTROYED = "SELECT DISTINCT call_id FROM key WHERE wrapped = zeroblob(length(wrapped))"
_KEEP = """
    INSERT INTO key (call_id, wrapped)
    SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM key WHERE call_id = ? AND wrapped = ?)
"""


class ProofKeys:
    """The keys of all calls, as whoever appends to the ledger uses them: making and keeping, never opening.

    :param keys: the directory of all keys.
    :param checkpoints: whether writing also checkpoints: for the service alone, since two connections must not do that
        at once (SQLite up to 3.51.2).
    """

    def __init__(self, keys: Path, *, checkpoints: bool = False) -> None:
        self._keys = keys
        self._checkpoints = checkpoints
        self._recipients: dict[str, tuple[tuple[int, int, int], tuple[str, ...]]] = {}
        self._blind: dict[str, bytes] = {}
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()

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
        with self._using_own() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO key (call_id, wrapped) VALUES (?, ?)",
                [(key.call_id, key.wrapped) for key in keys],
            )
            connection.execute("COMMIT")

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
        if not (self._keys / PROOF_KEYS).exists():
            return True
        with self._using_own() as connection:
            connection.execute(f"PRAGMA busy_timeout = {_SCRUB_BUSY_MS}")
            blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_S * 1000:.0f}")
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

    @contextmanager
    def _using_own(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to one thread at a time; after an error it is opened anew."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = _open(self._keys, checkpoints=self._checkpoints)
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                self.close()
                raise _unusable(self._keys, error) from error


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


def with_proof_key(call_ids: Collection[str], keys: Path) -> set[str]:
    """Return those of which there is a key for something that was entered.

    :raises KeysError: the keys cannot be read.
    """
    with _using(keys) as connection:
        return {each for each in call_ids if connection.execute(_OF_CALL, (each,)).fetchone() is not None}


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


def live_keys(keys: Path, *, after: int, limit: int) -> list[tuple[int, EntryKey]]:
    """Return keys that are not destroyed, each with its number, in the order of those; the first after ``after``.

    :raises KeysError: they cannot be read.
    """
    with _using(keys) as connection:
        found = connection.execute(_LIVE, (after, limit))
        return [(number, EntryKey(call_id=call_id, wrapped=wrapped)) for number, call_id, wrapped in found]


def destroyed_calls(keys: Path) -> set[str]:
    """Return the calls of which a key was destroyed.

    :raises KeysError: the keys cannot be read.
    """
    if not (keys / PROOF_KEYS).exists():
        return set()
    with _using(keys) as connection:
        return {call_id for (call_id,) in connection.execute(_DESTROYED)}


def keep_missing(found: Sequence[EntryKey], keys: Path) -> int:
    """Keep those of these keys that are not there, durably; return how many it were.

    :raises KeysError: they cannot be written.
    """
    with _using(keys) as connection:
        connection.execute("BEGIN IMMEDIATE")
        before = connection.total_changes
        connection.executemany(_KEEP, [(key.call_id, key.wrapped, key.call_id, key.wrapped) for key in found])
        connection.execute("COMMIT")
        return connection.total_changes - before


def blind_path(controller: str, keys: Path) -> Path:
    """Name the file of the key of a controller's blind index.

    :raises KeysError: that is no id of a controller.
    """
    return keys / BLIND / f"{recipients_path(controller, keys).stem}.key"


def _blind_key(controller: str, keys: Path) -> bytes:
    path = blind_path(controller, keys)
    try:
        if not path.exists():
            _make_blind_key(path, keys)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise KeysError(f"the key of the blind index cannot be used ({error})", where=str(path)) from error
    if len(key) != _BLIND_BYTES:
        raise KeysError("the key of the blind index is damaged", where=str(path), remedy="Restore it")
    return key


def _make_blind_key(path: Path, keys: Path) -> None:
    """Make the key, whole and once: of two who make it at the same time the second takes that of the first."""
    make_directory(path.parent, mode=_DIRECTORY_MODE)
    own = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_durably(own, os.urandom(_BLIND_BYTES).hex().encode() + b"\n", mode=_MODE)
        for made in (path.parent, own):
            _give_to_owner_of(keys, made)
        with suppress(FileExistsError):
            path.hardlink_to(own)
        make_names_durable(path.parent)
    finally:
        own.unlink(missing_ok=True)


def _open(keys: Path, *, checkpoints: bool = False) -> sqlite3.Connection:
    path = keys / PROOF_KEYS
    if not path.exists():
        _make(keys, path)
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
        if not checkpoints:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        for statement in _CREATE:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _make(keys: Path, path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:  # what SQLite makes beside it gets the same mode
        os.fchmod(descriptor, mode_in(keys, alone=_MODE, shared=_SHARED_MODE))
    finally:
        os.close(descriptor)
    _give_to_owner_of(keys, path)


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
