"""Owns the key pair of each call: made when its recording is sealed, its private half sealed to the controller.

Rule: the private half is never stored but sealed, and is forgotten as soon as it is; so what was recorded can be
opened with an identity of the controller and with nothing that the service has. The file of the key is durable
before the sealed recording counts as kept, and destroying it makes the recording unreadable, wherever copies of the
recording are. A call has one recording; making the key again, after a crash, replaces the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.durable import make_directory, make_names_durable, unfinished, write_durably
from asterisk_consent.errors import KeysError
from asterisk_consent.shared import mode_in
from asterisk_consent.vault.age import Identity, seal, unseal
from asterisk_consent.vault.names import key_path
from asterisk_consent.vault.presence import is_there
from asterisk_consent.vault.recipients import read_recipients

_MODE, _SHARED_MODE = 0o600, 0o640
_DIRECTORY_MODE, _SHARED_DIRECTORY_MODE = 0o700, 0o2750


@dataclass(frozen=True, slots=True, kw_only=True)
class CallKey:
    """Which key belongs to a recording: the call's, sealed to the recipients of its controller."""

    keys: Path
    """The directory of all keys."""
    call_id: str
    controller: str

    @property
    def path(self) -> Path:
        """The file of the sealed private half.

        :raises KeysError: there is no such call.
        """
        return key_path(self.call_id, self.keys)


def has_key(key: CallKey) -> bool:
    """Tell whether there is a key for the call.

    :raises AudioError: where that cannot be told now.
    """
    return is_there(key.path)


def make_key(key: CallKey) -> str:
    """Make a key pair, keep its private half sealed to the controller, and return the recipient to seal audio to.

    :raises KeysError: the controller has too few recipients, or the key cannot be kept.
    """
    recipients = read_recipients(key.controller, key.keys)
    path = key.path
    pair = Identity.generate()
    try:
        mode = mode_in(key.keys, alone=_DIRECTORY_MODE, shared=_SHARED_DIRECTORY_MODE)
        make_directory(path.parent, mode=mode)
        mode = mode_in(path.parent, alone=_MODE, shared=_SHARED_MODE)
        write_durably(path, seal(f"{pair.secret}\n".encode(), recipients), mode=mode)
    except OSError as error:
        raise KeysError(
            f"the key cannot be kept: {error.strerror}",
            where=str(key.keys),
            remedy="Free space or let the service's user write there, then try again",
        ) from error
    return pair.recipient


def open_key(key: CallKey, identities: tuple[Identity, ...]) -> Identity:
    """Return the private key that opens the audio of a call.

    :raises KeysError: there is none (any more), or none of the identities opens it.
    """
    try:
        sealed = key.path.read_bytes()
    except FileNotFoundError as error:
        raise KeysError(
            "there is no key for the call, so its recording cannot be opened",
            where=str(key.path),
            remedy="It was destroyed, or has to come back from a backup of the keys",
        ) from error
    except OSError as error:
        raise KeysError(f"the key cannot be read: {error.strerror}", where=str(key.path)) from error
    try:
        return Identity.read(unseal(sealed, identities).decode("ascii", "replace").strip())
    except KeysError as error:
        raise KeysError(
            f"the key of the call {error.what}",
            where=str(key.path),
            remedy=f"Name an identity of the controller '{key.controller}' with --identity FILE",
        ) from error


def destroy_key(call_id: str, keys: Path) -> None:
    """Destroy the key of a call, durably; what was sealed to it cannot be opened any more. May be repeated.

    :raises KeysError: it cannot be removed.
    """
    destroy_keys([call_id], keys)


def destroy_keys(call_ids: Sequence[str], keys: Path) -> None:
    """Destroy the keys of many calls; each directory is made durable once.

    :raises KeysError: one cannot be removed; those before it are.
    """
    paths = [key_path(call_id, keys) for call_id in call_ids]
    try:
        for path in paths:
            for each in (path, unfinished(path)):
                each.unlink(missing_ok=True)
        for directory in {path.parent for path in paths}:
            if directory.is_dir():
                make_names_durable(directory)
    except OSError as error:
        raise KeysError(f"the key cannot be destroyed: {error.strerror}", where=str(keys)) from error
