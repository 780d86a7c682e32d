"""Reads what is typed one key at a time, from a terminal or from lines.

Rule: the terminal is left as it was found, however reading ends.
"""

import os
import sys
import termios
import tty
from collections.abc import Generator, Iterable

END_OF_INPUT = "\x04"


def typed_keys() -> Generator[str, None, None]:
    """Yield keys: at a terminal as they are pressed, else those of :func:`keys_of_lines`; then nothing more."""
    return _pressed(sys.stdin.fileno()) if sys.stdin.isatty() else keys_of_lines(sys.stdin)


def keys_of_lines(lines: Iterable[str]) -> Generator[str, None, None]:
    """Yield the characters of each line that are no white space; an empty line is a line feed."""
    for line in lines:
        yield from "".join(line.split()) or "\n"


def _pressed(terminal: int) -> Generator[str, None, None]:
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        while (key := os.read(terminal, 1).decode("latin-1")) not in ("", END_OF_INPUT):
            yield "\n" if key == "\r" else key
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
