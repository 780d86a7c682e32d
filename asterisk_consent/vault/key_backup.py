"""Owns backups of the keys: one tar file, with a stated end of its life.

Rule: what a key opens can be opened for as long as a backup of the key exists, so a backup says until when it lives,
and is not brought back after that; what it says and holds is signed, so an end that was moved shows. Of what was erased
no key is ever written to disk again. It holds no identity: what opens the keys in it is kept elsewhere. A backup is
whole or it is none: its last member says how many there are.

Every member can be taken out with ``tar`` and opened with ``age`` and an identity of the controller.
"""

import io
import re
import tarfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from asterisk_consent.errors import KeysError
from asterisk_consent.model import EntryKey
from asterisk_consent.vault.key_files import KeyFiles, key_files
from asterisk_consent.vault.proof_keys import keep_missing, live_keys

HEAD = "asterisk-consent-keys.json"
END = "end.json"
JOURNAL = "erased.log"
VERSION = 1
_BATCH = 1000
_LARGEST_BYTES = 64 << 10
"""More than any file among the keys but the journal of erasures."""
_AUDIO = re.compile(r"[0-9a-f]{2}/([0-9a-f]{32})\.audio\.age")
_DOMAIN = b"asterisk-consent backup of keys 1\n"
_PROOF = re.compile(r"[0-9a-f]{2}/([0-9a-f]{32})\.[0-9]+\.proof\.age")


class KeyBackup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the first member says: of which ledger, when it was made, and until when it lives; UTC seconds."""

    version: int
    ledger_id: str
    made_at: int
    ends_at: int


class _End(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    members: int
    key: str
    signature: str


class Signer(Protocol):
    """What signs a backup: the key that checkpoints are signed with, ``public`` in hexadecimal."""

    @property
    def public(self) -> str:
        """The public half."""

    def sign(self, message: bytes) -> str:
        """Return the signature, hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeBackup:
    """A backup that was read to its end: what it says of itself, and what was signed by whom when it was made."""

    head: KeyBackup
    signed: bytes
    key: str
    signature: str


def back_up_keys(keys: Path, file: BinaryIO, head: KeyBackup, signer: Signer) -> int:
    """Write the keys that are there and not destroyed; return how many keys of calls it were.

    Each is read at its own moment: take the backup of the ledger first, then all of its keys are in this one.

    :raises KeysError: the keys cannot be read.
    :raises OSError: the file cannot be written.
    """
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        writing = _Writing(tar, at=head.made_at)
        writing.add(HEAD, msgspec.json.encode(head))
        calls = 0
        for name, content in key_files(keys):
            writing.add(name, content)
            calls += _AUDIO.fullmatch(name) is not None
        after, batch = 0, live_keys(keys, after=0, limit=_BATCH)
        while batch:
            for after, key in batch:
                writing.add(f"{key.call_id[:2]}/{key.call_id}.{after}.proof.age", key.wrapped)
            calls += len(batch)
            batch = live_keys(keys, after=after, limit=_BATCH)
        members, digest = writing.members, writing.digest.hexdigest()
        signature = signer.sign(_signed(members, digest))
        end = _End(members=members, key=signer.public, signature=signature)
        writing.add(END, msgspec.json.encode(end))
    return calls


def _digested(name: str, content: bytes) -> bytes:
    """Return what of a member goes into the digest over all of them: name, a zero byte, size, content."""
    return name.encode() + b"\0" + len(content).to_bytes(8) + content


def _signed(members: int, digest: str) -> bytes:
    return _DOMAIN + f"{members} {digest}".encode("ascii", "backslashreplace")


class _Writing:
    def __init__(self, tar: tarfile.TarFile, *, at: int) -> None:
        self._tar = tar
        self._at = at
        self.members = 0
        self.digest = sha256()

    def add(self, name: str, content: bytes) -> None:
        """Add one member."""
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = len(content), self._at, 0o600
        self._tar.addfile(member, io.BytesIO(content))
        _forget_members(self._tar)
        self.members += 1
        self.digest.update(_digested(name, content))


def read_key_backup(backup: Path) -> KeyBackup:
    """Return what a backup says of itself.

    :raises KeysError: it is none, or cannot be read.
    """
    with _reading(backup) as members:
        for name, content in members:
            if name == HEAD:
                return _head(content, backup)
            break
    raise _no_backup(backup)


