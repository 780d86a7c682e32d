"""The file that holds the key checkpoints are signed with.

Rule: it is made once, whole or not at all, readable by its owner alone, and never written over. The form is PEM
(PKCS #8), so that ``openssl pkey`` reads it.
"""

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from asterisk_consent.durable import make_names_durable
from asterisk_consent.errors import LedgerError
from asterisk_consent.ledger.checkpoint import KEY_BYTES, SigningKey


def load_key(path: Path) -> SigningKey:
    """Read the key.

    :raises LedgerError: there is none, it may not be read, or it is no Ed25519 key.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise LedgerError(
            "there is no key to sign checkpoints with",
            where=str(path),
            remedy="The service makes it when it first starts",
        ) from error
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    try:
        private = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(path, "it is not a private key in PEM form without a password") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise _unusable(path, "it is a key of another kind than Ed25519")
    return SigningKey(private)


def has_key(path: Path) -> bool:
    """Tell whether there is a file for the key.

    :raises LedgerError: its directory may not be looked at.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    return True


def make_key(path: Path, *, randomness: Callable[[int], bytes] = os.urandom) -> None:
    """Make a new key.

    :raises LedgerError: there is a file of that name already, or it cannot be written.
    """
    private = Ed25519PrivateKey.from_private_bytes(randomness(KEY_BYTES))
    content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            if os.write(descriptor, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        path.hardlink_to(unfinished)
        make_names_durable(path.parent)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _unusable(path: Path, why: str) -> LedgerError:
    return LedgerError(
        f"the key for checkpoints cannot be used ({why})",
        where=str(path),
        remedy="It must belong to the user of the service; calls are asked all the same",
    )
