"""How a command writes a file for a person: whole or not at all, and readable by that person alone."""

import os
from pathlib import Path

from asterisk_consent.durable import replacing
from asterisk_consent.errors import RequestRefusedError


def write_private(output: Path, text: str) -> None:
    """Write a file, replaced where it exists.

    :raises RequestRefusedError: it cannot be written; what was there is left.
    """
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with replacing(output, unfinished, mode=0o600) as file:
            file.write(text.encode())
    except OSError as error:
        raise RequestRefusedError(
            f"the file cannot be written ({error.strerror})", where=str(output), remedy="Name another one"
        ) from error