def require_whole(backup: Path) -> WholeBackup:
    """Read a backup to its end, and return what it says of itself; whose key signed that is not looked at.

    :raises KeysError: it is none, or not whole.
    """
    head, last, count, digest = read_key_backup(backup), b"", 0, sha256()
    with _reading(backup) as members:
        for name, content in members:
            last = content if name == END else b""
            if name != END:
                digest.update(_digested(name, content))
                count += 1
    try:
        end = msgspec.json.decode(last, type=_End)
    except msgspec.DecodeError as error:
        raise _not_whole(backup) from error
    if end.members != count:
        raise _not_whole(backup)
    signed = _signed(count, digest.hexdigest())
    return WholeBackup(head=head, signed=signed, key=end.key, signature=end.signature)


def holds_member(backup: Path, wanted: str) -> bool:
    """Tell whether there is a member of this name in a backup.

    :raises KeysError: the backup cannot be read.
    """
    with _reading(backup) as members:
        return any(name == wanted for name, _ in members)


def journal_in(backup: Path) -> bytes:
    """Return the journal of erasures as it was when the backup was made; empty where there was none.

    :raises KeysError: the backup cannot be read.
    """
    with _reading(backup) as members:
        return next((content for name, content in members if name == JOURNAL), b"")


def bring_back_keys(backup: Path, keys: Path, *, erased: Container[str], no_audio: Container[str]) -> int:
    """Write the keys of calls that are not there; return how many it were.

    What is there stays, but the keys of the blind indexes: those of the backup are the ones that its ledger was written
    with. Durable when it returns.

    :param erased: calls of which nothing may come back.
    :param no_audio: calls of which no audio may.
    :raises KeysError: the backup cannot be read, or the keys not be written.
    """
    files = KeyFiles(keys)
    proof: list[EntryKey] = []
    count = 0
    with _reading(backup) as members:
        for name, content in members:
            audio, entry = _AUDIO.fullmatch(name), _PROOF.fullmatch(name)
            if audio is not None and audio[1] not in erased and audio[1] not in no_audio:
                count += files.put(name, content)
            elif entry is not None and entry[1] not in erased:
                proof.append(EntryKey(call_id=entry[1], wrapped=content))
            elif audio is None and entry is None:
                files.put_of_controller(name, content)
            if len(proof) >= _BATCH:
                count += keep_missing(proof, keys)
                proof.clear()
    count += keep_missing(proof, keys)
    files.finish()
    return count


def prune(directory: Path, *, now: float) -> list[Path]:
    """Remove the backups of keys in a directory whose life is over; return which.

    :raises KeysError: the directory cannot be looked at, or one cannot be removed.
    """
    gone: list[Path] = []
    try:
        for path in sorted(directory.iterdir()):
            if path.is_file() and not path.is_symlink() and _is_over(path, now):
                path.unlink()
                gone.append(path)
    except OSError as error:
        raise KeysError(
            f"old backups of the keys cannot be removed: {error.strerror}", where=str(directory)
        ) from error
    return gone


def _is_over(path: Path, now: float) -> bool:
    try:
        return read_key_backup(path).ends_at <= now
    except KeysError:
        return False


@dataclass(slots=True)
class _Members:
    """The members of a tar file, one after the other, remembering none of them."""

    tar: tarfile.TarFile

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        while (member := self.tar.next()) is not None:
            file = self.tar.extractfile(member) if member.isreg() else None
            if file is None or (member.size > _LARGEST_BYTES and member.name != JOURNAL):
                raise tarfile.ReadError("a member that does not belong there")
            yield member.name, file.read()
            _forget_members(self.tar)


def _forget_members(tar: tarfile.TarFile) -> None:
    """Keep memory flat: it remembers every member."""
    tar.members.clear()  # type: ignore[attr-defined]  # typeshed does not list it


@contextmanager
def _reading(backup: Path) -> Iterator[_Members]:
    try:
        with tarfile.open(backup, mode="r:") as tar:
            yield _Members(tar)
    except tarfile.TarError as error:
        raise _no_backup(backup) from error
    except OSError as error:
        raise KeysError(
            f"the backup of the keys cannot be read: {error.strerror or error}", where=str(backup)
        ) from error


def _head(content: bytes, backup: Path) -> KeyBackup:
    try:
        head = msgspec.json.decode(content, type=KeyBackup)
    except msgspec.DecodeError as error:
        raise _no_backup(backup) from error
    if head.version != VERSION:
        raise KeysError(f"its version {head.version} is unknown to this release", where=str(backup))
    return head


def _not_whole(backup: Path) -> KeysError:
    return KeysError("the backup of the keys is not whole", where=str(backup), remedy="Take another copy")


def _no_backup(backup: Path) -> KeysError:
    return KeysError("this is no whole backup of keys", where=str(backup), remedy="Name one that we made")
