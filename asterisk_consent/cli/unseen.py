"""What is typed where nobody else sees it: ``-`` in place of a value reads a line of standard input.

Rule: whoever is asked about stands neither in the shell's history nor in the list of processes. Lines are read in the
order of :data:`ORDER`, whatever the order of the options. A terminal is prompted, on standard error; what finds
somebody is not shown as it is typed.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, TypeVar, cast

import click

STDIN = "-"
HINT = "'-' reads it from standard input."
"""What the help of each of them says."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unseen:
    option: str
    prompt: str
    hidden: bool


ORDER = {
    "number": _Unseen(option="--number", prompt="Number", hidden=True),
    "receipt": _Unseen(option="--receipt", prompt="Receipt", hidden=True),
    "asked_by": _Unseen(option="--asked-by", prompt="Who asks", hidden=False),
}
"""The options that take ``-``, by their parameter, in the order in which their lines are read."""


def reading_unseen(command: F) -> F:
    """Call the command with what was typed in place of each ``-``.

    :raises click.UsageError: nothing came.
    """

    def run(*args: Any, **given: Any) -> Any:
        typed = {name: _typed(each) for name, each in ORDER.items() if given.get(name) == STDIN}
        return command(*args, **given | typed)

    return cast("F", update_wrapper(run, command))


def number_option(*, required: bool = False, about: str) -> Callable[[F], F]:
    """Give a command the option that names a telephone number."""
    text = f"{about} {HINT}"
    if required:
        return click.option("--number", required=True, help=text)
    return click.option("--number", default="", help=text)


def receipt_option(*, about: str) -> Callable[[F], F]:
    """Give a command the option that names a receipt code."""
    return click.option("--receipt", default="", metavar="DIGITS", help=f"{about} {HINT}")


def _typed(unseen: _Unseen) -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt(unseen.prompt, hide_input=unseen.hidden, err=True)
        return typed
    typed = sys.stdin.readline().strip()
    if not typed:
        raise click.UsageError(f"{unseen.option} -: nothing came on standard input.")
    return typed
