"""Owns the recipients of each controller: the public keys that the keys of its calls are sealed to.

Rule: there are at least two, of which one is kept off the machine, or nothing is recorded: with a single one the loss
of a single disk would be the loss of every recording. The file is age's own recipients format, a key a line with
comments, and is read anew for every recording, so that a change holds from the next one on.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from asterisk_consent.durable import make_directory, write_durably
from asterisk_consent.errors import KeysError
from asterisk_consent.vault.age import is_recipient, lines_that_count, with_lines

LEAST = 2
RECIPIENTS = "recipients"
"""The directory among the keys."""

_CONTROLLER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_MODE = 0o644
_DIRECTORY_MODE = 0o755
_LARGEST_BYTES = 64 << 10
_INIT = "Make its keys: asterisk-consent init"


def recipients_path(controller: str, keys: Path) -> Path:
    """Name the file of a controller's recipients.

    :raises KeysError: that is no id of a controller.
    """
    if not _CONTROLLER.fullmatch(controller):
        raise KeysError("not the id of a controller", where=ascii(controller)[:80])
    return keys / RECIPIENTS / f"{controller}.txt"


def has_recipients(controller: str, keys: Path) -> bool:
    """Tell whether a controller has a file of recipients, of whatever worth.

    :raises KeysError: that is no id of a controller.
    """
    return recipients_path(controller, keys).exists()


def read_recipients(controller: str, keys: Path) -> tuple[str, ...]:
    """Read the recipients of a controller, each once.

    :raises KeysError: the file is missing, cannot be used, or names fewer than two.
    """
    path = recipients_path(controller, keys)
    found: list[str] = []
    for number, line in lines_that_count(_text(path)):
        if not is_recipient(line):
            raise KeysError(
                "not an age recipient (age1…)",
                where=f"{path}:{number}",
                remedy="Write one public X25519 key a line; lines that begin with # are comments",
            )
        found.append(line)
    recipients = tuple(dict.fromkeys(found))
    if len(recipients) < LEAST:
        raise KeysError(
            f"{len(recipients)} recipient{'' if len(recipients) == 1 else 's'}, and at least {LEAST} are needed",
            where=str(path),
            remedy="One of them is kept off the machine; add what is missing: asterisk-consent init --add",
        )
    return recipients


def add_recipients(controller: str, keys: Path, lines: list[str]) -> Path:
    """Add lines to the file of a controller's recipients, making it where there is none; return it.

    :raises KeysError: it cannot be written; then it is as before.
    """
    path = recipients_path(controller, keys)
    before = _text(path) if path.exists() else ""
    try:
        make_directory(path.parent, mode=_DIRECTORY_MODE)
        write_durably(path, with_lines(before, lines), mode=_MODE)
    except OSError as error:
        raise KeysError(
            f"the recipients cannot be written: {error.strerror}",
            where=str(path),
            remedy="Run it as root; the service only reads them",
        ) from error
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryTest:
    """That an identity kept off the machine was there and opened something."""

    at: datetime
    recipient: str


def note_recovery_test(controller: str, keys: Path, test: RecoveryTest) -> None:
    """Keep when a recovery was last tried with success.

    :raises KeysError: it cannot be written.
    """
    path = _test_path(controller, keys)
    try:
        write_durably(path, f"{test.at.isoformat()} {test.recipient}\n".encode(), mode=_MODE)
    except OSError as error:
        raise KeysError(
            f"the moment of the test cannot be kept: {error.strerror}",
            where=str(path),
            remedy="The identity opened what it should. Run the test as root",
        ) from error


def last_recovery_test(controller: str, keys: Path) -> RecoveryTest | None:
    """Tell when a recovery was last tried with success, and with whose key; ``None`` where it never was."""
    try:
        moment, _, recipient = _text(_test_path(controller, keys)).strip().partition(" ")
        return RecoveryTest(at=datetime.fromisoformat(moment).astimezone(UTC), recipient=recipient)
    except (KeysError, ValueError):
        return None


def _test_path(controller: str, keys: Path) -> Path:
    path = recipients_path(controller, keys)
    return path.with_name(f"{controller}.tested")


def _text(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(_LARGEST_BYTES).decode("utf-8")
    except FileNotFoundError as error:
        raise KeysError("there are no recipients", where=str(path), remedy=_INIT) from error
    except OSError as error:
        raise KeysError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="The service's user must read it"
        ) from error
    except UnicodeDecodeError as error:
        raise KeysError("is not UTF-8 text", where=str(path), remedy=_INIT) from error
