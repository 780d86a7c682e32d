"""Owns the identities of the controllers that lie on this machine: the private keys that open what was recorded.

Rule: they belong to root, the key holder may read them, and the service's user cannot; so the process that answers
calls cannot read back what it wrote. A file is age's own identity format: a private key a line, with comments.
"""

from pathlib import Path

from asterisk_consent.durable import make_directory, write_durably
from asterisk_consent.errors import KeysError
from asterisk_consent.shared import mode_in
from asterisk_consent.vault.age import Identity, lines_that_count, with_lines
from asterisk_consent.vault.recipients import recipients_path

_MODE, _SHARED_MODE = 0o600, 0o640
_DIRECTORY_MODE = 0o700


def identity_path(controller: str, identities: Path) -> Path:
    """Name the file of a controller's identities.

    :raises KeysError: that is no id of a controller.
    """
    return identities / recipients_path(controller, identities).name


def read_identities(text: str, *, where: str) -> tuple[Identity, ...]:
    """Read the text of an identity file.

    :raises KeysError: there is none in it, or something else; no part of it is repeated.
    """
    found = []
    for number, line in lines_that_count(text):
        try:
            found.append(Identity.read(line))
        except KeysError as error:
            raise KeysError(error.what, where=f"{where}:{number}", remedy="Write one a line") from None
    if not found:
        raise KeysError("no age identity (AGE-SECRET-KEY-1…) in it", where=where)
    return tuple(found)


def load_identities(file: Path) -> tuple[Identity, ...]:
    """Read an identity file.

    :raises KeysError: it cannot be read, or is no such file.
    """
    try:
        text = file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise KeysError(
            f"the identity cannot be read: {error.strerror}",
            where=str(file),
            remedy="Run as root, or name the identity with --identity FILE",
        ) from error
    return read_identities(text, where=str(file))


def add_identity(controller: str, identities: Path, lines: list[str]) -> Path:
    """Add an identity to the file of a controller, making it where there is none; return it.

    :raises KeysError: it cannot be written; then it is as before.
    """
    path = identity_path(controller, identities)
    try:
        make_directory(identities, mode=_DIRECTORY_MODE, parents=True)
        mode = mode_in(identities, alone=_MODE, shared=_SHARED_MODE)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        write_durably(path, with_lines(before, lines), mode=mode)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise KeysError(
            f"the identity cannot be written: {why}", where=str(path), remedy="Run it as root"
        ) from error
    return path
