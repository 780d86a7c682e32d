"""How a command writes a file for a person: whole or not at all, and readable by that person alone."""

import contextlib
import os
from pathlib import Path

from asterisk_consent.errors import RequestRefusedError


def write_private(output: Path, text: str) -> None:
    """Write a file, replaced where it exists.

    :raises RequestRefusedError: it cannot be written; what was there is left.
    """
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - of a descriptor
            file.write(text)
        unfinished.replace(output)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise RequestRefusedError(
            f"the file cannot be written ({error.strerror})", where=str(output), remedy="Name another one"
        ) from error
