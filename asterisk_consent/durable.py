"""Owns writing a file so that its name stands for the whole of it, after a loss of power too.

Rule: written beside, made durable, renamed, and the rename made durable (``fsync(2)``: a directory needs its own).
"""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, partial: Path, *, mode: int) -> Iterator[BinaryIO]:
    """Give a file to write to; after the block ``path`` is that file, or what it was before where something failed.

    :param partial: where it is written, in the same directory.
    :raises OSError: it cannot be written; nothing of it is left.
    """
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "r+b") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        make_names_durable(path.parent)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def write_durably(path: Path, content: bytes, *, mode: int) -> None:
    """Make ``path`` a file of this content, or leave what was there where something failed.

    :raises OSError: it cannot be written; nothing of it is left.
    """
    with replacing(path, unfinished(path), mode=mode) as file:
        file.write(content)


def unfinished(path: Path) -> Path:
    """Name the file that :func:`write_durably` writes to before it takes its name."""
    return path.with_name(f"{path.name}.part")


def make_directory(directory: Path, *, mode: int, parents: bool = False) -> None:
    """Make a directory durably where there is none, with this mode whatever the umask.

    :raises OSError: it cannot be made.
    """
    if not directory.is_dir():
        directory.mkdir(mode=mode, parents=parents, exist_ok=True)
        directory.chmod(mode)
        make_names_durable(directory.parent)


def make_names_durable(directory: Path) -> None:
    """Make what was created, renamed and removed in a directory durable.

    :raises OSError: it cannot be.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
